"""A callback for Keras' ``fit``."""

from __future__ import annotations

from typing import Any

from keras.callbacks import Callback

from tbdiag.api.settings import Place
from tbdiag.callbacks.alarm import Alarm


class Diagnosis(Callback):
    """Looks at the logs after each epoch; stands behind Keras' ``TensorBoard`` in the list of callbacks.

    ``logdir`` is that of ``TensorBoard``. ``stop_on="error"`` ends a run in which an error came up.
    """

    def __init__(self, logdir: Place, *, stop_on: str | None = None) -> None:
        super().__init__()
        self.alarm = Alarm(logdir, stop_on)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Called by Keras."""
        if self.alarm.look():
            self.model.stop_training = True
