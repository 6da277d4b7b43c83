"""How time and memory grow with the number of points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.reader import workloads
from benchmarks.reader.measure import Reader, compare
from benchmarks.reader.page import table

_CLEAR = 0.02  # CPU seconds beyond start-up that are more than noise
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def section(readers: list[Reader], place: Path, scale: float, rounds: int, limit: int) -> str:
    """CPU seconds and peak memory of our readers by size, and the slope of what exceeds start-up."""
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
    slopes = zip(names, _slopes(sizes, costs), strict=True)
    told = ", ".join(f"{name} {slope}" for name, slope in slopes)
    return (
        f"{table(['points', *names], rows)}\nBeyond start-up, CPU grows with the number of points to"
        f" the power of: {told}.\n"
    )


def _slopes(sizes: list[int], costs: list[list[float]]) -> Iterator[str]:
    """The slope of each column over the sizes, both logarithmic, without what is lost in noise."""
    for column in np.array(costs).T:
        clear = column > _CLEAR
        x, y = np.log(np.array(sizes)[clear]), np.log(column[clear])
        yield f"{np.polyfit(x, y, 1)[0]:.2f}" if len(x) > 1 else "too short to tell"
