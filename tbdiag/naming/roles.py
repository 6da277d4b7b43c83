"""Which tag of a run plays which role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tbdiag.model.role import Better, Binding, Override, Role, RoleMap
from tbdiag.model.series import Series
from tbdiag.naming import tables
from tbdiag.naming.candidates import Candidate, Choice, choose, counters
from tbdiag.naming.knobs import Stated, unstated
from tbdiag.naming.losses import Losses, choose_losses
from tbdiag.naming.meaning import meaning
from tbdiag.naming.metrics import choose_metrics
from tbdiag.naming.players import adversarial, is_reinforcement, reinforcement
from tbdiag.naming.singles import epoch, epochs_spanned, learning_rate, step_time, whole_model
from tbdiag.naming.terms import choose_terms, penalties

_HIGHER = frozenset(
    {Role.TRAIN_METRIC, Role.VAL_METRIC, Role.BALANCED_METRIC, Role.REWARD, Role.VAL_REWARD,
     Role.EXPLAINED_VARIANCE}
)  # fmt: skip
_ROLES = tuple(Role)  # of which an enumeration makes a list each time
_LOSSES = frozenset({Role.TRAIN_LOSS, Role.BATCH_LOSS, Role.VAL_LOSS})
_METRICS = frozenset({Role.TRAIN_METRIC, Role.VAL_METRIC})
_NORMS = (Role.UPDATE_RATIO, Role.LOSS_SCALE, Role.GRAD_NORM, Role.WEIGHT_NORM)


def bind(
    series: Mapping[str, Series],
    overrides: Mapping[Role, Override] | None = None,
    stated: Stated = unstated,
) -> RoleMap:
    """The roles that the tags of a run play, by their words and by the shape of their curves.

    A tag may carry its folder in front (``validation/epoch_loss``). Roles that several tags could
    play equally well stay unbound and are listed as ambiguous. ``overrides`` win over everything;
    one whose tag the run has not leaves its role unbound. ``stated`` tells how many epochs the settings
    speak of, and is asked where no curve tells whether a training loss is one per batch.
    """
    overrides = overrides or {}
    configured = {override.tag for override in overrides.values()}
    given = {
        role: _candidate(override.tag, series[override.tag])
        for role, override in overrides.items()
        if override.tag in series
    }
    free = [
        _candidate(tag, series[tag])
        for tag in sorted(series)
        if tag not in configured and series[tag].logged
    ]
    cast = _Cast(free, given, stated)
    for role, override in overrides.items():
        cast.bound.pop(role, None)
        cast.ambiguous.pop(role, None)
        if role in given:
            cast.bound[role] = _configured(role, override, given[role])
    return RoleMap(
        bound={role: cast.bound[role] for role in _ROLES if role in cast.bound},
        ambiguous={role: cast.ambiguous[role] for role in _ROLES if role in cast.ambiguous},
        parts=() if _LOSSES & overrides.keys() else cast.parts,
    )


class _Cast:
    """The roles of one run, found from its candidates and the roles that are given."""

    def __init__(
        self, candidates: Sequence[Candidate], given: Mapping[Role, Candidate], stated: Stated
    ) -> None:
        self.candidates = _catboost(candidates)
        self.given, self.stated = given, stated
        self.bound: dict[Role, Binding] = {}
        self.ambiguous: dict[Role, tuple[str, ...]] = {}
        self.parts: tuple[Mapping[Role, Binding], ...] = ()
        self._bind()

    def _bind(self) -> None:
        counter = epoch(self.candidates)
        self._settle(Role.EPOCH, Choice(counter))
        self._settle(Role.STEP_TIME, step_time(self.candidates))
        for role in _NORMS:
            self._settle(role, whole_model(role, self.candidates))
        losses = Losses()
        if is_reinforcement(self.candidates):
            self._settle_all(reinforcement(self.candidates))
        else:
            losses = self._losses(epochs_spanned(self.given.get(Role.EPOCH, counter)))
            self._metrics(losses)
        train = self.given.get(Role.TRAIN_LOSS) or losses.found.get(Role.TRAIN_LOSS)
        self._settle(Role.LEARNING_RATE, learning_rate(self.candidates, train))

    def _settle(self, role: Role, choice: Choice, quantity: str = "") -> None:
        if choice.chosen:
            better = Better.HIGHER if role in _HIGHER else Better.LOWER
            named = quantity or _quantity(role)
            self.bound[role] = Binding(choice.chosen.tag, "pattern", named, better)
        elif choice.tied:
            self.ambiguous[role] = choice.tied

    def _settle_all(self, choices: Mapping[Role, Choice]) -> None:
        for role, choice in choices.items():
            self._settle(role, choice)

    def _losses(self, epochs: float | None) -> Losses:
        everything = [c for c in self.candidates if c.meaning.loss and not _average_of_a_run(c)]
        counting = counters(everything)
        everything = [c for c in everything if c.tag not in counting]
        players = adversarial(self.candidates)
        self._settle_all(players)
        pool = everything
        if players:
            pool = [c for c in pool if c.meaning.role not in (Role.D_LOSS, Role.G_LOSS)]
        weights = penalties(pool)
        if len(weights) < len(pool):
            pool = [c for c in pool if c not in weights]
        losses = choose_losses(
            pool, epochs=epochs, whole_only=bool(players), given=self.given, stated=self.stated
        )
        self._settle_all({role: Choice(candidate) for role, candidate in losses.found.items()})
        self.ambiguous |= losses.tied
        self.parts = tuple(
            {role: Binding(c.tag, "pattern", "loss") for role, c in part.items()}
            for part in losses.parts
        )
        if not players:
            train = self.given.get(Role.TRAIN_LOSS) or losses.found.get(Role.TRAIN_LOSS)
            taken = {c.tag for c in losses.found.values()}
            taken |= {c.tag for c in losses.accuracy or ()}
            self._settle_all(choose_terms(everything, train, taken))
        return losses

    def _metrics(self, losses: Losses) -> None:
        pool = [c for c in self.candidates if c.meaning.quantity and c.meaning.role is None]
        if any(c.meaning.loss and c.meaning.split == "val" for c in self.candidates):
            pool = [_filed_as_metric(c) for c in pool]
        found = choose_metrics(pool)
        train, val = found.train, found.val
        if losses.accuracy and not (found.quantity == "accuracy" and train and val):
            for role, candidate in zip(
                (Role.TRAIN_METRIC, Role.VAL_METRIC), losses.accuracy, strict=True
            ):
                self.bound[role] = Binding(candidate.tag, "structure", "accuracy", Better.HIGHER)
        else:
            sides = (
                (Role.TRAIN_METRIC, train, found.tied_train),
                (Role.VAL_METRIC, val, found.tied_val),
            )
            for role, chosen, tied in sides:
                self._settle(role, Choice(chosen, tied), found.quantity)
                if chosen:
                    self.bound[role] = replace(self.bound[role], better=chosen.meaning.better)
        order = [pattern.name for pattern in tables.patterns("balanced")]
        sides_of_balance = ("val", "test", "")
        balanced = choose(
            [c for c in pool if c.meaning.balanced and c.meaning.split in sides_of_balance],
            lambda c: (
                sides_of_balance.index(c.meaning.split),
                order.index(c.meaning.balanced),
                c.grain,
                len(c.meaning.stem),
            ),
        )
        name = balanced.chosen.meaning.balanced if balanced.chosen else ""
        self._settle(Role.BALANCED_METRIC, balanced, name)


def _candidate(tag: str, curve: Series) -> Candidate:
    return Candidate(tag, meaning(tag), curve)


def _catboost(candidates: Sequence[Candidate]) -> list[Candidate]:
    """In CatBoost's folders the metric that is minimised is the loss."""
    folders = ("learn", "test")
    if not any(c.meaning.words[:1] == ("learn",) for c in candidates):
        return list(candidates)
    return [
        replace(c, meaning=replace(c.meaning, loss=True, quantity="", term=(c.meaning.quantity,)))
        if c.meaning.words[:1]
        and c.meaning.words[0] in folders
        and c.meaning.quantity
        and c.meaning.better is Better.LOWER
        else c
        for c in candidates
    ]


def _filed_as_metric(candidate: Candidate) -> Candidate:
    """YOLO files what it measures on validation under ``metrics``, with no word for the split."""
    said = candidate.meaning
    if said.split or said.words[0] != "metrics":
        return candidate
    return replace(candidate, meaning=replace(said, split="val"))


def _average_of_a_run(candidate: Candidate) -> bool:
    """Whether it is the one point that Hugging Face logs at the end, ``train/train_loss``."""
    return candidate.meaning.words == ("train", "train", "loss") and candidate.logged == 1


def _quantity(role: Role) -> str:
    return "loss" if role.value.endswith("_loss") else role.value.removeprefix("val_")


def _configured(role: Role, override: Override, candidate: Candidate) -> Binding:
    said = candidate.meaning
    quantity = _quantity(role)
    if role in _METRICS or role is Role.BALANCED_METRIC:
        quantity = said.balanced or said.quantity or "_".join(said.stem[-1:]) or role.value
    by_role = Better.HIGHER if role in _HIGHER else Better.LOWER
    known = said.better if said.quantity and role in _METRICS else by_role
    return Binding(override.tag, "configured", quantity, override.better or known)
