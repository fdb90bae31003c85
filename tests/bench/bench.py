#!/usr/bin/python3
"""Measures tapedeck against nginx and mitmproxy, and against itself where size or threads should not matter.

Each row takes turns between its two programs, pair by pair, both pinned to one core with the load on another, so that a
busy machine slows both alike. What counts is CPU per request and the ratio within each pair: requests per second depend
on the machine's other work. A row whose load met an error has no ratio.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import machine
import report
import rows_big
import rows_bodies
import rows_recording
import rows_replay
from ratios import Reading, Row, complaints, kept_with
from setting import Setting, two_cores

KEPT = Path(__file__).resolve().parent / "ratios.json"
GROUPS = {"replay": rows_replay, "record": rows_recording, "big": rows_big, "bodies": rows_bodies}
QUICK = "no warming up, 50,000 exchanges and 20,000 hits as big cassette, a body of 64 MiB"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=Path("build/release/tapedeck"))
    parser.add_argument("--least-server", type=Path, default=Path("build/release/tests/bench_least_server"))
    parser.add_argument("--quick", action="store_true", help="2 pairs of 1 s, for trying: " + QUICK)
    parser.add_argument("--pairs", type=int, help="pairs of slices a row (default 5)")
    parser.add_argument("--seconds", type=int, help="length of a slice (default 5)")
    parser.add_argument("--rows", default="", metavar="PREFIX", help="only rows whose name begins so")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--check", action="store_true", help=f"fail where a ratio is 20 %% above that in {KEPT.name}")
    parser.add_argument("--keep", action="store_true", help=f"write the ratios measured into {KEPT.name}")
    parser.add_argument("--self-check", action="store_true", help="replay rows with nginx twice: ratios of about 1")
    options = parser.parse_args()
    if options.keep and (options.quick or options.self_check):
        parser.error("--keep wants figures of a whole run, not of --quick or --self-check")
    if options.check and not KEPT.exists():
        parser.error(f"--check compares with {KEPT}, which is not there; --keep writes it")
    if options.self_check and not options.rows.startswith("replay"):
        parser.error("--self-check wants --rows replay")
    if not any(touches(options.rows, group) for group in GROUPS):
        parser.error(f"--rows: names begin with {', '.join(GROUPS)}")
    return options


def setting_of(options: argparse.Namespace, folder: Path) -> Setting:
    server_core, load_core = two_cores()
    return Setting(
        binary=options.binary.resolve(),
        least_server=options.least_server.resolve(),
        folder=folder,
        server_core=server_core,
        load_core=load_core,
        pairs=options.pairs or (2 if options.quick else 5),
        seconds=options.seconds or (1 if options.quick else 5),
        warm_up=not options.quick,
        items=1000,
        big_exchanges=50_000 if options.quick else 1_000_000,
        big_hits=20_000 if options.quick else 100_000,
        large_body_bytes=(64 << 20) if options.quick else (1 << 30),
        prefix=options.rows,
        self_check=options.self_check,
    )


class Collector:
    """Prints what is measured as it comes and keeps it for the JSON."""

    def __init__(self, setting: Setting):
        self.rows: list[Row] = []
        self.readings: list[Reading] = []
        self.failures: dict[str, str] = {}
        self._setting = setting

    def measure(self, name: str, group: ModuleType) -> None:
        """A group that cannot be measured is said and is a failure, and the others go on."""
        print(report.heading(group.TITLE), flush=True)
        try:
            for one in group.measure(self._setting):
                self._add(one)
        except (RuntimeError, OSError, ImportError) as failure:
            self.failures[name] = str(failure)
            print(f"not measured further: {failure}", flush=True)

    def _add(self, one: Row | Reading | str) -> None:
        if isinstance(one, str):
            print(one, flush=True)
        elif one.name.startswith(self._setting.prefix):
            is_row = isinstance(one, Row)
            (self.rows if is_row else self.readings).append(one)
            print(report.row_line(one) if is_row else report.reading_line(one), flush=True)

    def as_json(self) -> dict:
        return {
            "rows": [one.as_json() for one in self.rows],
            "readings": [one.as_json() for one in self.readings],
            "failures": self.failures,
        }

    def flawless(self) -> bool:
        return not self.failures and not any(one.trouble() for one in [*self.rows, *self.readings])


def touches(prefix: str, group: str) -> bool:
    return prefix.startswith(group) or group.startswith(prefix)


def run(options: argparse.Namespace, folder: Path) -> int:
    setting = setting_of(options, folder)
    described = machine.describe(setting.binary)
    started = time.monotonic()
    for line in report.machine_lines(described, (setting.server_core, setting.load_core)):
        print(line)
    print(f"{setting.pairs} pairs of {setting.seconds} s a row" + ("; quick: " + QUICK if options.quick else ""))
    collector = Collector(setting)
    for name, group in GROUPS.items():
        if touches(options.rows, name):
            collector.measure(name, group)
    if not collector.rows and not collector.readings and not collector.failures:
        collector.failures["rows"] = f"no row begins with {options.rows}"
        print(f"bench: no row begins with {options.rows}", file=sys.stderr)
    print(f"\nmeasured in {time.monotonic() - started:.0f} s")
    if options.json:
        how = {"quick": options.quick, "pairs": setting.pairs, "seconds": setting.seconds}
        everything = {"machine": described, **how, **collector.as_json()}
        options.json.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n")
    return 0 if closed(options, collector) else 1


def closed(options: argparse.Namespace, collector: Collector) -> bool:
    """Compares with the kept ratios or keeps these, as asked for; says whether all is well."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    worse = complaints(kept, collector.rows, options.rows) if options.check else []
    for line in worse:
        print(f"bench: {line}", file=sys.stderr)
    if options.check and not worse:
        print(f"no ratio is worse than kept in {KEPT.name} by more than 20 %")
    if options.keep:
        KEPT.write_text(json.dumps(kept_with(kept, collector.rows), indent=2) + "\n")
    return collector.flawless() and not worse


def main() -> int:
    options = arguments()
    # So that an ended run ends what it has started, and leaves no files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="tapedeck-bench-") as folder:
        return run(options, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
