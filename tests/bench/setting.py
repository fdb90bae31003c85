"""What every measurement is given: the program, two cores, and how long and how often to measure."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from accounting import WHOLE
from load import Requests, Slice, run_wrk
from ratios import Side, sum_of_errors
from subjects import Subject, Tapedeck


@dataclass(frozen=True)
class Setting:
    binary: Path
    least_server: Path
    folder: Path  # of this run, and gone after it
    server_core: int
    load_core: int
    pairs: int
    seconds: float  # of a slice
    warm_up: bool
    items: int
    big_exchanges: int
    big_hits: int  # before memory is read
    large_body_bytes: int
    prefix: str  # of the rows that are wanted
    self_check: bool

    def wants(self, *names: str) -> bool:
        return any(name.startswith(self.prefix) for name in names)

    def subfolder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def tapedeck(self, folder: Path) -> Tapedeck:
        return Tapedeck(self.binary, folder / "tapedeck")

    def wrk(self, subject: Subject, scheme: str, asked: Requests) -> Callable[[float], Slice]:
        return lambda seconds: run_wrk(subject, scheme, asked, seconds, self.load_core)

    def in_turns(self, *sides: Callable[[float], Slice]) -> list[list[Slice]]:
        """Slices of each side, taken in turns so that a busy machine slows all alike."""
        if self.warm_up:  # caches, branch predictors and the frequency of the core
            for one in sides:
                one(1)
        slices: list[list[Slice]] = [[] for _ in sides]
        for _ in range(self.pairs):
            for taken, one in zip(slices, sides):
                taken.append(one(self.seconds))
        return slices

    def need_disk(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < size:
            raise RuntimeError(
                f"this takes {size / 1e9:.1f} GB of disk, and {self.folder.parent} has {free / 1e9:.1f}; set TMPDIR"
            )


def cpu_side(name: str, slices: list[Slice], kind: str = WHOLE) -> Side:
    """CPU per request of one kind of thread. Without such threads there is nothing counted, hence no ratio."""
    return Side(
        name,
        [one.cpu_us_per_request.get(kind, 0.0) for one in slices],
        [one.requests_per_second for one in slices],
        sum_of_errors([one.errors for one in slices]),
    )


def two_cores() -> tuple[int, int]:
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[1 % len(cores)]
