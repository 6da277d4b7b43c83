"""Remake the runs in sample_logs/ with examples/digits/train.py, the same bytes every time.

python tools/samples.py                 # all of them
python tools/samples.py nan resumed     # some
python tools/samples.py --check         # compare with what is there, write nothing
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
from tensorboardX.summary import hparams
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_logs"
TRAINER = ROOT / "examples" / "digits"

STARTED = 1_700_000_000  # wall time of the first event of every story
PAUSE = 3_600  # seconds between a pre-empted process and the one that resumes it

# Story -> the arguments of the trainer.
STORIES = {
    "healthy-adam": (
        "--optimizer adam --lr 3e-3 --scheduler cosine --warmup 0.05 --weight-decay 1e-3"
        " --hidden 64"
    ),
    "healthy-cosine": (
        "--optimizer momentum --lr 0.05 --scheduler cosine --weight-decay 5e-4 --hidden 32"
    ),
    "healthy-dropout": (
        "--optimizer adamw --lr 0.01 --scheduler onecycle --weight-decay 0.1 --dropout 0.3"
        " --hidden 64"
    ),
    "healthy-step": (
        "--optimizer momentum --lr 0.05 --scheduler step --weight-decay 1e-3 --hidden 32"
    ),
    "overfitting": (
        "--optimizer adam --lr 1e-3 --train-size 150 --label-noise 0.1 --hidden 128,128"
        " --batch-size 32 --epochs 120"
    ),
    "underfitting": (
        "--optimizer adam --lr 0.03 --scheduler step --hidden 1 --activation tanh"
        " --weight-decay 3e-3 --epochs 60"
    ),
    "over-regularized": (
        "--optimizer momentum --lr 0.05 --scheduler cosine --dropout 0.7 --weight-decay 0.02"
        " --init xavier"
    ),
    "rate-too-high-diverging": "--optimizer adam --lr 3 --activation tanh --init xavier",
    "rate-too-high-bouncing": (
        "--optimizer adam --lr 0.12 --activation tanh --init xavier --warmup 0.03"
        " --weight-decay 0.01 --epochs 60 --seed 8"
    ),
    "rate-too-low": "--optimizer sgd --lr 4e-3 --hidden 32 --epochs 60",
    "plateau-constant-rate": (
        "--optimizer sgd --lr 0.3 --batch-size 16 --label-noise 0.15 --weight-decay 0.01"
        " --hidden 32 --epochs 60 --log-every 4"
    ),
    "nan": "--optimizer sgd --lr 2 --warmup 0.5 --hidden 256,256,256,256 --epochs 30",
    "symmetric-init": "--optimizer sgd --lr 0.01 --init constant --hidden 64",
    "badly-scaled-init": (
        "--optimizer adam --lr 0.01 --scheduler cosine --init-scale 4 --weight-decay 1e-3"
        " --hidden 64 --epochs 50"
    ),
    "tiny-validation": (
        "--optimizer momentum --lr 0.05 --scheduler cosine --weight-decay 2e-3 --hidden 32"
        " --val-size 40"
    ),
    "imbalanced-validation": (
        "--optimizer sgd --lr 0.03 --scheduler cosine --imbalance 0.03 --hidden 16 --val-size 600"
    ),
    "no-validation": (
        "--optimizer momentum --lr 0.05 --scheduler cosine --weight-decay 5e-4 --hidden 32"
        " --val-size 0"
    ),
    "resumed": "--optimizer momentum --lr 0.05 --scheduler cosine --weight-decay 5e-4 --hidden 32",
    "damaged-log": "--optimizer adam --lr 3e-3 --scheduler cosine --weight-decay 1e-3 --hidden 32",
    "truncated": "--optimizer adam --lr 3e-3 --scheduler cosine --weight-decay 1e-3 --hidden 32",
}

# Story -> the step at which its first process is killed; a second one resumes from a checkpoint.
PREEMPTED = {"resumed": 470}


class Clock:
    """A clock that advances by a fixed amount for each reading by the main thread.

    The event writer's own thread reads it at unpredictable moments, so that it may not move it.
    """

    def __init__(self, now: float, tick: float = 0.05) -> None:
        self.now, self.tick = now, tick

    def __call__(self) -> float:
        if threading.current_thread() is threading.main_thread():
            self.now += self.tick
        return self.now


def stable_hparams(*args, **kwargs):  # type: ignore[no-untyped-def]  # tensorboardX is untyped
    """tensorboardX's hyperparameter summaries with the entries of their map in a fixed order."""
    summaries = hparams(*args, **kwargs)
    for summary in summaries:
        data = summary.value[0].metadata.plugin_data
        data.content = HParamsPluginData.FromString(data.content).SerializeToString(
            deterministic=True
        )
    return summaries


