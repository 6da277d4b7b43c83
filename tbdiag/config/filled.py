"""From the checked tables of a file to a `Config`."""

from __future__ import annotations

from typing import Any

from tbdiag.config.command import mistakes, words
from tbdiag.config.schema import ConfigTable, LaunchTable, TagTable
from tbdiag.config.settings import Config
from tbdiag.config.sizes import size
from tbdiag.config.training import Choices, Dimension, InSlurm, Launch, OnRay, Range, Train
from tbdiag.model.role import Better, Override, Role


def filled(place: Config, table: ConfigTable) -> Config:
    """The configuration that a file says; ``place`` is where it stands. A command with mistakes is left out."""
    train = None
    if table.train is not None and not mistakes(table.train.command, table.space):
        train = Train(
            command=words(table.train.command),
            objective=_override(table.train.objective),
            budget=table.train.budget,
        )
    return Config(
        path=place.path,
        root=place.root,
        lines=place.lines,
        logdir=table.logdir,
        select=tuple(table.select),
        suspicions=table.suspicions,
        ignore=table.ignore,
        roles={Role(name): _override(curve) for name, curve in table.roles.items()},
        rules=table.rules,
        train=train,
        space={name: _dimension(each) for name, each in table.space.items()},
        storage=table.storage,
        launch=_launch(table.launch),
    )


def _launch(table: LaunchTable) -> Launch:
    ray, slurm = table.ray, table.slurm
    return Launch(
        launcher=table.launcher,
        cpus=table.cpus,
        gpus=table.gpus,
        memory=None if table.memory is None else size(table.memory),
        ray=OnRay(address=ray.address, resources=ray.resources, runtime_env=ray.runtime_env),
        slurm=InSlurm(
            cluster=slurm.cluster,
            partition=slurm.partition,
            time=slurm.time,
            setup=tuple(slurm.setup),
            additional=slurm.additional,
        ),
    )


def _override(curve: str | TagTable) -> Override:
    if isinstance(curve, str):
        return Override(curve)
    return Override(curve.tag, Better(curve.better) if curve.better else None)


def _dimension(each: Any) -> Dimension:
    if isinstance(each, list):
        return Choices(tuple(each))
    return Range(low=each.low, high=each.high, log=each.log, step=each.step)
