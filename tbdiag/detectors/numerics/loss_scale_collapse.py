"""NUM005: mixed precision lowers its loss scale again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.numerics import clip_at_usual
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Scale
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import tail
from tbdiag.synth import a_run, flat

BFLOAT = Remedy.advice(
    "Compute in bfloat16 or float32 instead of float16",
    "bfloat16 reaches as far as float32 and needs no loss scale",
)
TENTH = Remedy.turn(
    Knob.LR,
    Scale(0.1),
    "Divide the learning rate by 10",
    "gradients that overflow at every scale come from weights that grow",
)
SOURCE = Remedy.advice(
    "Find the layer whose gradient is not finite, and compute that part in float32",
    "a division or a logarithm without a floor overflows however small the scale is",
)


@dataclass(frozen=True, kw_only=True)
class LossScaleCollapse(Detector):
    """The loss scale of mixed precision sinks to its minimum, or keeps sinking.

    ## What it does

    Follows the dynamic loss scale beyond its search at the start.

    ## Why is this bad?

    Each cut of the scale is a step that was thrown away for a gradient that was not finite. A scale
    that keeps sinking means that the overflow is not the scale's doing, and that small gradients
    vanish: the run stands still or ends in NaN.

    ## How it is detected

    The search at the start is over where the scale first rises or first holds for `hold` points, at
    half of the curve at the latest. After that, the last tenth must lie at `floor` or below, having
    been `above` times that before; or the scale must have been cut `cuts` times or more with a cut in the
    last `recent` of the curve, end at its lowest value since the search, and have lost the factor `lost`.

    ## Remedy

    bfloat16; a tenth of the learning rate; the layer that overflows in float32; clipping.

    ## False alarms

    Many overflows at the start are the search for the scale that fits. Later on a scale is doubled
    every few thousand steps and cut now and then, which cancels out. A scale that is constantly 1 is
    one that was switched off.

    ## References

    Micikevicius et al., "Mixed precision training" (2018), §3.2.
    """

    code, severity, since = "NUM005", Severity.ERROR, "0.1.0"
    needs = (Role.LOSS_SCALE,)
    points = 20
    explains = ("OPT004", "OPT005", "GRD001")
    supervised = False

    hold: Annotated[int, Threshold("points without a change that end the search", at_least=2)] = 10
    floor: Annotated[float, Threshold("scale that is none any more", above=0)] = 1.0
    above: Annotated[float, Threshold("multiple of the floor that it had been", above=1)] = 16.0
    cuts: Annotated[int, Threshold("cuts after the search", at_least=2)] = 5
    recent: Annotated[float, Threshold("last share with a cut", above=0, at_most=1)] = 0.2
    lost: Annotated[float, Threshold("factor lost since the search", above=1)] = 16.0

    def lacking(self, case: Case) -> str | None:
        roles = case.run.roles
        if Role.LOSS_SCALE not in roles.bound and Role.LOSS_SCALE not in roles.ambiguous:
            # Most runs have none, so that its absence is no gap in the log.
            return "the run is not known to have a loss scale, which only mixed precision has"
        return super().lacking(case)

    def check(self, case: Case) -> Iterator[Finding]:
        scale = case.the(Role.LOSS_SCALE)
        begin = self._search_end(scale.values)
        later = scale.values[begin:]
        end = median(tail(later))
        top = float(scale.values.max())
        fallen = np.flatnonzero(later[1:] < later[:-1]) + 1
        sinking = (
            len(fallen) >= self.cuts
            and fallen[-1] >= (1 - self.recent) * len(later)
            and later[-1] <= later.min()
            and later[0] >= self.lost * later[-1]
        )
        gone = end <= self.floor and top >= self.above * self.floor
        if not (sinking or gone):
            return
        first = int(scale.steps[begin + (int(fallen[0]) if len(fallen) else 0)])
        last = int(scale.steps[-1])
        yield self.finding(
            f"the loss scale sank from {top:,.4g} to {float(scale.values[-1]):,.4g} at step {last:,}"
            f" in {len(np.flatnonzero(np.diff(scale.values) < 0))} cuts",
            Evidence(
                tag=scale.tag,
                span=(first, last),
                note="at its minimum" if gone else "still sinking",
                measures=(
                    Measure("last_scale", end, "<=", self.floor)
                    if gone
                    else Measure("lost", float(later[0] / later[-1]), ">=", self.lost),
                    Measure("onset_step", first),
                ),
            ),
            confidence=Confidence.HIGH if gone and sinking else Confidence.MEDIUM,
            remedies=(BFLOAT, TENTH, SOURCE, clip_at_usual(case, first)),
        )

    def _search_end(self, values: Floats) -> int:
        """The index at which the search for the first scale that fits is over."""
        change = np.diff(values)
        half = len(values) // 2
        rises = np.flatnonzero(change > 0)
        moved = np.flatnonzero(np.concatenate([[True], change != 0]))
        held = np.flatnonzero(np.diff(np.append(moved, len(values))) > self.hold)
        ends = [half, *rises[:1].tolist(), *moved[held[:1]].tolist()]
        return min(int(end) for end in ends)

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Scales that sink to nothing; searches, steady ones and one switched off as traps."""
        at = np.arange(300)
        sinks = 2.0 ** (16 - np.clip(at - 60, 0, None) // 12)
        yield fires("sinks on and on", a_run({Role.LOSS_SCALE: sinks}), onset=73)
        gone = np.where(at < 100, 65536.0, np.maximum(2.0 ** (16.0 - np.clip(at - 100, 0, 16)), 1))
        yield fires("gone at once", a_run({Role.LOSS_SCALE: gone}), onset=101)
        search = 2.0 ** np.maximum(32.0 - at, 13)
        yield silent("search at the start", a_run({Role.LOSS_SCALE: search}))
        steady = 2.0 ** (14 + (at // 40) % 2)
        yield silent("up and down", a_run({Role.LOSS_SCALE: steady}))
        yield silent("switched off", a_run({Role.LOSS_SCALE: flat(300, 1.0)}))
        rises = 2.0 ** (16 + at // 60)
        yield silent("rises", a_run({Role.LOSS_SCALE: rises}))
