"""OPT011: clipping, meant for the exception, has become the rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Suspicion, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import RATE_THIRD
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, SetTo
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.signals.stated import Family, clips_values, stated_optimizer
from tbdiag.synth import a_run, decay, flat, noisy

CLIP_RARELY = Remedy.advice(
    "Log the norm before it is clipped, and clip where nine of ten stay below",
    "after clipping the log does not show how large the gradients were",
)


@dataclass(frozen=True, kw_only=True)
class OverClippedGradients(Detector):
    """More than every second gradient is clipped, so the limit sets the step and not the gradient.

    ## What it does

    Counts how many steps had a gradient norm beyond the limit at which norms are clipped.

    ## Why is this bad?

    Clipping is there for the rare gradient that would throw the weights off. Where it cuts most of
    them, every step has the same length however flat the loss is, and the rate no longer does what it says.

    ## How it is detected

    The first `start` of the run is left out. Where the limit is known and norms were logged before
    they were clipped: more than `share` of them are above it. Where they were logged after: they have a
    flat top, that is, more than `share` of them lie within `width` of the largest one, which must be
    the limit where that is known, and at least `below` of them lie under the top where it is not.

    ## Remedy

    A third of the learning rate, or a limit at the norm that nine of ten gradients stay below.

    ## False alarms

    Gradients that are normalised by design all have one norm. Adam divides by the size of the
    gradient and minds little, so it gets a note only. A limit on single components is not one on
    the norm.

    ## References

    Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks" (2013).
    """

    code, severity, since = "OPT011", Severity.WARNING, "0.1.0"
    suspicion = Suspicion("over-clipping", "whose gradients were clipped too much", (CLIP_RARELY,))
    needs = (Role.GRAD_NORM,)
    points = 100
    leads = ("GRD005",)  # steps that clipping makes short

    start: Annotated[float, Threshold("share of the run left out", at_least=0, at_most=0.5)] = 0.05
    share: Annotated[float, Threshold("share of clipped steps", above=0, at_most=1)] = 0.5
    width: Annotated[float, Threshold("relative width of a flat top", above=0)] = 1e-3
    below: Annotated[float, Threshold("share under the top", at_least=0, at_most=1)] = 0.02

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where clipping is the rule."""
        norms = case.the(Role.GRAD_NORM)
        skip = round(self.start * len(norms))
        values = norms.values[skip:]
        top, limit = float(values.max()), self._limit(case)
        if top <= 0:
            return
        flat_top = values >= (1 - self.width) * top
        if limit is not None and top > (1 + self.width) * limit:
            clipped, where = values > limit, limit
        elif (limit is not None and top >= (1 - self.width) * limit) or (
            limit is None and float((~flat_top).mean()) >= self.below
        ):
            clipped, where = flat_top, top
        else:
            return
        share = float(clipped.mean())
        if share <= self.share:
            return
        first, last = int(norms.steps[skip]), int(norms.steps[-1])
        known = limit is not None
        yield self.finding(
            f"{share:.0%} of the gradients after step {first:,} were clipped at a norm of {where:.3g}"
            + ("" if known else ", as their flat top shows"),
            Evidence(
                tag=norms.tag,
                span=(first, last),
                note="clipped",
                measures=(Measure("clipped", share, ">", self.share), Measure("limit", where)),
            ),
            severity=Severity.NOTE if _adapts(case) else Severity.WARNING,
            confidence=Confidence.HIGH if known else Confidence.MEDIUM,
            remedies=_remedies(values if top > (1 + self.width) * where else None),
        )

    def _limit(self, case: Case) -> float | None:
        limit = case.number(Knob.CLIP_NORM)
        if limit is None or limit <= 0 or clips_values(case.run.hparams):
            return None
        return limit

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Norms beyond the limit and flat tops; rare clipping and constant norms as traps."""
        loss = {Role.TRAIN_LOSS: noisy(decay(300, 2.3, 0.4), 0.02)}
        norms = noisy(flat(300, 3.0), 0.4)
        yield fires(
            "logged before clipping",
            a_run({**loss, Role.GRAD_NORM: norms}, hparams={"clip_norm": 1.0}),
        )
        yield fires("flat top", a_run({**loss, Role.GRAD_NORM: np.minimum(norms, 2.2)}))
        yield fires(
            "all at the limit",
            a_run({**loss, Role.GRAD_NORM: np.minimum(norms, 0.5)}, hparams={"max_grad_norm": 0.5}),
        )
        yield silent(
            "now and then", a_run({**loss, Role.GRAD_NORM: norms}, hparams={"clip_norm": 5.0})
        )
        rare = np.minimum(noisy(decay(300, 3.0, 0.5), 0.3, 2), 2.0)
        yield silent("rarely at the top", a_run({**loss, Role.GRAD_NORM: rare}))
        yield silent("normalised", a_run({**loss, Role.GRAD_NORM: flat(300, 1.0)}))
        yield silent("no clipping", a_run({**loss, Role.GRAD_NORM: norms}))
        first = np.concatenate([flat(12, 1.0), noisy(decay(288, 0.9, 0.2), 0.1)])
        yield silent(
            "at the start only", a_run({**loss, Role.GRAD_NORM: first}, hparams={"clip_norm": 1.0})
        )


def _adapts(case: Case) -> bool:
    """Whether the optimizer is known to divide by the size of the gradient."""
    return stated_optimizer(case.knobs.get(Knob.OPTIMIZER), None) is Family.ADAM


def _remedies(norms: Floats | None) -> tuple[Remedy, ...]:
    """What to change; ``norms`` as they were before clipping, None where nobody knows."""
    if norms is None:
        return (
            RATE_THIRD,
            CLIP_RARELY,
        )
    usual = float(f"{float(np.quantile(norms, 0.9)):.2g}")
    return (
        RATE_THIRD,
        Remedy.turn(
            Knob.CLIP_NORM,
            SetTo(usual),
            f"Clip the gradient norm at {usual:g}",
            "nine of ten norms are below that, so that only the exceptions are cut",
        ),
    )
