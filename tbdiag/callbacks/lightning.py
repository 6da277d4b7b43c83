"""A callback for Lightning's ``Trainer``."""

from __future__ import annotations

from typing import Any

from lightning.pytorch.callbacks import Callback

from tbdiag.api.settings import Place
from tbdiag.callbacks.alarm import Alarm


class Diagnosis(Callback):
    """Looks at the logs after each epoch, on the process that writes them.

    ``logdir`` is by default where the trainer logs. ``stop_on="error"`` ends a run in which an error came up.
    """

    def __init__(self, logdir: Place | None = None, *, stop_on: str | None = None) -> None:
        super().__init__()
        self._stop_on = stop_on
        self.alarm: Alarm | None = None if logdir is None else Alarm(logdir, stop_on)

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Called by Lightning."""
        if not trainer.is_global_zero:
            return
        if self.alarm is None:
            if trainer.log_dir is None:
                return
            self.alarm = Alarm(trainer.log_dir, self._stop_on)
        for each in trainer.loggers:
            if hasattr(each.experiment, "flush"):
                each.experiment.flush()
        if self.alarm.look():
            trainer.should_stop = True
