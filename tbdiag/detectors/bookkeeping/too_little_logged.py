"""LOG005: the log lacks what the most telling rules need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from tbdiag.case import Case, Kind
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role, RoleMap
from tbdiag.model.series import Series
from tbdiag.synth import a_run, cosine, decay, flat

_MAIN = {
    Kind.SUPERVISED: (Role.TRAIN_LOSS, Role.BATCH_LOSS),
    Kind.REINFORCEMENT: (Role.REWARD, Role.VAL_REWARD),
    Kind.ADVERSARIAL: (Role.G_LOSS, Role.D_LOSS),
}
_INSIDE = (Role.GRAD_NORM, Role.WEIGHT_NORM, Role.UPDATE_RATIO)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Something that was not logged: the clause that says so, and what to log for which rules."""

    clause: str
    remedy: Remedy


@dataclass(frozen=True, kw_only=True)
class TooLittleLogged(Detector):
    """The log lacks a curve without which the most telling rules cannot answer.

    ## What it does

    Names what could not be examined because it was not logged, or not recognised, and what to log.

    ## Why is this bad?

    A quiet report may be a blind one. Most questions about a run turn on its training loss and its
    learning rate; without them nothing can be said, good or bad.

    ## How it is detected

    It speaks up where no training loss was recognised (for reinforcement learning: no reward), where
    it has fewer than `few` points, or where the learning rate is known neither from a curve nor from
    a hyperparameter. Only then it adds what else would be worth logging, `most` things in all: a
    gradient norm or histograms, and a loss per batch.

    ## Remedy

    One line each in the training loop; or, for a curve that was not recognised, its tag under
    `[roles]` in the configuration.

    ## False alarms

    A run that has just begun has few points yet. That there is no validation at all is told by
    VAL005.

    ## References

    None: it follows from what the other rules need.
    """

    code, severity, since = "LOG005", Severity.NOTE, "0.1.0"
    supervised = False

    few: Annotated[int, Threshold("points of the training loss that trends need", at_least=2)] = 8
    most: Annotated[int, Threshold("most missing things that are named", at_least=1)] = 3

    def check(self, case: Case) -> Iterator[Finding]:
        main = _main(case)
        gaps = list(self._grave(case, main))
        if not gaps:
            return
        gaps = [*gaps, *_others(case)][: self.most] if case.run.series else gaps[:1]
        evidence = []
        if main is not None and main.logged:
            steps = np.concatenate([main.steps, main.nonfinite.steps])
            evidence.append(
                Evidence(
                    tag=main.tag,
                    span=(int(steps.min()), int(steps.max())),
                    note="all that was logged of it",
                    measures=(Measure("points", main.logged),),
                )
            )
        yield self.finding(
            ", ".join(gap.clause for gap in gaps),
            *evidence,
            confidence=Confidence.HIGH,
            remedies=tuple(gap.remedy for gap in gaps),
        )

    def _grave(self, case: Case, main: Series | None) -> Iterator[_Gap]:
        wanted = _MAIN[case.kind][0]
        if main is None:
            yield _unrecognised(case, wanted)
        elif main.logged < self.few:
            yield _Gap(
                f"the {wanted.phrase} has only {main.logged} points",
                Remedy.advice(
                    f"Log the {wanted.phrase} at least {self.few} times, better 20 times and more",
                    "a trend needs 8 points, a change of the trend 20",
                ),
            )
        if case.curve(Role.LEARNING_RATE) is None and Knob.LR not in case.knobs:
            yield _Gap(
                "no learning rate was logged",
                Remedy.advice(
                    "Log the learning rate at every step, as a scalar `lr`",
                    "OPT007 to OPT010 and OPT012 compare the loss with it",
                ),
            )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Logs with no loss, no rate, few points, doubtful tags; full and other logs as traps."""
        loss, rate = decay(60, 2.3, 0.2), cosine(60, 0.1)
        yield fires("no learning rate", a_run({Role.TRAIN_LOSS: loss, Role.VAL_LOSS: loss}))
        yield fires("five points", a_run({Role.TRAIN_LOSS: loss[:5], Role.LEARNING_RATE: rate[:5]}))
        yield fires("validation only", a_run({Role.VAL_LOSS: loss}, hparams={"learning_rate": 0.1}))
        yield fires("nothing recognised", a_run({}, extra={"a": loss, "b": loss, "c": loss}))
        doubtful = a_run({Role.LEARNING_RATE: rate}, extra={"loss/a": loss, "loss/b": loss})
        roles = replace(doubtful.roles, ambiguous={Role.TRAIN_LOSS: ("loss/a", "loss/b")})
        yield fires("two tags could be the loss", doubtful.with_roles(roles))
        yield fires("nothing at all", a_run({}))
        yield silent("loss and rate", a_run({Role.TRAIN_LOSS: loss, Role.LEARNING_RATE: rate}))
        yield silent(
            "rate among the hyperparameters",
            a_run({Role.TRAIN_LOSS: loss}, hparams={"learning_rate": 0.1}),
        )
        yield silent("batches only", a_run({Role.BATCH_LOSS: loss, Role.LEARNING_RATE: rate}))
        parts = a_run({Role.LEARNING_RATE: rate, Role.TRAIN_LOSS: loss})
        box = {Role.TRAIN_LOSS: parts.roles.bound[Role.TRAIN_LOSS]}
        bound = {Role.LEARNING_RATE: parts.roles.bound[Role.LEARNING_RATE]}
        yield silent("losses in parts", parts.with_roles(RoleMap(bound=bound, parts=(box,))))
        yield silent("rewards", a_run({Role.REWARD: flat(60, 10), Role.LEARNING_RATE: rate}))


def _main(case: Case) -> Series | None:
    """The longest of the curves by which this kind of run is judged."""
    curves = [curve for role in _MAIN[case.kind] if (curve := case.curve(role)) is not None]
    return max(curves, key=lambda curve: curve.logged, default=None)


def _unrecognised(case: Case, wanted: Role) -> _Gap:
    tags = case.run.roles.ambiguous.get(wanted, ())
    if tags:
        clause = f"{len(tags)} tags could be the {wanted.phrase}"
    elif case.run.series:
        count = len(case.run.series)
        clause = f"no {wanted.phrase} was recognised among {count:,} tag{'s' * (count > 1)}"
    else:
        return _Gap(
            "no scalar was logged",
            Remedy.advice(
                "Log the training and the validation loss once per epoch",
                "nearly every rule starts from the loss",
            ),
        )
    return _Gap(
        clause,
        Remedy.advice(
            f'Name it in the configuration: {wanted.value} = "<tag>" under [roles]',
            f"nearly every rule starts from the {wanted.phrase}, and tags are never guessed",
        ),
    )


def _others(case: Case) -> Iterator[_Gap]:
    """What else would be worth logging, the most telling first."""
    inside = any(case.curve(role) is not None for role in _INSIDE)
    if not inside and not case.run.histograms:
        yield _Gap(
            "no gradient norm was logged",
            Remedy.advice(
                "Log the gradient norm at every step, or histograms of weights and gradients",
                "OPT011 and the GRD and INI families tell causes from them",
            ),
        )
    if case.kind is Kind.SUPERVISED and case.curve(Role.BATCH_LOSS) is None:
        yield _Gap(
            "no loss per batch was logged",
            Remedy.advice(
                "Log the loss of every batch beside that of the epoch",
                "NUM002 and NUM004 see blow-ups and spikes that an epoch's mean hides",
            ),
        )
