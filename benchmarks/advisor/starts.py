"""The settings that are exposed, what an expert would narrow them to, and eight bad starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.advisor.training import Task
from tbdiag.config.training import Choices, Dimension, Range
from tbdiag.model.run import Scalar

Params = Mapping[str, Scalar]
Space = Mapping[str, Dimension]

OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")
SCHEDULERS = ("constant", "step", "cosine", "onecycle")
LEAST_DECAY = 1e-7  # stands for none: a logarithmic range cannot hold 0
TWO = ("lr", "weight_decay")  # what scripts expose that expose next to nothing
_SEEDS = Range(low=0, high=999, step=1)


def space(task: Task) -> dict[str, Dimension]:
    """All that the command of a task exposes, in ranges that hold what anybody would try."""
    width = task.width
    return {
        "optimizer": Choices(OPTIMIZERS),
        "lr": Range(low=1e-5, high=3.0, log=True),
        "weight_decay": Range(low=LEAST_DECAY, high=0.1, log=True),
        "scheduler": Choices(SCHEDULERS),
        "warmup": Range(low=0.0, high=0.2),
        "dropout": Range(low=0.0, high=0.6),
        "batch_size": Choices((16, 32, 64, 128, 256)),
        "init_scale": Range(low=0.1, high=10.0, log=True),
        "width": Choices((width // 4, width // 2, width, 2 * width)),
        "seed": _SEEDS,
    }


def expert(task: Task) -> dict[str, Dimension]:
    """The same in the ranges of somebody who has trained such networks before."""
    width = task.width
    return {
        "optimizer": Choices(("momentum", "adam", "adamw")),
        "lr": Range(low=3e-4, high=0.1, log=True),
        "weight_decay": Range(low=1e-6, high=0.1, log=True),
        "scheduler": Choices(("constant", "cosine", "onecycle")),
        "warmup": Range(low=0.0, high=0.1),
        "dropout": Range(low=0.0, high=0.4),
        "batch_size": Choices((16, 32, 64)),
        "init_scale": Range(low=0.5, high=2.0, log=True),
        "width": Choices((width // 2, width, 2 * width)),
    }


def narrowed(dimensions: Space, names: tuple[str, ...]) -> dict[str, Dimension]:
    """The dimensions of these names alone, and the seed's."""
    return {name: each for name, each in dimensions.items() if name in (*names, "seed")}


def sane(task: Task) -> dict[str, Scalar]:
    """What a sane person would begin with."""
    return {
        "optimizer": "adam",
        "lr": task.rate,
        "weight_decay": 1e-5,
        "scheduler": "constant",
        "warmup": 0.0,
        "dropout": 0.0,
        "batch_size": 32,
        "init_scale": 1.0,
        "width": task.width,
        "seed": 0,
    }


@dataclass(frozen=True, slots=True)
class Start:
    """A bad way to begin, by what is done to the sane settings."""

    name: str
    turned: Params
    rate: float = 1.0  # times the sane rate
    widths: float = 1.0  # times the usual width
    two: bool = False  # whether rate and decay alone can mend it

    def params(self, task: Task) -> dict[str, Scalar]:
        """All settings of the bad run."""
        found = {**sane(task), **self.turned}
        if "lr" not in self.turned:
            found["lr"] = task.rate * self.rate
        found["width"] = round(task.width * self.widths)
        return found


STARTS: tuple[Start, ...] = (
    Start("rate far too high", {}, rate=300, two=True),
    Start("rate far too low", {}, rate=1 / 100, two=True),
    Start("SGD at a rate for Adam", {"optimizer": "sgd"}, two=True),
    Start("momentum that diverges", {"optimizer": "momentum", "lr": 3.0}, two=True),
    Start("held back", {"dropout": 0.6, "weight_decay": 0.1, "lr": 3e-3}),
    Start("left to itself", {"optimizer": "adamw", "lr": 0.02, "batch_size": 16}, widths=2),
    Start("weights far too large", {"init_scale": 8.0, "lr": 3e-3}),
    Start("few large steps", {"batch_size": 256, "optimizer": "adamw"}, widths=0.5),
)
