"""GAN001: the discriminator tells every fake, and the generator learns nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case, Kind
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats
from tbdiag.signals.medians import median
from tbdiag.signals.noise import spread
from tbdiag.signals.smoothing import head, running_median, tail
from tbdiag.synth import a_run, decay, flat, jitter, noisy

SLOWER = Remedy.advice(
    "Divide the discriminator's learning rate by 2 to 4",
    "a discriminator that learns faster than the generator leaves it no gradient",
)
NOISE = Remedy.advice(
    "Smooth the discriminator's labels, or add noise to its inputs",
    "it cannot become certain, and its gradient does not vanish",
)
PENALTY = Remedy.advice(
    "Bound the discriminator by spectral normalisation or a gradient penalty",
    "a smooth discriminator tells the generator in which direction to go",
)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorWins(Detector):
    """The discriminator's loss went to zero while the generator's climbed.

    ## What it does

    Finds a GAN whose discriminator tells all fakes from the real samples, so that the generator's
    gradient vanishes or only points away.

    ## Why is this bad?

    The generator no longer improves, however long the training goes on.

    ## How it is detected

    Over the last `ending` of the run nine of ten points of the discriminator's loss, a running median
    over `window`, lie below `share` of its level at the beginning (the largest running median of the
    first `opening`). The generator's loss there lies above its best by `climb` of it, and above what
    its noise explains (`deviations`), and has not fallen over that part, or has not made good the share `regained` of its climb. Noisier losses of the
    discriminator at the end than in the middle, relative to their level, make it surer. A discriminator that is far ahead, though something is
    left of its loss, is a note: since the `opening` nine of ten points lie below `ahead` of its start, and the
    generator's loss is `outplayed` times its lowest; or they lie below `far_ahead`, and it stands above its own beginning by
    `raised` of the discriminator's start, for the zero of a hinge loss means nothing. Where more
    than the share `negative` of its loss lies below zero the rule cannot tell.

    ## Remedy

    A slower discriminator, smoothed labels, a bound on its slope.

    ## False alarms

    A loss that falls below zero measures a distance (Wasserstein), for which zero is the goal. With a hinge loss a good discriminator has a loss near zero too, but the
    generator's then need not climb. A generator's total with a reconstruction term may fall although
    the game is lost, and the rule is silent. So it is where the discriminator had won before the
    first point was logged: no level of its loss is known then to compare with.

    ## References

    Arjovsky and Bottou, "Towards Principled Methods for Training GANs" (2017); Google,
    "GAN training: common problems".
    """

    code, severity, since = "GAN001", Severity.WARNING, "0.1.0"
    supervised = False
    needs = (Role.D_LOSS, Role.G_LOSS)
    points = 50

    share: Annotated[float, Threshold("loss of the discriminator over its start", above=0)] = 0.1
    opening: Annotated[float, Threshold("first share of the run", above=0, at_most=1)] = 0.2
    ending: Annotated[float, Threshold("last share of the run", above=0, at_most=1)] = 0.25
    climb: Annotated[float, Threshold("generator's loss above its best", above=0)] = 0.5
    deviations: Annotated[float, Threshold("the same in units of its noise", above=0)] = 2.0
    regained: Annotated[
        float, Threshold("share of its climb that a generator makes good", above=0)
    ] = 0.4
    ahead: Annotated[float, Threshold("loss over its start, far ahead", above=0, at_most=1)] = 0.6
    far_ahead: Annotated[
        float, Threshold("the same on a scale without a zero", above=0, at_most=1)
    ] = 0.3
    raised: Annotated[
        float, Threshold("climb of the generator's, in units of that start", above=0)
    ] = 0.4
    outplayed: Annotated[float, Threshold("generator's loss over its lowest", above=1)] = 1.8
    window: Annotated[int, Threshold("points that medians run over", at_least=3)] = 9
    negative: Annotated[float, Threshold("share of points below zero", above=0, at_most=1)] = 0.02

    def lacking(self, case: Case) -> str | None:
        """Only two players can win or lose."""
        if case.kind is not Kind.ADVERSARIAL and not self._one_player(case):
            return f"the run is {case.kind}: the rule speaks of generators and discriminators"
        return super().lacking(case)

    @staticmethod
    def _one_player(case: Case) -> bool:
        return case.curve(Role.D_LOSS) is not None or case.curve(Role.G_LOSS) is not None

    def cannot_tell(self, case: Case) -> str | None:
        """Zero must be the end of the scale."""
        if float(np.mean(case.the(Role.D_LOSS).values < 0)) > self.negative:
            return "the discriminator's loss falls below zero, as a distance does: zero is its goal"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        judge, maker = case.the(Role.D_LOSS), case.the(Role.G_LOSS)
        calm = running_median(judge.values, self.window)
        start = float(head(calm, self.opening).max())
        end = tail(calm, self.ending)
        left = float(np.quantile(end, 0.9)) / start if start > 0 else 1.0
        if left > self.share:
            yield from self._ahead(case, calm, max(start, float(judge.values[0])))
            return
        made = running_median(maker.values, self.window)
        late = tail(made, self.ending)
        best = float(made.min())
        level = median(late)
        size = max(abs(best), abs(median(head(made, self.opening))) / 2)
        noise = spread(maker.values - made)
        half = len(late) // 2
        falling = median(late[half:]) < median(late[:half]) - noise
        peak, now = float(made.max()), median(late[half:])
        if falling and peak - now > self.regained * (peak - best):
            return
        if level - best <= max(self.climb * size, self.deviations * noise):
            yield from self._ahead(case, calm, max(start, float(judge.values[0])))
            return
        below = np.flatnonzero(calm > self.share * start)
        since = int(below[-1]) + 1 if len(below) else 0
        since = min(since, len(calm) - len(end))
        step = int(judge.steps[since])
        middle = slice(len(calm) // 4, len(calm) // 2)
        wilder = _roughness(judge.values[-len(end) :]) / max(
            _roughness(judge.values[middle]), 1e-12
        )
        yield self.finding(
            f"the discriminator wins: its loss is {median(end):.2g} since step {step:,} and "
            f"was {start:.2g}, and the generator's rose from {best:.3g} to {level:.3g}",
            Evidence(
                tag=judge.tag,
                span=(step, int(judge.steps[-1])),
                note="tells every fake",
                measures=(
                    Measure("left", left, "<=", self.share),
                    Measure("roughness_over_the_middle", wilder),
                ),
            ),
            Evidence(
                tag=maker.tag,
                span=(int(maker.steps[int(made.argmin())]), int(maker.steps[-1])),
                note="learns nothing more",
                measures=(Measure("climb", (level - best) / size, ">", self.climb),),
            ),
            confidence=Confidence.HIGH if wilder > 1 else Confidence.MEDIUM,
            remedies=(SLOWER, NOISE, PENALTY),
        )

    def _ahead(self, case: Case, calm: Floats, start: float) -> Iterator[Finding]:
        """A discriminator that is far ahead for good, though something is left of its loss."""
        judge, maker = case.the(Role.D_LOSS), case.the(Role.G_LOSS)
        made = running_median(maker.values, self.window)
        late, since = calm[round(self.opening * len(calm)) :], round(self.opening * len(calm))
        best, level = float(made.min()), median(made[since:])
        early = min(float(made[: max(since, 1)].min()), float(maker.values[0]))
        if start <= 0:
            return
        left = float(np.quantile(late, 0.9)) / start
        # Without a logarithm the generator's loss has no zero, so that its ratio means nothing.
        outplayed = best > 0 and level >= self.outplayed * best
        outdone = left <= self.far_ahead and level - early >= self.raised * start
        if left > self.ahead or not (outplayed or outdone):
            return
        rose = (
            f"{level / best:.1f} times its lowest"
            if outplayed
            else f"{level - early:.2g} above its beginning"
        )
        span = (int(judge.steps[since]), int(judge.steps[-1]))
        yield self.finding(
            f"the discriminator is far ahead: since step {span[0]:,} its loss has stayed below"
            f" {left:.0%} of its start, and the generator's at {level:.3g}, {rose}",
            Evidence(
                tag=judge.tag,
                span=span,
                note="stays ahead",
                measures=(Measure("left", left, "<=", self.ahead),),
            ),
            Evidence(
                tag=maker.tag,
                span=span,
                measures=(
                    Measure("outplayed", level / best, ">=", self.outplayed)
                    if outplayed
                    else Measure("raised", (level - early) / start, ">=", self.raised),
                ),
            ),
            severity=Severity.NOTE,
            confidence=Confidence.MEDIUM,
            remedies=(SLOWER, NOISE, PENALTY),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Lost games on three scales; equilibria, distances and generators that still learn as traps."""
        n = 600
        at = np.linspace(0, 1, n)
        lost = noisy(decay(n, 1.38, 0.01, 12), 0.4)
        climbs = noisy(0.7 + 6 * at, 0.15, 1)
        yield fires("cross entropy", _game(lost, climbs), onset=60)
        yield fires(
            "least squares",
            _game(noisy(decay(n, 0.5, 0.002, 12), 0.4), noisy(1 - decay(n, 0.7, 0, 8), 0.05, 1)),
        )
        ahead = noisy(decay(n, 1.38, 0.5, 40), 0.1)
        yield fires("far ahead for good", _game(ahead, noisy(3.0 - decay(n, 2.3, 0, 40), 0.1, 1)))
        yield silent(
            "ahead, and the generator does not mind", _game(ahead, noisy(flat(n, 0.9), 0.1))
        )
        yield fires(
            "hinge", _game(noisy(decay(n, 2.0, 0.03, 12), 0.4), -0.2 + 5 * at + jitter(n, 0.3))
        )
        even = 2 * np.log(2) * np.exp(jitter(n, 0.05))
        yield silent("equilibrium", _game(even, np.log(2) * np.exp(jitter(n, 0.1, 1))))
        yield silent("the generator still learns", _game(lost, noisy(decay(n, 5, 1.5, 3), 0.15, 1)))
        back = noisy(np.interp(at, [0, 0.75, 1], [0.7, 9, 2.5]), 0.1, 1)
        yield silent("the generator comes back in the end", _game(lost, back))
        little = noisy(np.interp(at, [0, 0.6, 1], [0.7, 15, 12]), 0.05, 1)
        yield fires("the generator makes good little of what it lost", _game(lost, little))
        yield silent("the generator stands", _game(lost, noisy(flat(n, 2.5), 0.15, 1)))
        yield silent("a distance", _game(-noisy(decay(n, 8, 0.3, 6), 0.2), 3 * at + jitter(n, 0.3)))
        beaten = np.concatenate([[2.0, 1.6], noisy(flat(n - 2, 0.25), 0.15)])
        margin = np.concatenate([[-0.1, 0.3], noisy(flat(n - 2, 1.3), 0.1, 1)])
        yield fires("hinge, beaten at once", _game(beaten, margin))
        yield silent(
            "hinge, and the generator does not mind", _game(beaten, noisy(margin * 0.3, 0.1))
        )
        hinge = noisy(decay(n, 2.0, 0.8, 6), 0.2)
        yield silent("hinge, a game in balance", _game(hinge, jitter(n, 0.4, 1) + 2 * at))
        came_back = np.where((at > 0.3) & (at < 0.6), 0.02, 1.2) * np.exp(jitter(n, 0.1))
        yield silent(
            "the generator came back", _game(came_back, np.where((at > 0.3) & (at < 0.6), 6.0, 0.8))
        )
        yield silent("with a reconstruction", _game(lost, noisy(decay(n, 60, 20, 5), 0.05, 1)))


def _roughness(values: Floats) -> float:
    """The spread of a positive loss around its median, relative to it."""
    return spread(values) / max(abs(median(values)), 1e-12)


def _game(judge: Floats, maker: Floats) -> Run:
    return a_run({Role.D_LOSS: judge, Role.G_LOSS: maker})
