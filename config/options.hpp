#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tapedeck {

// Plain values of what the user can set. Every one has a default, so a test sets only what it is about.

enum class Mode { record, replay, auto_ };

struct ListenAddress {
  std::string host = "127.0.0.1";  // IP literal without brackets
  std::uint16_t port = 8484;       // 0 takes a free one
  std::string session = {};        // of all that comes in here; empty: the client chooses
};

// One URL of a scheme, host and port and nothing else; `host` is lower-case, IPv6 without brackets.
struct UpstreamUrl {
  std::string scheme = "https";
  std::string host;
  std::uint16_t port = 443;
};

// As curl's --connect-to: whoever asks for HOST1:PORT1 is connected to HOST2:PORT2. An empty host or port 0 means any
// (left side) or unchanged (right side).
struct ConnectTo {
  std::string from_host;
  std::uint16_t from_port = 0;
  std::string to_host;
  std::uint16_t to_port = 0;
};

// A value that the user calls secret (--secret), wherever it stands and in whatever encoding.
struct LiteralSecret {
  std::string value;
  std::string placeholder_class = "secret";
};

enum class RecordPolicy { new_, once, all };                             // auto: --record
enum class SequencePolicy { sticky, cycle, error, first, last };         // --sequence
enum class TakeDisposition { one_more, refuse_existing, replace_file };  // record: none, --new, --replace

struct Timing {
  enum class Kind { none, recorded, scaled };
  Kind kind = Kind::none;
  double scale = 1.0;  // of --timing xN: 2 is twice as fast
};

// A body up to this size is held whole while it is recorded, redacted, compared or served; a larger one goes in pieces.
// Not a limit of what can be recorded.
inline constexpr std::size_t body_memory_bytes_max = 8 * 1024 * 1024;

// Limits of every buffer and wait. Not all have a switch; all have a name.
struct Limits {
  std::size_t head_bytes_max = 64 * 1024;
  std::size_t start_line_bytes_max = 16 * 1024;  // request line or status line
  std::size_t header_fields_max = 200;
  std::size_t chunk_line_bytes_max = 4096;
  std::size_t interim_responses_max = 16;
  std::size_t auto_request_bytes_max = 64 * 1024 * 1024;  // auto: a request is held until it is known to be recorded
  std::size_t decoded_body_bytes_max = 64 * 1024 * 1024;  // bomb limit when a content coding is undone
  std::size_t abandoned_response_bytes_max = 64 * 1024 * 1024;  // read on for the recording once the client has left
  std::size_t replay_retry_bytes_max = 64 * 1024;               // how much of a request is kept to send it once more
  std::size_t scan_at_end_bytes_max = 32 * 1024 * 1024;  // of bodies looked through for secrets when a recording ends
  std::size_t connections_max = 16 * 1024;
  std::size_t cache_bytes_max = 64 * 1024 * 1024;  // replay: answers as they go out, all workers together
  std::size_t queue_exchanges_max = 4096;
  std::chrono::milliseconds connect_timeout_ms{10'000};
  std::chrono::milliseconds handshake_timeout_ms{10'000};
  std::chrono::milliseconds client_head_timeout_ms{30'000};  // from the first byte of a head to its end
  std::chrono::milliseconds client_idle_timeout_ms{120'000};
  std::chrono::milliseconds body_idle_timeout_ms{60'000};   // between two pieces of a body, either side
  std::chrono::milliseconds first_byte_timeout_ms{60'000};  // from the request's end to the response's first byte
  std::chrono::milliseconds early_answer_grace_ms{1'000};   // an upload that stands still is over once it is answered
  std::chrono::milliseconds upstream_idle_timeout_ms{30'000};
  std::chrono::milliseconds writer_lock_wait_ms{5'000};
};

// What `record`, `replay` and `auto` are told.
struct Options {
  Mode mode = Mode::replay;
  std::filesystem::path cassette = "tapedeck.cassette";
  std::vector<ListenAddress> listen;  // empty: 127.0.0.1:8484, or a free port when a command is wrapped
  bool allow_remote = false;
  std::optional<UpstreamUrl> upstream;  // where origin-form requests go
  std::vector<std::string> profiles;    // names; the default (roaring) is already filled in
  std::vector<std::string> hosts;       // --host globs
  std::vector<ConnectTo> connect_to;
  std::optional<std::filesystem::path> upstream_ca;
  bool upstream_insecure = false;
  std::filesystem::path ca_dir;  // filled in from $XDG_DATA_HOME or $HOME
  std::optional<std::filesystem::path> ready_file;
  std::optional<ListenAddress> admin = ListenAddress{"127.0.0.1", 0};  // nullopt: off
  std::vector<LiteralSecret> secrets;
  RecordPolicy record_policy = RecordPolicy::new_;
  bool keep_errors = false;
  bool durable = false;
  TakeDisposition take_disposition = TakeDisposition::one_more;
  int miss_status = 501;
  SequencePolicy sequence = SequencePolicy::sticky;
  Timing timing;
  std::string session = "default";
  std::vector<std::string> set_env;
  bool proxy_localhost = false;
  bool allow_misses = false;
  bool fail_on_unused = false;
  bool ci = false;
  bool record_in_ci = false;
  bool recording_allowed = true;  // false: replay, and auto under --ci or CI=true without --record-in-ci
  bool mark = false;
  std::optional<std::filesystem::path> report;
  bool log_json = false;
  int verbosity = 0;     // -1 quiet, 0 normal, 1 verbose
  unsigned workers = 0;  // 0: one a core, at most 4
  Limits limits;
  std::vector<std::string> command;  // empty: not wrapped
};

}  // namespace tapedeck
