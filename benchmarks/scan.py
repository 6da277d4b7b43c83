"""How long a scan takes: cold, warm, and after a few of many runs grew; reading and rules apart."""

from __future__ import annotations

import os
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

import tbdiag
from tbdiag.config import Config
from tbdiag.reading import runs
from tbdiag.reading.cache import code
from tbdiag.reading.discover import discover

RUNS, POINTS, GROWN = 500, 5000, 10
TAGS = ("loss/train", "loss/val", "accuracy/train", "accuracy/val", "lr")


def record(step: int, tag: str, number: float) -> bytes:
    """One scalar as an event on disk."""
    value = summary_pb2.Summary.Value(tag=tag, simple_value=number)
    event = event_pb2.Event(
        wall_time=1.7e9 + step, step=step, summary=summary_pb2.Summary(value=[value])
    )
    data: bytes = event.SerializeToString()
    length = struct.pack("<Q", len(data))
    sums = [struct.pack("<I", masked_crc32c(each)) for each in (length, data)]
    return length + sums[0] + data + sums[1]


def generate(folder: Path, count: int, points: int) -> None:
    """Runs of noisy decays, of which eight differ."""
    kinds = []
    for seed in range(8):
        dice, records = np.random.default_rng(seed), []
        for step in range(points // len(TAGS)):
            fall = float(np.exp(-step / 200)) + 0.05 * dice.random()
            numbers = (fall, fall + 0.1 * dice.random(), 1 - fall / 2, 1 - fall / 1.9, 1e-3)
            records += [record(step, *each) for each in zip(TAGS, numbers, strict=True)]
        kinds.append(b"".join(records))
    for index in range(count):
        run = folder / f"run{index:03}"
        run.mkdir(parents=True)
        (run / "events.out.tfevents.1700000000.host.1.0").write_bytes(kinds[index % 8])


def timed(label: str, work: Callable[[], object]) -> float:
    """Prints seconds on the clock and of the processor; returns the latter."""
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    cpu = time.process_time() - cpu
    print(f"{label:<28}{time.perf_counter() - clock:9.3f} s{cpu:9.3f} s CPU")
    return cpu


def main() -> None:
    """The table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TBDIAG_CACHE_DIR"] = f"{folder}/cache"
        logs = Path(folder, "logs")
        generate(logs, RUNS, POINTS)

        def scan(cache: bool = True) -> str:
            return tbdiag.scan(logs, config=Config(), cache=cache).to_json()

        tbdiag.scan(logs / "run000", config=Config(), cache=False)  # imports
        code()
        read = timed("reading alone", lambda: list(runs.read_all(discover([logs]))))
        whole = timed("scan, no cache", lambda: scan(cache=False))
        cold = timed("scan, cold", scan)
        warm = timed("scan, warm", scan)
        for index in range(GROWN):
            with next((logs / f"run{index:03}").iterdir()).open("ab") as file:
                file.write(record(POINTS, TAGS[0], 0.5))
        timed(f"scan, {GROWN} of {RUNS} grown", scan)
        print(f"reading is {read / whole:.0%} of a scan; warm is {cold / warm:.1f} times faster")


if __name__ == "__main__":
    main()
