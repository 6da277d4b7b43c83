"""OPT001: the steps are too large to settle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Suspicion, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import DECAY_TO_ZERO, RATE_TENTH, RATE_THIRD, WARM_UP
from tbdiag.detectors.optimization.signs.too_high import Symptom, relapsed, symptoms, trace
from tbdiag.model.finding import Confidence, Evidence, Finding, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.run import Run, Scalar
from tbdiag.model.series import Series
from tbdiag.signals.schedule import Shape
from tbdiag.signals.tensors import zeros
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy

# The signs of steps that are too large by far, rather than by a little.
_STEEP = frozenset(
    {
        "thrown",
        "left",
        "lost",
        "set_back",
        "blow_up",
        "above_best",
        "freed",
        "rate",
        "unsteady",
        "rose_first",
    }
)
_STUCK = frozenset({"left", "lost", "set_back"})  # signs that units without any output give as well
_DEAD = 0.9  # share of zeros


@dataclass(frozen=True, kw_only=True)
class LearningRateTooHigh(Detector):
    """The training loss bounces or stands at a high level because its steps are too large.

    ## What it does

    Gathers the signs that a learning rate is too high for a run that neither broke nor stood still
    from the start.

    ## Why is this bad?

    With steps that are too large the loss jumps across the valley instead of descending into it.
    The run ends far above what the same network reaches at a lower rate.

    ## How it is detected

    On the training loss, thinned to about a hundred points, at least two of these signs must show.
    The second half has no falling trend (Kendall's tau above `lost_trend`) although `left` of the
    first loss remains and nine tenths of the fall came within `early` of the run, and the loss
    jumps by `noise` of its level, `beyond` times what single batches explain, unless validation, `evaluations` or more, falls steadily there (tau below −`settles`): means over epochs that do so by `shaken` at a constant rate, with more than `unsettled` left, count twice, unless dropout is `dropout` or more. It ends above `above_best` times its best, and `beyond` what batches explain, while `left` remains,
    having lost `regained` of its fall again. It climbs through the second half (tau above
    `climbing`). It fell by `drop` and `sure` deviations right after the rate was cut at once, to
    `cut` of what it was or less. The loss per batch rose above
    `blow_up` times its first value within its first `batches`; above `explosion` times it, with
    `left` remaining, that counts twice. So does a loss that came down by `at_once`, did not fall
    steadily (tau above −`falls`) while the rate was above half of its peak, and fell steadily, by
    `freed` and by more than before, as that went down. A loss that fell at once and has stood still to within
    `frozen` ever since, at more than `stuck_left` of where it began, counts twice, unless the weight decay
    is known to be `strong_decay` or more, the network to be `tiny`, or a layer was dead before the first step. With more than `unsettled` of the first loss left, so does an
    accuracy that ends `lost`, three times its noise, and `strays` standard errors of a validation set of known size below the best of its first fifth: what was
    learned in the first steps was thrown away, and the finding is an error. An accuracy that stays as far
    below its own start for the rest of the first half counts twice, too: it came back only when the rate fell.
    Where validation was logged `several` times or more, its jumps in the first half, by successive differences, count twice if
    they are `wanders` times as large as all that it fell in the run (to its best, where it climbed by `climbed` of them since), and `shakes` of its level, while `left` of the first loss remains: under a schedule
    the end is calm whatever the rate was.
    With `evaluations` or more, losses that both waver by more than `unsteady` in the first half, by the second differences
    of their logarithms, count twice (validation alone once), and so does a validation loss that wavers by `restless` in the second and ends `lifted` times its best or does so at a constant rate.
    A training loss by the epoch that rises to `rises_first` times its first value in the first fifth is a sign, where no rate was raised meanwhile.
    Where neither rate nor settings were logged, a validation loss that rose at more than `unrest` of its first evaluations leaves the question open.
    Beside a single sign, a validation loss that ends `relapses` times its best is another.
    A rate of `adam` for Adam and its kin, `momentum` times (1 − momentum) with one, or `plain` without for `lasting` of the run is a sign, for no network
    is known to bear it; a trace beside it is another: a loss per batch that first rose `rises`-fold, `left`
    of the first loss, a first half that wavers by `wavers`, a second that does not fall, or such a validation loss, or two losses
    that stand beside each other (both and their gap move by less than `stands`, in logarithms, late in the run). With nothing else to it, and below `far_beyond` times as much, it is a note under a rate that was lowered. A loss
    per batch that rises to `thrown` times its first value within `steps` batches counts twice, and one that bounces by `wavers` at a constant rate counts whatever is left
    of it where no metric was logged. A regression whose
    first loss is above `unscaled` has large weights to learn and bears `unscaled_bear` times as much. A loss of `end` points or more that bounces on by `bounces_on` of its
    noise where the rate is below `gone` of its peak, or was spent for more than `idle` of the run, is that of batches. One that stands, of whose rate nothing is known, leaves the question open.

    A training loss of fewer than `trends` points tells no trend: then only the first batches speak, an accuracy that was lost,
    and the rate itself.

    ## Remedy

    A tenth of the rate; where the loss only bounces, a decay to zero or a third of the rate.

    ## False alarms

    Sign changes of the loss say nothing about the rate: noise alone is no sign here. A plateau at
    the optimum has little of its first loss left. Half a decade too high cannot be told from a
    well-chosen rate without a schedule. Strong weight decay also freezes a loss,
    and so do a few units that can do no more, and units that were dead before the first step.

    ## References

    Measured on the learning-rate sweep of DeepOBS (Schneider et al., 2019).
    """

    code, severity, since = "OPT001", Severity.WARNING, "0.1.0"
    suspicion = Suspicion(
        "rate-too-high", "whose learning rate was too high", (RATE_THIRD, RATE_TENTH)
    )
    needs = (Role.TRAIN_LOSS,)
    points = 6
    explains = (
        *("GRD005", "OPT003", "OPT005", "OPT006", "OPT008", "OPT010", "GEN002", "GEN004", "VAL002"),
    )
    leads = ("GRD003", "GRD004")  # units that lived at first were killed by something

    trends: Annotated[int, Threshold("points from which trends are told", at_least=8)] = 12
    lost_trend: Annotated[float, Threshold("tau of a second half without a fall", at_most=1)] = -0.3
    left: Annotated[float, Threshold("last loss over first", above=0)] = 0.2
    early: Annotated[float, Threshold("share of the run for the fall", above=0, at_most=1)] = 0.15
    noise: Annotated[float, Threshold("relative noise of the second half", at_least=0)] = 0.015
    above_best: Annotated[float, Threshold("last loss over best", above=1)] = 1.2
    regained: Annotated[float, Threshold("share of the fall lost again", above=0)] = 0.02
    climbing: Annotated[float, Threshold("tau of a climb", above=0, at_most=1)] = 0.3
    drop: Annotated[float, Threshold("fall right after a cut of the rate", above=0)] = 0.05
    sure: Annotated[float, Threshold("that fall in deviations of a mean", at_least=0)] = 4.0
    cut: Annotated[float, Threshold("rate over the one before, cut at once", above=0)] = 0.6
    batches: Annotated[int, Threshold("batches at the start that may blow up", at_least=1)] = 200
    blow_up: Annotated[float, Threshold("highest early batch loss over the first", above=1)] = 3.0
    steps: Annotated[int, Threshold("batches within which one step throws it", at_least=2)] = 10
    thrown: Annotated[float, Threshold("highest of them over the first, thrown", above=1)] = 100.0
    explosion: Annotated[float, Threshold("rise that counts twice", above=1)] = 30.0
    at_once: Annotated[float, Threshold("fall before a loss is held up", above=0, at_most=1)] = 0.2
    freed: Annotated[float, Threshold("fall as the rate is lowered", above=0)] = 0.04
    falls: Annotated[float, Threshold("tau of that fall", above=0, at_most=1)] = 0.5
    frozen: Annotated[float, Threshold("relative noise of a frozen loss", at_least=0)] = 1e-3
    stuck_left: Annotated[float, Threshold("last over first of a frozen loss", above=0)] = 0.4
    lost: Annotated[float, Threshold("accuracy learned early and lost", above=0)] = 0.05
    unsettled: Annotated[float, Threshold("last loss over first, accuracy lost", above=0)] = 0.3
    strays: Annotated[float, Threshold("standard errors that few samples lose", above=0)] = 2.5
    strong_decay: Annotated[float, Threshold("weight decay that freezes by itself", above=0)] = 0.01
    tiny: Annotated[int, Threshold("units of a network that can do no more", at_least=0)] = 4
    adam: Annotated[float, Threshold("rate that is unheard of for Adam", above=0)] = 0.045
    momentum: Annotated[float, Threshold("the same over 1 − momentum", above=0)] = 10.0
    plain: Annotated[float, Threshold("the same for plain gradient descent", above=0)] = 20.0
    lasting: Annotated[float, Threshold("share of the run at such a rate", above=0)] = 0.25
    wanders: Annotated[float, Threshold("early jumps of validation over its fall", above=0)] = 0.35
    shakes: Annotated[float, Threshold("the same over its level at the end", at_least=0)] = 0.03
    climbed: Annotated[float, Threshold("jumps that it climbed above its best since", above=0)] = (
        4.0
    )
    several: Annotated[int, Threshold("evaluations that tell them", at_least=8)] = 18
    unrest: Annotated[float, Threshold("early rises of validation, the rate unknown", above=0)] = (
        0.35
    )
    shaken: Annotated[float, Threshold("noise that a rate alone explains", above=0)] = 0.02
    dropout: Annotated[float, Threshold("dropout that makes a loss bounce", above=0)] = 0.2
    evaluations: Annotated[int, Threshold("evaluations that tell wavering", at_least=8)] = 12
    settles: Annotated[float, Threshold("tau of a validation loss that settles", above=0)] = 0.8
    unsteady: Annotated[float, Threshold("early wavering of both log losses", above=0)] = 0.38
    restless: Annotated[float, Threshold("late wavering of log validation loss", above=0)] = 0.3
    lifted: Annotated[float, Threshold("validation loss over its best beside that", above=1)] = 1.3
    rises_first: Annotated[float, Threshold("early loss per epoch over its first", above=1)] = 1.3
    end: Annotated[int, Threshold("points of which the last tell batches", at_least=16)] = 40
    idle: Annotated[float, Threshold("share of the run at a spent rate", above=0)] = 0.25
    gone: Annotated[float, Threshold("rate over its peak that is all but gone", above=0)] = 0.1
    bounces_on: Annotated[float, Threshold("noise under it over that before", above=0)] = 0.6
    unscaled: Annotated[float, Threshold("first loss of a regression nobody scaled", above=0)] = 1e3
    unscaled_bear: Annotated[float, Threshold("times the rate that such a one bears", above=1)] = (
        4.0
    )
    beyond: Annotated[float, Threshold("noise over that of batches", at_least=0)] = 2.0
    rises: Annotated[float, Threshold("early batch loss over the first, beside that", above=1)] = (
        1.5
    )
    wavers: Annotated[float, Threshold("relative noise, beside that", above=0)] = 0.05
    relapses: Annotated[float, Threshold("validation loss over its best, beside that", above=1)] = (
        1.1
    )
    stands: Annotated[float, Threshold("late moves of both log losses, beside that", above=0)] = (
        0.005
    )
    far_beyond: Annotated[float, Threshold("times such a rate that no schedule cures", above=1)] = (
        3.0
    )

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the signs add up to two."""
        signs = [sign for sign in symptoms(self, case) if sign is not None]
        if len(signs) == 1 and signs[0].weight == 1:
            # Two signs in the validation loss alone may both be its set's.
            more = None if signs[0].measure.name == "unsteady" else relapsed(self, case)
            if more is None and signs[0].measure.name == "rose_first":
                more = trace(self, case)
            signs += [more] if more is not None else []
        weight = sum(sign.weight for sign in signs)
        if weight < 2 or (_STUCK.issuperset(sign.measure.name for sign in signs) and _dead(case)):
            return
        curve = case.the(Role.TRAIN_LOSS)
        names = {sign.measure.name for sign in signs}
        lost, stuck = "lost" in names, "left" in names
        doubt = weight == 2 and self._may_be_borne(case, signs)
        steep = not _STEEP.isdisjoint(names)
        remedies = (RATE_TENTH, WARM_UP) if steep else (DECAY_TO_ZERO, RATE_THIRD, RATE_TENTH)
        span = (int(curve.steps[len(curve) // 2]), int(curve.steps[-1]))
        yield self.finding(
            f"the learning rate looks too high: {' and '.join(sign.text for sign in signs[:2])}",
            Evidence(
                tag=curve.tag,
                span=span,
                note="never settles" if not stuck else "stands still",
                measures=tuple(sign.measure for sign in signs),
            ),
            severity=Severity.ERROR if lost else Severity.NOTE if doubt else self.severity,
            confidence=Confidence.LOW
            if doubt
            else Confidence.HIGH
            if weight > 2 or lost
            else Confidence.MEDIUM,
            remedies=remedies,
        )

    def _may_be_borne(self, case: Case, signs: Sequence[Symptom]) -> bool:
        """Whether little more than an unusual rate speaks, which was lowered since."""
        course = case.schedule
        if course is None or course.shape is not Shape.DECAYING:
            return False
        rate = next((sign.measure for sign in signs if sign.measure.name == "rate"), None)
        return (
            rate is not None
            and rate.limit is not None
            and rate.value < self.far_beyond * rate.limit
        )

    def undecided(self, case: Case) -> str | None:
        """A calm end means nothing where a schedule may have brought it, and nobody logged that."""
        seen = case.progress
        if len(case.the(Role.TRAIN_LOSS)) < self.trends:
            points = f"{len(case.the(Role.TRAIN_LOSS))} usable points"
            return f"the training loss has only {points}; {self.trends} are needed to tell a trend"
        if case.schedule is not None or case.number(Knob.LR) is not None:
            return None
        unrest = _early_rises(case, self.evaluations)
        if unrest > self.unrest:
            return (
                f"the validation loss rose at {unrest:.0%} of the evaluations of the first half, and neither the"
                " learning rate nor the settings were logged, so that a schedule may have calmed the end: log"
                " the learning rate"
            )
        if not seen.left > self.left / 4:
            return None
        if seen.trend.tau > self.lost_trend:
            return self._stands(case)
        return (
            f"{seen.left:.0%} of the first loss is left, and neither the learning rate nor the settings"
            " were logged; a schedule calms the end whatever the rate was: log the learning rate"
        )

    def _stands(self, case: Case) -> str | None:
        """A loss that neither falls nor bounces, of whose rate nothing is known."""
        left = case.progress.left
        if not self.left < left < 1:
            return None
        return (
            f"the training loss stands with {left:.0%} of its first value left, and neither the learning rate nor the"
            " settings tell whether that holds it up: log the learning rate"
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Bouncing, climbing and stuck losses; plateaus, noise and sawteeth as traps."""
        yield fires(
            "bounces at a high level",
            a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 40), 0.12)}),
        )
        climb = decay(60, 2.3, 0.5, 20) + np.clip(np.arange(60) - 25, 0, None) * 0.02
        yield fires("climbs again", a_run({Role.TRAIN_LOSS: noisy(climb, 0.03)}), onset=25)
        yield fires(
            "loses what it learned at first",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(flat(60, 1.82), 0.01),
                    Role.TRAIN_METRIC: np.concatenate([[0.37, 0.25], flat(58, 0.16)])
                    + jitter(60, 0.005),
                }
            ),
        )
        settings: dict[str, Scalar] = {"optimizer": "adam", "lr": 0.2}
        stands = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 12), 0.002)}
        yield fires("a rate that Adam never bears", a_run(stands, hparams=settings))
        yield silent("the same at a usual rate", a_run(stands, hparams={**settings, "lr": 1e-3}))
        large = {Role.TRAIN_LOSS: 1e4 * stands[Role.TRAIN_LOSS]}
        yield silent(
            "a tenth of it on targets that nobody scaled",
            a_run(large, hparams={**settings, "lr": 0.1}),
        )
        bounces, gone = decay(120, 2.3, 0.9, 40), {Role.LEARNING_RATE: cosine(120, 0.1)}
        yield silent(
            "batches scatter on where the rate is gone",
            a_run({Role.TRAIN_LOSS: noisy(bounces, 0.06), **gone}),
        )
        calms = {Role.TRAIN_LOSS: bounces + jitter(120, 0.3) * np.linspace(1, 0, 120)}
        yield fires("calms as the rate goes", a_run({**calms, **gone}))
        yield fires("one of its first steps throws it", _thrown(2))
        yield silent("an odd batch", _thrown(120))
        hangs = {Role.TRAIN_LOSS: noisy(decay(60, 2e2, 5.0, 60), 0.1)}
        yield fires(
            "a regression bounces at a constant rate",
            a_run({**hangs, Role.LEARNING_RATE: flat(60, 0.1)}),
        )
        yield silent("its rate falls, or nobody knows", a_run(hangs))
        brief = np.full(60, 0.01)
        brief[20:28] = 0.2
        yield silent(
            "such a rate for a short while",
            a_run({**stands, Role.LEARNING_RATE: brief}, hparams={"optimizer": "adam"}),
        )
        falls_late = np.concatenate([flat(30, 1.4), decay(30, 1.4, 1.0, 3)])
        yield fires(
            "set back for half of the run",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(falls_late, 0.01),
                    Role.VAL_METRIC: np.concatenate([flat(3, 0.55), flat(27, 0.42), flat(30, 0.58)])
                    + jitter(60, 0.01),
                }
            ),
        )
        yield silent(
            "a frequent class gives way to weights",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(60, 0.69, 0.1, 8), 0.01),
                    Role.TRAIN_METRIC: np.concatenate([[0.97], flat(59, 0.88)]) + jitter(60, 0.005),
                }
            ),
        )
        early = np.concatenate([np.linspace(4, 900, 40), np.linspace(900, 2.9, 80)])
        batches = Series.of("batch/loss", np.arange(1, 121), noisy(early, 0.05))
        few = Series.of("loss/train", np.arange(15, 121, 15), noisy(decay(8, 400, 2.9, 2), 0.01))
        yield fires(
            "few epochs, the first of which exploded",
            a_run({Role.TRAIN_LOSS: few, Role.BATCH_LOSS: batches}),
        )
        wild = np.exp(jitter(24, 0.5, 4))
        rate = {
            Role.TRAIN_LOSS: noisy(decay(24, 2.3, 0.3, 9), 0.05),
            Role.LEARNING_RATE: flat(24, 0.1),
        }
        yield fires(
            "validation wavers to the end at a constant rate",
            a_run({**rate, Role.VAL_LOSS: decay(24, 2.3, 0.4, 9) * wild}),
        )
        yield fires("falls at once and stands", a_run({Role.TRAIN_LOSS: decay(60, 4.4, 3.1, 400)}))
        rate = {Role.LEARNING_RATE: cosine(60, 0.1)}
        held = np.concatenate([[4.5, 3.3], flat(28, 2.8), decay(30, 2.8, 2.5, 4)])
        yield fires("held up by the rate", a_run({Role.TRAIN_LOSS: noisy(held, 0.003), **rate}))
        falling = noisy(decay(60, 4.5, 2.5, 6), 0.003)
        yield silent("falls all the way", a_run({Role.TRAIN_LOSS: falling, **rate}))
        stuck = noisy(np.concatenate([flat(30, 1.4), decay(30, 1.4, 0.9, 4)]), 0.003)
        yield silent("a plateau from the start", a_run({Role.TRAIN_LOSS: stuck, **rate}))
        yield silent(
            "noisy but falling", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.3, 3), 0.1)})
        )
        yield silent(
            "converged with noise", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.05, 12), 0.2)})
        )
        yield silent(
            "irreducible noise of the task",
            a_run({Role.TRAIN_LOSS: flat(80, 0.6) + decay(80, 0.4, 0, 8) + jitter(80, 0.002)}),
        )
        yield silent(
            "strong weight decay",
            a_run(
                {Role.TRAIN_LOSS: decay(60, 4.4, 3.1, 400)},
                hparams={"weight_decay": 0.5, "optimizer": "sgd"},
            ),
        )
        hovers = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 12), 0.06)}
        relapse = decay(60, 2.4, 1.0, 12) + np.linspace(0, 0.5, 60)
        yield fires("hovers, and validation relapses", a_run({**hovers, Role.VAL_LOSS: relapse}))
        yield silent("validation keeps", a_run({**hovers, Role.VAL_LOSS: decay(60, 2.4, 1.0, 12)}))
        calm = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 1.2, 5), 0.005)}
        wanders = 1.5 * np.exp(np.append(0.3, jitter(59, 0.5, 3)) * np.linspace(1, 0, 60))
        yield fires(
            "validation wanders until the rate falls", a_run({**calm, Role.VAL_LOSS: wanders})
        )
        steadily = decay(60, 3.5, 1.5, 5) + jitter(60, 0.1, 3) * np.linspace(1, 0, 60)
        yield silent("it wavers on its way down", a_run({**calm, Role.VAL_LOSS: steadily}))
        sawtooth = decay(240, 2.3, 0.3, 4) * (1 + 0.03 * (np.arange(240) % 12) / 12)
        yield silent("epoch sawtooth", a_run({Role.TRAIN_LOSS: sawtooth}))


def _early_rises(case: Case, least: int) -> float:
    """The share of rises among the evaluations of the first half, 0 where those are few."""
    val = case.curve(Role.VAL_LOSS)
    if val is None or len(val) < least:
        return 0.0
    return float(np.mean(np.diff(val.values[: len(val) // 2]) > 0))


def _dead(case: Case) -> bool:
    """Whether a layer gave nothing but zeros before the first step."""
    return any(
        len(each) > 0 and zeros(each.record(0))[0] > _DEAD for each in case.layers.activations
    )


def _thrown(at: int) -> Run:
    """Losses per batch of which one is three hundred times its first, and a calm mean of each epoch."""
    losses = noisy(decay(240, 2.3, 0.9, 6), 0.05)
    losses[at] = 700.0
    epochs = Series.of("loss/train", np.arange(12, 241, 12), noisy(decay(20, 1.8, 0.9, 5), 0.002))
    batches = Series.of("batch/loss", np.arange(1, 241), losses)
    return a_run({Role.TRAIN_LOSS: epochs, Role.BATCH_LOSS: batches})
