"""How time and memory grow with the number of points."""

from __future__ import annotations

import math
from pathlib import Path

from benchmarks.reader import workloads
from benchmarks.reader.measure import Reader, compare
from benchmarks.reader.page import table

_CLEAR = 0.02  # CPU seconds beyond start-up that are more than noise
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def section(readers: list[Reader], place: Path, scale: float, rounds: int, limit: int) -> str:
    """CPU seconds and peak memory of our readers by size, and how what exceeds start-up grows in the end."""
    names = [reader.name for reader in readers]
    start = compare(readers, workloads.one_file(place, 1), rounds, limit)
    sizes, rows, costs = [], [], []
    for size in SIZES:
        workload = workloads.one_file(place, int(size * scale))
        found = compare(readers, workload, rounds, limit)
        sizes.append(workload.points)
        costs.append([found[name].cpu - start[name].cpu for name in names])
        cells = [f"{found[name].cpu:.2f} s, {found[name].peak / 1e6:,.0f} MB" for name in names]
        rows.append([f"{workload.points:,}", *cells])
    empty = [f"{start[name].cpu:.2f} s, {start[name].peak / 1e6:,.0f} MB" for name in names]
    rows.insert(0, ["20 (start-up)", *empty])
    last = [_slope(sizes[-2:], [each[at] for each in costs[-2:]]) for at in range(len(names))]
    told = ", ".join(f"{name} {slope}" for name, slope in zip(names, last, strict=True))
    return (
        f"{table(['points', *names], rows)}\nFrom {sizes[-2]:,} to {sizes[-1]:,} points, CPU beyond start-up"
        f" grows with the number of points to the power of: {told}. 1 is linear growth; of fewer points"
        " most of the cost is first use, not size.\n"
    )


def _slope(sizes: list[int], costs: list[float]) -> str:
    """The slope between two sizes, both logarithmic, unless it would be lost in noise."""
    if min(costs) <= _CLEAR:
        return "too short to tell"
    (few, many), (quick, long) = sizes, costs
    return f"{math.log(long / quick) / math.log(many / few):.2f}"
