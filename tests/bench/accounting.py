"""What running processes have used so far, from /proc."""

import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# tapedeck names its threads; CPU that is used by others (main thread, other programs) counts for the whole only.
THREAD_KINDS = {"worker": "workers", "cassette": "writer"}
WHOLE = "whole"


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for one in found:
        for task in _tasks(one):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(pids: list[int]) -> Counter:
    """CPU time used so far in user mode and in the kernel, by kind of thread and as a whole."""
    used: Counter = Counter()
    for task in (task for pid in pids for task in _tasks(pid)):
        seconds = _thread_cpu_seconds(task)
        used[WHOLE] += seconds
        kind = THREAD_KINDS.get((task / "comm").read_text().strip())
        if kind:
            used[kind] += seconds
    return used


SETTLING_INTERVAL_SECONDS = 0.05
SETTLING_INTERVALS_MAX = 100


def settled_cpu_seconds(pids: list[int]) -> Counter:
    """The same, once what was left to do after the last answer is done: it is part of what the answers cost."""
    used = cpu_seconds(pids)
    for _ in range(SETTLING_INTERVALS_MAX):
        time.sleep(SETTLING_INTERVAL_SECONDS)
        before, used = used, cpu_seconds(pids)
        if used[WHOLE] - before[WHOLE] < SETTLING_INTERVAL_SECONDS / 100:
            break
    return used


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def _thread_cpu_seconds(task: Path) -> float:
    # schedstat counts nanoseconds; where the kernel has none, stat counts ticks of 10 ms.
    schedstat = task / "schedstat"
    if schedstat.exists():
        return int(schedstat.read_text().split()[0]) / 1e9
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    user_ticks, system_ticks = int(fields[11]), int(fields[12])
    return (user_ticks + system_ticks) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Memory:
    """Resident bytes: all of them, what the program made itself, and pages of files it has mapped."""

    total: int
    anonymous: int
    file: int


def memory(pids: list[int]) -> Memory:
    sums: Counter = Counter()
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("VmRSS", "RssAnon", "RssFile"):
                sums[name] += int(value.split()[0]) * 1024
    return Memory(sums["VmRSS"], sums["RssAnon"], sums["RssFile"])


class MemoryPeak:
    """Samples memory while a `with` block runs; `total` and `anonymous` are the highest that was seen."""

    INTERVAL_SECONDS = 0.02

    def __init__(self, pids: list[int]):
        self.total = self.anonymous = 0
        self._pids = pids
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> "MemoryPeak":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            try:
                now = memory(self._pids)
            except OSError:
                return  # The program has ended; whoever measures it sees that for himself.
            self.total, self.anonymous = max(self.total, now.total), max(self.anonymous, now.anonymous)
            if self._over.wait(self.INTERVAL_SECONDS):
                return
