"""How follow-up runs are started, and what may be turned in them: what reading runs does without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tbdiag.model.role import Override

Value = bool | int | float | str

LAUNCHERS = ("local", "ray", "slurm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A knob that may take any number in [low, high]; integers where low, high and step are."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """A knob that takes one of these values."""

    values: tuple[Value, ...]


Dimension = Range | Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """How a follow-up run is started, and what it is judged by.

    ``command`` is split into words, each with placeholders like ``{lr}``; no shell ever sees it.
    ``objective`` names a role or a tag; ``budget`` the knob that costs time, where there is one.
    """

    command: tuple[str, ...]
    objective: Override
    budget: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRay:
    """A Ray cluster: where it is, and what runs take of it beside processors.

    ``address`` as `ray.init` takes it; ``runtime_env`` is what Ray brings to the nodes.
    """

    address: str = "auto"
    resources: Mapping[str, float] = field(default_factory=dict)
    runtime_env: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InSlurm:
    """How runs are put into the queue of Slurm: options of ``sbatch``, and lines of shell before a run.

    ``cluster`` is ``local`` for submitit's local executor, which needs no Slurm.
    """

    cluster: str = "slurm"
    partition: str | None = None
    time: str | None = None
    setup: tuple[str, ...] = ()
    additional: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Where follow-up runs are started, and what each takes of a cluster; ``memory`` in bytes."""

    launcher: str = LAUNCHERS[0]
    cpus: float = 1
    gpus: float = 0
    memory: int | None = None
    ray: OnRay = field(default_factory=OnRay)
    slurm: InSlurm = field(default_factory=InSlurm)
