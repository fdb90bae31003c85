#pragma once

#include <string>

struct sqlite3;

namespace tapedeck {

// The name of a file layer for SQLite that is the layer `base` (empty: the default one) but for write-ahead logs: a
// transaction's frames are written to them together, in as few calls of the system as can be (FrameGatherer). By the
// time that SQLite takes a transaction for committed it is written, as without it. Registered at the first call;
// thread-safe. Empty when there is no such layer.
std::string gathering_vfs(const std::string& base);

// To be called when a transaction of this connection was rolled back: frames of it that SQLite wrote early, for want of
// memory, may still be kept, and must not go into the log behind those of somebody else's transaction.
void drop_gathered(sqlite3* database);

}  // namespace tapedeck
