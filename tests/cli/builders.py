"""Builders of log folders, and a call of the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tbdiag import synth
from tbdiag.cli.app import main
from tests.reading.eventfiles import NAME, event, value, write

ROOT = Path(__file__).parents[2]

OVERFITTING: Mapping[str, Sequence[float]] = {
    "loss/train": synth.decay(60, 2.3, 0.05).tolist(),
    "loss/val": synth.u_turn(60, 2.3, 0.7, 1.0).tolist(),
}
HEALTHY: Mapping[str, Sequence[float]] = {
    "loss/train": synth.decay(60, 2.3, 0.5, 14.0).tolist(),
    "loss/val": synth.decay(60, 2.3, 0.6, 14.0).tolist(),
}
# A run of which no rule says anything: losses without any noise look odd to some.
CALM: Mapping[str, Sequence[float]] = {
    tag: (synth.decay(60, 2.3, low, 10.0) * np.exp(synth.jitter(60, 0.03, seed))).tolist()
    for tag, low, seed in (("loss/train", 0.1, 3), ("loss/val", 0.3, 4))
}
DIVERGED: Mapping[str, Sequence[float]] = {"loss/train": [2.0, 1.0, *[float("nan")] * 20]}


def event_dir(
    folder: Path, curves: Mapping[str, Sequence[float]] = OVERFITTING, start: float = 1000.0
) -> Path:
    """A run's folder with one event file: curves of equal length, steps from 1, one a second."""
    length = max((len(values) for values in curves.values()), default=0)
    write(
        folder / NAME,
        *(
            event(
                step + 1,
                *(value(tag, values[step]) for tag, values in curves.items()),
                at=start + step + 1,
            )
            for step in range(length)
        ),
    )
    return folder


def called(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as exit_:
        main([str(word) for word in words])
    code = exit_.value.code
    assert isinstance(code, int)
    out, err = capsys.readouterr()
    return code, out, err


def process(
    *words: object, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """A real call of ``python -m tbdiag``."""
    return subprocess.run(
        [sys.executable, "-m", "tbdiag", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        check=False,
        timeout=60,
    )
