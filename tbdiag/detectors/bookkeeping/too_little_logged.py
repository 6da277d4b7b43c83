"""LOG005: the log lacks what the rules would need most."""

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
from tbdiag.signals.cadence import spoken
from tbdiag.synth import a_run, at_times, cosine, decay, flat, noisy, u_turn

_MAIN = {
    Kind.SUPERVISED: (Role.TRAIN_LOSS, Role.BATCH_LOSS),
    Kind.REINFORCEMENT: (Role.REWARD, Role.VAL_REWARD),
    Kind.ADVERSARIAL: (Role.G_LOSS, Role.D_LOSS),
}


@dataclass(frozen=True, slots=True)
class _Gap:
    """Something that was not logged: the sentence that says so, and what to log for which rules."""

    sentence: str
    remedy: Remedy


@dataclass(frozen=True, kw_only=True)
class TooLittleLogged(Detector):
    """The log lacks the one thing without which the rules cannot answer what matters most here.

    ## What it does

    Names the one gap in a log that, once filled, would let most rules answer.

    ## Why is this bad?

    A quiet report may be a blind one. Most questions about a run turn on its training loss; and where
    the loss has got stuck, on the learning rate.

    ## How it is detected

    Only the first of these is told: (1) no training loss was recognised (for reinforcement learning:
    no reward), although some curve has `few` points or more, so that there was a training; (2) it has
    fewer than `few` points, although the run took `minutes` or more, so that there was more to log; (3) the learning rate is known neither from a curve nor from a
    hyperparameter, and the loss no longer falls over its second half (tau above `stands`) with more
    than `arrived` of it left, or has lost `regained` of what it gained: then the rate is the first
    thing to ask about; (4) the loss is all there is, no validation, no rate, no setting, no histogram:
    a run that nobody can compare with another. Otherwise, where the loss falls as it should, nothing
    is missing.

    ## Remedy

    One line in the training loop; or, for a curve that was not recognised, its tag under `[roles]`
    in the configuration.

    ## False alarms

    A run that has just begun has few points yet. That there is no validation at all is told by
    VAL005.

    ## References

    None: it follows from what the other rules need.
    """

    code, severity, since = "LOG005", Severity.NOTE, "0.1.0"
    explains = ("VAL005",)  # where there is next to nothing, validation is only a part of it
    supervised = False

    few: Annotated[int, Threshold("points of the training loss that trends need", at_least=4)] = 8
    minutes: Annotated[float, Threshold("a long run, in minutes", above=0)] = 10.0
    stands: Annotated[float, Threshold("tau of a loss that no longer falls", at_most=1)] = -0.3
    arrived: Annotated[
        float, Threshold("last loss over first of a run that arrived", at_least=0)
    ] = 0.02
    regained: Annotated[float, Threshold("share of the fall that was lost again", above=0)] = 0.5

    def check(self, case: Case) -> Iterator[Finding]:
        main = _main(case)
        gap = self._gap(case, main)
        if gap is None:
            return
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
            gap.sentence, *evidence, confidence=Confidence.HIGH, remedies=(gap.remedy,)
        )

    def _gap(self, case: Case, main: Series | None) -> _Gap | None:
        """The gap that matters most, None where the rules have what they need."""
        wanted = _MAIN[case.kind][0]
        if main is None:
            longest = max((each.logged for each in case.run.series.values()), default=0)
            told = longest >= self.few or not case.run.series
            return _unrecognised(case, wanted) if told else None
        if main.logged < self.few:
            long = _seconds(case) >= 60 * self.minutes
            return self._rare(case, wanted, main) if long else None
        unknown = case.curve(Role.LEARNING_RATE) is None and Knob.LR not in case.knobs
        if unknown and case.kind is Kind.SUPERVISED and self._stuck(case):
            return _Gap(
                "the training loss got stuck, and no learning rate was logged that could tell why",
                Remedy.advice(
                    "Log the learning rate at every step, as a scalar `lr`",
                    "a plateau, swings and a blow-up are judged by it, and so is what to do next",
                ),
            )
        if case.kind is Kind.SUPERVISED and _alone(case):
            return _Gap(
                f"nothing but the {wanted.phrase} was logged: no validation, no learning rate, no "
                "setting",
                Remedy.advice(
                    "Log a validation loss once per epoch, the learning rate, and the settings",
                    "whether a run generalises, and which change made it better, is told by these",
                ),
            )
        return None

    def _rare(self, case: Case, wanted: Role, main: Series) -> _Gap:
        points = f"{main.logged} point{'s' * (main.logged != 1)}"
        return _Gap(
            f"the {wanted.phrase} has only {points} in {spoken(_seconds(case))}: too few for a trend",
            Remedy.advice(
                f"Log the {wanted.phrase} at least {self.few} times, better 20 times and more",
                f"a trend needs {self.few} points, a change of the trend 20",
            ),
        )

    def _stuck(self, case: Case) -> bool:
        """Whether the training loss no longer falls, or has lost again what it gained."""
        if case.curve(Role.TRAIN_LOSS) is None or len(case.course(Role.TRAIN_LOSS)) < self.few:
            return False
        seen = case.progress
        stands = seen.trend.tau > self.stands and not seen.left < self.arrived
        return stands or seen.regained > self.regained

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Logs with no loss, few points, doubtful tags, a loss that is stuck; full logs as traps."""
        loss, rate = decay(60, 2.3, 0.2), cosine(60, 0.1)
        stuck = noisy(decay(60, 2.3, 1.1, 30), 0.02)
        yield fires("a loss that stands", a_run({Role.TRAIN_LOSS: stuck, Role.VAL_LOSS: stuck}))
        yield fires("a loss that climbs back", a_run({Role.TRAIN_LOSS: u_turn(60, 2.3, 0.7, 2.0)}))
        slow = at_times(Role.TRAIN_LOSS, loss[:5], 3600.0 * np.arange(5))
        yield fires("five points in four hours", a_run({Role.TRAIN_LOSS: slow}))
        yield fires("validation only", a_run({Role.VAL_LOSS: loss}, hparams={"learning_rate": 0.1}))
        yield fires("nothing recognised", a_run({}, extra={"a": loss, "b": loss, "c": loss}))
        doubtful = a_run({Role.LEARNING_RATE: rate}, extra={"loss/a": loss, "loss/b": loss})
        roles = replace(doubtful.roles, ambiguous={Role.TRAIN_LOSS: ("loss/a", "loss/b")})
        yield fires("two tags could be the loss", doubtful.with_roles(roles))
        yield fires("nothing at all", a_run({}))
        yield silent("loss and rate", a_run({Role.TRAIN_LOSS: stuck, Role.LEARNING_RATE: rate}))
        yield silent(
            "rate among the hyperparameters",
            a_run({Role.TRAIN_LOSS: stuck}, hparams={"learning_rate": 0.1}),
        )
        yield fires("nothing but a loss", a_run({Role.TRAIN_LOSS: loss}))
        both = {Role.TRAIN_LOSS: loss, Role.VAL_LOSS: loss}
        yield silent("falls as it should, without a rate", a_run(both))
        arrived = noisy(decay(60, 2.3, 0.01, 30), 0.02)
        yield silent(
            "arrived, without a rate", a_run({Role.TRAIN_LOSS: arrived, Role.VAL_LOSS: loss})
        )
        short = {Role.TRAIN_LOSS: loss[:5], Role.LEARNING_RATE: rate}
        yield silent("five points of a short run", a_run(short))
        yield silent("the result of a run", a_run({}, extra={"hparam/accuracy": loss[:1]}))
        yield silent("batches only", a_run({Role.BATCH_LOSS: loss, Role.LEARNING_RATE: rate}))
        parts = a_run({Role.LEARNING_RATE: rate, Role.TRAIN_LOSS: loss})
        box = {Role.TRAIN_LOSS: parts.roles.bound[Role.TRAIN_LOSS]}
        bound = {Role.LEARNING_RATE: parts.roles.bound[Role.LEARNING_RATE]}
        yield silent("losses in parts", parts.with_roles(RoleMap(bound=bound, parts=(box,))))
        yield silent("rewards", a_run({Role.REWARD: flat(60, 10)}))


def _main(case: Case) -> Series | None:
    """The longest of the curves by which this kind of run is judged."""
    curves = [curve for role in _MAIN[case.kind] if (curve := case.curve(role)) is not None]
    return max(curves, key=lambda curve: curve.logged, default=None)


def _alone(case: Case) -> bool:
    """Whether a run holds curves of its training loss and nothing else."""
    run = case.run
    losses = {Role.TRAIN_LOSS, Role.BATCH_LOSS}
    tags = {run.roles.bound[role].tag for role in losses & run.roles.bound.keys()}
    return not (run.hparams or run.histograms or run.roles.parts or run.series.keys() - tags)


def _seconds(case: Case) -> float:
    """How long the run logged, by the curve that lasted longest."""
    curves = (each.wall_times for each in case.run.series.values() if len(each))
    return max((float(walls[-1] - walls[0]) for walls in curves), default=0.0)


def _unrecognised(case: Case, wanted: Role) -> _Gap:
    tags = case.run.roles.ambiguous.get(wanted, ())
    count = len(case.run.series)
    if not count:
        return _Gap(
            "no scalar was logged: nearly every rule starts from the loss",
            Remedy.advice(
                "Log the training and the validation loss once per epoch",
                "they tell whether a run learns, and how well",
            ),
        )
    if tags:
        sentence = f"{len(tags)} tags could be the {wanted.phrase}: nearly every rule waits for one"
    else:
        sentence = f"no {wanted.phrase} was recognised among {count:,} tag{'s' * (count > 1)}"
    return _Gap(
        sentence,
        Remedy.advice(
            f'Name it in the configuration: {wanted.value} = "<tag>" under [roles]',
            f"nearly every rule starts from the {wanted.phrase}, and tags are never guessed",
        ),
    )
