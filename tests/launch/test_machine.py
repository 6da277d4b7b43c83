"""Which GPUs and which programs a machine has."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from tbdiag.errors import LaunchError
from tbdiag.launch.gpus import gpus, share
from tbdiag.launch.local import LocalLauncher
from tbdiag.launch.program import program, search_path
from tests.launch.contract import ends, job

TWO = "GPU 0: NVIDIA A100 (UUID: GPU-11-aa)\nGPU 1: NVIDIA A100 (UUID: GPU-22-bb)\n"
DIVIDED = (
    TWO + "  MIG 1g.5gb     Device  0: (UUID: MIG-1)\n  MIG 1g.5gb     Device  1: (UUID: MIG-2)\n"
)


@pytest.mark.parametrize(
    ("environment", "told", "expected"),
    [
        ({}, "", ()),
        ({}, TWO, ("GPU-11-aa", "GPU-22-bb")),
        ({}, DIVIDED, ("GPU-11-aa", "MIG-1", "MIG-2")),
        ({"CUDA_VISIBLE_DEVICES": "1, 3"}, TWO, ("1", "3")),
        ({"CUDA_VISIBLE_DEVICES": ""}, TWO, ()),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, TWO, ()),
    ],
)
def test_gpus_are_those_that_are_visible(
    environment: dict[str, str], told: str, expected: tuple[str, ...]
) -> None:
    assert gpus(environment, lambda: told) == expected


@pytest.mark.parametrize(
    ("names", "slots", "expected"),
    [
        ((), 2, [(), ()]),
        (("a",), 3, [("a",), ("a",), ("a",)]),
        (("a", "b"), 3, [("a",), ("b",), ("a",)]),
        (("a", "b"), 2, [("a",), ("b",)]),
        (("a", "b", "c", "d", "e"), 2, [("a", "c", "e"), ("b", "d")]),
    ],
)
def test_slots_share_no_gpu_where_there_are_enough(
    names: tuple[str, ...], slots: int, expected: list[tuple[str, ...]]
) -> None:
    assert [share(names, slot, slots) for slot in range(slots)] == expected


def executable(path: Path, script: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_program_is_found_where_a_shell_finds_it(tmp_path: Path) -> None:
    executable(tmp_path / "bin" / "train")
    executable(tmp_path / "here" / "own.sh")
    path = {"PATH": str(tmp_path / "bin")}
    assert program("train", tmp_path, path) == "train"
    assert program("./own.sh", tmp_path / "here", path) == "./own.sh"
    assert program("here/own.sh", tmp_path, path) == "here/own.sh"
    with pytest.raises(LaunchError, match=r'"\./own.sh", which is no program in'):
        program("./own.sh", tmp_path, path)
    with pytest.raises(LaunchError, match=r'"\./here", which is no program in'):
        program("./here", tmp_path, path)
    (tmp_path / "here" / "own.sh").chmod(0o644)
    with pytest.raises(LaunchError, match="may not be executed"):
        program("./own.sh", tmp_path / "here", path)


def test_the_environment_that_tbdiag_stands_in_counts_as_active(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts, home = sysconfig.get_path("scripts"), tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(sys, "prefix", str(home))
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    assert search_path({"PATH": "/bin"}) == os.pathsep.join((scripts, "/bin"))
    # but not where the user is in another, or tbdiag alone is in its own
    assert search_path({"PATH": "/bin", "VIRTUAL_ENV": "/home/me/env"}) == "/bin"
    assert search_path({"PATH": "/bin", "CONDA_PREFIX": "/opt/conda"}) == "/bin"
    # nor where the first Python that is found is that of another
    other = executable(tmp_path / "other" / "bin" / "python").parent
    both = f"{other}{os.pathsep}/bin"
    assert search_path({"PATH": both}) == os.pathsep.join((scripts, both))
    (tmp_path / "other" / "pyvenv.cfg").touch()
    assert search_path({"PATH": both}) == both
    (home / "uv-receipt.toml").touch()
    assert search_path({"PATH": "/bin"}) == "/bin"
    (home / "uv-receipt.toml").unlink()
    monkeypatch.setattr(sys, "base_prefix", str(home))
    assert search_path({"PATH": "/bin"}) == "/bin"


def test_a_run_sees_the_python_beside_tbdiag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: a command that starts `python`, called by an environment that is not active."""
    scripts = tmp_path / "env"
    executable(scripts / "python", 'echo "$0"')
    monkeypatch.setattr("tbdiag.launch.local.search_path", lambda _: f"{scripts}:{os.defpath}")
    one = replace(job(tmp_path, ""), argv=("python", "train.py"))
    launcher = LocalLauncher(gpus=())
    launcher.start(one)
    assert ends(launcher)["t1"].code == 0
    assert one.output.read_text().strip() == str(scripts / "python")


def test_without_a_python_it_is_the_one_of_tbdiag(tmp_path: Path) -> None:
    assert program("python", tmp_path, {"PATH": str(tmp_path)}) == sys.executable
    executable(tmp_path / "python")
    assert program("python", tmp_path, {"PATH": str(tmp_path)}) == "python"
    with pytest.raises(LaunchError, match='"no-such-python", and there is no such program'):
        program("no-such-python", tmp_path, {"PATH": str(tmp_path)})
