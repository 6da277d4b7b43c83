"""VAL005: nothing was held out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.synth import a_run, decay, noisy

REMEDIES = (
    Remedy.advice(
        "Hold out 10 to 20 % of the samples, and log the loss on them after every epoch",
        "only samples that were not trained on show whether the network generalises",
    ),
    Remedy.advice(
        "Keep the checkpoint with the best validation value",
        "without validation nobody knows which checkpoint that is",
    ),
)

_ROLES = (Role.VAL_LOSS, Role.VAL_METRIC, Role.BALANCED_METRIC, Role.VAL_REWARD)
_WORDS = {"val", "valid", "validation", "eval", "evaluation", "test", "dev", "holdout"}


@dataclass(frozen=True, kw_only=True)
class NoValidation(Detector):
    """A training loss was logged, and no curve on data that was held out.

    ## What it does

    Notices a run whose every curve was measured on the training data.

    ## Why is this bad?

    A network that learns its samples by heart looks perfect on them. Without validation, neither
    overfitting nor the best checkpoint can be seen, and this tool is blind for a third of its rules.

    ## How it is detected

    The training loss has at least `logged` points, no curve plays a validation role, none could
    play one, and no tag so much as names validation.

    ## Remedy

    Hold out a part of the data and evaluate on it after every epoch.

    ## False alarms

    Validation that is logged into another folder or another tool. A run that has only just begun is
    left alone. Curves that could be validation under an unusual name count as validation.

    ## References

    Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning" (2009), chapter 7.
    """

    code, severity, since = "VAL005", Severity.NOTE, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)

    logged: Annotated[int, Threshold("points of the training loss", at_least=1)] = 20

    def check(self, case: Case) -> Iterator[Finding]:
        curves = [case.curve(role) for role in (Role.TRAIN_LOSS, Role.BATCH_LOSS)]
        train = max((curve for curve in curves if curve is not None), key=len)
        roles = case.run.roles
        if (
            len(train) < self.logged
            or any(role in roles.bound or role in roles.ambiguous for role in _ROLES)
            or any(_names_validation(tag) for tag in case.run.series)
        ):
            return
        last = int(train.steps[-1])
        yield self.finding(
            f"{len(train):,} points of training loss up to step {last:,}, and nothing on validation",
            Evidence(
                tag=train.tag,
                span=(int(train.steps[0]), last),
                note="measured on training data",
                measures=(Measure("training_points", len(train), ">=", self.logged),),
            ),
            confidence=Confidence.HIGH,
            remedies=REMEDIES,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Runs with nothing but training curves; any trace of validation silences the rule."""
        train = noisy(decay(60, 2.3, 0.05), 0.02)
        yield fires("training loss alone", a_run({Role.TRAIN_LOSS: train}), onset=20)
        yield fires(
            "training accuracy, too",
            a_run({Role.TRAIN_LOSS: train, Role.TRAIN_METRIC: 1 - decay(60, 0.9, 0.01)}),
        )
        yield fires(
            "losses per batch alone", a_run({Role.BATCH_LOSS: noisy(decay(400, 2.3, 0.1), 0.2)})
        )
        yield silent("with validation loss", a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: train}))
        yield silent(
            "with a metric alone",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_METRIC: 1 - decay(60, 0.9, 0.1)}),
        )
        yield silent(
            "a curve that names it",
            a_run({Role.TRAIN_LOSS: train}, extra={"dev/bleu": 30 - decay(60, 30, 1)}),
        )
        yield silent("only just begun", a_run({Role.TRAIN_LOSS: train[:10]}))


def _names_validation(tag: str) -> bool:
    return not _WORDS.isdisjoint(
        re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", tag).lower())
    )
