"""Recording through TLS on both sides, against nginx that forwards in the same way and mitmproxy that records too.

The measured program has its core for itself; the upstream shares the other one with the load.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from accounting import WHOLE
from load import Requests, Slice
from preflight import write_bodies
from ratios import Reading, Row, sum_of_errors
from setting import Setting, cpu_side
from subjects import Subject, start_file_server, start_mitmproxy, start_nginx_proxy

TITLE = "Recording, TLS on both sides, 16 connections: CPU per request"
CONNECTIONS = 16
UNIQUE_PREFIX = "/unique/"
UNIQUE = Requests(prefix=UNIQUE_PREFIX, connections=CONNECTIONS)
# By kind of thread: workers carry the bytes, the writer is SQLite, and the whole is both.
UNIQUE_LIMITS = {"workers": 1.6, "writer": None, WHOLE: 2.5}
REPEATING_LIMITS = {"workers": None, "writer": None, WHOLE: 1.8}
MITMPROXY = "record unique bodies, of mitmproxy"
LATENCY = "record unique bodies, latency added at the median"
# With many connections the median is mostly a wait for each other; with one it is forwarding and the commit alone.
LATENCY_OF_ONE = "record one connection, latency added at the median"
LATENCY_MS_MAX = 1.0
# An exchange and its body in the cassette, with what the write-ahead log may hold of it at a time.
RECORDED_BYTES_PER_SECOND_MAX = 100e6


def measure(setting: Setting) -> Iterator[Row | Reading | str]:
    folder = setting.subfolder("record")
    setting.need_disk(int(RECORDED_BYTES_PER_SECOND_MAX * setting.seconds * setting.pairs))
    write_bodies(folder / "bodies", setting.items)
    with start_file_server("upstream", folder / "upstream", folder / "bodies", setting.load_core) as upstream:
        with start_nginx_proxy("nginx", folder / "nginx", upstream, setting.server_core) as nginx:
            yield from _unique(setting, folder, upstream, nginx)
            yield from _repeating(setting, folder, upstream, nginx)
            if setting.wants(LATENCY_OF_ONE):
                one = Requests(prefix=UNIQUE_PREFIX, connections=1)
                yield _latency(LATENCY_OF_ONE, *_in_turns(setting, folder, upstream, [nginx], one))


def _names(bodies: str) -> dict[str, str]:
    return {kind: f"record {bodies} bodies, {kind}" for kind in UNIQUE_LIMITS}


def _unique(setting: Setting, folder: Path, upstream: Subject, nginx: Subject) -> Iterator[Row | Reading]:
    names = _names("unique")
    if not setting.wants(*names.values(), LATENCY, MITMPROXY):
        return
    with start_mitmproxy(folder / "mitmproxy", upstream, setting.server_core) as mitmproxy:
        theirs, of_mitmproxy, ours = _in_turns(setting, folder, upstream, [nginx, mitmproxy], UNIQUE)
    if (folder / "mitmproxy" / "flows").stat().st_size == 0:
        raise RuntimeError("mitmproxy has recorded nothing")
    yield from _rows_by_kind(names, UNIQUE_LIMITS, theirs, ours)
    yield Row(MITMPROXY, "µs", cpu_side("mitmproxy", of_mitmproxy), cpu_side("tapedeck", ours), 1 / 12)
    yield _latency(LATENCY, theirs, ours)


def _repeating(setting: Setting, folder: Path, upstream: Subject, nginx: Subject) -> Iterator[Row]:
    names = _names("repeating")
    if setting.wants(*names.values()):
        asked = Requests(paths=setting.items, connections=CONNECTIONS)
        yield from _rows_by_kind(names, REPEATING_LIMITS, *_in_turns(setting, folder, upstream, [nginx], asked))


def _latency(name: str, theirs: list[Slice], ours: list[Slice]) -> Reading:
    added_ms = [(our.p50_us - their.p50_us) / 1000 for their, our in zip(theirs, ours)]
    return Reading(name, "ms", added_ms, LATENCY_MS_MAX, errors=sum_of_errors([one.errors for one in theirs + ours]))


def _rows_by_kind(names: dict, limits: dict, theirs: list[Slice], ours: list[Slice]) -> Iterator[Row]:
    reference = cpu_side("nginx", theirs)
    for kind, name in names.items():
        yield Row(name, "µs", reference, cpu_side("tapedeck", ours, kind), limits[kind])


def _in_turns(
    setting: Setting, folder: Path, upstream: Subject, references: list[Subject], asked: Requests
) -> list[list[Slice]]:
    """Slices of the references, then those of a recorder whose cassette has to hold all that it answered."""
    cassette = folder / "bench.cassette"
    with setting.tapedeck(folder).record(cassette, upstream.urls["tls"], setting.server_core, ("--new",)) as recorder:
        slices = setting.in_turns(*(setting.wrk(one, "tls", asked) for one in [*references, recorder]))
    answered = sum(one.requests for one in slices[-1])
    exchanges, bodies = _counts(cassette)
    if exchanges < answered:
        raise RuntimeError(f"{answered} requests were answered, and the cassette holds {exchanges}")
    if asked.prefix == UNIQUE_PREFIX and bodies < answered:
        raise RuntimeError(f"{answered} bodies were to be unique, and the cassette holds {bodies}")
    cassette.unlink()
    return slices


def _counts(cassette: Path) -> tuple[int, int]:
    database = sqlite3.connect(f"file:{cassette}?mode=ro", uri=True)
    try:
        (exchanges,) = database.execute("SELECT count(*) FROM exchanges WHERE state = 'whole'").fetchone()
        (bodies,) = database.execute("SELECT count(*) FROM bodies").fetchone()
    finally:
        database.close()
    return exchanges, bodies
