"""The size of a set is exact, a range, or untold; never a wrong number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tbdiag.model.series import Floats
from tbdiag.signals.samples import SetSize, set_size
from tbdiag.synth import counted


def right_or_wrong(size: int, evaluations: int, seed: int, end: float = 0.9) -> np.ndarray:
    """Which of ``size`` samples each evaluation of a network that learns got right, (evaluations, size)."""
    rng = np.random.default_rng(seed)
    hardness = rng.normal(0, 1, size)
    shares = 0.1 + (end - 0.1) * (1 - np.exp(-5 * np.linspace(0, 1, evaluations)))
    luck = rng.normal(0, 1, (evaluations, size))
    scores = 0.8 * hardness + 0.6 * luck
    return scores < np.array([np.quantile(scores, share) for share in shares])[:, None]


def mean(right: np.ndarray) -> Floats:
    return right.mean(axis=1).astype(np.float32).astype(np.float64)


def mean_of_batch_means(right: np.ndarray, batch: int) -> Floats:
    starts = range(0, right.shape[1], batch)
    means = [right[:, start : start + batch].mean(axis=1) for start in starts]
    return np.mean(means, axis=0).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize(
    "size", [30, 40, 50, 100, 200, 360, 500, 797, 899, 2000, 5000, 25_000, 50_000]
)
def test_usual_sizes_are_read_exactly(size: int) -> None:
    assert set_size(mean(right_or_wrong(size, 40, seed=1))) == SetSize(size, size)


@given(st.integers(20, 50_000), st.integers(12, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_the_plain_mean_is_never_misread(size: int, evaluations: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = set_size(counted(rng.uniform(0.3, 0.95, evaluations), size))
    assert found is None or found.most == size
    assert found is None or found.least <= size


@given(
    st.integers(60, 5_000),
    st.sampled_from([32, 64, 128, 256]),
    st.floats(0.6, 0.98),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_means_of_unequal_batches_give_no_wrong_number(
    size: int, batch: int, end: float, seed: int
) -> None:
    if size % batch == 0 or size < batch:
        return
    found = set_size(mean_of_batch_means(right_or_wrong(size, 30, seed, end), batch))
    assert found is None or not found.exact
    assert found is None or found.most >= size


@pytest.mark.parametrize(
    ("size", "batch"),
    [(10_000, 128), (10_000, 64), (1000, 64), (1000, 128), (797, 32), (500, 64), (100, 32)],
)
def test_the_usual_remainders_give_an_upper_bound(size: int, batch: int) -> None:
    found = set_size(mean_of_batch_means(right_or_wrong(size, 40, seed=3), batch))
    count, rest = -(-size // batch), size % batch
    assert found is not None
    assert not found.exact
    assert found.most == count * math.lcm(batch, rest)


def test_equal_batches_change_nothing() -> None:
    right = right_or_wrong(9984, 40, seed=2)
    assert set_size(mean_of_batch_means(right, 128)) == SetSize(9984, 9984)


def test_a_batch_size_in_use_makes_its_reading_likelier() -> None:
    values = mean_of_batch_means(right_or_wrong(450, 40, seed=4), 100)
    found = set_size(values, batches=(100,))
    assert found is not None
    assert found.least <= 450 < found.most


def test_percent_survives_the_way_there_and_back() -> None:
    shares = counted(np.random.default_rng(0).uniform(0.5, 0.9, 30), 1797)
    percent = (100 * shares).astype(np.float32).astype(np.float64)
    assert set_size(percent / 100) == SetSize(1797, 1797)


def test_rounded_accuracies_tell_small_sizes() -> None:
    shares = np.round(counted(np.random.default_rng(0).uniform(0.5, 0.9, 40), 149), 3)
    assert set_size(shares) == SetSize(149, 149)


@pytest.mark.parametrize(("size", "decimals"), [(3001, 3), (30_011, 4), (1000, 3), (10_000, 4)])
def test_the_grid_of_decimals_is_not_taken_for_that_of_samples(size: int, decimals: int) -> None:
    shares = np.round(counted(np.random.default_rng(0).uniform(0.5, 0.9, 40), size), decimals)
    assert set_size(shares) is None


def test_few_changes_give_a_bound_alone() -> None:
    # Nine even counts of 80 look like counts of 40 once in 512.
    nine = set_size(np.array([21, 24, 26, 27, 30, 31, 33, 35, 37]) / 40)
    assert nine is not None
    assert nine.most == 40
    assert not nine.exact
    # Four levels, however often training goes back and forth between them, are multiples of three
    # and less in 99 cases of 100.
    four = set_size(np.tile(counted([0.5, 0.65, 0.775, 0.9], 40), 10))
    assert four is not None
    assert four.most == 3 * 40
    assert not four.exact


def test_the_bound_of_few_changes_holds_in_99_cases_of_100() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(600):
        size = int(rng.integers(30, 120))
        shares = rng.choice(np.arange(1, size), 3 + int(rng.integers(5)), replace=False) / size
        found = set_size(shares)
        held.append(found is None or found.most >= size)
    assert np.mean(held) > 0.98


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(0),
        np.full(50, 0.5),
        np.tile([0.0, 1.0], 20),
        np.random.default_rng(0).uniform(0.1, 0.9, 50),
    ],
    ids=["none", "constant", "zeros and ones", "on no grid"],
)
def test_what_lies_on_no_grid_has_no_size(values: Floats) -> None:
    assert set_size(values) is None


def test_smoothing_leaves_no_grid() -> None:
    shares = mean(right_or_wrong(400, 60, seed=5))
    smooth = [shares[0]]
    for share in shares[1:]:
        smooth.append(0.9 * smooth[-1] + 0.1 * share)
    assert set_size(np.array(smooth)) is None
