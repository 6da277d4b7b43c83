"""Tensors are measured right, by layer, and on few of their records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tbdiag.model.histogram import Histogram, Histograms
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.naming.layers import Part, Quantity
from tbdiag.reading.histograms import DecodedHistograms
from tbdiag.signals.layers import RECORDS, Layers
from tbdiag.signals.tensors import mass, norm, rms, same, zeros
from tbdiag.signals.updates import Rule, rate_at, updates
from tbdiag.synth import a_histogram, a_run, a_stack, jitter, rectified, some_histograms

STEPS = [0, 10, 20, 30]


def a_fine_histogram(values: np.ndarray) -> Histogram:
    """As PyTorch and TensorFlow write one by default: limits grow by a tenth, from 1e-12."""
    positive = 1e-12 * 1.1 ** np.arange(800)
    edges = np.concatenate([-positive[::-1], [0], positive])
    counts, _ = np.histogram(values, edges)
    mass = np.flatnonzero(counts)
    inside = slice(mass[0], mass[-1] + 1)
    kept = edges[mass[0] : mass[-1] + 2].copy()
    kept[0], kept[-1] = values.min(), values.max()
    total, squares = float(values.sum()), float((values**2).sum())
    return Histogram(kept, counts[inside].astype(float), kept[0], kept[-1], total, squares)


def some_layers(run: Run | None = None, **histograms: dict[int, np.ndarray]) -> Layers:
    named = {tag.replace("__", "."): each for tag, each in histograms.items()}
    return Layers(run or a_run({}, histograms=named))


def test_sizes_are_exact() -> None:
    values = jitter(500, 0.3)
    assert rms(a_histogram(values)) == pytest.approx(np.sqrt((values**2).mean()))
    assert norm(a_histogram(values)) == pytest.approx(np.linalg.norm(values))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.93, 1.0])
def test_zeros_are_told_from_small_numbers_in_fine_buckets(share: float) -> None:
    values = jitter(4000, 1e-5)
    values[: round(share * 4000)] = 0
    assert zeros(a_fine_histogram(values)) == (pytest.approx(share, abs=1e-3), True)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_zeros_are_estimated_in_wide_buckets(share: float) -> None:
    found, fine = zeros(a_histogram(rectified([share], [1])[1], bins=30))
    assert fine == (share == 0)
    assert found == pytest.approx(share, abs=0.05)


def test_a_tensor_of_zeros_is_all_zeros_and_an_empty_one_unknown() -> None:
    assert zeros(a_histogram(np.zeros(50))) == (1.0, True)
    assert zeros(a_histogram(np.full(50, 3.0)))[0] == 0.0
    empty = Histogram(np.zeros(1), np.zeros(0), np.nan, np.nan, 0.0, 0.0)
    assert np.isnan(zeros(empty)[0])
    assert np.isnan(rms(empty))
    assert np.isnan(mass(empty, 0, 1))


def test_mass_is_the_share_between_two_values() -> None:
    record = a_histogram(np.linspace(-1, 1, 2001), bins=20)
    assert mass(record, -0.5, 0.5) == pytest.approx(0.5, abs=0.01)
    assert mass(record, -9, 9) == 1


def test_the_least_change_of_a_tensor_shows() -> None:
    values = jitter(500, 0.3)
    moved = values.copy()
    moved[7] += 1e-9
    assert same(a_histogram(values), a_histogram(values.copy()))
    assert not same(a_histogram(values), a_histogram(moved))


def test_layers_are_sorted_by_what_they_are() -> None:
    layers = some_layers(
        fc1__weight={0: jitter(50, 1)},
        fc1__bias={0: jitter(5, 1)},
        bn1__weight={0: np.ones(5)},
        seq__3__weight={0: np.ones(5)},
        fc1__weight__grad={0: jitter(50, 1)},
        activations__relu1={0: jitter(50, 1)},
        lstm__gate__output={0: jitter(50, 1)},
    )
    assert [each.tag for each in layers.kernels] == ["fc1.weight"]
    assert layers.unnamed_norms
    assert [each.tag for each in layers.of(Quantity.PARAMETER, Part.NORM)] == ["bn1.weight"]
    assert [each.tag for each in layers.of(Quantity.GRADIENT)] == ["fc1.weight.grad"]
    assert [each.tag for each in layers.activations] == ["activations.relu1"]


def test_only_a_few_records_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []

    def decode(record: bytes) -> Histogram:
        decoded.append(record)
        return a_histogram(jitter(40, 1.0))

    monkeypatch.setattr("tbdiag.reading.histograms.decode", decode)
    records = DecodedHistograms([b"%d" % n for n in range(5000)])
    tensor = Histograms("fc1.weight", np.arange(5000), records)
    layers = some_layers(replace(a_run({}), histograms={"fc1.weight": tensor}))
    (found,) = layers.kernels
    assert decoded == [b"0"]
    for _ in range(2):
        assert len(found.rms) == len(list(found.records)) == RECORDS
    assert len(decoded) == RECORDS
    assert (found.steps[0], found.steps[-1]) == (0, 4999)


def test_gradients_stand_in_the_order_of_the_weights() -> None:
    sizes = {"stem": 1e-1, "block": 1e-2, "head": 1e-3}
    weights = {f"{name}.weight": {0: jitter(50, 1)} for name in sizes}
    grads = {f"{name}.weight.grad": {0: jitter(50, sizes[name])} for name in reversed(sizes)}
    seen = Layers(a_run({}, histograms={**weights, **grads})).gradients
    assert seen is not None
    assert seen.ordered
    assert [tag.partition(".")[0] for tag in seen.tags] == list(sizes)
    assert np.all(np.diff(seen.rms[:, 0]) < 0)


@pytest.mark.parametrize(
    ("names", "order"),
    [(("body", "tail", "trunk"), None), (("conv", "head", "stem"), ("stem", "conv", "head"))],
)
def test_gradients_in_the_order_of_the_alphabet_have_that_of_their_names_or_none(
    names: tuple[str, ...], order: tuple[str, ...] | None
) -> None:
    grads = {f"{name}.weight.grad": {0: jitter(50, 1)} for name in names}
    seen = Layers(a_run({}, histograms=grads)).gradients
    assert seen is not None
    assert seen.ordered == (order is not None)
    if order is not None:
        assert seen.tags == tuple(f"{name}.weight.grad" for name in order)


def test_scales_of_norms_are_no_layers_of_a_depth() -> None:
    names = ("layers.0", "layers.1", "layers.2")
    tensors = {f"{name}.weight": {0: jitter(50, 1)} for name in names}
    tensors["layers.1.weight"] = {0: np.ones(8)}
    tensors |= {f"{name}.weight.grad": {0: jitter(50, 1)} for name in names}
    seen = Layers(a_run({}, histograms=tensors)).gradients
    assert seen is not None
    assert seen.tags == ("layers.0.weight.grad", "layers.2.weight.grad")


def test_norms_of_layers_stand_in_for_histograms() -> None:
    norms = {f"grad_2.0_norm/fc{n}.weight": np.full(40, 10.0**-n) for n in (1, 2, 3)}
    seen = Layers(a_run({}, extra={**norms, "grad_2.0_norm_total": np.ones(40)})).gradients
    assert seen is not None
    assert seen.ordered
    assert len(seen) == 3
    assert seen.norms[:, 0] == pytest.approx([1e-1, 1e-2, 1e-3])


def test_tensors_that_were_logged_at_other_steps_are_compared_all_the_same() -> None:
    grads = a_stack("gradients/layer{}", np.ones((2, 4)), STEPS)
    grads["gradients/layer1"].pop(10)
    seen = Layers(a_run({}, histograms=grads)).gradients
    assert seen is not None
    assert seen.rms.shape == (2, 3)


def test_updates_follow_from_the_rate_the_gradient_and_the_optimizer() -> None:
    stack = a_stack("weights/layer{}", np.full((1, 4), 0.1), STEPS)
    stack |= a_stack("gradients/layer{}", np.full((1, 4), 0.01), STEPS)
    layers = Layers(a_run({}, histograms=stack))

    def ratio(rule: Rule) -> tuple[float, float]:
        (found,) = updates(layers, None, 0.1, rule)
        return float(np.median(found.low)), float(np.median(found.high))

    assert ratio(Rule(name="sgd")) == pytest.approx((0.01, 0.01), rel=0.1)
    assert ratio(Rule(name="momentum", momentum=0.9)) == pytest.approx((0.1, 0.1), rel=0.1)
    assert ratio(Rule(name="sgd", momentum=0.9)) == pytest.approx((0.01, 0.1), rel=0.1)
    assert ratio(Rule(name="adam")) == pytest.approx((0.2, 1.0), rel=0.1)
    assert updates(layers, None, 0.1, Rule(name="lbfgs")) == []
    assert updates(layers, None, None, Rule(name="sgd")) == []


def test_logged_updates_come_first() -> None:
    stack = a_stack("weights/layer{}", np.full((1, 4), 0.1), STEPS)
    tensors = {**stack, "updates/layer1": some_histograms("u", {s: jitter(9, 1) for s in STEPS})}
    run = replace(a_run({}, histograms=stack), histograms={})
    made = {
        tag: some_histograms(tag, each) if isinstance(each, dict) else replace(each, tag=tag)
        for tag, each in tensors.items()
    }
    (found,) = updates(Layers(replace(run, histograms=made)), None, None, Rule(name=""))
    assert found.measured
    assert float(np.median(found.low)) > 1


def test_the_rate_is_found_on_another_axis() -> None:
    falling = Series.of("lr", np.arange(10), np.linspace(1, 0, 10))
    assert rate_at(np.array([0, 450, 900]), falling) == pytest.approx([1, 0.5, 0])
    assert rate_at(np.array([0, 9]), falling) == pytest.approx([1, 0])
