"""One training run as its logs tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from tbdiag.model.histogram import Histograms
from tbdiag.model.role import Role, RoleMap
from tbdiag.model.series import Series

if TYPE_CHECKING:
    import pandas as pd

Scalar = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class HParam:
    """A hyperparameter under the name that the run used, and where it was found.

    ``also`` lists (source, value) of other places that disagree with it.
    """

    value: Scalar
    source: str
    also: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """The steps went back: from ``reached`` to ``step``; ``dropped`` points were superseded."""

    step: int
    reached: int
    dropped: int
    wall_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file that could not be read to its end.

    ``offset`` is where the first unreadable byte stands, ``lost`` how many bytes follow from there,
    ``torn`` is true where the file just ends in the middle of a record, as a live file may.
    """

    file: str
    offset: int
    lost: int
    reason: str
    torn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A file that holds points of the run, and the wall times of the ``first`` and the ``last``.

    ``host`` and ``process`` are those that the file's name tells, empty and None where it does not.
    """

    file: str
    first: float
    last: float
    host: str = ""
    process: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Points of the same curves that several writers logged at the same time.

    ``files`` are those that hold them, one where the writers share a file; ``writers`` is how many
    there are, and ``processes`` whether they are told to be different processes. From the wall time
    ``first`` to ``last`` they logged ``points`` points of ``tags`` curves; ``apart`` is true where
    their curves could be told from each other and each became a run of its own.
    """

    files: tuple[str, ...]
    writers: int
    processes: bool
    first: float
    last: float
    points: int
    tags: int
    apart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a run came from and what happened to it on the way."""

    files: tuple[str, ...] = ()
    points: int = 0
    duplicates: int = 0
    restarts: tuple[Restart, ...] = ()
    damages: tuple[Damage, ...] = ()
    notes: tuple[str, ...] = ()
    writings: tuple[Writing, ...] = ()
    mixtures: tuple[Mixture, ...] = ()

    @property
    def corrupt_bytes(self) -> int:
        """Bytes that could not be read, torn tails aside."""
        return sum(damage.lost for damage in self.damages if not damage.torn)

    @property
    def truncated(self) -> bool:
        """Whether a file ends in the middle of a record."""
        return any(damage.torn for damage in self.damages)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """A run: its curves by tag, its hyperparameters, and which curve plays which role."""

    id: str
    path: PurePath
    series: Mapping[str, Series] = field(default_factory=dict)
    histograms: Mapping[str, Histograms] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    hparams: Mapping[str, HParam] = field(default_factory=dict)
    roles: RoleMap = field(default_factory=RoleMap)
    provenance: Provenance = field(default_factory=Provenance)

    def curve(self, role: Role) -> Series | None:
        """The series in this role, or None where no tag plays it."""
        binding = self.roles.bound.get(role)
        return None if binding is None else self.series.get(binding.tag)

    def with_roles(self, roles: RoleMap) -> Run:
        """The same run with other roles."""
        return replace(self, roles=roles)

    def history(self) -> pd.DataFrame:
        """The curves by role, one row per step: ``loss, val_loss, accuracy, val_accuracy, lr …``.

        A metric column bears the name of what it measures; steps that a curve did not log are NaN.
        """
        import pandas as pd

        columns = {}
        for role, binding in self.roles.bound.items():
            curve = self.series.get(binding.tag)
            name = _COLUMNS.get(role, role.value)
            if role is Role.TRAIN_METRIC:
                name = binding.quantity
            elif role is Role.VAL_METRIC:
                name = f"val_{binding.quantity}"
            if curve is not None:
                columns[name] = pd.Series(curve.values, index=curve.steps)
        frame = pd.DataFrame(columns)
        frame.index.name = "step"
        return frame


_COLUMNS = {Role.TRAIN_LOSS: "loss", Role.VAL_LOSS: "val_loss", Role.LEARNING_RATE: "lr"}
