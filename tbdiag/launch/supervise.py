"""Watches one run to its end, also when nobody watches any more: a program of its own.

It is started as a file, by an interpreter that knows the standard library alone, so that it is there
within milliseconds and imports nothing of tbdiag's. It puts the run in a session of its own, keeps its
time limit, ends all of its processes and writes down how it ended, whatever became of the launcher.

SIGTERM: ask the run to end. SIGUSR1: end it now. A run that is tethered is ended, too, when whoever
started it is gone, for on a cluster its place is then somebody else's; it is not a child of that process,
which a scheduler may end with its children, and so the run would outlive its supervisor. The record is one page of a file that is claimed before
anything is started and then overwritten in place, which needs no room on a full disk.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

PAGE = 4096  # bytes of a record
CLAIMED = 75  # exit code: somebody has started this run already
UNTOLD = 74  # exit code: the end of the run could not be written down
WITHDRAWN = 76  # exit code: the launcher was gone before the run was started

_LINGER = 5.0  # seconds that processes may outlive the one that started them
_BACKSTOP = 60.0  # seconds of grace after SIGTERM where no SIGUSR1 follows
_HOPE = 10.0  # seconds to wait for what was killed
_TICK = 0.05
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


def boot() -> str:
    """What names this start of this machine; empty where the system has no such thing."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs start-up
            return file.read().strip()
    except OSError:
        return ""


def born(pid: int) -> str | None:
    """When a process was born, as text that tells it from a later one of its number; None: it is gone.

    A zombie is gone.
    """
    if fields := _fields(pid):
        return None if fields[0] == "Z" else fields[19]
    if os.path.isdir("/proc/self"):  # noqa: PTH112 - pathlib costs start-up
        return None
    words = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split(None, 1)
    return told[1].strip() if len(told) == 2 and not told[0].startswith("Z") else None


def family(pid: int) -> list[int]:
    """All processes below a process that are no zombies, where the system tells; else none."""
    children: dict[int, list[int]] = {}
    zombies = set()
    with suppress(OSError):
        for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib costs start-up
            if name.isdecimal() and (fields := _fields(int(name))):
                children.setdefault(int(fields[1]), []).append(int(name))
                if fields[0] == "Z":
                    zombies.add(int(name))
    found: list[int] = []
    pending = [pid]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return [each for each in found if each not in zombies]


def kill(pid: int, number: int, *, group: bool = False) -> bool:
    """Sends a signal to a process, or to its group; whether there was one."""
    try:
        (os.killpg if group else os.kill)(pid, number)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM of zombies
        return False
    return True


