"""Runs inside a peer's own environment: its command on one path after the other.

    python worker.py MODULE SECONDS < commands.jsonl > answers.jsonl

Each line in is a list of words for ``MODULE.main``; each line out ``{"output": …}`` or
``{"failed": …}``. A command that takes longer than SECONDS has failed. Standard library only.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import signal
import sys
from types import FrameType, ModuleType


def late(number: int, frame: FrameType | None) -> None:
    """Ends the command that runs."""
    raise TimeoutError


def said(module: ModuleType, words: list[str]) -> dict[str, str]:
    """What the command prints, whatever the code with which it ends."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = [module.__name__.partition(".")[0], *words]  # some read it there, others take it
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                module.main(words)
            except TypeError as error:
                if "positional argument" not in str(error):
                    raise
                module.main()
    except SystemExit:
        pass
    except TimeoutError:
        return {"failed": "timeout"}
    except Exception as error:  # noqa: BLE001 - whatever a peer raises is a crash of the peer
        return {"failed": f"{type(error).__name__}: {error}"}
    return {"output": out.getvalue()} if out.getvalue() else {"failed": err.getvalue()}


def main() -> None:
    """Answers every line."""
    module, seconds = importlib.import_module(sys.argv[1]), float(sys.argv[2])
    signal.signal(signal.SIGALRM, late)
    answers = sys.stdout
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        answer = said(module, json.loads(line))
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
