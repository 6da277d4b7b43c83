"""A run on the node of a cluster that it was sent to, watched by the same supervisor as local ones.

It is sent there as text where the scheduler can, so it needs the standard library alone: nodes need what
the training needs and nothing of tbdiag's.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tbdiag.errors import LaunchError
from tbdiag.launch.program import program

Task = Mapping[str, Any]  # what `task` of `tbdiag.launch.handed` makes of a job
Page = dict[str, Any]  # what stands in a run's record

RECORD, STOP, HANDED = ".run", ".stop", ".job"  # beside the output

_PAUSE = 0.1
_BIRTH = 60.0  # seconds within which a supervisor has said its first words
_KEPT = 86_400.0  # seconds for which the end of a run is kept that nobody fetched
_LINGER = 60.0  # seconds where the end stands on a disk that others see
_LARGE = 1 << 20  # bytes of a file that is brought back and no event file
_MOST = 8 << 20  # bytes that are brought back at a time


class Node:
    """The run of a task, begun with it; all else may be asked from any thread.

    ``supervisor`` is the text of `tbdiag.launch.supervise`. ``handle`` is what the scheduler calls it.
    With ``alone`` the process ends some time after the run, for then nobody else ends it.
    """

    def __init__(
        self, task: Task, supervisor: str, handle: str = "", *, alone: bool = False
    ) -> None:
        self.task, self.supervisor, self.handle = task, supervisor, handle
        self.output: str = task["output"]
        self.shared = _text(self.output + HANDED).find(task["token"]) >= 0
        self.page: Page | None = None
        self._kill_at: float | None = None
        self._asked = False
        self._thread = threading.Thread(target=self._to_the_end, args=(alone,), daemon=True)
        self._thread.start()

    def wait(self) -> Page:
        """How it ended, once it has."""
        while self._thread.is_alive() and self.page is None:
            self._thread.join(_PAUSE)
        assert self.page is not None
        return self.page

    def stop(self, grace: float) -> None:
        """Asks the run to end, and ends it ``grace`` seconds later."""
        self._kill_at = time.monotonic() + grace

    def status(self, known: Mapping[str, int]) -> tuple[Page | None, dict[str, bytes], bool]:
        """How it ended, None while it has not; what it wrote since; whether more is to be fetched.

        ``known`` maps the files that were brought back to their sizes. On a disk that others see
        nothing needs to be.
        """
        page = self.page
        if self.shared:
            return page, {}, False
        found, more = changes(self.task["logdir"], self.output, known)
        return page, found, more

    def _to_the_end(self, alone: bool) -> None:
        try:
            self.page = self._run()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is how the run ended
            self.page = self._failed(f"{type(error).__name__}: {error}")
        if alone:
            time.sleep(_LINGER if self.shared else _KEPT)
            os._exit(0)

    def _run(self) -> Page:
        task, path = self.task, self.output + RECORD
        cwd: str = task["cwd"]
        if not os.path.isdir(cwd):  # noqa: PTH112 - sent as text, with little else
            if not task["anywhere"]:
                return self._failed(f"there is no folder {cwd} on {socket.gethostname()}")
            cwd = os.getcwd()  # noqa: PTH109 - the folder that the scheduler brought here
        environment = {**os.environ, **task["env"]}
        environment.setdefault("PYTHONUNBUFFERED", "1")
        try:
            first = program(task["argv"][0], _path(cwd), environment)
        except LaunchError as error:
            return self._failed(str(error))
        os.makedirs(os.path.dirname(self.output), exist_ok=True)  # noqa: PTH103, PTH120
        facts: dict[str, Any] = {
            "id": task["id"],
            "slot": 0,
            "handle": self.handle,
            "tethered": True,
        }
        facts["worker"] = os.getpid()
        claimed, answer = os.pipe()
        words = [sys.executable, "-I", "-S", "-c", self.supervisor, path, json.dumps(facts)]
        words += [task["limit"], repr(float(task["grace"])), str(answer), first, *task["argv"][1:]]
        try:
            with open(self.output, "ab") as output:  # noqa: PTH123
                process = subprocess.Popen(
                    words,
                    cwd=cwd,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(answer,),
                )
        finally:
            os.close(answer)
        return self._watched(process, claimed)

    def _watched(self, process: subprocess.Popen[bytes], claimed: int) -> Page:
        """Lets the run begin, holds the string by which it hangs, and hands on what is asked of it."""
        assert process.stdin is not None
        process.wait()  # the supervisor goes on as nobody's child
        try:
            ready, _, _ = select.select([claimed], [], [], _BIRTH)
            if not ready or os.read(claimed, 1) != b".":
                process.stdin.close()
                return self._unbegun()
            process.stdin.write(b".")
            process.stdin.flush()
            supervisor = int((_page(self.output + RECORD) or {})["supervisor"][0])
            while not select.select([claimed], [], [], _PAUSE)[0]:
                self._heed(supervisor)
        finally:
            process.stdin.close()
            os.close(claimed)
        page = _page(self.output + RECORD)
        if page is None or page.get("how") is None:
            _sweep(page)
            note = "its supervisor was lost, or could not write down how it ended"
            return {**(page or {}), "how": "lost", "code": None, "note": note}
        return page

    def _unbegun(self) -> Page:
        """The page of a run that was not begun: it was before, or it could not be watched."""
        if _page(self.output + RECORD) is not None:
            return {"how": "lost", "code": None, "note": "it was started before"}
        last = _text(self.output).strip().rpartition("\n")[2]
        return self._failed(f"it cannot be watched{f': {last}' if last else ''}")

    def _heed(self, supervisor: int) -> None:
        """Hands on that the run is to end."""
        if self._kill_at is None and (wanted := _text(self.output + STOP)).endswith("\n"):
            self.stop(float(wanted))
        if self._kill_at is None:
            return
        with suppress(ProcessLookupError):
            if not self._asked:
                os.kill(supervisor, signal.SIGTERM)
                self._asked = True
            if time.monotonic() >= self._kill_at:
                os.kill(supervisor, signal.SIGUSR1)

    def _failed(self, note: str) -> Page:
        """The page of a run that could not be started, on the disk where others see it."""
        now = time.time()
        page: Page = {"host": socket.gethostname(), "boot": "", "slot": 0, "supervisor": [0, None]}
        page |= {"started": now, "child": None, "how": "exited", "code": 127, "ended": now}
        page["note"] = note
        if self.shared:
            with suppress(OSError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                file = os.open(self.output + RECORD, flags, 0o666)
                os.write(file, json.dumps(page).encode("ascii") + b"\n")
                os.close(file)
        return page


def changes(logdir: str, output: str, known: Mapping[str, int]) -> tuple[dict[str, bytes], bool]:
    """What a run wrote beyond what is ``known``, and whether there is more than is brought at a time.

    Names are relative to the log folder, "" is the output. Event files and the output only grow, so
    their ends are brought; other files are brought whole where they are small and their size changed.
    """
    room = _MOST
    found: dict[str, bytes] = {}
    for name, path in [("", output), *_files(logdir)]:
        with suppress(OSError):
            size, before = os.path.getsize(path), known.get(name, 0)  # noqa: PTH202
            grows = name == "" or "tfevents" in name
            if size == before or (not grows and size > _LARGE):
                continue
            if room <= 0:
                return found, True
            with open(path, "rb") as file:  # noqa: PTH123
                file.seek(before if grows else 0)
                found[name] = file.read(room if grows else -1)
                room -= len(found[name])
    return found, room <= 0


def _files(folder: str) -> list[tuple[str, str]]:
    return [
        (os.path.relpath(os.path.join(inside, name), folder), os.path.join(inside, name))  # noqa: PTH118
        for inside, _, names in os.walk(folder)
        for name in sorted(names)
    ]


def _sweep(page: Page | None) -> None:
    """Ends what a run has left whose supervisor was killed."""
    with suppress(OSError, KeyError, TypeError):
        child = int((page or {})["child"][0])
        if os.getsid(child) == child:  # as it was started
            os.killpg(child, signal.SIGKILL)


def _path(text: str) -> Any:
    from pathlib import Path

    return Path(text)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _page(path: str) -> Page | None:
    try:
        page = json.loads(_text(path))
    except ValueError:
        return None
    return page if isinstance(page, dict) else None


def attend(task: Task, supervisor: str) -> Page:
    """A run from its start to its end, in the process of a scheduler's job.

    Where the scheduler asks that process to end, the run is asked to. It is begun once, however often
    the scheduler begins the job.
    """
    names = ("SLURM_JOB_ID", "SUBMITIT_LOCAL_JOB_ID")
    handle = next((os.environ[name] for name in names if name in os.environ), "")
    run = Node(task, supervisor, handle)
    for number in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, lambda *_: run.stop(task["grace"]))
    return run.wait()
