"""Learning rates: what is usual for an optimizer, and which are known to be too high or too low."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tbdiag.advisor.doses import Doses
from tbdiag.advisor.record import Record
from tbdiag.advisor.within import chosen
from tbdiag.config.training import Dimension
from tbdiag.model.knob import Knob
from tbdiag.search.entrant import numeric

TOO_HIGH = frozenset({"NUM001", "NUM002", "NUM003", "OPT001"})
TOO_LOW = frozenset({"OPT002"})

_LEADING = 0.25  # of all runs: the best ones, against which a finding on the rate weighs little
_ADAPTIVE = ("adam", "lamb", "lion", "rmsprop", "adagrad", "nadam")


def kind(record: Record, optimizers: Dimension | None = None) -> str | None:
    """``sgd``, ``momentum`` or ``adam``: what rates of this run's optimizer are to be compared with.

    None where the optimizer is not known. SGD with a momentum counts as momentum, unless the command
    knows a ``momentum`` optimizer beside it.
    """
    name = str(record.setting(Knob.OPTIMIZER) or "").lower()
    if any(word in name for word in _ADAPTIVE):
        return "adam"
    if "momentum" in name or "nesterov" in name:
        return "momentum"
    if "sgd" not in name:
        return None
    apart = optimizers is not None and chosen(optimizers, ("momentum",)) is not None
    momentum = numeric(record.setting(Knob.MOMENTUM)) or 0.0
    return "momentum" if momentum > 0 and not apart else "sgd"


def anchor(record: Record, kind: str | None, doses: Doses) -> float | None:
    """The usual peak rate for the optimizer and the size of the run; None for an unknown optimizer."""
    table = doses.anchors if (record.seconds or 0.0) < doses.short else doses.anchors_large
    return None if kind is None else table.get(kind)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Rates known to be too ``low`` and too ``high`` for one optimizer; None where none is known."""

    low: float | None = None
    high: float | None = None

    def lower(self, rate: float, doses: Doses, anchor: float | None) -> float:
        """The rate to try where ``rate`` is too high: toward the anchor, between what is known."""
        least, most = doses.rate_step
        target = rate / 10 if anchor is None else max(rate / most, min(rate / least, anchor))
        top = rate if self.high is None else min(rate, self.high)
        return self._between(target, self.low, top)

    def higher(self, rate: float, doses: Doses, anchor: float | None) -> float:
        """The rate to try where ``rate`` is too low."""
        least, most = doses.rate_step
        target = rate * 10 if anchor is None else min(rate * most, max(rate * least, anchor))
        bottom = rate if self.low is None else max(rate, self.low)
        return self._between(target, bottom, self.high)

    def admits(self, rate: float) -> bool:
        """Whether nothing says that the rate is too low or too high."""
        above = self.low is None or rate > self.low
        return above and (self.high is None or rate < self.high)

    @staticmethod
    def _between(target: float, low: float | None, high: float | None) -> float:
        """The target, or the middle by ratio where it lies beyond what is known to be bad."""
        if low is not None and high is not None and low < high and not low < target < high:
            return math.sqrt(low * high)
        return target


def bracket(records: Sequence[Record], like: Record) -> Bracket:
    """What the findings of all runs with the optimizer of ``like`` say about its rate.

    Follow-ups that are among the best of all runs have no say: where their rate is, others may do better
    still. Where findings contradict each other, so that a rate too low lies above one too high, the rate is
    not what decides, and nothing is known.
    """
    optimizer = like.setting(Knob.OPTIMIZER)
    low, high = None, None
    leading = _leading(records)
    for each in records:
        if each.id in leading:
            continue
        rate = numeric(each.setting(Knob.LR))
        if rate is None or rate <= 0 or each.setting(Knob.OPTIMIZER) != optimizer:
            continue
        codes = {finding.code for finding in each.roots}
        if codes & TOO_HIGH:
            high = rate if high is None else min(high, rate)
        elif codes & TOO_LOW:
            low = rate if low is None else max(low, rate)
    if low is not None and high is not None and low >= high:
        return Bracket()
    return Bracket(low, high)


def _leading(records: Sequence[Record]) -> frozenset[str]:
    """The follow-ups among the best share of all runs that came to a result; none of a few."""
    done = sorted(
        (each for each in records if math.isfinite(each.loss)), key=lambda each: each.loss
    )
    best = done[: int(_LEADING * len(done))]
    return frozenset(each.id for each in best if each.origin is not None)
