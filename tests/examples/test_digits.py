"""The example trainer logs what it promises, and the sample runs are what it makes."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the example trainer needs the extra `demo`")
pytest.importorskip("tensorboardX", reason="the example trainer needs the extra `demo`")

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_logs"
STORIES = sorted(path.parent.name for path in SAMPLES.glob("*/expect.toml"))

Curve = tuple[list[int], list[float]]


def trained(*arguments: str | Path, cwd: Path) -> str:
    """What the trainer prints, called as users call it but from another folder."""
    script = ROOT / "examples" / "digits" / "train.py"
    done = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def scalars(folder: Path) -> dict[str, Curve]:
    """Every scalar of the folder in the order of its files, nothing purged."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    curves: dict[str, Curve] = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    steps, values = curves.setdefault(value.tag, ([], []))
                    steps.append(event.step)
                    values.append(value.simple_value)
    return curves


def samples_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("samples", ROOT / "tools" / "samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_help_names_every_knob(tmp_path: Path) -> None:
    shown = trained("--help", cwd=tmp_path)
    for flag in ("--lr", "--weight-decay", "--scheduler", "--dropout", "--epochs", "--logdir"):
        assert flag in shown


def test_a_run_writes_the_promised_tags(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trained("--epochs", "2", "--hidden", "16,8", "--logdir", "run", cwd=tmp_path)
    events = EventAccumulator(str(tmp_path / "run"), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()
    per_epoch = {"epoch", "loss/train", "loss/val", "accuracy/train", "accuracy/val"}
    per_step = {"batch/loss", "lr", "grad_norm"}
    assert set(tags["scalars"]) == per_epoch | per_step
    assert {len(events.Scalars(tag)) for tag in per_epoch} == {2}
    assert {len(events.Scalars(tag)) for tag in per_step} == {32}
    assert [event.step for event in events.Scalars("loss/val")] == [16, 32]
    assert set(tags["histograms"]) == (
        {f"{what}/layer{n}" for what in ("weights", "biases", "gradients") for n in (1, 2, 3)}
        | {"activations/layer1", "activations/layer2"}
    )


def test_without_validation_nothing_is_said_about_it(tmp_path: Path) -> None:
    trained("--epochs", "1", "--val-size", "0", "--logdir", tmp_path, cwd=tmp_path)
    assert not [tag for tag in scalars(tmp_path) if tag.endswith("/val")]


def test_a_resumed_run_repeats_steps_in_a_second_file(tmp_path: Path) -> None:
    common = ("--epochs", "12", "--train-size", "128", "--checkpoint", "state.npz")
    trained(*common, "--logdir", "run", "--stop-at-step", "23", cwd=tmp_path)
    (tmp_path / "run").rename(tmp_path / "first")
    trained(*common, "--logdir", "run", "--resume", cwd=tmp_path)
    assert scalars(tmp_path / "first")["batch/loss"][0] == list(range(23))
    assert scalars(tmp_path / "run")["batch/loss"][0] == list(range(20, 24))


def test_the_resumed_sample_overlaps() -> None:
    steps, _ = scalars(SAMPLES / "resumed")["batch/loss"]
    assert len(list((SAMPLES / "resumed").glob("events.*"))) == 2
    assert steps == [*range(470), *range(320, 640)]


def test_the_nan_sample_goes_nan_at_one_step_and_stays_so() -> None:
    steps, values = scalars(SAMPLES / "nan")["batch/loss"]
    first = next(i for i, value in enumerate(values) if not math.isfinite(value))
    assert steps[first] == 94
    assert min(values[:first]) < values[0] / 2
    assert not any(math.isfinite(value) for value in values[first:])
    assert math.isnan(values[-1])


def test_a_sample_knows_every_knob_of_the_retraining_command() -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    settings = tomllib.loads((SAMPLES / "tbdiag.toml").read_text())
    command = settings["train"]["command"].split()
    events = EventAccumulator(str(SAMPLES / "overfitting"))
    events.Reload()
    content = events.PluginTagToContent("hparams")["_hparams_/session_start_info"]
    logged = HParamsPluginData.FromString(content).session_start_info.hparams
    for name in settings["space"]:
        assert name in logged
        assert command[command.index(f"--{name.replace('_', '-')}") + 1] == f"{{{name}}}"
    assert logged["label_noise"].number_value == 0.1


@pytest.mark.parametrize("story", STORIES)
def test_expectations_are_disjoint(story: str) -> None:
    expected = tomllib.loads((SAMPLES / story / "expect.toml").read_text())
    assert expected["story"].endswith(".")
    codes = [*expected["must"], *expected["must_not"], *expected["may"]]
    assert len(codes) == len(set(codes))


def test_every_story_is_made_by_the_tool() -> None:
    assert sorted(samples_tool().STORIES) == STORIES


def test_samples_are_small() -> None:
    files = [path for path in SAMPLES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6_000_000


def test_a_story_is_remade_as_it_was_committed(tmp_path: Path) -> None:
    samples_tool().run_story("healthy-cosine", tmp_path)
    committed = SAMPLES / "healthy-cosine"
    (name,) = (path.name for path in committed.glob("events.*"))
    if (tmp_path / name).read_bytes() == (committed / name).read_bytes():
        return
    # Another machine's linear algebra rounds differently.
    made, kept = scalars(tmp_path), scalars(committed)
    assert made.keys() == kept.keys()
    for tag, (steps, values) in kept.items():
        assert made[tag][0] == steps
        np.testing.assert_allclose(made[tag][1], values, rtol=1e-3, atol=1e-3)
