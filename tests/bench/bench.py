#!/usr/bin/python3
"""Measures replay against nginx serving the same bodies as files.

Both run pinned to one core and the load (wrk) to another; they take turns, pair by pair, so that a busy machine slows
both alike. What counts is CPU per request and the ratio within each pair: requests per second depend on the machine's
other work. A row whose load met an error has no ratio.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from load import CONNECTIONS, Slice, resident_bytes, run_load
from subjects import Subject, fetch_all, negotiated_cipher, record, start_nginx, start_replay

BODY_BYTES = 1200


@dataclass(frozen=True)
class Row:
    """One measurement: how the requests come."""

    name: str
    scheme: str
    depth: int  # requests in one write


ROWS = [
    Row("tls", "tls", 1),
    Row("plain", "plain", 1),
    Row("tls, pipelined by 16", "tls", 16),
    Row("plain, pipelined by 16", "plain", 16),
]


@dataclass(frozen=True)
class Outcome:
    row: Row
    baseline: list[Slice]
    subject: list[Slice]

    def errors(self) -> dict:
        total: dict[str, int] = {}
        for one in self.baseline + self.subject:
            for kind, count in one.errors.items():
                total[kind] = total.get(kind, 0) + count
        return total

    def ratios(self) -> list[float]:
        """CPU per request, the subject's over the baseline's, pair by pair; none where anything went wrong."""
        if self.errors() or any(one.requests == 0 for one in self.baseline + self.subject):
            return []
        return [s.cpu_us_per_request / b.cpu_us_per_request for b, s in zip(self.baseline, self.subject)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=Path("build/release/tapedeck"))
    parser.add_argument("--quick", action="store_true", help="3 pairs of 1 s a row: for trying, not for figures")
    parser.add_argument("--pairs", type=int, help="pairs of slices a row (default 5)")
    parser.add_argument("--seconds", type=float, help="length of a slice (default 5)")
    parser.add_argument("--items", type=int, default=1000, help="different recordings (default 1000)")
    parser.add_argument("--rows", default="", help="only rows whose name begins so")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--self-check", action="store_true", help="nginx against nginx: the ratio has to be about 1")
    options = parser.parse_args()
    options.pairs = options.pairs or (3 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 5)
    return options


def write_bodies(folder: Path, count: int) -> list[bytes]:
    items = folder / "items"
    items.mkdir(parents=True)
    bodies = []
    for number in range(count):
        start = f'{{"companyId":"{5500000000 + number}","companyName":"Exempelbolaget {number} AB","note":"'
        body = (start + "x" * (BODY_BYTES - len(start) - 2) + '"}').encode()
        (items / str(number)).write_bytes(body)
        bodies.append(body)
    return bodies


def measure(row: Row, baseline: Subject, subject: Subject, options: argparse.Namespace, load_core: int) -> Outcome:
    def one_slice(one: Subject, seconds: float) -> Slice:
        return run_load(one, one.urls[row.scheme], options.items, row.depth, seconds, load_core)

    for one in (baseline, subject):
        one_slice(one, 1)  # caches, branch predictors and the frequency of the core
    outcome = Outcome(row, [], [])
    for _ in range(options.pairs):
        outcome.baseline.append(one_slice(baseline, options.seconds))
        outcome.subject.append(one_slice(subject, options.seconds))
    return outcome


def median_of(slices: list[Slice], what: str) -> float:
    return statistics.median(getattr(one, what) for one in slices)


def table_line(outcome: Outcome) -> str:
    def side(slices: list[Slice]) -> str:
        cpu, rate = median_of(slices, "cpu_us_per_request"), median_of(slices, "requests_per_second")
        return f"{cpu:8.2f} µs {rate:8.0f}/s"

    ratios = outcome.ratios()
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else "none: errors"
    return f"{outcome.row.name:<24} {side(outcome.baseline)} {side(outcome.subject)}   {ratio}"


def as_json(outcome: Outcome) -> dict:
    ratios = outcome.ratios()
    return {
        **asdict(outcome),
        "errors": outcome.errors(),
        "ratio_median": statistics.median(ratios) if ratios else None,
        "ratio_min": min(ratios, default=None),
        "ratio_max": max(ratios, default=None),
    }


def compare_answers(subject: Subject, bodies: list[bytes]) -> None:
    for url in subject.urls.values():
        if fetch_all(url, len(bodies)) != bodies:
            raise RuntimeError(f"{subject.name} does not serve the bodies that were put in, at {url}")


def run(options: argparse.Namespace, folder: Path, running: list[Subject]) -> dict:
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[1 % len(cores)]
    if server_core == load_core:
        print("only one core: the load runs beside the servers, so requests per second mean little")
    bodies = write_bodies(folder / "bodies", options.items)
    baseline = start_nginx("nginx", folder / "nginx", folder / "bodies", server_core)
    running.append(baseline)
    if options.self_check:
        subject = start_nginx("nginx again", folder / "nginx-again", folder / "bodies", server_core)
    else:
        cassette, upstream = folder / "bench.cassette", baseline.urls["plain"]
        record(options.binary, folder / "record", upstream, options.items, cassette)
        subject = start_replay(options.binary, folder / "replay", upstream, cassette, server_core)
    running.append(subject)
    at_rest_bytes = {one.name: resident_bytes(one.pids()) for one in running}
    for one in running:
        compare_answers(one, bodies)
    ciphers = {one.name: negotiated_cipher(one.urls["tls"]) for one in running}

    print(f"{options.items} bodies of {BODY_BYTES} bytes; {options.pairs} pairs of {options.seconds:g} s a row")
    print(f"servers on core {server_core}, load ({CONNECTIONS} connections) on core {load_core}")
    print("TLS: " + "; ".join(f"{name} {cipher}" for name, cipher in ciphers.items()))
    print(f"{'CPU per request':<24} {baseline.name:>22} {subject.name:>22}   ratio: median (lowest–highest pair)")
    outcomes = []
    for row in ROWS:
        if row.name.startswith(options.rows):
            outcomes.append(measure(row, baseline, subject, options, load_core))
            print(table_line(outcomes[-1]), flush=True)
            if outcomes[-1].errors():
                print(f"{'':<24} errors: {outcomes[-1].errors()}")
    print("memory at rest: " + "; ".join(f"{name} {size / 1e6:.1f} MB" for name, size in at_rest_bytes.items()))
    return {
        "machine": {"cpu": cpu_name(), "cores": len(cores), "kernel": platform.release()},
        "items": options.items,
        "body_bytes": BODY_BYTES,
        "seconds": options.seconds,
        "ciphers": ciphers,
        "resident_bytes_at_rest": at_rest_bytes,
        "rows": [as_json(outcome) for outcome in outcomes],
    }


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def main() -> int:
    options = arguments()
    running: list[Subject] = []
    with tempfile.TemporaryDirectory(prefix="tapedeck-bench-") as folder:
        try:
            measured = run(options, Path(folder), running)
            for one in running:
                one.stop()
        except (RuntimeError, OSError) as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 1
        finally:
            for one in running:
                one.kill()
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2) + "\n")
    return 0 if all(row["ratio_median"] is not None for row in measured["rows"]) else 1


if __name__ == "__main__":
    sys.exit(main())
