"""The additive classifier: what it makes of features, and that each of them speaks by itself."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.model.series import Floats
from tbdiag.signals.additive import FORMS, KNOTS, Classifier, Scale

NAN = float("nan")


def _features(runs: int = 400) -> Floats:
    rng = np.random.default_rng(0)
    return np.stack([rng.normal(3, 2, runs), rng.normal(0, 1e-3, runs)], axis=1)


def test_a_feature_becomes_a_line_and_bends_in_standard_deviations() -> None:
    scale = Scale.of(_features())
    forms = scale.forms(scale.mean + np.array([0.5, -0.2]) * scale.sd)
    assert forms.shape == (2, FORMS)
    assert forms[:, 0] == pytest.approx([0.5, -0.2])
    assert forms[0, 1:-1] == pytest.approx([max(0.5 - knot, 0.0) for knot in KNOTS])
    assert forms[:, -1].tolist() == [0.0, 0.0]


def test_what_lies_far_out_counts_as_the_outermost_that_was_usual() -> None:
    scale = Scale.of(_features())
    far, at = (
        scale.forms(np.array([1e9, -1e9])),
        scale.forms(np.array([scale.high[0], scale.low[1]])),
    )
    assert far == pytest.approx(at)


def test_an_unknown_feature_says_only_that_it_is_unknown() -> None:
    forms = Scale.of(_features()).forms(np.array([NAN, 0.0]))
    assert forms[0].tolist() == [0.0] * (FORMS - 1) + [1.0]
    assert forms[1, -1] == 0.0


def test_the_scale_is_that_of_what_is_known() -> None:
    known = _features()
    holes = np.concatenate([known, np.full((50, 2), NAN)])
    ours, theirs = Scale.of(holes), Scale.of(known)
    assert ours.mean == pytest.approx(theirs.mean)
    assert ours.sd == pytest.approx(theirs.sd)


def test_shares_add_up_and_follow_the_sum_of_what_each_feature_says() -> None:
    scale = Scale.of(_features())
    weights = np.zeros((3, 2, FORMS))
    weights[1, 0, 0], weights[2, 1, -1] = 2.0, 5.0  # a line of the first; the second is missing
    classifier = Classifier(("a", "b", "c"), scale, weights, np.array([0.0, -1.0, 0.0]))
    seen = np.array([scale.mean[0] + scale.sd[0], NAN])
    odds = np.exp([0.0, 1.0, 5.0])
    assert classifier.shares(seen) == pytest.approx(odds / odds.sum())
    assert classifier.reasons(seen, "b", "a") == pytest.approx([2.0, NAN], nan_ok=True)
    assert classifier.reasons(seen, "a", "b") == pytest.approx([-2.0, NAN], nan_ok=True)


def test_log_odds_beyond_what_a_float_holds_do_no_harm() -> None:
    scale = Scale.of(_features())
    classifier = Classifier(("a", "b"), scale, np.zeros((2, 2, FORMS)), np.array([1e4, 0.0]))
    assert classifier.shares(scale.mean).tolist() == [1.0, 0.0]
