"""From findings to changes of the settings that the command exposes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tbdiag.advisor.doses import Doses
from tbdiag.advisor.rates import TOO_HIGH, TOO_LOW, Bracket, anchor, bracket, kind
from tbdiag.advisor.record import Record, equal
from tbdiag.advisor.within import chosen, fitted, scaled, shifted
from tbdiag.config.training import Dimension, Value
from tbdiag.model.finding import Finding
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Safety, Scale, SetTo, Shift, Within
from tbdiag.naming.knobs import knob
from tbdiag.naming.settings import About, about
from tbdiag.naming.words import split
from tbdiag.search.entrant import numeric

Changes = Mapping[str, Value]
Space = Mapping[str, Dimension]

BUDGET = frozenset({Knob.EPOCHS, Knob.MAX_STEPS})
_MUCH = 0.2  # a rate divided by more than that is not soft
_SMOOTH = frozenset({"tanh", "sigmoid", "softsign"})
_WORDS: Mapping[str, tuple[str, ...]] = {
    "he": ("he", "kaiming"),
    "xavier": ("xavier", "glorot"),
    "cosine": ("cosine", "cos", "linear", "poly"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prescription:
    """Settings to change, why, and whether that may go into a bundle with others."""

    changes: Changes
    because: str
    bundled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Desk:
    """Where prescriptions are written: the exposed ``space``, the run, and what others tell of rates."""

    space: Space
    record: Record
    rates: Bracket = field(default_factory=Bracket)
    doses: Doses = field(default_factory=Doses)

    @classmethod
    def on(
        cls, record: Record, space: Space, records: Sequence[Record], doses: Doses | None = None
    ) -> Desk:
        """A desk for one of ``records``."""
        return cls(
            space=space,
            record=record,
            rates=bracket(records, record),
            doses=doses or Doses(),
        )

    def name(self, wanted: Knob) -> str | None:
        """What the command calls the knob, None where it is not exposed or its value not known."""
        return next((n for n in movable(self.space) if knob(n) is wanted and self._known(n)), None)

    def prescriptions(self, finding: Finding) -> Iterator[Prescription]:
        """What answers the finding, the strongest measured answer first, then one change at a time."""
        seen: list[Changes] = []
        for each in (*self._measured(finding), *self._by_rule(finding)):
            changes = self._real(each.changes)
            if changes and changes not in seen:
                seen.append(changes)
                yield Prescription(changes=changes, because=each.because, bundled=each.bundled)

    def advice(self, finding: Finding) -> tuple[str, ...]:
        """The remedies of the finding for which there is no setting."""
        return tuple(
            each.title
            for each in finding.remedies
            if each.knob is None or not self._names(each.knob)
        )

    def rate(self, by: float) -> Changes:
        """The rate multiplied by ``by``, by the middle of the bracket where that leads out of it."""
        name = self.name(Knob.LR)
        now = None if name is None else numeric(self.record.params[name])
        if name is None or now is None or now <= 0:
            return {}
        target = now * by
        if not self.rates.admits(target):
            limit = self.rates.high if by > 1 else self.rates.low
            target = math.sqrt(now * limit) if limit is not None else target
        return self._put(name, fitted(self.space[name], target))

    def _known(self, name: str) -> bool:
        return self.record.params.get(name) is not None

    def _names(self, wanted: Knob) -> list[str]:
        """The exposed settings that stand for the knob, or belong to it."""
        names = [n for n in movable(self.space) if knob(n) is wanted and self._known(n)]
        return names + (init_scales(self.space) if wanted is Knob.INIT else [])

    def _real(self, changes: Changes) -> Changes:
        """The changes that change something."""
        return {n: v for n, v in changes.items() if not equal(v, self.record.params.get(n))}

    @staticmethod
    def _put(name: str | None, value: Value | None) -> Changes:
        return {} if name is None or value is None else {name: value}

    # What was measured to win, by finding

    def _measured(self, finding: Finding) -> Iterator[Prescription]:
        code = finding.code
        if code in TOO_HIGH and not _is_soft(finding):
            changes = self._anchored(up=False)
            yield Prescription(
                changes=changes, because="the rate is too high; nearer to the optimizer's usual one"
            )
        elif code in TOO_LOW:
            yield Prescription(
                changes=self._anchored(up=True),
                because="the rate is too low; nearer to the optimizer's usual one",
            )
        elif code == "OPT004":
            yield Prescription(
                changes=self._toward_anchor(),
                because="a rate that the optimizer is usual to learn at",
            )
        elif code == "GEN001":
            more = {**self.decay(self.doses.decay_up), **self.dropout(self.doses.dropout_up)}
            yield Prescription(
                changes=more, because="more decay and dropout against learning by heart"
            )
            yield Prescription(changes=self.decay(self.doses.decay_up), because="more decay alone")
            yield Prescription(
                changes=self.dropout(self.doses.dropout_up), because="more dropout alone"
            )
        elif code == "GEN003":
            less = {
                **self.decay(1 / self.doses.decay_down),
                **self.dropout(-self.doses.dropout_down),
            }
            yield Prescription(changes=less, because="less of what holds the network back")
        elif code in ("OPT005", "OPT008"):
            yield Prescription(
                changes={**self.cosine(), **self._up_with_schedule()},
                because="a rate that decays to zero settles the noise, and may start higher",
            )
        if any(each.knob is Knob.INIT for each in finding.remedies):
            yield Prescription(
                changes=self.standard_init(),
                because="weights at the scale that keeps signals alive",
            )

    def _anchored(self, *, up: bool) -> Changes:
        name = self.name(Knob.LR)
        now = None if name is None else numeric(self.record.params[name])
        if name is None or now is None or now <= 0:
            return {}
        usual = anchor(self.record, self.kind, self.doses)
        step = self.rates.higher if up else self.rates.lower
        then = fitted(self.space[name], step(now, self.doses, usual))
        changes = dict(self._put(name, then))
        return {**changes, **self._coupled(now, numeric(then))}

    @property
    def kind(self) -> str | None:
        """The kind of the run's optimizer."""
        name = next((n for n in self.space if knob(n) is Knob.OPTIMIZER), None)
        return kind(self.record, None if name is None else self.space[name])

    def _coupled(self, before: float, after: float | None) -> Changes:
        """AdamW's decay against the change of the rate: their product is what regularises."""
        name = self.name(Knob.WEIGHT_DECAY)
        decoupled = "adamw" in str(self.record.setting(Knob.OPTIMIZER) or "").lower()
        now = None if name is None else numeric(self.record.params[name])
        if name is None or not decoupled or not now or not after:
            return {}
        by = min(max(before / after, 1 / self.doses.coupled), self.doses.coupled)
        return self._put(name, fitted(self.space[name], now * by))

    def _toward_anchor(self) -> Changes:
        name = self.name(Knob.LR)
        now = None if name is None else numeric(self.record.params[name])
        usual = anchor(self.record, self.kind, self.doses)
        if now is None or usual is None:
            return {}
        return self._anchored(up=now < usual)

    def by(self, wanted: Knob, by: float) -> Changes:
        """The knob multiplied by ``by``, as far as it is exposed."""
        name = self.name(wanted)
        if name is None:
            return {}
        return self._put(name, scaled(self.space[name], self.record.params[name], by))

    def decay(self, by: float) -> Changes:
        """Weight decay multiplied by ``by``; a first dose where there was none."""
        name = self.name(Knob.WEIGHT_DECAY)
        if name is None:
            return {}
        now = numeric(self.record.params[name])
        if not now and by > 1:
            decoupled = "adamw" in str(self.record.setting(Knob.OPTIMIZER) or "").lower()
            first = self.doses.first_decay_decoupled if decoupled else self.doses.first_decay
            return self._put(name, fitted(self.space[name], first))
        return self._put(name, scaled(self.space[name], now, by)) if now else {}

    def dropout(self, by: float) -> Changes:
        """Dropout plus ``by``."""
        name = self.name(Knob.DROPOUT)
        if name is None:
            return {}
        now = self.record.params[name]
        most = self.doses.most_dropout
        return self._put(name, shifted(self.space[name], now, by, low=0.0, high=most))

    def cosine(self) -> Changes:
        """A schedule that decays to zero."""
        name = self.name(Knob.SCHEDULER)
        return {} if name is None else self._put(name, chosen(self.space[name], _WORDS["cosine"]))

    def _up_with_schedule(self) -> Changes:
        return self.rate(self.doses.rate_with_schedule) if self._real(self.cosine()) else {}

    def standard_init(self) -> Changes:
        """He's or Xavier's rule for the initial weights, and no further factor."""
        changes: dict[str, Value] = {}
        if (name := self.name(Knob.INIT)) is not None:
            smooth = any(str(each).lower() in _SMOOTH for each in self.record.params.values())
            words = _WORDS["xavier"] if smooth else _WORDS["he"]
            other = _WORDS["he"] if smooth else _WORDS["xavier"]
            now = str(self.record.params[name]).lower()
            if not any(word in now for word in (*words, *other)):
                changes.update(self._put(name, chosen(self.space[name], (*words, *other))))
        for each in init_scales(self.space):
            if self._known(each):
                changes.update(self._put(each, fitted(self.space[each], 1.0)))
        return changes

    # What the rule itself prescribes

    def _by_rule(self, finding: Finding) -> Iterator[Prescription]:
        for remedy in finding.remedies:
            if remedy.knob is None or self._too_bold(finding, remedy):
                continue
            yield Prescription(
                changes=self._turned(remedy, remedy.knob),
                because=remedy.because,
                bundled=remedy.safety is Safety.SAFE,
            )

    def _too_bold(self, finding: Finding, remedy: Remedy) -> bool:
        """Whether a higher rate is asked for where the rate is above the usual one already."""
        change, usual = remedy.change, anchor(self.record, self.kind, self.doses)
        if remedy.knob is not Knob.LR or finding.code in TOO_LOW or not isinstance(change, Scale):
            return False
        now = numeric(self.record.setting(Knob.LR))
        return change.by > 1 and usual is not None and now is not None and now >= usual

    def _turned(self, remedy: Remedy, wanted: Knob) -> Changes:
        if wanted is Knob.INIT:
            return self.standard_init()
        if wanted is Knob.LR and isinstance(remedy.change, Scale):
            return self.rate(remedy.change.by)
        if wanted is Knob.WEIGHT_DECAY and isinstance(remedy.change, Scale):
            return self.decay(remedy.change.by)
        name = self.name(wanted)
        if name is None:
            return {}
        return self._put(name, self._after(self.space[name], remedy, self.record.params[name]))

    def _after(self, dimension: Dimension, remedy: Remedy, now: Value | None) -> Value | None:
        match remedy.change:
            case Scale(by):
                return scaled(dimension, now, by)
            case Shift(by, low, high):
                return shifted(dimension, now, by, low, high)
            case SetTo(str() as word):
                return chosen(dimension, _WORDS.get(word, (word,)))
            case SetTo(int() | float() as number):
                return fitted(dimension, float(number))
            case Within(low, high):
                current = numeric(now)
                if current is not None and low <= current <= high:
                    return None
                return fitted(dimension, math.sqrt(low * high) if low > 0 else (low + high) / 2)
            case _:
                return None


def movable(space: Space) -> list[str]:
    """The settings that a follow-up may change: none of the data, the measure, the seed."""
    return [name for name in space if about(name) is About.TRAINING]


def init_scales(space: Space) -> list[str]:
    """The settings that multiply the initial weights."""
    sizes = {"scale", "gain"}
    return [n for n in space if "init" in (words := split(n)) and not sizes.isdisjoint(words)]


def _is_soft(finding: Finding) -> bool:
    """Whether the rule itself would first do something else than divide the rate by much."""
    first = next((each for each in finding.remedies if each.knob is not None), None)
    if first is None:
        return False
    change = first.change
    return not (first.knob is Knob.LR and isinstance(change, Scale) and change.by <= _MUCH)
