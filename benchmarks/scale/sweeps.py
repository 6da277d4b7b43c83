"""Log folders of any number of small runs: sweeps of them, with healthy runs and the usual ills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.reader import wire
from tbdiag import synth
from tbdiag.model.series import Floats

POINTS = 60  # evaluations of a run
SWEEP = 1000  # runs of one sweep, which are comparable
NAME = "events.out.tfevents.1700000000.host.1.0"

_STORIES = 40  # files that differ; every run is a copy of one of them
_EVERY = 10  # one run of so many has a file of settings beside it


def write(folder: Path, runs: int) -> int:
    """``runs`` runs below ``folder``, those that are there already left alone; bytes of event files."""
    stories = list(_stories())
    size = 0
    for number in range(runs):
        content = stories[number * 7 % _STORIES]
        size += len(content)
        place = folder / _name(number)
        file = place / NAME
        if file.exists():
            continue
        place.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if number % _EVERY == 0:
            (place / "hparams.yaml").write_text(f"batch_size: {32 << number % 4}\nmodel: small\n")
    return size


def _name(number: int) -> str:
    """The folder of a run, which tells its settings as most sweeps do."""
    sweep, run = divmod(number, SWEEP)
    rate = 10 ** (-5 + 4 * (run // 4) / (SWEEP / 4))
    return f"sweep{sweep:03d}/run{run:04d}_lr={rate:.3g}_wd={run % 7 * 1e-4:.1g}_seed={run % 4}"


def _stories() -> Iterator[bytes]:
    """The event files: three of four healthy, the others overfit, diverge, spike or learn nothing."""
    steps = np.arange(1, POINTS + 1, dtype=np.int64) * 50
    tags = ("loss/train", "loss/val", "accuracy/val", "lr")
    for story in range(_STORIES):
        curves = _curves(story)
        values = np.stack([curves[tag] for tag in tags], axis=1)
        walls = wire.START + np.arange(POINTS)[:, None] * 10.0 + np.zeros((1, len(tags)))
        yield wire.version(wire.TORCH) + wire.scalars(tags, steps, walls, values, tensors=False)


def _curves(story: int) -> Mapping[str, Floats]:
    n, floor = POINTS, 0.4 + 0.005 * story
    train, val = synth.decay(n, 2.3, floor), synth.decay(n, 2.3, floor + 0.1)
    match story % 16:
        case 3:
            val = synth.u_turn(n, 2.3, 0.7, 1.1)
        case 7:
            train = np.where(np.arange(n) > 40, np.nan, train)
        case 11:
            train = train * np.where(np.arange(n) % 20 == 15, 8.0, 1.0)
        case 15:
            train, val = synth.flat(n, 2.3), synth.flat(n, 2.3)
    return {
        "loss/train": synth.noisy(train, 0.01, story),
        "loss/val": synth.noisy(val, 0.01, 100 + story),
        "accuracy/val": np.clip(1 - val / 3 + synth.jitter(n, 0.004, 200 + story), 0, 1),
        "lr": synth.flat(n, 1e-3),
    }
