"""VAL006: too few evaluations to see a turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.synth import a_run, decay, noisy

REMEDIES = (
    Remedy.advice(
        "Evaluate at least ten times over the run, after every epoch where there are that many",
        "a turn of the validation loss shows only where there are points on both sides of it",
    ),
)


@dataclass(frozen=True, kw_only=True)
class RareValidation(Detector):
    """Validation was measured so seldom that its course cannot be told.

    ## What it does

    Counts the evaluations over a run that logged its training loss far more often.

    ## Why is this bad?

    With a handful of points neither overfitting nor the best checkpoint can be seen, and most of
    what this tool knows about validation cannot be asked.

    ## How it is detected

    There are fewer than `evaluations` of validation, and the training loss has `logged` points or
    more and at least `denser` times as many as there are evaluations.

    ## Remedy

    Evaluate ten times over the run or more.

    ## False alarms

    A run that is known to last longer than it has so far has only just begun. One that lasts few
    epochs and logs once in each cannot do better. A large test that is run once at the end is no validation
    of the course.

    ## References

    Prechelt, "Early stopping – but when?" (1998).
    """

    code, severity, since = "VAL006", Severity.NOTE, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS), (Role.VAL_LOSS, Role.VAL_METRIC))
    points = 20

    evaluations: Annotated[int, Threshold("evaluations that are enough", at_least=2)] = 8
    logged: Annotated[int, Threshold("points of the training loss", at_least=20)] = 50
    denser: Annotated[float, Threshold("training points for each evaluation", at_least=1)] = 5.0

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where validation was rare."""
        train = _longest(case, Role.TRAIN_LOSS, Role.BATCH_LOSS)
        val = _longest(case, Role.VAL_LOSS, Role.VAL_METRIC)
        count = val.logged
        if (
            not count
            or not len(val)
            or count >= self.evaluations
            or len(train) < max(self.logged, self.denser * count)
            or _unfinished(case, train)
        ):
            return
        length = int(train.steps[-1] - train.steps[0])
        yield self.finding(
            f"validation was measured {count} time{'s' if count > 1 else ''} in {length:,} steps, the"
            f" training loss {len(train):,} times",
            Evidence(
                tag=val.tag,
                span=(int(val.steps[0]), int(val.steps[-1])),
                note="too few points",
                measures=(Measure("evaluations", count, "<", self.evaluations),),
            ),
            confidence=Confidence.HIGH,
            remedies=REMEDIES,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """A handful of evaluations; enough, short and unfinished runs as traps."""
        train = noisy(decay(400, 2.3, 0.2), 0.1)
        yield fires("four evaluations", a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: _at(4, 100)}))
        yield fires(
            "beside losses per batch",
            a_run({Role.BATCH_LOSS: train, Role.VAL_METRIC: _at(5, 80, "accuracy/val")}),
        )
        yield silent("ten evaluations", a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: _at(10, 40)}))
        few = decay(6, 2.3, 0.5)
        yield silent("six epochs", a_run({Role.TRAIN_LOSS: few, Role.VAL_LOSS: few}))
        begun: dict[Role, Floats | Series] = {
            Role.TRAIN_LOSS: train,
            Role.VAL_LOSS: _at(4, 100),
            Role.EPOCH: np.arange(1, 401) / 100,
        }
        yield silent("only just begun", a_run(begun, hparams={"epochs": 40}))


def _at(count: int, every: int, tag: str = "loss/val") -> Series:
    return Series.of(tag, every * np.arange(1, count + 1), decay(count, 2.3, 0.5, 2))


def _longest(case: Case, *roles: Role) -> Series:
    return max((curve for role in roles if (curve := case.curve(role)) is not None), key=len)


def _unfinished(case: Case, train: Series) -> bool:
    """Whether the run is known to go on: it has done less than most of its epochs or steps."""
    epoch, epochs = case.curve(Role.EPOCH), case.number(Knob.EPOCHS)
    if epoch is not None and len(epoch) and epochs is not None and epochs > 0:
        return float(epoch.values[-1]) + 1 < 0.9 * epochs
    steps = case.number(Knob.MAX_STEPS)
    return steps is not None and steps > 0 and int(train.steps[-1]) < 0.9 * steps
