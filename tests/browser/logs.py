"""Log folders for the tests in the browser."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tbdiag import synth
from tests.cli.builders import DIVERGED, HEALTHY, OVERFITTING, event_dir
from tests.reading.eventfiles import NAME, event, write

EVIL = "<img src=x onerror=alert(1)>"


def few(folder: Path) -> Path:
    """Three runs: one overfitting, one that went NaN, one healthy."""
    event_dir(folder / "over", OVERFITTING)
    event_dir(folder / "nan", DIVERGED)
    event_dir(folder / "fine", HEALTHY)
    return folder


def many(folder: Path, runs: int) -> Path:
    """So many runs of 60 steps in sub-folders by learning rate; every third one overfits."""
    for number in range(runs):
        curves = OVERFITTING if number % 3 == 0 else HEALTHY
        event_dir(folder / f"lr=1e-{number % 5 + 1}" / f"run-{number:05d}", curves)
    return folder


def long(folder: Path, points: int) -> Path:
    """One run of many points under one tag; a lone NaN at a third, a lone spike at two thirds."""
    values = synth.decay(points, 2.3, 0.5, points / 10).astype(np.float32)
    values += np.random.default_rng(0).normal(0, 0.01, points).astype(np.float32)
    values[points // 3], values[2 * points // 3] = np.nan, 99.0
    _fast(folder / "long" / NAME, "loss/train", values)
    return folder


def hostile(folder: Path) -> Path:
    """A run whose name is markup, with tags and settings that are no better."""
    rtl, quote = "\u202eright to left", "'\"`;</script>"
    curves = {
        "loss/train": synth.decay(60, 2.3, 0.05).tolist(),
        "loss/val": synth.u_turn(60, 2.3, 0.7, 1.0).tolist(),
        f"a {EVIL} tag": [1.0] * 60,
        f"b {rtl}": [1.0] * 60,
        f"c {quote}\nnewline": [float("nan")] * 60,
    }
    event_dir(folder / EVIL.replace("/", ""), curves)
    event_dir(folder / f"x{rtl}", HEALTHY)
    return folder


def nothing_to_see(folder: Path) -> Path:
    """An event file without a single scalar."""
    write(folder / "run" / NAME, event(1))
    return folder


def healthy(folder: Path) -> Path:
    """One run with which nothing is wrong."""
    curves = {
        tag: synth.noisy(synth.decay(60, 2.3, low, 10.0), 0.01).tolist()
        for tag, low in (("loss/train", 0.5), ("loss/val", 0.6))
    }
    event_dir(folder / "fine", curves)
    return folder


def _fast(path: Path, tag: str, values: Sequence[float] | np.ndarray) -> None:
    """A file of one curve, framed without a call for each byte."""
    from crc32c import crc32c

    def masked(data: bytes) -> bytes:
        crc = crc32c(data)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    name = tag.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for step, each in enumerate(values):
            body = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", each)
            inner = b"\x0a" + bytes([len(body)]) + body
            number, rest = bytearray(), step
            while rest > 127:
                number.append(rest & 127 | 128)
                rest >>= 7
            number.append(rest)
            payload = (
                b"\x09"
                + struct.pack("<d", 1.7e9 + step * 0.1)
                + (b"\x10" + bytes(number) if step else b"")
                + b"\x2a"
                + bytes([len(inner)])
                + inner
            )
            head = struct.pack("<Q", len(payload))
            file.write(head + masked(head) + payload + masked(payload))
