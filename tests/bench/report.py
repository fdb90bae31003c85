"""The report as text, 120 columns wide."""

import statistics

from ratios import Reading, Row

NAME_WIDTH = 38


def machine_lines(machine: dict, cores: tuple[int, int]) -> list[str]:
    programs = ("tapedeck", "nginx", "mitmproxy", "wrk", "h2load", "openssl")
    pinned = f"servers on core {cores[0]}, load and upstreams on core {cores[1]}"
    if cores[0] == cores[1]:
        pinned = "one core for servers and load: requests per second mean little"
    return [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, Linux {machine['kernel']}; {pinned}",
        ", ".join(f"{name} {machine[name]}" for name in programs),
    ]


def heading(title: str) -> str:
    columns = f"{'reference':<20}{'req/s':>8}{'tapedeck':>10}{'req/s':>8} {'ratio (low–high)':<20}target"
    return f"\n{title}\n{'':<{NAME_WIDTH}}{columns}"


def row_line(row: Row) -> str:
    theirs = f"{row.reference.name:<10}{_cost(row.reference.costs, row.unit):>10}{_rate(row.reference.rates):>8}"
    ours = f"{_cost(row.subject.costs, row.unit):>10}{_rate(row.subject.rates):>8}"
    figures = f"{row.name:<{NAME_WIDTH}}{theirs}{ours} "
    if row.trouble():
        return f"{figures}no ratio: {row.trouble()}"
    ratio = f"{short(row.ratio())} {_spread(row.ratios())}"
    return f"{figures}{ratio:<20}{_verdict(row.limit, '<=', row.met())}".rstrip()


def reading_line(reading: Reading) -> str:
    """A figure stands in the column of tapedeck's, its spread in that of the ratios."""
    if reading.trouble():
        return f"{reading.name:<{NAME_WIDTH}}no figure: {reading.trouble()}"
    figure = f"{short(reading.value())} {reading.unit}"
    spread = _spread(reading.values) if len(reading.values) > 1 else ""
    verdict = _verdict(reading.limit, ">=" if reading.at_least else "<=", reading.met())
    return f"{reading.name:<{NAME_WIDTH + 18}}{figure:>20} {spread:<20}{verdict}".rstrip()


def short(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    digits = 3 if abs(number) < 0.1 else 2 if abs(number) < 10 else 1 if abs(number) < 100 else 0
    return f"{number:.{digits}f}"


def _spread(values: list[float]) -> str:
    return f"({short(min(values))}–{short(max(values))})"


def _cost(costs: list[float], unit: str) -> str:
    middle = statistics.median(costs) if costs else 0
    return f"{short(middle)} {unit}" if middle else "none"


def _rate(rates: list[float]) -> str:
    return f"{statistics.median(rates):.0f}" if rates else ""


def _verdict(limit: float | None, sign: str, met: bool | None) -> str:
    if limit is None:
        return ""
    return f"{sign} {short(limit)} " + {True: "met", False: "MISSED", None: ""}[met]
