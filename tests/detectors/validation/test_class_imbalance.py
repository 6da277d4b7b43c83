"""VAL004 beyond its samples."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from numpy.typing import ArrayLike

from tbdiag.case import Case
from tbdiag.detectors.validation.class_imbalance import ClassImbalance
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Scalar
from tbdiag.synth import a_run, flat

TRAIN = {Role.TRAIN_LOSS: flat(40, 0.2)}


def found(
    curves: Mapping[Role, ArrayLike],
    extra: Mapping[str, ArrayLike] | None = None,
    hparams: Mapping[str, Scalar] | None = None,
) -> list[Finding]:
    case, rule = Case(a_run({**TRAIN, **curves}, extra=extra, hparams=hparams)), ClassImbalance()
    assert rule.blocked(case) is None
    return list(rule.check(case))


@pytest.mark.parametrize(("balanced", "fires"), [(0.77, 0), (0.74, 1)])
def test_the_gap_is_fifteen_points(balanced: float, fires: int) -> None:
    curves = {Role.VAL_METRIC: flat(40, 0.91), Role.BALANCED_METRIC: flat(40, balanced)}
    assert len(found(curves)) == fires


def test_percent_and_shares_may_stand_side_by_side() -> None:
    curves = {Role.VAL_METRIC: flat(40, 91.0), Role.BALANCED_METRIC: flat(40, 0.5)}
    (finding,) = found(curves)
    assert "91.0% at step 40, but 50.0%" in finding.message


def test_two_signs_are_one_finding() -> None:
    share = 0.97
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    curves = {Role.VAL_METRIC: flat(40, share), Role.VAL_LOSS: flat(40, entropy)}
    assert len(found(curves)) == 1
    assert len(found({**curves, Role.BALANCED_METRIC: flat(40, 0.5)})) == 1


@pytest.mark.parametrize(("loss", "fires"), [(0.10, 0), (0.135, 1), (0.16, 0)])
def test_the_loss_must_be_that_of_guessing(loss: float, fires: int) -> None:
    curves = {Role.VAL_METRIC: flat(40, 0.97), Role.VAL_LOSS: flat(40, loss)}
    assert len(found(curves)) == fires


def test_more_classes_allow_a_higher_loss() -> None:
    curves = {Role.VAL_METRIC: flat(40, 0.9), Role.VAL_LOSS: flat(40, 0.5)}
    assert not found(curves)
    assert found(curves, hparams={"num_classes": 10})


def test_chance_is_no_majority() -> None:
    ln2 = math.log(2)
    assert not found({Role.VAL_METRIC: flat(40, 0.5), Role.VAL_LOSS: flat(40, ln2)})


@pytest.mark.parametrize("names", ["val/acc_class_{}", "recall/class{}", "f1 per class/{}"])
def test_classes_are_known_by_many_names(names: str) -> None:
    extra = {names.format(i): flat(40, share) for i, share in enumerate((0.99, 0.9, 0.01))}
    (finding,) = found({}, extra)
    assert finding.evidence[0].tag == names.format(2)


def test_classes_of_training_do_not_count() -> None:
    extra = {f"train/recall_class_{i}": flat(40, share) for i, share in enumerate((0.99, 0.01))}
    case = Case(a_run(TRAIN, extra=extra))
    assert "no validation accuracy" in (ClassImbalance().blocked(case) or "")


def test_accuracy_alone_tells_nothing() -> None:
    case = Case(a_run({**TRAIN, Role.VAL_METRIC: flat(40, 0.97)}))
    assert "no balanced accuracy" in (ClassImbalance().blocked(case) or "")


def test_two_evaluations_are_too_few() -> None:
    case = Case(a_run({Role.VAL_METRIC: flat(2, 0.97), Role.BALANCED_METRIC: flat(2, 0.5)}))
    assert ClassImbalance().blocked(case) == "2 evaluations were logged; 3 are needed"
