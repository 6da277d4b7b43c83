"""Which GPUs and which programs a machine has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tbdiag.errors import LaunchError
from tbdiag.launch.gpus import gpus, share
from tbdiag.launch.program import program

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


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
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


def test_without_a_python_it_is_the_one_of_tbdiag(tmp_path: Path) -> None:
    assert program("python", tmp_path, {"PATH": str(tmp_path)}) == sys.executable
    executable(tmp_path / "python")
    assert program("python", tmp_path, {"PATH": str(tmp_path)}) == "python"
    with pytest.raises(LaunchError, match='"no-such-python", and there is no such program'):
        program("no-such-python", tmp_path, {"PATH": str(tmp_path)})
