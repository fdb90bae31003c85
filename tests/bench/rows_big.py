"""Replay from a cassette of a million exchanges: what its size costs a request, a start and the memory."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from accounting import memory
from big_cassette import multiply
from load import Requests, Slice, run_wrk
from preflight import record_items, write_bodies
from ratios import Reading, Row, sum_of_errors
from setting import Setting, cpu_side
from subjects import Subject, Tapedeck, start_file_server

TITLE = "Big cassettes: CPU per request over TLS"
HOT_KEYS = 10_000
HOT, RANDOM = "big hot keys", "big random keys"
LIMITS = {HOT: 1.3, RANDOM: 3.0}
HITS_SECONDS_MAX = 120
START_SECONDS_MAX = 600
FIRST_START = "big first start, which builds the index"
COLD_START = "big start, files not in memory"
WARM_START = "big start with a fresh index"
ANONYMOUS = "big memory of its own after random hits"
MAPPED = "big mapped file pages after random hits"
CASSETTE_BYTES_PER_EXCHANGE = 2700
# The same again for the files that are derived from it, and for what is being written.
DISK_BYTES_PER_EXCHANGE = 2 * CASSETTE_BYTES_PER_EXCHANGE


def measure(setting: Setting) -> Iterator[Row | Reading | str]:
    folder = setting.subfolder("big")
    setting.need_disk(setting.big_exchanges * DISK_BYTES_PER_EXCHANGE)
    write_bodies(folder / "bodies", setting.items)
    small, big = folder / "small.cassette", folder / "big.cassette"
    tapedeck = setting.tapedeck(folder)
    with start_file_server("upstream", folder / "upstream", folder / "bodies", setting.load_core) as upstream:
        record_items(tapedeck, upstream, setting.items, small)
        origin = upstream.urls["plain"]
    multiply(small, big, setting.big_exchanges)
    size = f"{setting.big_exchanges:,} exchanges, {big.stat().st_size / 1e9:.2f} GB, {setting.big_hits:,} random hits"
    yield f"{size}; the small one has {setting.items:,}"
    yield from _starts(setting, tapedeck, big, origin)
    yield from _memory(setting, tapedeck, big, origin)
    yield from _requests(setting, tapedeck, small, big, origin)


def _start(setting: Setting, tapedeck: Tapedeck, cassette: Path, origin: str) -> Subject:
    return tapedeck.replay(cassette, origin, setting.server_core, seconds_max=START_SECONDS_MAX)


def _starts(setting: Setting, tapedeck: Tapedeck, big: Path, origin: str) -> Iterator[Reading]:
    def seconds() -> float:
        with _start(setting, tapedeck, big, origin) as started:
            return started.ready_seconds

    first = seconds()
    yield Reading(FIRST_START, "s", [first])
    files = _files_of(tapedeck, big)
    if setting.wants(COLD_START):
        _drop_from_page_cache(files)
        yield Reading(COLD_START, "s", [seconds()])
    _read_into_page_cache(files)
    if setting.wants(WARM_START):
        yield Reading(WARM_START, "ms", [seconds() * 1000 for _ in range(setting.pairs)], 150)


def _drop_from_page_cache(files: list[Path]) -> None:
    for one in files:
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)  # Only what is on disk can be dropped.
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def _files_of(tapedeck: Tapedeck, cassette: Path) -> list[Path]:
    return [cassette, *(one for one in tapedeck.cache.rglob("*") if one.is_file())]


def _read_into_page_cache(files: list[Path]) -> None:
    """What is measured then is the program and not the disk. A host may take pages back from its guests at any time."""
    for one in files:
        with one.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def _memory(setting: Setting, tapedeck: Tapedeck, big: Path, origin: str) -> Iterator[Reading]:
    if not setting.wants(ANONYMOUS, MAPPED):
        return
    with _start(setting, tapedeck, big, origin) as started:
        slices = _hits(setting, started, _at_random(setting), setting.big_hits)
        used = memory(started.pids())
    errors = sum_of_errors([one.errors for one in slices])
    yield Reading(ANONYMOUS, "MB", [used.anonymous / 1e6], 100, errors=errors)
    yield Reading(MAPPED, "MB", [used.file / 1e6], errors=errors)


def _hits(setting: Setting, subject: Subject, asked: Requests, count: int) -> list[Slice]:
    slices: list[Slice] = []
    deadline = time.monotonic() + HITS_SECONDS_MAX
    while sum(one.requests for one in slices) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{count:,} hits took more than {HITS_SECONDS_MAX} s")
        slices.append(run_wrk(subject, "tls", asked, 1, setting.load_core))
    return slices


def _at_random(setting: Setting) -> Requests:
    # A number is that of an exchange, from 1.
    return Requests(paths=setting.big_exchanges - 1, first=1, order="random")


def _requests(setting: Setting, tapedeck: Tapedeck, small: Path, big: Path, origin: str) -> Iterator[Row]:
    if not setting.wants(HOT, RANDOM):
        return
    with _start(setting, tapedeck, small, origin) as of_few:
        with _start(setting, tapedeck, big, origin) as of_many:
            if setting.wants(HOT):
                hot_keys = min(HOT_KEYS, setting.big_exchanges - 1)
                asked = Requests(paths=hot_keys, first=1, stride=setting.big_exchanges // hot_keys)
                _hits(setting, of_many, asked, 4 * hot_keys)  # Hot is what was asked for before, and not only once.
                yield _against_few(setting, HOT, of_few, of_many, replace(asked, order="random"))
            if setting.wants(RANDOM):
                _read_into_page_cache(_files_of(tapedeck, big))
                yield _against_few(setting, RANDOM, of_few, of_many, _at_random(setting))


def _against_few(setting: Setting, name: str, of_few: Subject, of_many: Subject, asked: Requests) -> Row:
    # Both sides are asked at random, so that the client does the same work.
    few = Requests(paths=setting.items, order="random")
    theirs, ours = setting.in_turns(setting.wrk(of_few, "tls", few), setting.wrk(of_many, "tls", asked))
    return Row(name, "µs", cpu_side("small", theirs), cpu_side("tapedeck", ours), LIMITS[name])
