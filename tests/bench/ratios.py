"""What a measurement comes to: ratios pair by pair, limits, and the comparison with ratios kept earlier.

Everything compared is a cost (CPU per request, seconds per body), so less is better and a ratio below 1 means that
tapedeck is the cheaper one.
"""

import statistics
from dataclasses import asdict, dataclass, field

WORSE_BY_MAX = 0.20


@dataclass(frozen=True)
class Side:
    """One of the two programs of a row, slice by slice."""

    name: str
    costs: list[float]
    rates: list[float] = field(default_factory=list)  # requests per second
    errors: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """Two programs that took turns at the same load."""

    name: str
    unit: str
    reference: Side
    subject: Side
    limit: float | None = None  # the ratio wanted, or less
    is_tapedeck: bool = True  # else it says something of the machine, and nothing that could become worse

    def ratios(self) -> list[float]:
        """Pair by pair; none where anything went wrong on either side."""
        if self.trouble():
            return []
        return [ours / theirs for theirs, ours in zip(self.reference.costs, self.subject.costs)]

    def ratio(self) -> float | None:
        ratios = self.ratios()
        return statistics.median(ratios) if ratios else None

    def met(self) -> bool | None:
        ratio = self.ratio()
        return None if ratio is None or self.limit is None else ratio <= self.limit

    def trouble(self) -> str:
        """Why there is no ratio; empty when there is one."""
        for side in (self.reference, self.subject):
            if any(side.errors.values()):
                kinds = ", ".join(f"{count} {kind}" for kind, count in side.errors.items() if count)
                return f"errors at {side.name}: {kinds}"
            if not side.costs or min(side.costs) <= 0:
                return f"nothing was counted at {side.name}"
        if len(self.reference.costs) != len(self.subject.costs):
            return "not as many slices on both sides"
        return ""

    def as_json(self) -> dict:
        ratios = self.ratios()
        return {
            **asdict(self),
            "ratio_median": self.ratio(),
            "ratio_min": min(ratios, default=None),
            "ratio_max": max(ratios, default=None),
            "met": self.met(),
            "trouble": self.trouble(),
        }


@dataclass(frozen=True)
class Reading:
    """A figure that stands for itself: a time, a size, a count."""

    name: str
    unit: str
    values: list[float]
    limit: float | None = None
    at_least: bool = False  # the limit is the least wanted, not the most
    errors: dict[str, int] = field(default_factory=dict)

    def value(self) -> float | None:
        return statistics.median(self.values) if self.values and not self.trouble() else None

    def met(self) -> bool | None:
        value = self.value()
        if value is None or self.limit is None:
            return None
        return value >= self.limit if self.at_least else value <= self.limit

    def trouble(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.errors.items() if count)
        return f"errors: {kinds}" if kinds else "" if self.values else "nothing was counted"

    def as_json(self) -> dict:
        return {**asdict(self), "value_median": self.value(), "met": self.met(), "trouble": self.trouble()}


def kept_with(kept: dict[str, float], rows: list[Row]) -> dict[str, float]:
    """The ratios to keep: those measured now, and of earlier ones those not measured now."""
    ours = [row for row in rows if row.is_tapedeck]
    measured = {row.name: round(ratio, 4) for row in ours if (ratio := row.ratio()) is not None}
    return dict(sorted({**kept, **measured}.items()))


def complaints(kept: dict[str, float], rows: list[Row], prefix: str) -> list[str]:
    """One line for each kept ratio that got worse by more than is let pass, or that is not there any more."""
    measured = {row.name: row.ratio() for row in rows}
    lines = []
    for name, before in kept.items():
        if not name.startswith(prefix):
            continue
        now = measured.get(name)
        if now is None:
            lines.append(f"{name}: kept as {before:.2f}, and there is no ratio now")
        elif now > before * (1 + WORSE_BY_MAX):
            lines.append(f"{name}: {now:.2f}, kept as {before:.2f}: worse by {now / before - 1:.0%}")
    return lines


def sum_of_errors(several: list[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in several:
        for kind, count in one.items():
            total[kind] = total.get(kind, 0) + count
    return total
