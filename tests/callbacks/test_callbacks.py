"""Callbacks within trainings: stand-ins for the frameworks, and Keras itself where it is installed."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tbdiag.callbacks.alarm import Alarm
from tbdiag.errors import RequestError
from tests.cli.builders import DIVERGED, event_dir

BASES = {
    "keras": ("keras.callbacks", "Callback"),
    "lightning": ("lightning.pytorch.callbacks", "Callback"),
    "transformers": ("transformers", "TrainerCallback"),
}


@pytest.fixture(params=BASES)
def diagnosis(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """(framework, its callback), made of a stand-in for the framework's own base class."""
    path, base = BASES[request.param]
    whole = ""
    for part in path.split("."):
        whole = f"{whole}.{part}" if whole else part
        monkeypatch.setitem(sys.modules, whole, ModuleType(whole))
    setattr(sys.modules[path], base, type(base, (), {}))
    name = f"tbdiag.callbacks.{request.param}"
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield request.param, importlib.import_module(name).Diagnosis
    sys.modules.pop(name, None)


def after_an_epoch(framework: str, callback: Any, logdir: Path, *, first: bool = True) -> bool:
    """Calls the callback as the framework does; whether it ended the run."""
    if framework == "keras":
        callback.model = SimpleNamespace(stop_training=False)
        callback.on_epoch_end(0, {})
        return bool(callback.model.stop_training)
    if framework == "lightning":
        flushed: list[bool] = []
        writer = SimpleNamespace(flush=lambda: flushed.append(True))
        trainer = SimpleNamespace(
            is_global_zero=first,
            log_dir=str(logdir),
            loggers=[SimpleNamespace(experiment=writer), SimpleNamespace(experiment=None)],
            should_stop=False,
        )
        callback.on_train_epoch_end(trainer, None)
        assert flushed == [True] * first
        return trainer.should_stop
    control = SimpleNamespace(should_training_stop=False)
    args, state = SimpleNamespace(logging_dir=str(logdir)), SimpleNamespace()
    state.is_world_process_zero = first
    callback.on_evaluate(args, state, control)
    callback.on_epoch_end(args, state, control)
    return control.should_training_stop


def test_a_run_that_broke_is_ended_only_where_that_was_asked(
    diagnosis: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    framework, made = diagnosis
    event_dir(tmp_path, DIVERGED)
    assert not after_an_epoch(framework, made(tmp_path), tmp_path)
    assert "NUM001" in caplog.text
    assert after_an_epoch(framework, made(tmp_path, stop_on="error"), tmp_path)


def test_the_folder_is_that_of_the_trainer_and_one_process_looks(
    diagnosis: Any, tmp_path: Path
) -> None:
    framework, made = diagnosis
    if framework == "keras":
        pytest.skip("Keras does not tell where TensorBoard logs")
    event_dir(tmp_path, DIVERGED)
    assert not after_an_epoch(framework, made(stop_on="error"), tmp_path, first=False)
    assert after_an_epoch(framework, made(stop_on="error"), tmp_path)


def test_what_goes_wrong_while_looking_ends_no_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tbdiag.toml").write_text("nonsense = 1\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    event_dir(tmp_path / "a", DIVERGED)
    alarm = Alarm(tmp_path, "error")
    with caplog.at_level(logging.WARNING, logger="tbdiag"):
        assert not alarm.look()
        assert not alarm.look()
    assert caplog.text.count("cannot watch this run") == 1


def test_a_severity_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match='"fatal"; choose among error, warning, note, or None'):
        Alarm(tmp_path, "fatal")


@pytest.mark.slow
def test_keras_itself_ends_a_run_that_diverges(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    import numpy as np

    from tbdiag.callbacks.keras import Diagnosis

    random = np.random.default_rng(0)
    x = random.normal(size=(256, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(1e9), loss="mse")
    board, watch = keras.callbacks.TensorBoard(tmp_path), Diagnosis(tmp_path, stop_on="error")
    history = model.fit(
        x, x[:, 0] * 2, validation_split=0.25, epochs=60, callbacks=[board, watch], verbose=0
    )
    assert len(history.history["loss"]) < 60
    assert watch.alarm.alerts


@pytest.mark.slow
def test_lightning_itself_ends_a_run_that_diverges(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning")
    import torch

    from tbdiag.callbacks.lightning import Diagnosis

    class Line(lightning.LightningModule):  # type: ignore[misc,name-defined]  # without types
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def training_step(self, batch: Any, _: int) -> Any:
            x, y = batch
            loss = ((self.layer(x)[:, 0] - y) ** 2).mean()
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 1e8)

    x = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x[:, 0]), 32)
    watch = Diagnosis(stop_on="error")
    trainer = lightning.Trainer(
        max_epochs=40,
        logger=lightning.pytorch.loggers.TensorBoardLogger(tmp_path),
        callbacks=[watch],
        enable_progress_bar=False,
        accelerator="cpu",
        log_every_n_steps=1,
    )
    trainer.fit(Line(), batches)
    assert trainer.current_epoch < 40
    assert watch.alarm is not None
    assert watch.alarm.alerts


@pytest.mark.slow
def test_the_trainer_of_hugging_face_itself_ends_a_run_that_diverges(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    import torch

    from tbdiag.callbacks.transformers import Diagnosis

    class Line(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def forward(self, x: Any, labels: Any) -> Any:
            return {"loss": ((self.layer(x)[:, 0] - labels) ** 2).mean()}

    samples = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    watch = Diagnosis(stop_on="error")
    settings = transformers.TrainingArguments(
        str(tmp_path),
        num_train_epochs=40,
        learning_rate=1e8,
        optim="sgd",
        max_grad_norm=0,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to=["tensorboard"],
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
    )
    data = [{"x": each, "labels": each[0]} for each in samples]
    trainer = transformers.Trainer(Line(), settings, train_dataset=data, callbacks=[watch])
    trainer.train()
    assert trainer.state.epoch < 40
    assert watch.alarm is not None
    assert watch.alarm.alerts
