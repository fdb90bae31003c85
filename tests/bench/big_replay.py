#!/usr/bin/python3
"""Measures replay of a cassette that big_cassette.py made: time until it is ready, and memory after random hits.

    tests/bench/big_replay.py --cassette FILE [--binary build/release/tapedeck] [--hits 100000]

It starts three times: without an index file, with a fresh one, and, where the system lets us drop what it caches of
files, with a fresh one read from the disk. Nothing of the user's own cache folder is touched.
"""

import argparse
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

CONNECTIONS = 4


def pattern_of(cassette: Path) -> tuple:
    """Origin, path before the number, and count of the exchanges."""
    with closing(sqlite3.connect(f"file:{cassette}?mode=ro", uri=True)) as connection:
        query = "SELECT scheme, host, port, target, id FROM exchanges ORDER BY id DESC LIMIT 1"
        scheme, host, port, target, count = connection.execute(query).fetchone()
    return f"{scheme}://{host}:{port}", target.rpartition("/")[0], count


def memory_kib(pid: int) -> dict:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[name].split()[0]) for name in ("VmHWM", "RssAnon", "RssFile")}


def ask(port: int, paths: list) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for path in paths:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or json.loads(body)["item"] != int(path.rpartition("/")[2]):
            raise SystemExit(f"{path} was answered {answer.status} {body[:80]!r}")


def hit(port: int, prefix: str, count: int, hits: int) -> None:
    source = random.Random(hits)
    paths = [f"{prefix}/{source.randint(1, count)}" for _ in range(hits)]
    threads = [threading.Thread(target=ask, args=(port, paths[n::CONNECTIONS])) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(name: str, arguments, home: Path, hits: int) -> None:
    origin, prefix, count = pattern_of(arguments.cassette)
    ready_file = home / "ready.json"
    command = [arguments.binary, "replay", "--cassette", arguments.cassette, "--upstream", origin]
    command += ["--listen", "127.0.0.1:0", "--ready-file", ready_file]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    begin = time.monotonic()
    with (home / "stderr").open("wb") as stderr:
        child = subprocess.Popen([str(part) for part in command], env=environment, stderr=stderr)
    while not ready_file.exists():
        if child.poll() is not None:
            raise SystemExit((home / "stderr").read_text())
        time.sleep(0.0005)
    ready_ms = 1000 * (time.monotonic() - begin)
    memory = [memory_kib(child.pid)]
    begin = time.monotonic()
    if hits:
        hit(int(json.loads(ready_file.read_text())["base_url"].rpartition(":")[2].rstrip("/")), prefix, count, hits)
        memory.append(memory_kib(child.pid))
    seconds = time.monotonic() - begin
    child.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    child.wait()
    told = [", ".join(f"{key} {value / 1024:.1f} MiB" for key, value in each.items()) for each in memory]
    print(f"{name}: ready after {ready_ms:.0f} ms ({told[0]})")
    if hits:
        print(f"  {hits} random hits in {seconds:.1f} s: {told[1]}")
    print(f"  ended in {1000 * (time.monotonic() - begin):.0f} ms", flush=True)


def drop_file_cache() -> bool:
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cassette", type=Path, required=True)
    parser.add_argument("--binary", type=Path, default=Path("build/release/tapedeck"))
    parser.add_argument("--hits", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tapedeck-bench-", dir=arguments.cassette.absolute().parent) as folder:
        run("no index file", arguments, Path(folder), 0)
        for file in Path(folder).glob(".cache/tapedeck/*"):
            sizes = [path.stat().st_size / 1e6 for path in (file, arguments.cassette)]
            print(f"  index file of {sizes[0]:.1f} MB for a cassette of {sizes[1]:.1f} MB")
        run("fresh index file", arguments, Path(folder), arguments.hits)
        if drop_file_cache():
            run("fresh index file, nothing cached", arguments, Path(folder), 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
