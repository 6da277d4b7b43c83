"""INI001 beyond its samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tbdiag.case import Case
from tbdiag.detectors.initialization.symmetric_initialization import SymmetricInitialization
from tbdiag.model.finding import Confidence, Finding
from tbdiag.model.histogram import Histogram, Histograms
from tbdiag.model.role import Role
from tbdiag.synth import a_run, decay, jitter, noisy

STUCK = {Role.TRAIN_LOSS: 2.303 + jitter(40, 0.002)}
LEARNS = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
SAME, DRAWN, TRAINED = np.full((30, 16), 0.1), jitter(480, 0.2, 1), jitter(480, 0.25, 2)


def found(
    histograms: Mapping[str, Mapping[int, ArrayLike]],
    curves: Mapping[Role, ArrayLike] = STUCK,
    **thresholds: float,
) -> list[Finding]:
    case = Case(a_run(curves, histograms=histograms))
    rule = SymmetricInitialization(**thresholds)
    assert rule.blocked(case) is None
    return list(rule.check(case))


def tensor_histogram(value: float, size: int, buckets: int) -> Histogram:
    """A constant tensor as TensorFlow writes it: one filled bucket of width 1, centre known only."""
    edges = np.array([value - 0.5, value + 0.5])
    counts = np.array([float(size)])
    if buckets > 1:
        edges = np.linspace(value - 0.5, value + 0.5, buckets + 1)
        counts = np.zeros(buckets)
        counts[buckets // 2] = size
        value = float((edges[:-1] + edges[1:])[buckets // 2] / 2)
    return Histogram(edges, counts, edges[0], edges[-1], size * value, size * value**2)


@pytest.mark.parametrize("buckets", [1, 30])
def test_tensor_histograms_of_a_constant_count(buckets: int) -> None:
    record = tensor_histogram(0.1, 480, buckets)
    run = a_run(STUCK)
    run = replace(
        run, histograms={"kernel": Histograms("kernel", np.array([1, 40]), (record, record))}
    )
    assert list(SymmetricInitialization().check(Case(run)))


def test_rounding_of_the_exact_moments_is_no_spread() -> None:
    # As a writer logs 4096 times 0.1: min and max equal, the squares off by a few ulps.
    record = Histogram(
        np.array([0.1, 0.1]), np.array([4096.0]), 0.1, 0.1, 409.6000000000001, 40.96000000000003
    )
    weights = Histograms("weights/layer1", np.array([0, 9]), (record, record))
    run = replace(a_run(STUCK), histograms={weights.tag: weights})
    (finding,) = SymmetricInitialization().check(Case(run))
    assert "all 4,096 weights of weights/layer1 are 0.1 at step 0" in finding.message


def test_a_narrow_draw_in_one_bucket_is_not_constant() -> None:
    values = 0.1 + jitter(480, 0.001)
    record = Histogram(
        np.array([values.min(), values.max()]),
        np.array([480.0]),
        values.min(),
        values.max(),
        values.sum(),
        (values**2).sum(),
    )
    weights = Histograms("fc.weight", np.array([0, 9]), (record, record))
    run = replace(a_run(STUCK), histograms={weights.tag: weights})
    assert not list(SymmetricInitialization().check(Case(run)))


@pytest.mark.parametrize(
    "tag",
    [
        "fc1.bias",
        "bn1.weight",
        "encoder.LayerNorm.weight",
        "layer_norm/gamma",
        "attn.lora_B.weight",
        "embedding.weight",
        "embed_tokens.weight",
        "gradients/weights/layer1",
        "activations/layer1",
        "prelu.weight",
        "bn/moving_mean",
    ],
)
def test_what_may_start_flat_is_left_out_by_name(tag: str) -> None:
    histograms = {tag: {1: SAME, 40: SAME}, "fc.weight": {1: DRAWN, 40: TRAINED}}
    assert not found(histograms)


@pytest.mark.parametrize("tag", ["weights/layer1", "layer1/kernel_0", "fc1.weight", "Dense/W"])
def test_weights_are_known_by_many_names(tag: str) -> None:
    assert found({tag: {1: SAME, 40: SAME}})


def test_without_weights_the_rule_says_what_to_log() -> None:
    case = Case(a_run(STUCK, histograms={"fc1.bias": {1: np.zeros(16)}}))
    assert SymmetricInitialization().blocked(case) == "no histogram of weights was logged"


def test_copies_are_told_even_where_the_loss_falls_somewhat() -> None:
    drifted = SAME + np.repeat(jitter(30, 0.5)[:, None], 16, axis=1)
    falls = {Role.TRAIN_LOSS: decay(40, 2.3, 1.7)}
    (finding,) = found({"fc1.weight": {1: SAME, 40: drifted}}, falls)
    assert finding.confidence is Confidence.HIGH


def test_a_zero_layer_that_spread_is_no_copy_even_if_the_loss_is_stuck() -> None:
    assert not found(
        {
            "fc1.weight": {1: DRAWN, 40: TRAINED},
            "fc2.weight": {1: 0 * SAME, 40: SAME + TRAINED.reshape(30, 16)},
        }
    )


def test_one_record_of_one_layer_is_not_enough() -> None:
    assert not found({"fc1.weight": {1: SAME}, "fc2.weight": {1: DRAWN}})
    assert found({"fc1.weight": {1: SAME}, "fc2.weight": {1: DRAWN}}, layers=1)


def test_tensors_of_ones_count_where_all_are() -> None:
    ones = {1: np.ones((8, 8)), 40: np.ones((8, 8))}
    assert not found({"layers.1.weight": ones, "layers.0.weight": {1: DRAWN, 40: TRAINED}})
    assert found({"layers.1.weight": ones})


def test_a_hostile_tag_stays_one_short_line() -> None:
    (finding,) = found({"weight/\x1b[31m" + "x" * 500: {1: SAME, 40: SAME}})
    assert finding.message.isprintable()
    assert len(finding.message) <= 200


def test_losses_per_batch_stand_in_for_the_loss() -> None:
    assert found({"fc.weight": {1: SAME, 40: SAME}}, {Role.BATCH_LOSS: 2.3 + jitter(40, 0.01)})
