"""One large body, fetched whole over TLS: time and memory, against nginx that forwards it."""

import os
from collections.abc import Iterator
from pathlib import Path

from load import Transfer, run_transfer
from ratios import Reading, Row, Side, sum_of_errors
from setting import Setting
from subjects import Subject, start_file_server, start_nginx_proxy

TITLE = "Large bodies over TLS: seconds for one"
PATH = "/large/body"
BLOCK_BYTES = 1 << 20
# Half of nginx's speed is twice its time.
REPLAY = "bodies replayed"
RECORD = "bodies recorded"
LIMITS = {REPLAY: 2.0, RECORD: 4.0}
RESIDENT, ANONYMOUS = ", resident memory", ", memory of its own"
RESIDENT_MB_MAX = 64


def measure(setting: Setting) -> Iterator[Row | Reading | str]:
    folder = setting.subfolder("large")
    setting.need_disk(4 * setting.large_body_bytes)  # the file, one cassette to replay, one being made with its log
    _write_body(folder / "bodies" / PATH.lstrip("/"), setting.large_body_bytes)
    with start_file_server("upstream", folder / "upstream", folder / "bodies", setting.load_core) as upstream:
        with start_nginx_proxy("nginx", folder / "nginx", upstream, setting.server_core) as nginx:
            yield f"a body of {setting.large_body_bytes >> 20} MiB; half of nginx's speed is a ratio of 2"
            if _wanted(setting, RECORD):
                yield from _recorded(setting, folder, upstream, nginx)
            if _wanted(setting, REPLAY):
                yield from _replayed(setting, folder, upstream, nginx)


def _wanted(setting: Setting, name: str) -> bool:
    return setting.wants(name, name + RESIDENT, name + ANONYMOUS)


def _write_body(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True)
    block = os.urandom(BLOCK_BYTES)  # Zeros might be cheaper somewhere.
    with path.open("wb") as file:
        for _ in range(size // BLOCK_BYTES):
            file.write(block)


def _recorded(setting: Setting, folder: Path, upstream: Subject, nginx: Subject) -> Iterator[Row | Reading]:
    theirs, ours = [], []
    for _ in range(setting.pairs):
        theirs.append(_fetch(setting, nginx))
        ours.append(_record_once(setting, folder, upstream, folder / "one.cassette", setting.server_core))
        (folder / "one.cassette").unlink()
    yield from _rows(RECORD, theirs, ours)


def _record_once(setting: Setting, folder: Path, upstream: Subject, cassette: Path, core: int | None) -> Transfer:
    with setting.tapedeck(folder).record(cassette, upstream.urls["tls"], core, ("--new",)) as recorder:
        return _fetch(setting, recorder)


def _replayed(setting: Setting, folder: Path, upstream: Subject, nginx: Subject) -> Iterator[Row | Reading]:
    cassette = folder / "replayed.cassette"
    _record_once(setting, folder, upstream, cassette, None)
    theirs, ours = [], []
    with setting.tapedeck(folder).replay(cassette, upstream.urls["tls"], setting.server_core) as replay:
        for _ in range(setting.pairs):
            theirs.append(_fetch(setting, nginx))
            ours.append(_fetch(setting, replay))
    yield from _rows(REPLAY, theirs, ours)


def _fetch(setting: Setting, subject: Subject) -> Transfer:
    return run_transfer(subject, PATH, setting.large_body_bytes, setting.load_core)


def _rows(name: str, theirs: list[Transfer], ours: list[Transfer]) -> Iterator[Row | Reading]:
    def side(of: str, transfers: list[Transfer]) -> Side:
        return Side(of, [one.seconds for one in transfers], [], sum_of_errors([one.errors for one in transfers]))

    yield Row(name, "s", side("nginx", theirs), side("tapedeck", ours), LIMITS[name])
    errors = side("tapedeck", ours).errors
    resident_mb = max(one.memory_bytes for one in ours) / 1e6
    yield Reading(name + RESIDENT, "MB", [resident_mb], RESIDENT_MB_MAX, errors=errors)
    yield Reading(name + ANONYMOUS, "MB", [max(one.anonymous_bytes for one in ours) / 1e6], errors=errors)
