"""One overfit run as ten frameworks would have logged it, and who still sees that it overfits."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.diagnosis.answers import Answer
from benchmarks.diagnosis.page import Section, Table
from benchmarks.reader import wire
from tbdiag.model.series import Series

OVERFIT = frozenset({"GEN001", "GEN004", "GEN005"})
_FILE = "events.out.tfevents.1700000000.host.1.0"

Points = Mapping[str, Sequence[tuple[int, float]]]  # tag → (step, value)
Layout = Mapping[str, Points]  # folder below the run → its event file


def layouts(curves: Mapping[str, Series]) -> dict[str, Layout]:
    """Convention → event files of a run with these curves per epoch, at the steps given there.

    ``curves`` holds ``loss/train``, ``loss/val``, ``accuracy/train``, ``accuracy/val``, ``lr``.
    """
    steps = curves["loss/val"].steps
    loss, val = curves["loss/train"].values, curves["loss/val"].values
    accuracy, val_accuracy = curves["accuracy/train"].values, curves["accuracy/val"].values
    rate = np.interp(steps, curves["lr"].steps, curves["lr"].values)

    def epochs(values: object) -> list[tuple[int, float]]:
        return list(enumerate(np.asarray(values, dtype=np.float64).tolist()))

    def at_steps(values: object, every: int = 1) -> list[tuple[int, float]]:
        array = np.asarray(values, dtype=np.float64)
        return [(int(steps[i]), float(array[i])) for i in range(0, len(steps), every)]

    def between(values: object) -> list[tuple[int, float]]:
        """Ten points an epoch, as a loss per batch is logged."""
        dense = np.linspace(steps[0], steps[-1], 10 * len(steps)).round().astype(int)
        noisy = np.interp(dense, steps, np.asarray(values, dtype=np.float64))
        noisy = noisy * np.random.default_rng(0).normal(1, 0.1, len(dense)).clip(0.5)
        return list(dict(zip(dense.tolist(), noisy.tolist(), strict=True)).items())

    seconds = np.full(len(steps), 1.7)
    count = np.arange(len(steps)) + 1.0
    return {
        "Keras": {
            "train": {"epoch_loss": epochs(loss), "epoch_accuracy": epochs(accuracy)},
            "validation": {
                "epoch_loss": epochs(val),
                "epoch_accuracy": epochs(val_accuracy),
                "evaluation_loss_vs_iterations": at_steps(val),
            },
        },
        "Keras 2": {
            "": {
                "loss": epochs(loss),
                "acc": epochs(accuracy),
                "val_loss": epochs(val),
                "val_acc": epochs(val_accuracy),
            }
        },
        "TF Estimator": {
            "": {"loss": between(loss), "global_step/sec": at_steps(seconds)},
            "eval": {"loss": at_steps(val), "accuracy": at_steps(val_accuracy)},
        },
        "Lightning": {
            "": {
                "train_loss_step": between(loss),
                "train_loss_epoch": at_steps(loss),
                "val_loss": at_steps(val),
                "val_acc": at_steps(val_accuracy),
                "epoch": at_steps(count - 1),
                "lr-Adam": at_steps(rate),
                "hp_metric": [(0, -1.0)],
            }
        },
        "Hugging Face": {
            "": {
                "train/loss": at_steps(np.round(loss, 4)),
                "train/learning_rate": at_steps(rate),
                "train/epoch": at_steps(count),
                "eval/loss": at_steps(val),
                "eval/accuracy": at_steps(val_accuracy),
                "eval/runtime": at_steps(seconds),
                "train/train_loss": [(int(steps[-1]), float(loss.mean()))],
            }
        },
        "Ultralytics": {
            "": {
                **{
                    f"{side}/{part}_loss": epochs(share * np.asarray(values))
                    for side, values in (("train", loss), ("val", val))
                    for part, share in (("box", 0.5), ("cls", 0.3), ("dfl", 0.2))
                },
                "metrics/mAP50(B)": epochs(val_accuracy),
                "lr/pg0": epochs(rate),
            }
        },
        "CatBoost": {
            "learn": {"Logloss": epochs(loss)},
            "test": {"Logloss": epochs(val), "AUC": epochs(val_accuracy)},
        },
        "Catalyst": {
            "train_log": {"loss/batch": between(loss), "loss/epoch": epochs(loss)},
            "valid_log": {"loss/epoch": epochs(val), "accuracy/epoch": epochs(val_accuracy)},
        },
        "add_scalars": {
            "": {"lr": at_steps(rate)},  # the writer itself; each curve has a folder of its own
            "Loss_train": {"Loss": epochs(loss)},
            "Loss_val": {"Loss": epochs(val)},
        },
        "by hand": {
            "": {
                "Epoch Loss/Train": epochs(loss),
                "Epoch Loss/Val": epochs(val),
                "Epoch Acc/Val": epochs(val_accuracy),
            }
        },
    }


def write(folder: Path, layout: Layout) -> None:
    """The event files of one run."""
    for name, points in layout.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        events = sorted((step, tag, value) for tag, each in points.items() for step, value in each)
        (place / _FILE).write_bytes(b"".join(_record(*event) for event in events))


def _record(step: int, tag: str, value: float) -> bytes:
    event = wire.head(wire.START + step, step)
    return wire.record(event + wire.summary(tag, wire.plain(struct.pack("<f", value))))


def section(names: Sequence[str], found: Mapping[str, Sequence[Answer]]) -> Section:
    """The part of the page about names; ``found`` holds a tool's answers in order of ``names``."""

    def rows() -> Iterator[tuple[object, ...]]:
        for tool, answers in found.items():
            seen = [bool(OVERFIT & answer.codes) for answer in answers]
            missed = [name for name, hit in zip(names, seen, strict=True) if not hit]
            yield tool, f"{sum(seen)} of {len(seen)}", ", ".join(missed) or "–"

    return Section(
        "One overfit run under ten conventions",
        (
            "The losses and accuracies of `sample_logs/overfitting`, logged with the folders and"
            f" tags of {', '.join(names)}. Every tool was given the folder with the event files;"
            " that it overfits must be among what it says, at any severity.",
            Table.of(("tool", "seen", "not seen with"), rows()),
        ),
    )
