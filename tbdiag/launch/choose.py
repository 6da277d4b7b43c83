"""Which launcher a configuration means."""

from __future__ import annotations

from tbdiag.config.settings import did_you_mean
from tbdiag.config.training import LAUNCHERS, Launch
from tbdiag.errors import RequestError
from tbdiag.launch.base import Launcher
from tbdiag.launch.cluster import ClusterLauncher
from tbdiag.launch.local import LocalLauncher


def chosen(settings: Launch | None, slots: int, name: str | None = None) -> Launcher:
    """The launcher called ``name``, else the configured one, for so many runs at a time.

    Raises RequestError where an extra is missing, no cluster is reached, or there is no such launcher.
    """
    settings = settings or Launch()
    name = name or settings.launcher
    if name == "ray":
        from tbdiag.launch.ray import RayScheduler

        ray = settings.ray
        return ClusterLauncher(
            RayScheduler(
                address=ray.address,
                cpus=settings.cpus,
                gpus=settings.gpus,
                memory=settings.memory,
                resources=ray.resources,
                runtime_env=ray.runtime_env,
            ),
            slots,
        )
    if name == "slurm":
        from tbdiag.launch.slurm import SlurmScheduler

        slurm = settings.slurm
        return ClusterLauncher(
            SlurmScheduler(
                cluster=slurm.cluster,
                cpus=_whole(settings.cpus, "cpus"),
                gpus=_whole(settings.gpus, "gpus"),
                memory=settings.memory,
                partition=slurm.partition,
                time=slurm.time,
                setup=slurm.setup,
                additional=slurm.additional,
            ),
            slots,
        )
    if name != "local":
        hint = did_you_mean(name, LAUNCHERS) or f"; choose among {', '.join(LAUNCHERS)}"
        raise RequestError(f'there is no launcher "{name}"{hint}')
    return LocalLauncher(slots=slots)


def _whole(number: float, what: str) -> int:
    if number != int(number):
        raise RequestError(f"Slurm takes whole {what}, not {number:g}: change it under [launch]")
    return int(number)
