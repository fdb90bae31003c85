"""The load (wrk, h2load, curl) and what it cost the program that answered it."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from accounting import MemoryPeak, cpu_seconds, settled_cpu_seconds
from subjects import Subject, pin_to

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Requests:
    """What wrk asks for, and how."""

    prefix: str = "/items/"
    paths: int = 1000
    first: int = 0  # the lowest number of a path
    stride: int = 1  # between the numbers of two paths
    order: str = "cycle"  # or "random"
    depth: int = 1  # requests in one write
    connections: int = 64


@dataclass(frozen=True)
class Slice:
    """One stretch of load on one program."""

    requests: int
    requests_per_second: float
    cpu_us_per_request: dict[str, float]  # by kind of thread
    errors: dict[str, int]
    p50_us: float = 0
    p99_us: float = 0


def run_wrk(subject: Subject, scheme: str, asked: Requests, seconds: float, core: int | None) -> Slice:
    command = ["wrk", "--threads", "1", "--connections", asked.connections, "--duration", f"{max(1, round(seconds))}s"]
    command += ["--timeout", "10s", "--script", HERE / "paths.lua", subject.urls[scheme], "--"]
    command += [asked.prefix, asked.paths, asked.first, asked.stride, asked.order, asked.depth, next(subject.seeds)]

    def read(output: str) -> Slice | None:
        results = [line[len("result ") :] for line in output.splitlines() if line.startswith("result ")]
        if len(results) != 1:
            return None
        result = json.loads(results[0])
        return Slice(
            requests=result["requests"],
            requests_per_second=result["requests"] / (result["microseconds"] / 1e6),
            cpu_us_per_request={},
            errors={kind: count for kind, count in result["errors"].items() if count},
            p50_us=result["p50_us"],
            p99_us=result["p99_us"],
        )

    return _measured(subject, command, core, read)


# wrk and h2load both resume the TLS session when a client of theirs connects again; a new client of h2load for each
# request does not. They come a little faster than can be answered, so some wait for each other.
NEW_CLIENTS_PER_10_MS = 40
NEW_CLIENTS_PER_SECOND_ANSWERED = 500


def run_new_connections(subject: Subject, path: str, seconds: float, core: int | None) -> Slice:
    """As many requests as are about answered in that time, over a new TLS connection each."""
    count = round(NEW_CLIENTS_PER_SECOND_ANSWERED * seconds)
    command = ["h2load", "--h1", "-n", count, "-c", count, "-r", NEW_CLIENTS_PER_10_MS, "--rate-period", "10ms"]
    return _measured(subject, [*command, subject.urls["tls"] + path], core, read_h2load)


def read_h2load(output: str) -> Slice | None:
    finished = re.search(r"\nfinished in ([\d.]+)(us|ms|s), ", output)
    counts = re.search(r"\nrequests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    if not finished or not counts:
        return None
    seconds = float(finished[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[finished[2]]
    succeeded, *failures = (int(count) for count in counts.groups())
    errors = {kind: count for kind, count in zip(("failed", "errored", "timeout"), failures) if count}
    return Slice(succeeded, succeeded / seconds, {}, errors)


def _measured(subject: Subject, command: list, core: int | None, read: Callable[[str], Slice | None]) -> Slice:
    before = cpu_seconds(subject.pids())
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, preexec_fn=pin_to(core), check=False
    )
    used = settled_cpu_seconds(subject.pids()) - before
    result = read(done.stdout) if done.returncode == 0 else None
    if result is None:
        raise RuntimeError(f"{command[0]} failed against {subject.name}: {(done.stderr or done.stdout).strip()[-500:]}")
    costs = {kind: seconds * 1e6 / result.requests for kind, seconds in used.items()} if result.requests else {}
    return replace(result, cpu_us_per_request=costs)


@dataclass(frozen=True)
class Transfer:
    """One body, fetched whole."""

    seconds: float
    memory_bytes: int  # the highest that was seen
    anonymous_bytes: int
    errors: dict[str, int]


def run_transfer(subject: Subject, path: str, size: int, core: int) -> Transfer:
    command = ["curl", "-sk", "-o", "/dev/null", "--max-time", "900", "--noproxy", "*"]
    command += ["-w", "%{time_total} %{http_code} %{size_download}", subject.urls["tls"] + path]
    with MemoryPeak(subject.pids()) as peak:
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=pin_to(core), check=False)
    seconds, status, received = done.stdout.split()
    whole = done.returncode == 0 and status == "200" and int(received) == size
    errors = {} if whole else {f"curl {done.returncode}, status {status}, {received} bytes": 1}
    return Transfer(float(seconds), peak.total, peak.anonymous, errors)
