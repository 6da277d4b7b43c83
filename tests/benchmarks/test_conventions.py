"""One overfit run, logged in ten ways, is seen to overfit in each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.diagnosis import conventions
from benchmarks.diagnosis.answers import load, ours

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "overfitting"
(RUN,) = load(SAMPLE)
LAYOUTS = conventions.layouts(RUN.series)


def test_there_are_ten() -> None:
    assert len(LAYOUTS) == 10


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_overfits_by_any_name(name: str, tmp_path: Path) -> None:
    conventions.write(tmp_path, LAYOUTS[name])
    found = ours(tmp_path)
    assert found.failed == ""
    assert conventions.OVERFIT & found.codes
