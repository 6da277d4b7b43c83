"""VAL001: validation counts too few samples for what is read into it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import tail
from tbdiag.synth import a_run, counted, decay, flat, jitter

REMEDIES = (
    Remedy.advice(
        "Hold out more samples, or use five-fold cross-validation",
        "the standard error falls with the root of the number of samples",
    ),
    Remedy.advice(
        "Compare runs by the mean of their last five evaluations",
        "a single evaluation is a draw from the noise",
    ),
    Remedy.advice(
        "Report the standard error beside the accuracy",
        "a difference below twice the standard error is no difference",
    ),
)


@dataclass(frozen=True, kw_only=True)
class ValidationSetTooSmall(Detector):
    """Validation accuracy rests on so few samples that chance moves it more than training does.

    ## What it does

    Reads the number of validation samples from the hyperparameters, or off the accuracies
    themselves, and works out how far chance alone moves an accuracy on as few.

    ## Why is this bad?

    On 40 samples an accuracy of 95 % has a standard error of 3 points. The best epoch, the better
    of two runs and the effect of a remedy are then mostly luck.

    ## How it is detected

    Accuracies of N samples are multiples of 1/N. The smallest N that explains all of them is taken
    if coincidence would explain them with a probability below `chance`; a mean of unequal batch
    means, or a few distinct values, give an upper bound only. The rule fires where the standard error at the end is above
    `worst_error`, or N below `fewest`; as a note, where N is below `few` and the gain over the last
    third of the run is positive but smaller than that standard error.

    ## Remedy

    A larger split or folds; averages over evaluations; the standard error beside the number.

    ## False alarms

    Top-k and token accuracies count like others. Balanced accuracies and moving averages lie on no
    grid, and then the rule says that it cannot tell. Accuracies rounded to three or four decimals
    tell sizes up to some hundreds only.

    ## References

    Wald interval of a share: standard error √(p(1 − p)/N), with the correction of Agresti and Coull
    (1998).
    """

    code, severity, since = "VAL001", Severity.WARNING, "0.1.0"
    needs = (Role.VAL_METRIC,)
    points = 5

    worst_error: Annotated[float, Threshold("largest standard error", above=0, at_most=0.5)] = 0.025
    fewest: Annotated[int, Threshold("samples that are too few in any case", at_least=2)] = 100
    few: Annotated[int, Threshold("samples that are few for small gains", at_least=2)] = 400
    chance: Annotated[float, Threshold("probability of a wrong size", above=0, at_most=1)] = 1e-3

    def cannot_tell(self, case: Case) -> str | None:
        accuracy = case.accuracy(Role.VAL_METRIC)
        if accuracy is None:
            return "the validation metric is no accuracy, so that it does not count samples"
        if case.validation_size(self.chance) is None:
            return (
                "the number of validation samples was not logged, and the accuracies do not tell it"
            )
        return None

    def undecided(self, case: Case) -> str | None:
        """A bound on their number clears nobody."""
        accuracy = case.accuracy(Role.VAL_METRIC)
        size = None if accuracy is None else case.validation_size(self.chance)
        if accuracy is None or size is None:
            return None
        share = median(tail(accuracy.values))
        if self._too_small(share, size.least):
            return (
                f"the accuracies leave between {size.least:,} and {size.most:,} validation samples;"
                " log their number"
            )
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        accuracy = case.accuracy(Role.VAL_METRIC)
        size = None if accuracy is None else case.validation_size(self.chance)
        if accuracy is None or size is None:
            return
        share = median(tail(accuracy.values))
        error = standard_error(share, size.most)
        gain = _last_gain(accuracy.values)
        if self._too_small(share, size.most):
            severity = Severity.WARNING
        elif size.most < self.few and 0 < gain < error:
            severity = Severity.NOTE
        else:
            return
        first, last = int(accuracy.steps[0]), int(accuracy.steps[-1])
        count = f"{size.most:,}" if size.exact else f"at most {size.most:,}"
        name = "validation_samples" if size.exact else "validation_samples_at_most"
        yield self.finding(
            f"validation counts {count} samples: {share:.1%} at step {last:,} is uncertain by "
            f"{100 * error:.1f} points",
            Evidence(
                tag=accuracy.tag,
                span=(first, last),
                note=f"moves in steps of {100 / size.most:.2g} points" if size.exact else "",
                measures=(
                    Measure(name, size.most),
                    Measure("standard_error", error),
                    Measure("last_gain", gain),
                ),
            ),
            severity=severity,
            confidence=Confidence.HIGH if size.exact else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    def _too_small(self, share: float, samples: int) -> bool:
        return standard_error(share, samples) > self.worst_error or samples < self.fewest

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Small sets, stated or inferred; large ones, smooth ones and means over batches as traps."""
        climb = 0.95 - decay(60, 0.8, 0.0) + jitter(60, 0.02, 3)
        train = decay(60, 2.3, 0.1)
        yield fires(
            "40 samples",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_METRIC: counted(climb.clip(0, 1), 40)}),
            onset=5,
        )
        yield fires(
            "in percent",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_METRIC: 100 * counted(climb.clip(0, 1), 60)}),
        )
        yield fires(
            "200 samples, half of them right",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_METRIC: counted(climb - 0.45, 200).clip(0)}),
        )
        yield fires(
            "stated",
            a_run(
                {Role.TRAIN_LOSS: train, Role.VAL_METRIC: 0.95 - decay(60, 0.8, 0.0)},
                hparams={"data/val_size": 50},
            ),
        )
        yield silent(
            "797 samples",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_METRIC: counted(climb.clip(0, 1), 797)}),
        )
        yield silent(
            "10,112 in unequal batches", a_run({Role.VAL_METRIC: counted(climb.clip(0, 1), 10_112)})
        )
        yield silent("on no grid", a_run({Role.VAL_METRIC: climb.clip(0, 1)}))
        yield silent("never moves", a_run({Role.VAL_METRIC: flat(60, 0.1)}))
        yield silent(
            "stated and large",
            a_run(
                {Role.VAL_METRIC: counted(climb.clip(0, 1), 40)}, hparams={"num_val_samples": 5000}
            ),
        )


def standard_error(share: float, size: int) -> float:
    """The standard error of a share of ``size`` samples; not 0 where all of them are right."""
    share = (share * size + 1) / (size + 2)
    return math.sqrt(share * (1 - share) / size)


def _last_gain(values: Floats) -> float:
    """What the last third of the run brought: its last half over its first half, by medians."""
    third = values[-max(4, len(values) // 3) :]
    half = len(third) // 2
    return float(median(third[half:]) - median(third[:half]))
