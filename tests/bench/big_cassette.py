#!/usr/bin/python3
"""Makes a cassette of any size out of a small one, for measuring.

    tests/bench/big_cassette.py --from SMALL_CASSETTE --cassette FILE --exchanges N

The last exchange of SMALL_CASSETTE, which the program itself has recorded, is the pattern of all: each of the N gets
the pattern's row, but another number as the last segment of its path (1 to N) and a body of its own, as long as the
pattern's. So the file has the shape of a real recording (docs/cassette-format.md). All pages stay in memory until the
end, since digests come in no order: for a million exchanges some 2 GB.
"""

import argparse
import hashlib
import os
import random
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

BATCH = 64  # how many exchanges a recorder commits at once, so how bodies and rows lie in the file
BODY_BYTES_MIN = 20
FIRST_PIECE_BYTES = 65536


def multiply(small: Path, big: Path, exchanges: int) -> None:
    """Writes `big`, which must not be there yet."""
    if big.exists():
        raise FileExistsError(f"{big} is there already; delete it or name another file")
    unfinished = big.with_name(big.name + ".new")
    shutil.copy(small, unfinished)
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA cache_spill = OFF")
        connection.row_factory = sqlite3.Row
        pattern = dict(connection.execute("SELECT * FROM exchanges ORDER BY id DESC LIMIT 1").fetchone())
        size = _body_bytes(connection, pattern)
        connection.execute("BEGIN")
        for table in ("events", "exchanges", "body_pieces", "bodies"):
            connection.execute(f"DELETE FROM {table}")
        _insert_all(connection, pattern, size, exchanges)
        connection.execute("COMMIT")
    os.rename(unfinished, big)


def _body_bytes(connection, pattern: dict) -> int:
    found = connection.execute("SELECT size FROM bodies WHERE id = ?", (pattern["response_body"],)).fetchone()
    if pattern["request_body"] is not None or found is None:
        raise ValueError("the pattern must be a request without a body whose response has one")
    if not BODY_BYTES_MIN <= found["size"] <= FIRST_PIECE_BYTES:
        raise ValueError(f"the pattern's body must have {BODY_BYTES_MIN} to {FIRST_PIECE_BYTES} bytes")
    return found["size"]


def _insert_all(connection, pattern: dict, size: int, exchanges: int) -> None:
    names = list(pattern)
    insert_body = "INSERT INTO bodies(id, digest, size, first_piece) VALUES (?, ?, ?, ?)"
    insert_exchange = f"INSERT INTO exchanges({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    source = random.Random(exchanges)
    for first in range(1, exchanges + 1, BATCH):
        numbers = range(first, min(first + BATCH, exchanges + 1))
        bodies = [_body(number, size, source) for number in numbers]
        rows = [(n, hashlib.sha256(body).digest(), size, body) for n, body in zip(numbers, bodies)]
        connection.executemany(insert_body, rows)
        connection.executemany(insert_exchange, [_row(pattern, number, source) for number in numbers])


def _body(number: int, size: int, source: random.Random) -> bytes:
    """JSON, padded with what does not compress where there is room for it."""
    beginning = b'{"item":%d' % number
    room = size - len(beginning) - len(b',"text":""}')
    if room <= 0:
        return (beginning + b"}").ljust(size)
    return beginning + b',"text":"' + source.randbytes(room // 2 + 1).hex().encode()[:room] + b'"}'


def _row(pattern: dict, number: int, source: random.Random) -> tuple:
    path = pattern["target"].rpartition("/")[0]
    changed = {"id": number, "uuid": source.randbytes(16), "target": f"{path}/{number}", "response_body": number}
    changed |= {"started_number": number, "finished_number": number}
    changed["started_at_us"] = pattern["started_at_us"] + number
    return tuple((pattern | changed).values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="small", type=Path, required=True)
    parser.add_argument("--cassette", type=Path, required=True)
    parser.add_argument("--exchanges", type=int, default=1_000_000)
    arguments = parser.parse_args()
    multiply(arguments.small, arguments.cassette, arguments.exchanges)
    return 0


if __name__ == "__main__":
    sys.exit(main())
