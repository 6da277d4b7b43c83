"""INI002 beyond its samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.initialization.initial_loss_off import InitialLossOff
from tbdiag.model.finding import Confidence, Finding, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Scalar
from tbdiag.model.series import Floats, Series
from tbdiag.synth import a_run, counted, decay, flat

TEN = {"num_classes": 10}
STEPS = 16 * np.arange(1, 41)


def curves(
    batches: Floats,
    epochs: Floats | None = None,
    accuracy: Floats | None = None,
    first_step: int = 0,
) -> dict[Role, Series]:
    accuracy = 0.95 - decay(40, 0.6, 0.0) if accuracy is None else accuracy
    epochs = decay(40, 1.5, 0.1) if epochs is None else epochs
    return {
        Role.BATCH_LOSS: Series.of("batch/loss", first_step + np.arange(len(batches)), batches),
        Role.TRAIN_LOSS: Series.of("loss/train", STEPS, epochs),
        Role.TRAIN_METRIC: Series.of("accuracy/train", STEPS, accuracy),
    }


def found(roles: Mapping[Role, Series], hparams: Mapping[str, Scalar] = TEN) -> list[Finding]:
    case, rule = Case(a_run(roles, hparams=hparams)), InitialLossOff()
    assert rule.blocked(case) is None
    return list(rule.check(case))


def blocked(roles: Mapping[Role, Series], hparams: Mapping[str, Scalar] = TEN) -> str | None:
    return InitialLossOff().blocked(Case(a_run(roles, hparams=hparams)))


@pytest.mark.parametrize(("first", "fires"), [(2.3, 0), (3.4, 0), (3.6, 1), (30.0, 1)])
def test_the_limit_is_one_and_a_half_times_ln_c(first: float, fires: int) -> None:
    assert len(found(curves(decay(640, first, 0.1, 30)))) == fires


def test_far_beyond_the_limit_it_is_sure() -> None:
    assert found(curves(decay(640, 4.0, 0.1, 30)))[0].confidence is Confidence.MEDIUM
    assert found(curves(decay(640, 30.0, 0.1, 30)))[0].confidence is Confidence.HIGH


def test_two_classes_have_a_margin() -> None:
    two = {"num_classes": 2}
    assert not found(curves(decay(640, 1.1, 0.1, 30)), two)
    assert found(curves(decay(640, 3.0, 0.1, 30)), two)


def test_a_rate_that_ruins_the_second_batch_is_not_the_initialisation() -> None:
    ruined = np.concatenate([[2.35], flat(639, 60.0)])
    assert not found(curves(ruined, flat(40, 60.0), flat(40, 0.1)))
    penalised_and_ruined = np.concatenate([[3.57], decay(639, 400.0, 2.3)])
    assert not found(curves(penalised_and_ruined, decay(40, 50.0, 2.3), flat(40, 0.1)))


def test_a_penalty_is_suspected_where_nothing_is_learned_and_the_excess_stays() -> None:
    assert not found(curves(flat(640, 3.6), flat(40, 3.58), flat(40, 0.1)))
    assert found(curves(decay(640, 3.6, 2.3, 30), flat(40, 2.3), flat(40, 0.1)))


def test_a_logged_penalty_is_subtracted() -> None:
    roles = curves(decay(640, 4.0, 0.1, 30))
    assert found(roles)
    roles[Role.REGULARIZATION_LOSS] = Series.of("loss/l2", STEPS, flat(40, 1.6))
    assert not found(roles)


def test_a_slow_recovery_is_no_sum_over_the_batch() -> None:
    accuracy = 0.75 - decay(40, 0.65, 0.0)
    epochs = decay(40, 200.0, 6.0)
    assert found(curves(decay(640, 270.0, 6.0), epochs, accuracy))


def test_a_late_first_point_tells_nothing() -> None:
    reason = blocked(curves(decay(640, 7.0, 0.1), first_step=500))
    assert reason is not None
    assert "log it for each batch" in reason


def test_the_mean_of_the_first_epoch_is_late() -> None:
    roles = curves(flat(640, 7.0))
    del roles[Role.BATCH_LOSS]
    assert "log it for each batch" in (blocked(roles) or "")


def test_without_an_accuracy_the_loss_may_be_anything() -> None:
    roles = curves(decay(640, 7.0, 0.1))
    del roles[Role.TRAIN_METRIC]
    assert "may not be a cross-entropy" in (blocked(roles) or "")


def test_unknown_classes_are_bounded_by_the_validation_samples() -> None:
    roles = curves(decay(640, 8.0, 0.1, 30))
    assert "number of classes is unknown" in (blocked(roles, {}) or "")
    roles[Role.VAL_METRIC] = Series.of(
        "accuracy/val", STEPS, counted(0.9 - decay(40, 0.6, 0.0), 151)
    )
    (finding,) = found(roles, {})
    assert "as many as 76 classes" in finding.message
    assert not found(roles, {"val_size": 5000})
    case = Case(a_run(roles, hparams={"val_size": 5000}))
    assert "log their number" in (InitialLossOff().undecided(case) or "")
    modest = {**roles, **curves(decay(640, 2.0, 0.1, 30))}
    case = Case(a_run(modest, hparams={"val_size": 5000}))
    assert InitialLossOff().undecided(case) is None


def test_the_accuracy_before_training_bounds_the_classes() -> None:
    roles = curves(decay(640, 5.0, 0.1, 30))
    early = np.concatenate([[0.1], 0.9 - decay(40, 0.6, 0.0)])
    roles[Role.VAL_METRIC] = Series.of("accuracy/val", np.concatenate([[0], STEPS]), early)
    assert found(roles, {})
    healthy = {**roles, **curves(decay(640, 2.6, 0.1, 30))}
    assert not found(healthy, {})


def test_a_violent_first_gradient_makes_the_likely_classes_do() -> None:
    accuracy: Floats = counted(0.9 - decay(40, 0.6, 0.0), 397)
    roles = curves(decay(640, 6.0, 0.5, 60), decay(40, 1.5, 0.5), accuracy)
    roles[Role.VAL_METRIC] = Series.of("accuracy/val", STEPS, accuracy)

    def said(first: float, later: float) -> list[Finding]:
        norm = np.where(np.arange(640) < 8, first, later)
        return found({**roles, Role.GRAD_NORM: Series.of("grad_norm", np.arange(640), norm)}, {})

    (finding,) = said(30.0, 2.0)  # 900 over four times six
    assert "as many as 7 classes" in finding.message
    assert not said(15.0, 2.0)
    assert not said(30.0, 25.0)  # as large later on


def test_a_lost_run_makes_it_an_error_that_hides_that_nothing_was_learned() -> None:
    still = curves(np.concatenate([[30.0, 20.0, 9.0], 0 * decay(637, 1, 1) + 2.303]))
    still[Role.TRAIN_LOSS] = Series.of("loss/train", STEPS, np.full(40, 2.303))
    still[Role.TRAIN_METRIC] = Series.of("accuracy/train", STEPS, np.full(40, 0.1))
    (finding,) = found(still)
    assert finding.severity is Severity.ERROR
    assert "OPT004" in InitialLossOff.explains
    (finding,) = found(curves(decay(640, 30.0, 0.1, 30)))
    assert finding.severity is Severity.WARNING
