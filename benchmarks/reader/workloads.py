"""Log folders to be read, the same ones at each call."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.reader import wire
from benchmarks.reader.mixed import mixed

FILE = "events.out.tfevents.1700000000.host.1.0"
FEW_TAGS = ("loss/train", "loss/val", "accuracy/train", "accuracy/val", "lr")
TAGS = (
    *FEW_TAGS,
    "grad_norm",
    "train/mse",
    "train/mae",
    "val/mse",
    "val/mae",
    "val/auc",
    "perf/tokens",
    "perf/step_ms",
    "epoch_loss",
    "epoch_acc",
    "loss/kl",
    "loss/recon",
    "beta",
    "weights/l2",
    "time/data",
)

_VERSION = 1  # of what is generated: raise it with every change
_ROWS = 4096  # steps that are made at once, so that memory stays small
_MIXED_ROWS = 400
_MANY, POINTS = 500, 5000
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Workload:
    """A folder with ``points`` scalars in ``bytes`` of event files."""

    title: str
    folder: Path
    points: int
    bytes: int

    @classmethod
    def kept(cls, title: str, folder: Path, make: Callable[[Path], int]) -> Workload:
        """What ``make`` wrote into the folder now or at an earlier call; it returns the points."""
        told = folder.with_suffix(".json")
        if not told.exists():
            draft = folder.with_suffix(".draft")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
            draft.mkdir(parents=True)
            points = make(draft)
            size = sum(path.stat().st_size for path in draft.rglob("*") if path.is_file())
            draft.rename(folder)
            told.write_text(json.dumps([points, size]), encoding="utf-8")
        return cls(title, folder, *json.loads(told.read_text("utf-8")))


def one_file(place: Path, points: int, *, tensors: bool = False) -> Workload:
    """Twenty curves in one file, as PyTorch writes them or as TensorFlow 2 does."""
    points = max(points // len(TAGS), 1) * len(TAGS)
    kind = "tensors" if tensors else "plain"
    words = "TF2 tensor scalars" if tensors else "`simple_value` scalars"

    def make(folder: Path) -> int:
        _curves(folder / "run", TAGS, points // len(TAGS), 0, tensors=tensors)
        return points

    return Workload.kept(f"{points:,} {words}, one file", _at(place, kind, points), make)


def many_files(place: Path, count: int, points: int = POINTS) -> Workload:
    """Runs of five curves each, no two alike."""

    def make(folder: Path) -> int:
        for seed in range(count):
            _curves(folder / f"run{seed:03}", FEW_TAGS, points // len(FEW_TAGS), seed)
        return count * (points // len(FEW_TAGS)) * len(FEW_TAGS)

    return Workload.kept(f"{count} files × {points:,} scalars", _at(place, "many", count), make)


def mixture(place: Path, rows: int) -> Workload:
    """One file of histograms, images and texts, among which scalars are few."""

    def make(folder: Path) -> int:
        (folder / "run").mkdir()
        return mixed(folder / "run" / FILE, rows)

    kept = Workload.kept("", _at(place, "mixed", rows), make)
    title = f"{kept.bytes / 1e6:,.0f} MB mixed, {kept.points:,} scalars"
    return Workload(title, kept.folder, kept.points, kept.bytes)


def all_of(place: Path, scale: float) -> dict[str, Workload]:
    """The four workloads at a part of their full size."""
    million = int(_MILLION * scale)
    return {
        "plain": one_file(place, million),
        "tensors": one_file(place, million, tensors=True),
        "many": many_files(place, max(round(_MANY * scale), 1)),
        "mixed": mixture(place, max(round(_MIXED_ROWS * scale), 1)),
    }


def _at(place: Path, kind: str, size: int) -> Path:
    return place / f"{kind}-{size}-v{_VERSION}"


def _curves(
    folder: Path, tags: tuple[str, ...], rows: int, seed: int, *, tensors: bool = False
) -> None:
    """An event file of noisy decays that end after so many steps."""
    folder.mkdir(parents=True)
    dice = np.random.default_rng(seed)
    fall, gap, noise = dice.uniform(3, 8), dice.uniform(0, 0.3), dice.uniform(0.01, 0.05)
    shift = np.linspace(0, gap, len(tags))
    with (folder / FILE).open("wb") as file:
        file.write(wire.version(wire.TENSORFLOW if tensors else wire.TORCH))
        for first in range(0, rows, _ROWS):
            steps = np.arange(first, min(first + _ROWS, rows), dtype=np.int64)
            course = np.exp(-fall * steps / rows)[:, None] + shift
            values = course + noise * dice.standard_normal((len(steps), len(tags)))
            for column, tag in enumerate(tags):
                if tag.startswith("accuracy"):
                    values[:, column] = 1 / (1 + np.abs(values[:, column]))
                elif tag == "lr":
                    values[:, column] = 1e-3
            walls = wire.START + steps[:, None] * 0.1 + np.arange(len(tags)) * 1e-4
            walls += dice.uniform(0, 5e-5, walls.shape)
            file.write(wire.scalars(tags, steps, walls, values, tensors=tensors))
