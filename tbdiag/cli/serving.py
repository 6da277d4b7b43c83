"""Serving TensorBoard until somebody ends it."""

from __future__ import annotations

from pathlib import Path

from tbdiag.api import configured
from tbdiag.api.folders import default_folder
from tbdiag.cli.output import say, warn
from tbdiag.errors import RequestError
from tbdiag.model.place import place


def serve(path: Path | None, host: str, port: int, config: Path | None) -> None:
    """Starts TensorBoard, says where it is, and returns when it is to end; raises RequestError."""
    from tbdiag.tensorboard_tab.board import ended_by_signal, start

    settings = configured(config)  # what is wrong with it is told before anything is started
    logdir = default_folder(settings) if path is None else place(path)
    if not isinstance(logdir, Path):
        raise RequestError(
            f"TensorBoard cannot be started on {logdir}: name a folder of this machine"
        )
    with ended_by_signal() as over:
        board = start(logdir, host, port, config)
        if board.moved:
            warn(f"port {port} is taken; this is port {board.port}")
        if not board.local:
            warn(f"whoever can reach {host} sees these logs, and can start scans of them")
        say(f"TensorBoard with the Diagnosis tab: {board.url}")
        warn("the runs are being diagnosed; Ctrl-C ends TensorBoard")
        over.wait()
