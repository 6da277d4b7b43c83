"""TensorBoard with the tab open, in this process: on one port of this machine, ended by a signal."""

from __future__ import annotations

import errno
import io
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tbdiag.errors import NoRunsError, RequestError

PORT = 6006  # TensorBoard's own
_NEXT = 20  # ports after the wanted one that are tried before any free one is taken
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A TensorBoard that answers: ``url`` opens the tab.

    ``moved`` is true where the wanted port was taken, ``local`` where only this machine reaches it.
    """

    url: str
    port: int
    moved: bool
    local: bool


def start(logdir: Path, host: str, port: int, config: Path | None = None) -> Board:
    """Starts TensorBoard on ``logdir`` in a thread, and the scan of its runs in another.

    Raises NoRunsError where there is no such folder, RequestError where TensorBoard cannot be started.
    """
    if not logdir.exists():
        raise NoRunsError(f"{logdir} does not exist")
    if not logdir.is_dir():
        raise NoRunsError(f"{logdir} is a file: name the folder that holds the event files")
    taken = port if _is_free(host, port) else _another(host, port)
    said = io.StringIO()  # notes on how it loads; of interest only where it does not start
    with redirect_stderr(said):
        url = _launch(logdir, host, taken, config, said)
    return Board(
        url=f"{url.rstrip('/')}/#tbdiag",
        port=taken,
        moved=taken != port,
        local=host in _LOCAL,
    )


def _launch(logdir: Path, host: str, port: int, config: Path | None, said: io.StringIO) -> str:
    try:
        from tensorboard import default, program

        from tbdiag.tensorboard_tab.loader import DiagnosisLoader
    except ImportError as error:
        raise RequestError(
            f"TensorBoard cannot be loaded ({error}): pip install --upgrade tensorboard"
        ) from None
    try:
        others = [each for each in default.get_dynamic_plugins() if each is not DiagnosisLoader]
        plugins = [
            *default.get_static_plugins(),
            *others,
            DiagnosisLoader(scan=True, config=config),
        ]
        host_program = program.TensorBoard(plugins=plugins)
        host_program.configure(logdir=str(logdir), host=host, port=port)
        url: str = host_program.launch()
    except program.TensorBoardServerException as error:
        raise RequestError(f"TensorBoard cannot be started: {_sentence(error)}") from None
    except (ImportError, SystemExit) as error:  # another plugin is broken
        told = " ".join(said.getvalue().split()[-60:])
        raise RequestError(f"TensorBoard cannot be started: {error} {told}".rstrip()) from None
    return url


@contextmanager
def ended_by_signal() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C or when the process is asked to end."""
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        over.set()

    before: dict[int, Any] = {}
    for each in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError):  # not in the main thread
            before[each] = signal.signal(each, end)
    try:
        yield over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        if os.name == "posix":  # a port whose last user has just gone
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or not _is_taken(error):
                raise RequestError(
                    f"{host} port {port} cannot be used: {error.strerror or error}"
                ) from None
            return False
        return True


def _another(host: str, port: int) -> int:
    for each in range(port + 1, min(port + _NEXT, 65536)):
        if _is_free(host, each):
            return each
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


def _is_taken(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE


def _sentence(error: Any) -> str:
    return " ".join(str(getattr(error, "msg", error)).split())
