"""CPU seconds of whole processes that read event files: tbdiag beside TensorBoard's accumulator."""

from __future__ import annotations

import argparse
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tbdiag.reading.checksums import masked

ROOT = Path(__file__).parents[1]
READERS = {
    "tbdiag": """
import sys
from pathlib import Path
from tbdiag.reading.records import read
for path in sorted(Path(sys.argv[1]).iterdir()):
    read(path)
""",
    "EventAccumulator": """
import sys
from pathlib import Path
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
for path in sorted(Path(sys.argv[1]).iterdir()):
    EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0}).Reload()
""",
}


def varint(number: int) -> bytes:
    """A number as the wire has it."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(key: int, content: bytes) -> bytes:
    """A field of bytes."""
    return varint(key << 3 | 2) + varint(len(content)) + content


def record(payload: bytes) -> bytes:
    """A TFRecord."""
    length = struct.pack("<Q", len(payload))
    sums = struct.pack("<I", masked(length)), struct.pack("<I", masked(payload))
    return length + sums[0] + payload + sums[1]


def event(index: int, *, tensors: bool) -> bytes:
    """One point of twenty tags, as PyTorch or as TensorFlow 2 writes it."""
    number = struct.pack("<f", random.random())
    value = field(1, f"train/metric_{index % 20}/loss".encode())
    if tensors:
        value += field(8, b"\x08\x01" + field(2, b"") + field(4, number))
        value += field(9, field(1, field(1, b"scalars")))
    else:
        value += b"\x15" + number
    step = b"\x10" + varint(index // 20) if index >= 20 else b""
    return record(
        b"\x09" + struct.pack("<d", 1.7e9 + index / 100) + step + field(5, field(1, value))
    )


def generate(folder: Path, files: int, points: int, *, tensors: bool) -> Path:
    """A folder of so many event files with so many points each."""
    folder.mkdir()
    for number in range(files):
        with (folder / f"events.out.tfevents.{number:05}").open("wb") as file:
            file.writelines(event(index, tensors=tensors) for index in range(points))
    return folder


def cpu(reader: str, folder: Path) -> float:
    """CPU seconds of a process of its own, start-up included, on one core."""
    before = os.times()
    core = min(os.sched_getaffinity(0))
    subprocess.run(
        [sys.executable, "-c", READERS[reader], str(folder)],
        check=True,
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    after = os.times()
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "reader-benchmark.md")
    options = parser.parse_args()
    random.seed(0)
    million, few = int(1e6 * options.scale), max(int(500 * options.scale), 1)
    lines = [
        "# Reading: CPU seconds",
        "",
        f"Written by `python benchmarks/reader.py --scale {options.scale}`: whole processes on one core,"
        f" the median of {options.rounds} rounds.",
        "",
        "| workload | " + " | ".join(READERS) + " | ratio |",
        "|---|" + "---|" * (len(READERS) + 1),
    ]
    with tempfile.TemporaryDirectory() as name:
        workloads = {
            f"{million:,} `simple_value`, one file": (1, million, False),
            f"{million:,} TF2 tensors, one file": (1, million, True),
            f"{few} files of 5,000 scalars": (few, 5000, False),
        }
        for number, (title, (files, points, tensors)) in enumerate(workloads.items()):
            folder = generate(Path(name, str(number)), files, points, tensors=tensors)
            spent = {
                reader: statistics.median(cpu(reader, folder) for _ in range(options.rounds))
                for reader in READERS
            }
            ratio = spent["EventAccumulator"] / spent["tbdiag"]
            cells = " | ".join(f"{seconds:.2f}" for seconds in spent.values())
            lines.append(f"| {title} | {cells} | {ratio:.0f}× |")
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