def _fields(pid: int) -> list[str]:
    """What /proc tells of a process, from its state on; nothing where it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib costs start-up
            return file.read().rpartition(b")")[2].decode("ascii").split()
    except OSError:
        return []


class _Record:
    """The page in which all is written down."""

    def __init__(self, path: str, told: Mapping[str, Any]) -> None:
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self.told = dict(told)
        self.write()

    def write(self, **more: Any) -> None:
        """Adds what is known by now; raises OSError."""
        self.told |= more
        page = json.dumps(self.told).encode("ascii").ljust(PAGE - 1) + b"\n"
        os.pwrite(self.file, page, 0)
        os.fsync(self.file)


class _Watch:
    """A run under way."""

    def __init__(
        self, child: int, limit: float, grace: float, wake: int, tether: int | None
    ) -> None:
        self.child, self.grace, self.wake, self.tether = child, grace, wake, tether
        self.due = time.monotonic() + limit  # when it has had its time
        self.kill_at = float("inf")
        self.give_up = float("inf")
        self.how = "exited"
        self.code: int | None = None
        self.left = 0  # processes that outlived the first one
        self.immortal = 0

    def to_the_end(self, asked: set[int]) -> None:
        """Returns when no process of the run is left, or none that can be ended."""
        while True:
            self.reap()
            others = self.others()
            if self.code is not None and not others:
                return
            now = time.monotonic()
            self.decide(now, asked, others)
            if now >= self.give_up:
                self.immortal = len(others) or 1
                return
            if now >= self.kill_at:
                self.give_up = min(self.give_up, now + _HOPE)
                kill(self.child, signal.SIGKILL, group=True)
                for pid in others or family(os.getpid()):
                    kill(pid, signal.SIGKILL)
            self.wait(now)

    def decide(self, now: float, asked: set[int], others: Sequence[int]) -> None:
        """Whether the run is to end, and from when on by force."""
        if self.how == "exited" and self.code is None:
            if signal.SIGTERM in asked or signal.SIGUSR1 in asked:
                self.ask("stopped", now + _BACKSTOP)
            elif now >= self.due:
                self.ask("timed-out", now + self.grace)
        elif self.code is not None and self.kill_at == float("inf"):
            self.left = len(others)
            self.kill_at = now + _LINGER
        if signal.SIGUSR1 in asked or (self.code is not None and signal.SIGTERM in asked):
            self.kill_at = min(self.kill_at, now)

    def ask(self, how: str, kill_at: float) -> None:
        self.how, self.kill_at = how, kill_at
        kill(self.child, signal.SIGTERM, group=True)

    def reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.child:
                    self.code = os.waitstatus_to_exitcode(ended[1])

    def others(self) -> list[int]:
        """Processes of the run, looked for once its first one is gone."""
        if self.code is None:
            return []
        if os.path.isdir("/proc/self"):  # noqa: PTH112 - pathlib costs start-up
            return family(os.getpid())
        return [self.child] if kill(self.child, 0, group=True) else []

    def wait(self, now: float) -> None:
        """Until a signal comes or a time limit is reached."""
        pause = max(min(self.due if self.how == "exited" else float("inf"), self.kill_at) - now, 0)
        if self.code is not None or self.give_up < float("inf"):
            pause = _TICK  # processes that are not our children end without a signal
        watched = [self.wake] if self.tether is None else [self.wake, self.tether]
        ready, _, _ = select.select(watched, [], [], min(pause, 3600.0))
        if self.wake in ready:
            os.read(self.wake, PAGE)
        if self.tether in ready and not os.read(0, 1):
            self.tether = None
            self.torn()

    def torn(self) -> None:
        """Whoever started the run is gone."""
        if self.code is None and self.how == "exited":
            self.how = "lost"
        self.kill_at = 0.0


def _signals() -> tuple[set[int], int]:
    """The set of signals that came so far, and a file that can be read when one came."""
    asked: set[int] = set()
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD):
        signal.signal(number, lambda number, _: asked.add(number))
    for number in (
        signal.SIGHUP,
        signal.SIGINT,
    ):  # a handler, for what is ignored stays so in the run
        signal.signal(number, lambda *_: None)
    wake, end = os.pipe()
    os.set_blocking(end, False)
    signal.set_wakeup_fd(end, warn_on_full_buffer=False)
    return asked, wake


def _adopt_orphans() -> None:
    """Makes processes whose parents end our children, where the system can."""
    with suppress(Exception):  # without it the group is all that can be ended
        import ctypes

        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _spawn(argv: Sequence[str]) -> int:
    """The first process of the run; raises OSError."""
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
    child.returncode = 0  # it is waited for here, not there
    return child.pid


def main(words: Sequence[str]) -> int:
    """``RECORD FACTS LIMIT GRACE ANSWER PROGRAM…``: facts are JSON to keep, limit and grace seconds.

    A byte to the open file of the number ANSWER says that the run is claimed; a byte on the standard
    input lets it begin. So a launcher that is killed has either started a run, of which the record
    tells, or it has not.
    """
    path, facts, limit, grace, answer, *argv = words
    told = json.loads(facts)
    tethered = bool(told.get("tethered"))
    if tethered:
        if os.fork():
            os._exit(0)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # Ray's workers hear no SIGINT
    asked, wake = _signals()
    me = os.getpid()
    try:
        record = _Record(
            path,
            told
            | {"host": socket.gethostname(), "boot": boot(), "supervisor": [me, born(me)]}
            | {"started": time.time(), "child": None, "how": None, "code": None},
        )
    except FileExistsError:
        return CLAIMED
    with suppress(BrokenPipeError):
        os.write(int(answer), b".")
    if not tethered:  # else its end is how the other side learns of ours
        os.close(int(answer))
    if not os.read(0, 1):
        os.unlink(path)  # noqa: PTH108 - pathlib costs start-up
        return WITHDRAWN
    _adopt_orphans()
    try:
        child = _spawn(argv)
    except OSError as error:
        record.write(how="exited", code=127, note=error.strerror, ended=time.time())
        return 0
    with suppress(OSError):  # the run matters more
        record.write(child=[child, born(child)])
    watch = _Watch(child, float(limit), float(grace), wake, 0 if tethered else None)
    watch.to_the_end(asked)
    end = {"how": watch.how, "code": watch.code, "ended": time.time()}
    try:
        record.write(**end, left=watch.left, immortal=watch.immortal)
    except OSError:
        return UNTOLD
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
