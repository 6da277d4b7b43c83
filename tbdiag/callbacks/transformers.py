"""A callback for the ``Trainer`` of Hugging Face."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from tbdiag.api.settings import Place
from tbdiag.callbacks.alarm import Alarm


class Diagnosis(TrainerCallback):
    """Looks at the logs whenever the trainer evaluates or an epoch ends, on the process that writes them.

    ``logdir`` is by default the trainer's ``logging_dir``, else its ``output_dir``. ``stop_on="error"``
    ends a run in which an error came up.
    """

    def __init__(self, logdir: Place | None = None, *, stop_on: str | None = None) -> None:
        super().__init__()
        self._stop_on = stop_on
        self.alarm: Alarm | None = None if logdir is None else Alarm(logdir, stop_on)

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by the trainer."""
        self._look(args, state, control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by the trainer."""
        self._look(args, state, control)

    def _look(self, args: Any, state: Any, control: Any) -> None:
        if not state.is_world_process_zero:
            return
        if self.alarm is None:
            logdir = getattr(args, "logging_dir", None) or args.output_dir
            self.alarm = Alarm(logdir, self._stop_on)
        if self.alarm.look():
            control.should_training_stop = True
