"""Corner cases of the rules about searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tbdiag.detectors.base import SearchDetector
from tbdiag.detectors.search.best_at_the_edge import BestAtTheEdge
from tbdiag.detectors.search.difference_within_noise import DifferenceWithinNoise
from tbdiag.detectors.search.repeated_run import RepeatedRun
from tbdiag.diagnosis.examine import SearchSelection, examine_search
from tbdiag.model.finding import Finding
from tbdiag.model.remedy import Within
from tbdiag.model.run import HParam, Run, Scalar
from tbdiag.search import Search
from tbdiag.synth import a_search

Settings = list[dict[str, Scalar]]


def found(rule: SearchDetector, runs: Sequence[Run]) -> tuple[Finding, ...]:
    outcomes, findings = examine_search(Search(runs), SearchSelection(detectors=(rule,)))
    assert outcomes[rule.code].kind != "crashed", outcomes
    return findings


def measure(finding: Finding, name: str) -> float:
    return next(m.value for e in finding.evidence for m in e.measures if m.name == name)


def random_search(seed: int, n: int, loss: object, knobs: int = 4) -> tuple[Run, ...]:
    """Rates and ``knobs`` settings that do not matter; ``loss`` of the log rate, from -5 to -1."""
    rng = np.random.default_rng(seed)
    rates = rng.uniform(-5, -1, n)
    settings: Settings = [
        {"lr": float(10**rate), **{f"k{at}": float(rng.uniform()) for at in range(knobs)}}
        for rate in rates
    ]
    noise = np.exp(rng.normal(0, 0.01, n))
    return a_search(settings, [loss(rate) * e for rate, e in zip(rates, noise, strict=True)])  # type: ignore[operator]


def test_most_optima_inside_are_not_at_the_edge() -> None:
    cries = sum(
        len(found(BestAtTheEdge(), random_search(seed, 16, lambda r: 0.4 + 0.1 * (r + 3) ** 2)))
        for seed in range(40)
    )
    assert cries <= 3


def test_most_slopes_lead_to_the_edge_and_nothing_else_does() -> None:
    subjects = [
        finding.subject
        for seed in range(40)
        for finding in found(BestAtTheEdge(), random_search(seed, 16, lambda r: 0.4 - 0.1 * r))
    ]
    assert subjects.count("logs/lr") >= 20
    assert len(subjects) - subjects.count("logs/lr") <= 3


def test_nothing_matters_nothing_is_found() -> None:
    cries = sum(
        len(found(BestAtTheEdge(), random_search(seed, 12, lambda _: 0.4))) for seed in range(40)
    )
    assert cries <= 3


@pytest.mark.parametrize(
    ("name", "values", "low", "high"),
    [
        ("lr", np.geomspace(1e-4, 1e-2, 9), 0.01, 0.1),
        ("lr", np.geomspace(1e-4, 1e-2, 9)[::-1], 1e-5, 1e-4),
        ("dropout", np.linspace(0, 0.5, 9), 0.5, 0.75),
        ("momentum", np.linspace(0.1, 0.9, 9), 0.9, 0.95),
        ("batch_size", np.array([16, 16, 32, 32, 64, 64, 128, 128, 128]), 128, 500),
    ],
)
def test_where_to_widen_to(name: str, values: np.ndarray, low: float, high: float) -> None:
    settings: Settings = [{name: each.item(), "x": 1} for each in values]
    (finding,) = found(BestAtTheEdge(), a_search(settings, np.linspace(0.9, 0.4, 9)))
    change = finding.remedies[0].change
    assert isinstance(change, Within)
    assert (change.low, change.high) == (pytest.approx(low), pytest.approx(high))
    assert measure(finding, "widen_to") == pytest.approx(
        high if finding.message.count("upper") else low
    )


def test_a_setting_of_ones_own_is_advice() -> None:
    settings: Settings = [{"my_own": at, "x": 1} for at in range(1, 10)]
    (finding,) = found(BestAtTheEdge(), a_search(settings, np.linspace(0.9, 0.4, 9)))
    assert finding.remedies[0].knob is None
    assert "my_own" in finding.remedies[0].title


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 9,
        [0.1, 0.2] * 4 + [0.2],
        ["a", "b", "c"] * 3,
        [True, False] * 4 + [True],
        np.linspace(0.4, 1.0, 9).tolist(),
    ],
)
def test_what_is_constant_categorical_or_at_its_limit_has_no_edge(values: list[Scalar]) -> None:
    settings: Settings = [{"dropout": each, "x": 1} for each in values]
    assert found(BestAtTheEdge(), a_search(settings, np.linspace(0.9, 0.4, 9))) == ()


def test_runs_that_diverged_point_away_from_the_edge() -> None:
    settings: Settings = [{"lr": 10.0**at, "x": 1} for at in range(-8, 1)]
    losses = [0.3, 0.4, 0.5, 0.6, 0.7, np.nan, np.nan, np.nan, np.nan]
    (finding,) = found(BestAtTheEdge(), a_search(settings, losses))
    assert "lower end" in finding.message
    assert found(BestAtTheEdge(), a_search(settings, [np.nan] * 9)) == ()


def test_a_lead_is_held_against_measured_repeats() -> None:
    settings: Settings = [{"lr": rate, "seed": s} for rate in (0.1, 0.01) for s in range(4)]
    calm = [0.50, 0.501, 0.4995, 0.5005, 0.480, 0.4805, 0.4795, 0.4802]
    wild = [0.50, 0.60, 0.45, 0.52, 0.48, 0.42, 0.55, 0.44]
    assert found(DifferenceWithinNoise(), a_search(settings, calm, noise=1e-4)) == ()
    (finding,) = found(DifferenceWithinNoise(), a_search(settings, wild, noise=1e-4))
    assert measure(finding, "repeats") == 8
    assert measure(finding, "seed_sd") == pytest.approx(
        np.sqrt((np.var(wild[:4]) + np.var(wild[4:])) * 2 / 4), rel=0.2
    )
    assert "mean of 4 seeds" in finding.message


def test_a_small_validation_set_makes_noise() -> None:
    settings: Settings = [{"lr": rate} for rate in (0.1, 0.01, 0.001)]
    accuracies = [0.70, 0.86, 0.88]
    few = a_search(settings, [0.4] * 3, accuracies=accuracies, samples=211)
    many = a_search(settings, [0.4] * 3, accuracies=accuracies, samples=20_011)
    assert measure(found(DifferenceWithinNoise(), few)[0], "validation_samples") == 211
    assert found(DifferenceWithinNoise(), many) == ()


def test_how_many_are_tied() -> None:
    settings: Settings = [{"lr": 0.1 / (at + 1)} for at in range(6)]
    (finding,) = found(
        DifferenceWithinNoise(), a_search(settings, [0.4, 0.401, 0.402, 0.6, 0.7, 0.8])
    )
    assert measure(finding, "tied") == 3
    assert "3 out of 6" in finding.message


def the_same(n: int, losses: Sequence[float], **more: Scalar) -> tuple[Run, ...]:
    settings: Settings = [{"lr": 0.1, "bs": 32, "seed": 1, **more} for _ in range(n)]
    return a_search(settings, losses)


def test_several_repetitions_of_one_run_are_one_finding() -> None:
    runs = the_same(4, [0.4, 0.5, 0.6, 0.7])
    (finding,) = found(RepeatedRun(), runs)
    assert "run01 and 2 more have" in finding.message
    assert [each.run for each in finding.evidence] == ["run01", "run02", "run03", "run00"]


def test_identical_and_different_ones_are_two() -> None:
    one, other = the_same(2, [0.4, 0.5])
    findings = found(RepeatedRun(), (one, other, replace(one, id="twin")))
    assert len({each.fingerprint for each in findings}) == len(findings) == 2


def test_settings_that_were_guessed_from_a_name_prove_nothing() -> None:
    def guessed(run: Run) -> Run:
        hparams: Mapping[str, HParam] = {
            n: HParam(h.value, "run name") for n, h in run.hparams.items()
        }
        return replace(run, hparams=hparams)

    assert found(RepeatedRun(), [guessed(run) for run in the_same(2, [0.4, 0.5])]) == ()


def test_where_and_by_how_much_runs_part() -> None:
    one, _ = the_same(2, [0.4, 0.4])
    late = {}
    for tag, curve in one.series.items():
        values = curve.values.copy()
        values[20:] *= 1.2
        late[tag] = curve.with_values(values)
    (finding,) = found(RepeatedRun(), (one, replace(one, id="two", series=late)))
    assert "from step 525 on, by 16.7% at the end" in finding.message


def test_long_and_odd_names_stay_one_sentence() -> None:
    runs = [replace(run, id="x" * 300 + run.id) for run in the_same(2, [0.4, 0.5])]
    (finding,) = found(RepeatedRun(), runs)
    assert len(finding.message) < 250
