"""Run a command on one core within a limit and tell its CPU seconds and its peak memory.

    launch.py CORES CPU_SECONDS COMMAND...

A process of its own, as small as can be: what a new process has as its peak begins with that of its
parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time

_PATIENCE = 20  # seconds on the clock for each of the processor before all is ended
_LEAST = 60  # of them


def main(cores: str, limit: str, *command: str) -> None:
    """The last line that is written is JSON: the exit status, seconds, peak bytes."""
    os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    seconds = int(limit)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    started = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(max(seconds * _PATIENCE, _LEAST))
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    told = {
        "code": code,
        "cpu": usage.ru_utime + usage.ru_stime,
        "clock": time.perf_counter() - started,
        "peak": usage.ru_maxrss * 1024,
    }
    sys.stdout.write("\n" + json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
