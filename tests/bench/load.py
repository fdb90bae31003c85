"""The load (wrk) and what it cost the program that answered it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64


@dataclass(frozen=True)
class Slice:
    """One stretch of load on one program."""

    requests: int
    requests_per_second: float
    cpu_us_per_request: float
    p50_us: int
    p99_us: int
    errors: dict


def run_load(subject, url: str, paths: int, depth: int, seconds: float, core: int) -> Slice:
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds:g}s"]
    command += ["--timeout", "10s", "--script", str(HERE / "cycle.lua"), url, "--", str(paths), str(depth)]
    cpu_before = cpu_seconds(subject.pids())
    done = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}), check=False
    )
    cpu_after = cpu_seconds(subject.pids())
    results = [line[len("result ") :] for line in done.stdout.splitlines() if line.startswith("result ")]
    if done.returncode != 0 or len(results) != 1:
        raise RuntimeError(f"wrk failed against {subject.name}: {done.stderr.strip() or done.stdout.strip()}")
    result = json.loads(results[0])
    requests = result["requests"]
    return Slice(
        requests=requests,
        requests_per_second=requests / (result["microseconds"] / 1e6),
        cpu_us_per_request=(cpu_after - cpu_before) * 1e6 / max(requests, 1),
        p50_us=result["p50_us"],
        p99_us=result["p99_us"],
        errors={kind: count for kind, count in result["errors"].items() if count},
    )


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(pids: list[int]) -> float:
    """CPU time used so far by all threads of the processes, in user mode and in the kernel."""
    return sum(_thread_cpu_seconds(task) for pid in pids for task in Path(f"/proc/{pid}/task").iterdir())


def _thread_cpu_seconds(task: Path) -> float:
    # schedstat counts nanoseconds; where the kernel has none, stat counts ticks of 10 ms.
    schedstat = task / "schedstat"
    if schedstat.exists():
        return int(schedstat.read_text().split()[0]) / 1e9
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    user_ticks, system_ticks = int(fields[11]), int(fields[12])
    return (user_ticks + system_ticks) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pids: list[int]) -> int:
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE")
