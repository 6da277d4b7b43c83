"""Every launcher keeps the contract."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tbdiag.launch.base import Launcher
from tbdiag.launch.cluster import ClusterLauncher
from tbdiag.launch.local import LocalLauncher
from tests.launch.contract import CLAUSES, SLOW, Make


def on_ray(slots: int) -> Launcher:
    from tbdiag.launch.ray import RayScheduler

    return ClusterLauncher(RayScheduler(), slots)


def in_slurm(slots: int) -> Launcher:
    from tbdiag.launch.slurm import SlurmScheduler

    return ClusterLauncher(SlurmScheduler(cluster="local"), slots)


def in_a_real_slurm(slots: int) -> Launcher:
    from tbdiag.launch.slurm import SlurmScheduler

    return ClusterLauncher(SlurmScheduler(time="5"), slots)


LAUNCHERS: dict[str, Callable[[int], Launcher]] = {
    "local": lambda slots: LocalLauncher(slots=slots, gpus=()),
    "ray": on_ray,
    "slurm": in_slurm,
    "sbatch": in_a_real_slurm,
}


@pytest.fixture(
    params=[
        "local",
        pytest.param("ray", marks=pytest.mark.ray),
        "slurm",
        "sbatch",
    ]
)
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes launchers, and ends what a clause that failed has left running."""
    made: list[Launcher] = []
    if request.param == "ray":
        request.getfixturevalue("cluster")
    if request.param == "sbatch" and os.environ.get("TBDIAG_TEST_SLURM") != "1":
        pytest.skip("TBDIAG_TEST_SLURM=1 says that there is a Slurm to be used for tests")
    if request.param in ("slurm", "sbatch"):
        pytest.importorskip("submitit", reason="needs the extra `slurm`")

    def new(slots: int) -> Launcher:
        made.append(LAUNCHERS[request.param](slots))
        return made[-1]

    yield new
    for launcher in made:
        launcher.close(0)


@pytest.mark.parametrize(
    "clause",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in CLAUSES],
)
def test_contract(make: Make, clause: str, tmp_path: Path) -> None:
    CLAUSES[clause](make, tmp_path.resolve())
