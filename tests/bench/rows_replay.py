"""Replay against nginx that serves the same bodies as files; handshakes; two workers."""

import ssl
from collections.abc import Iterator
from pathlib import Path

from accounting import memory
from load import Requests, run_new_connections, run_wrk
from preflight import compare_answers, negotiated_cipher, record_items, resumed_handshakes, write_bodies
from ratios import Reading, Row
from setting import Setting, cpu_side
from subjects import Subject, start_file_server, start_least_server

TITLE = "Replay: CPU per request, one server thread"
LIMITS = {"tls": 0.90, "plain": 0.65}
# What is pipelined is measured against nginx answering one request at a time.
PIPELINED_LIMITS = {"tls": 0.25, "plain": 0.15}
PIPELINED = "pipelined by 16"
# No limit of ours: a bound on what can be reached at all.
LEAST = "replay plain, the least server"
NEW_CONNECTIONS = "replay tls, a full handshake each"
RESUMED = {
    "replay resumed handshakes, TLS 1.3": ssl.TLSVersion.TLSv1_3,
    "replay resumed handshakes, TLS 1.2": ssl.TLSVersion.TLSv1_2,
}
RESUMPTIONS = 20
TWO_WORKERS = "replay tls, two workers"
AT_REST = "replay memory at rest, "


def measure(setting: Setting) -> Iterator[Row | Reading | str]:
    folder = setting.subfolder("replay")
    bodies = write_bodies(folder / "bodies", setting.items)
    cassette = folder / "bench.cassette"
    with start_file_server("nginx", folder / "nginx", folder / "bodies", setting.server_core) as nginx:
        record_items(setting.tapedeck(folder), nginx, setting.items, cassette)
        with _subject(setting, folder, nginx, cassette) as subject:
            for one in (nginx, subject):
                yield Reading(AT_REST + one.name, "MB", [memory(one.pids()).total / 1e6])
                compare_answers(one, bodies)
            yield "; ".join(f"{one.name}: {negotiated_cipher(one.urls['tls'])}" for one in (nginx, subject))
            for scheme in LIMITS:
                yield from _kept_alive(setting, nginx, subject, scheme)
            yield from _new_connections(setting, nginx, subject)
        if not setting.self_check and setting.wants(LEAST):
            yield _least(setting, folder, nginx, bodies)
        if not setting.self_check and setting.wants(TWO_WORKERS):
            yield _two_workers(setting, folder, nginx, cassette)


def _subject(setting: Setting, folder: Path, nginx: Subject, cassette: Path) -> Subject:
    if setting.self_check:
        return start_file_server("nginx again", folder / "nginx-again", folder / "bodies", setting.server_core)
    return setting.tapedeck(folder).replay(cassette, nginx.urls["plain"], setting.server_core)


def _kept_alive(setting: Setting, nginx: Subject, subject: Subject, scheme: str) -> Iterator[Row]:
    name = f"replay {scheme}"
    one_of_many, both = f"{name}, {PIPELINED}", f"{name}, both {PIPELINED}"
    if not setting.wants(name, one_of_many, both):
        return
    single, many = Requests(paths=setting.items), Requests(paths=setting.items, depth=16)
    loads = [setting.wrk(one, scheme, asked) for asked in (single, many) for one in (nginx, subject)]
    names = (nginx.name, subject.name) * 2
    sides = [cpu_side(side, slices) for side, slices in zip(names, setting.in_turns(*loads))]
    theirs, ours, theirs_of_many, ours_of_many = sides
    yield Row(name, "µs", theirs, ours, LIMITS[scheme])
    yield Row(one_of_many, "µs", theirs, ours_of_many, PIPELINED_LIMITS[scheme])
    yield Row(both, "µs", theirs_of_many, ours_of_many)


def _least(setting: Setting, folder: Path, nginx: Subject, bodies: list[bytes]) -> Row:
    with start_least_server(setting.least_server, folder / "least", folder / "bodies", setting.server_core) as least:
        compare_answers(least, bodies)
        asked = Requests(paths=setting.items)
        theirs, its = setting.in_turns(*(setting.wrk(one, "plain", asked) for one in (nginx, least)))
    return Row(LEAST, "µs", cpu_side(nginx.name, theirs), cpu_side(least.name, its), is_tapedeck=False)


def _new_connections(setting: Setting, nginx: Subject, subject: Subject) -> Iterator[Row | Reading]:
    def connections_to(one: Subject):
        return lambda seconds: run_new_connections(one, "/items/0", seconds, setting.load_core)

    if setting.wants(NEW_CONNECTIONS):
        theirs, ours = setting.in_turns(connections_to(nginx), connections_to(subject))
        yield Row(NEW_CONNECTIONS, "µs", cpu_side(nginx.name, theirs), cpu_side(subject.name, ours), 1.0)
    for name, version in RESUMED.items():
        if setting.wants(name) and not setting.self_check:
            resumed = resumed_handshakes(subject.urls["tls"], version, RESUMPTIONS)
            yield Reading(name, f"of {RESUMPTIONS}", [resumed], RESUMPTIONS, at_least=True)


def _two_workers(setting: Setting, folder: Path, nginx: Subject, cassette: Path) -> Row:
    """Nothing is pinned here: two workers on one core would only wait for each other."""
    tapedeck, upstream = setting.tapedeck(folder), nginx.urls["plain"]
    with tapedeck.replay(cassette, upstream, None, workers=1) as one:
        with tapedeck.replay(cassette, upstream, None, workers=2) as two:

            def anywhere(subject: Subject):
                return lambda seconds: run_wrk(subject, "tls", Requests(paths=setting.items), seconds, None)

            single, double = setting.in_turns(anywhere(one), anywhere(two))
    return Row(TWO_WORKERS, "µs", cpu_side("1 worker", single), cpu_side("2 workers", double), 1.1)
