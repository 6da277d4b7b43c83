"""OPT002: the steps are too small to arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Suspicion, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import RATE_TENFOLD, RATE_TRIPLE
from tbdiag.detectors.optimization.signs.drift import drifts, few_fell, hardly_moved_weights
from tbdiag.detectors.optimization.signs.on_rails import alone
from tbdiag.detectors.optimization.signs.too_low import (
    hidden,
    never_rose,
    seldom_rose,
    share_left,
    slow,
    unconfirmed,
    unexplained,
)
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Series
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy, u_turn


@dataclass(frozen=True, kw_only=True)
class LearningRateTooLow(Detector):
    """The training loss falls steadily and slowly, and is far from done at the end.

    ## What it does

    Finds runs whose loss falls at every step of the way, without noise to speak of, yet has far
    to go when the run ends.

    ## Why is this bad?

    Such a run wastes its budget: a higher rate covers the same way in a fraction of the time, and
    often ends in a better place.

    ## How it is detected

    On the training loss, thinned to about a hundred points, by the way that the learning rate
    allowed where that was logged: under a schedule the end is slow by design, but by that measure a
    run that arrived is flat at its end, and one that crawls is not. Its second half falls steadily
    (Kendall's tau below −`steady`, or −`annealed` where the rate has fallen below `spent` of its peak
    and the noise with it), the slope of its logarithm (Theil–Sen, lower end of the 90 %
    interval) would take another `drop` in half as much again, `left` of the first loss remains, and
    nine tenths of the fall took more than `slow` of it. A loss that has kept
    `hardly` of its first value while it falls steadily counts whatever its slope. Where validation was
    logged, it has to fall with it: tau of its second half below −`validated`, and, unless a loss that
    hardly moved falls almost without exception (tau below −`annealed`), a forecast
    of `pays` of its value for half as much again even at the cautious end; `little` is enough where the
    training loss would fall by more than `steep` on the log scale. Under dropout of `dropout` or
    more, only a loss with `far` of its first value left counts. A loss with relative noise below
    `noiseless` that falls without exception, between `stuck` and `moved` of its first value, counts as
    well, however little it falls: steps that small do not even jitter.

    Smooth runs need less: steps as long as they may be make a validation loss jump about until the rate is
    lowered. Where that has `evaluations` or more, and it and the training loss, of `most` points at most, fell at every
    step of the first half, no faster than above (or with `much` to gain), and fall steadily still, validation with no more than `late_rises` of its steps upwards, a sure gain of `gains` for half as much again is enough, with
    `rest` of the first loss left. Where training was logged as one loss per batch, whose scatter hides that of the
    steps, less than `tenth` of its fall came within the first tenth of the run, less than `tuned` of the first loss is
    left, as it is not after fine-tuning, and validation gains `sure_gain`. Where the rate was not logged, `whole` evaluations, no rise at all, and a fall by
    `moves` in the second half, or, as a note, by `moves_far` where training rose late, or fell fast at first. So is a validation loss that moves as if on rails: by the way of the rate the
    third differences of its logarithm are below `rails` of the first ones over the last two thirds (below `silk` beside a loss per batch that fell fast at first), it rose at no more than
    `late_rises` of its steps, fell by `onward` in the last quarter, took more than `soon` for nine tenths of its fall, and is `aside` to `apart` times the training loss. Where no rate was logged and `stuck` is left, the first
    half alone is a note (where no metric was logged either, both halves of `whole` evaluations or more, whatever is left), and where no training loss was logged, such a validation loss with `stuck` of its first value left that fell by `creeps` there is a note. Under a
    schedule, a validation loss of which more than `rises` of the early steps, or `rises_at_all` of all, go up is not that of a loss that crawls. Nor is a training loss, where there are fewer
    evaluations, that went up as often early; with less than `far` left it is a note then. A rate that was spent before the last
    `idle` of the run is another fault, OPT007. Where the rate is not known at all, only smooth
    runs count and those that hardly moved; where neither its course nor validation was logged, only a loss with
    `far` left. Where both losses fall
    on by the way of the rate and validation rose at no more than `seldom` of its early steps, chance may have made those, and the rule cannot tell. Where no accuracy was logged,
    the first loss may have been anything, as that of a regression: then one that would fall by `ample` on the log scale counts, whatever is left. One that rose to `rose` times its first value was thrown up by large steps. A loss that made more than `leaps` of its fall, and `faster` times that of the first tenth, within a
    later tenth of the run, and has less than `far` left, does not crawl: it left a plateau. Steps of plain gradient descent,
    with momentum or without, that keep more than `promise` of the fall that rate and gradient norms promise (`tbdiag/signals/descent.py`) are
    small whatever noise the loss has, where validation falls and is at most `beside` times the training loss, or is not known, and it gains `sure_gain` or `unspent` of the first loss is
    left. A loss that is logged alone, beside its rate, and made nine tenths of its fall after `lone` of its way, with `ahead` of its logarithm to fall and `unspent` left, is a note unless half of `promise` was not kept. A run at a constant rate whose validation loss rose at no more than `late_rises` of `few` evaluations or more and would surely gain `lasting` is a note, and so is one of
    whose rate nothing is known with `unspent` left, whose log loss would fall by `unslowed` and validation by `much`, and that needed `late` of the run for its fall. A few
    evaluations that fell each time, and Adam with less than `way` for the sum of its rate, leave it open. Of a curve with fewer than `few` points the same is asked, and it is a note,
    as is one of fewer than `sure_trend` that is not smooth while validation rose, unless more than `nowhere` of the first loss is left. Where the logarithms of both losses lie more than `memorised` apart, training lower, steps were long enough to learn by heart.

    ## Remedy

    Three times the rate where the loss moves well, ten times where it has hardly moved.

    ## False alarms

    A run that was only stopped early looks alike at its end but fell fast at its beginning. Fine
    tuning goes slowly on purpose, and frozen layers hold the loss up: there validation gains little.

    ## References

    Measured on the learning-rate sweep of DeepOBS (Schneider et al., 2019).
    """

    code, severity, since = "OPT002", Severity.WARNING, "0.1.0"
    suspicion = Suspicion(
        "rate-too-low", "whose learning rate was too low", (RATE_TRIPLE, RATE_TENFOLD)
    )
    needs = ((Role.TRAIN_LOSS, Role.VAL_LOSS),)
    points = 8
    explains = ("GRD005", "OPT004", "OPT010", "GEN002", "GEN003")

    steady: Annotated[float, Threshold("tau of a steady fall", above=0, at_most=1)] = 0.9
    annealed: Annotated[float, Threshold("tau under a lowered rate", above=0, at_most=1)] = 0.97
    spent: Annotated[float, Threshold("rate over its peak that is lowered", above=0)] = 0.3
    drop: Annotated[float, Threshold("log loss still to fall in half a run", above=0)] = 0.05
    left: Annotated[float, Threshold("last loss over first", above=0, at_most=1)] = 0.15
    slow: Annotated[float, Threshold("share of the run for most of the fall", at_least=0)] = 0.22
    hardly: Annotated[float, Threshold("last over first of a loss that hardly moved", above=0)] = (
        0.9
    )
    few: Annotated[int, Threshold("points below which only a loss far off counts", at_least=4)] = 14
    nowhere: Annotated[
        float, Threshold("last over first that few epochs do not explain", above=0)
    ] = 0.95
    sure_trend: Annotated[int, Threshold("the same where validation rose", at_least=4)] = 16
    memorised: Annotated[
        float, Threshold("log of validation over training loss by heart", above=0)
    ] = 0.9
    far: Annotated[float, Threshold("last over first of a loss that is far off", above=0)] = 0.5
    dropout: Annotated[float, Threshold("dropout that holds a loss up", above=0, at_most=1)] = 0.3
    noiseless: Annotated[float, Threshold("relative noise that is none", above=0)] = 1e-4
    stuck: Annotated[float, Threshold("last over first of a noiseless loss", above=0)] = 0.4
    moved: Annotated[float, Threshold("last over first that has moved", above=0, at_most=1)] = 0.98
    validated: Annotated[float, Threshold("tau of validation", at_least=0, at_most=1)] = 0.8
    pays: Annotated[float, Threshold("sure gain of validation, as a share", at_least=0)] = 0.015
    steep: Annotated[float, Threshold("log loss to fall of which less pays", above=0)] = 0.25
    little: Annotated[float, Threshold("gain of validation beside that", at_least=0)] = 0.01
    evaluations: Annotated[int, Threshold("evaluations that show smoothness", at_least=6)] = 8
    whole: Annotated[int, Threshold("evaluations without a rise, the rate unknown", at_least=6)] = (
        24
    )
    most: Annotated[int, Threshold("points of the curves that are compared", at_least=20)] = 120
    gains: Annotated[float, Threshold("sure gain of a smooth validation loss", at_least=0)] = 0.01
    sure_gain: Annotated[float, Threshold("the same beside a loss per batch", at_least=0)] = 0.02
    tenth: Annotated[float, Threshold("share of its fall in a tenth of the run", above=0)] = 0.6
    tuned: Annotated[float, Threshold("last over first of what was fine-tuned", above=0)] = 0.85
    leaps: Annotated[float, Threshold("share of the fall in a later tenth", above=0)] = 0.33
    faster: Annotated[float, Threshold("that fall over the one of the first tenth", above=1)] = 3.0
    rose: Annotated[float, Threshold("highest loss over its first, thrown up", above=1)] = 2.0
    much: Annotated[float, Threshold("sure gain that outweighs a fast start", at_least=0)] = 0.1
    ample: Annotated[float, Threshold("log loss to fall where no accuracy was logged", above=0)] = (
        0.3
    )
    rest: Annotated[float, Threshold("last over first of a smooth loss", above=0)] = 0.07
    seldom: Annotated[float, Threshold("share of early rises that leaves it open", at_least=0)] = (
        0.15
    )
    late_rises: Annotated[float, Threshold("share of rises of a smooth loss", at_least=0)] = 0.07
    moves: Annotated[float, Threshold("fall of its second half, the rate unknown", at_least=0)] = (
        0.005
    )
    moves_far: Annotated[float, Threshold("the same of one that fell fast", at_least=0)] = 0.02
    rises: Annotated[float, Threshold("share of early rises of one that crawls", at_least=0)] = 0.05
    rises_at_all: Annotated[float, Threshold("the same of all its steps", at_least=0)] = 0.1
    rails: Annotated[float, Threshold("bends of log validation loss over its moves", above=0)] = 0.2
    silk: Annotated[
        float, Threshold("the same beside single batches that fell at once", above=0)
    ] = 0.1
    onward: Annotated[float, Threshold("its fall in the last quarter beside that", at_least=0)] = (
        0.005
    )
    soon: Annotated[float, Threshold("share of the run for most of the fall", at_least=0)] = 0.1
    creeps: Annotated[float, Threshold("the same where validation is alone", at_least=0)] = 0.002
    apart: Annotated[float, Threshold("validation over training loss beside that", above=0)] = 1.15
    aside: Annotated[float, Threshold("the same of one that is no other set", above=0)] = 0.7
    idle: Annotated[float, Threshold("share of the run at a spent rate", above=0)] = 0.25
    promise: Annotated[float, Threshold("share of the promised fall", above=0, at_most=1)] = 0.09
    unspent: Annotated[float, Threshold("last over first of one not near its end", above=0)] = 0.3
    beside: Annotated[float, Threshold("validation over training loss beside it", above=1)] = 1.3
    lasting: Annotated[float, Threshold("sure gain at a constant rate", at_least=0)] = 0.03
    unslowed: Annotated[float, Threshold("log loss to fall, the rate unknown", above=0)] = 0.2
    late: Annotated[float, Threshold("share of the run for most of that fall", above=0)] = 0.6
    lone: Annotated[float, Threshold("share of the way for most of a lone fall", above=0)] = 0.7
    ahead: Annotated[float, Threshold("log loss to fall where it is alone", above=0)] = 0.15
    way: Annotated[float, Threshold("sum of Adam's rate that moves little", above=0)] = 0.05

    def cannot_tell(self, case: Case) -> str | None:
        """A loss without a natural zero has no share that is left."""
        train = case.curve(Role.TRAIN_LOSS)
        if train is None:
            return None if alone(self, case) is not None else "no training loss was recognised"
        if len(train) < self.points:
            return (
                f"the training loss has only {len(train)} usable points; {self.points} are needed"
            )
        if train.values.min() <= 0:
            return "the training loss is not positive, so what is left of it has no meaning"
        return None

    def undecided(self, case: Case) -> str | None:
        """A loss that never rose, where what would tell why was not logged."""
        val = case.curve(Role.VAL_LOSS)
        far = hardly_moved_weights(self, case, share_left(case))
        if val is None or len(val) < self.evaluations:
            return unconfirmed(self, case) or few_fell(self, case) or far
        why = hidden(self, case) if never_rose(self, case) else None
        return why or unexplained(self, case) or seldom_rose(self, case) or far

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the loss crawls."""
        if case.curve(Role.TRAIN_LOSS) is None:
            yield from self._by_validation(case)
            return
        severity = slow(self, case)
        if severity is None:
            return
        curve = case.the(Role.TRAIN_LOSS)
        left, drop, tau = share_left(case), case.headway.sure_drop, case.headway.trend.tau
        far = left > self.far
        kept = drifts(self, case, left)
        how = "still falls steadily" if kept is None else f"kept {kept:.0%} of the promised fall"
        yield self.finding(
            f"the learning rate looks too low: the training loss {how} and has"
            f" {left:.0%} of its first value left at step {int(curve.steps[-1]):,}",
            Evidence(
                tag=curve.tag,
                span=(int(curve.steps[len(curve) // 2]), int(curve.steps[-1])),
                note="still falling at the same pace",
                measures=(
                    *([Measure("promise", kept, ">", self.promise)] if kept is not None else []),
                    Measure("left", left, ">", self.rest),
                    *([Measure("tau", tau, "<", -self.steady)] if tau < -self.steady else []),
                    *([Measure("drop", drop, ">", self.drop)] if drop > self.drop else []),
                ),
            ),
            severity=severity,
            confidence=Confidence.HIGH if far and severity is self.severity else Confidence.MEDIUM,
            remedies=(RATE_TENFOLD, RATE_TRIPLE) if far else (RATE_TRIPLE, RATE_TENFOLD),
        )

    def _by_validation(self, case: Case) -> Iterator[Finding]:
        """A note where validation is all there is: a few epochs look alike from their start."""
        left, val = alone(self, case), case.the(Role.VAL_LOSS)
        if left is None:
            return
        yield self.finding(
            f"the learning rate looks too low: the validation loss falls without a waver and has {left:.0%}"
            f" of its first value left at step {int(val.steps[-1]):,}",
            Evidence(
                tag=val.tag,
                span=(int(val.steps[len(val) // 2]), int(val.steps[-1])),
                note="falls as if on rails",
                measures=(Measure("left", left, ">", self.stuck),),
            ),
            severity=Severity.NOTE,
            remedies=(RATE_TRIPLE, RATE_TENFOLD),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Crawls of two paces; converged, decayed and noisy runs as traps."""
        crawls = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 1), 0.003)}
        yield fires("crawls", a_run({**crawls, Role.LEARNING_RATE: flat(60, 1e-4)}))
        yield silent("crawls, and neither rate nor validation tell why", a_run(crawls))
        rails = 0.7 + 1.6 * np.exp(-np.arange(12) / 5)
        both = {
            Role.TRAIN_LOSS: rails * np.exp(jitter(12, 0.004)),
            Role.LEARNING_RATE: flat(12, 1e-3),
        }
        yield fires("validation falls as if on rails", a_run({**both, Role.VAL_LOSS: rails * 1.02}))
        yield fires("validation on rails is all there is", a_run({Role.VAL_LOSS: rails + 0.8}))
        yield silent(
            "validation wavers as it falls",
            a_run({**both, Role.VAL_LOSS: rails * 1.02 * np.exp(jitter(12, 0.03, 1))}),
        )
        yield silent(
            "on rails, but training is far ahead", a_run({**both, Role.VAL_LOSS: rails * 1.3})
        )
        constant = {
            Role.TRAIN_LOSS: noisy(decay(30, 2.3, 0.6, 1.5), 0.04),
            Role.LEARNING_RATE: flat(30, 1e-4),
        }
        goes_on = decay(30, 2.3, 0.6, 1.5) * np.exp(jitter(30, 0.005))
        yield fires("goes on as it began", a_run({**constant, Role.VAL_LOSS: goes_on}))
        wavers = {Role.VAL_LOSS: goes_on * np.exp(jitter(30, 0.05, 2))}
        yield silent("ends in its own noise", a_run({**constant, **wavers}))
        slow = decay(40, 2.3, 0.2, 1) * np.exp(jitter(40, 0.0005))
        rate = cosine(40, 1e-4)
        yield fires(
            "falls without a single rise under a schedule",
            a_run(
                {
                    Role.TRAIN_LOSS: 2.3 - 0.4 * np.cumsum(rate) / 1e-3,
                    Role.VAL_LOSS: 2.3 - 0.38 * np.cumsum(rate) / 1e-3,
                    Role.LEARNING_RATE: rate,
                }
            ),
        )
        crawl = np.linspace(2.3, 1.4, 600)
        yield fires("validation crawls beside a loss per batch", _per_batch(crawl))
        soon = decay(600, 2.3, 1.2, 15) - np.linspace(0, 0.1, 600)
        yield silent("the loss per batch fell soon", _per_batch(soon, jitter(20, 0.0006)))
        yield fires("it fell soon, and validation is on rails", _per_batch(soon))
        fast = decay(60, 2.3, 0.3, 12)
        yield silent("arrived without noise", a_run({Role.TRAIN_LOSS: fast, Role.VAL_LOSS: fast}))
        yield silent(
            "validation jumps about before the rate is lowered",
            a_run({Role.TRAIN_LOSS: slow, Role.VAL_LOSS: slow * np.exp(jitter(40, 0.1, 3))}),
        )
        yield silent(
            "dropout holds it up",
            a_run(
                {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 1), 0.003)}, hparams={"dropout": 0.4}
            ),
        )
        yield fires("hardly moves", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 2.2, 1), 0.0002)}))
        yield silent("converged", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 10), 0.003)}))
        rate = cosine(60, 0.1)
        yield fires(
            "crawls under a schedule",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(2.3 - 0.3 * np.cumsum(rate), 0.001),
                    Role.LEARNING_RATE: rate,
                }
            ),
        )
        yield silent(
            "ends with the schedule",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(0.45 + 2 * np.exp(-3 * np.cumsum(rate)), 0.003),
                    Role.LEARNING_RATE: rate,
                }
            ),
        )
        yield silent(
            "validation is done",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 1), 0.003),
                    Role.VAL_LOSS: u_turn(60, 2.3, 1.2, 1.25),
                }
            ),
        )
        yield silent("fell fast", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.4, 25), 0.003)}))
        yield silent(
            "noisy and done", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.5, 8), 0.05)})
        )


def _per_batch(losses: Floats, uneven: Floats | float = 0.0) -> Run:
    """A run with 20 ``uneven`` evaluations that logged nothing else of training than 600 losses per batch."""
    steps = np.arange(1, len(losses) + 1)
    batches = Series.of("batch/loss", steps, noisy(losses, 0.1))
    each = slice(29, None, 30)
    return a_run(
        {
            Role.TRAIN_LOSS: batches,
            Role.BATCH_LOSS: batches,
            Role.VAL_LOSS: Series.of("val/loss", steps[each], losses[each] * np.exp(uneven)),
            Role.LEARNING_RATE: Series.of("lr", steps[each], flat(20, 1e-4)),
        }
    )