def processes(name: str, scratch: Path) -> Iterator[tuple[str, ...]]:
    """The further arguments of each process of a story."""
    if name not in PREEMPTED:
        yield ()
        return
    checkpoint = ("--checkpoint", str(scratch / "state.npz"))
    yield (*checkpoint, "--stop-at-step", str(PREEMPTED[name]))
    yield (*checkpoint, "--resume")


def run_story(name: str, logdir: Path) -> None:
    """Write the event files of one story into the folder `logdir`."""
    if str(TRAINER) not in sys.path:
        sys.path.insert(0, str(TRAINER))
    train = importlib.import_module("train").main
    clock = Clock(STARTED)
    with tempfile.TemporaryDirectory() as scratch:
        for more in processes(name, Path(scratch)):
            with (
                threadpool_limits(1),
                mock.patch("time.time", clock),
                mock.patch("train.hparams", stable_hparams),
                mock.patch("socket.gethostname", return_value="digits"),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                train([*STORIES[name].split(), *more, "--logdir", str(logdir)])
            clock.now += PAUSE
    if name in DAMAGE:
        (path,) = event_files(logdir)
        path.write_bytes(DAMAGE[name](path.read_bytes()))


def flip_bytes(data: bytes) -> bytes:
    """Four bytes inverted two thirds through: a record whose checksum is wrong."""
    at = 2 * len(data) // 3
    return data[:at] + bytes(b ^ 0xFF for b in data[at : at + 4]) + data[at + 4 :]


def cut_short(data: bytes) -> bytes:
    """The first three fifths, which end within a record."""
    return data[: 3 * len(data) // 5]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {"damaged-log": flip_bytes, "truncated": cut_short}


def event_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("events.out.tfevents.*"))


def differences(made: Path, kept: Path) -> Iterator[str]:
    """One sentence for each event file that is missing, superfluous or different in `kept`."""
    names = {path.name for path in (*event_files(made), *event_files(kept))}
    for name in sorted(names):
        new, old = made / name, kept / name
        if not old.exists():
            yield f"{kept.name}/{name} is missing"
        elif not new.exists():
            yield f"{kept.name}/{name} is no longer made"
        elif new.read_bytes() != old.read_bytes():
            yield f"{kept.name}/{name} differs from what the trainer writes now"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="stories, by default all")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args(argv)
    unknown = sorted(set(args.names) - set(STORIES))
    if unknown:
        parser.error(f"no story named {', '.join(unknown)}; there are {', '.join(STORIES)}")

    found: list[str] = []
    for name in args.names or STORIES:
        with tempfile.TemporaryDirectory() as folder:
            made, kept = Path(folder), SAMPLES / name
            run_story(name, made)
            if args.check:
                found += differences(made, kept)
                continue
            kept.mkdir(parents=True, exist_ok=True)
            for path in event_files(kept):
                path.unlink()
            for path in event_files(made):
                (kept / path.name).write_bytes(path.read_bytes())
            print(f"{name}: {sum(p.stat().st_size for p in event_files(kept))} bytes")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
