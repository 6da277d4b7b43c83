"""What every launcher promises: clauses that `test_contract` asks of each of them."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tbdiag.errors import LaunchError
from tbdiag.launch import record
from tbdiag.launch.base import Exit, How, Job, Launcher

Make = Callable[[int], Launcher]  # a launcher of so many slots; a new one knows nothing of the last

PATIENCE = 30.0  # seconds, of which a busy machine may need some


def job(
    folder: Path,
    script: str,
    *arguments: str,
    id: str = "t1",  # noqa: A002 - the field of the job
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Job:
    """A run of a Python script."""
    words = (sys.executable, "-S", "-c", script, *arguments)
    return Job(
        id=id,
        argv=words,
        cwd=folder,
        logdir=folder / id,
        output=folder / "trials" / id / "output.txt",
        env=env or {},
        timeout=timeout,
    )


def ends(launcher: Launcher, patience: float = PATIENCE) -> dict[str, Exit]:
    """The ends of all that runs."""
    found: dict[str, Exit] = {}
    until = time.monotonic() + patience
    while launcher.running:
        assert time.monotonic() < until, f"{launcher.running} did not end"
        for name, end in launcher.poll():
            assert name not in found
            found[name] = end
        time.sleep(0.02)
    return found


def awaited(path: Path) -> str:
    """What a run wrote into a file, once it has."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return text.strip()
        time.sleep(0.02)
    raise AssertionError(f"{path} was not written")


def gone(pid: int) -> bool:
    """Whether a process is no more, or will be in a moment."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


# Starts a child that starts a child, tells their numbers and hangs.
FAMILY = """
import os, subprocess, sys, time
inner = "import os, sys, time; open(sys.argv[1], 'w').write(f'{os.getpid()}\\\\n'); time.sleep(600)"
outer = "import os, subprocess, sys; subprocess.run([sys.executable, '-S', '-c', sys.argv[1], sys.argv[2]])"
extra = {"start_new_session": True} if sys.argv[2:] == ["apart"] else {}
subprocess.Popen([sys.executable, "-S", "-c", outer, inner, sys.argv[1]], **extra)
"""
HANG = "\ntime.sleep(600)\n"

DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", file=open(sys.argv[1], "w"), flush=True)
time.sleep(600)
"""

POLITE = """
import signal, sys, time
def leave(*_):
    print("saved the last checkpoint")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("ready", file=open(sys.argv[1], "w"), flush=True)
time.sleep(600)
"""


def ends_well(make: Make, folder: Path) -> None:
    launcher = make(1)
    before = time.time()
    launcher.start(job(folder, "print('hello')"))
    assert launcher.running == ("t1",)
    end = ends(launcher)["t1"]
    assert (end.how, end.code, end.well) == (How.EXITED, 0, True)
    assert before - 1 <= end.started <= end.ended <= time.time() + 1
    assert launcher.poll() == []


def captures_all_output_in_order(make: Make, folder: Path) -> None:
    launcher = make(1)
    script = "import os, sys; print('one'); os.write(2, b'two\\n'); print('three', file=sys.stderr)"
    one = job(folder, script)
    launcher.start(one)
    ends(launcher)
    assert one.output.read_text() == "one\ntwo\nthree\n"


def tells_a_crash(make: Make, folder: Path) -> None:
    launcher = make(1)
    launcher.start(job(folder, "raise ValueError('lr must be positive')"))
    end = ends(launcher)["t1"]
    assert (end.how, end.code, end.well) == (How.EXITED, 1, False)
    assert end.reason == (
        'it ended with exit code 1; the last that it printed: "ValueError: lr must be positive"'
    )


def tells_exit_codes_and_signals(make: Make, folder: Path) -> None:
    launcher = make(2)
    launcher.start(job(folder, "raise SystemExit(42)", id="a"))
    launcher.start(job(folder, "import os; os.kill(os.getpid(), 9)", id="b"))
    found = ends(launcher)
    assert (found["a"].how, found["a"].code) == (How.EXITED, 42)
    assert (found["b"].how, found["b"].code) == (How.EXITED, -signal.SIGKILL)
    assert "SIGKILL" in found["b"].reason
    assert "memory" in found["b"].reason


def gives_each_argument_as_it_is(make: Make, folder: Path) -> None:
    odd = ["a b", "", "it's", '"', "; touch hacked", "$(touch hacked)", "*", "\\", "ä\n-x", "{lr}"]
    launcher = make(1)
    one = job(folder, "import json, sys; print(json.dumps(sys.argv[1:]))", *odd)
    launcher.start(one)
    ends(launcher)
    assert json.loads(one.output.read_text()) == odd
    assert sorted(each.name for each in folder.iterdir()) == ["trials"]


def gives_environment_and_folder(make: Make, folder: Path) -> None:
    launcher = make(1)
    script = "import os; print(os.environ['TBDIAG_PARAMS'], os.getcwd(), 'HOME' in os.environ)"
    one = job(folder, script, env={"TBDIAG_PARAMS": '{"lr": "a;b"}'})
    launcher.start(one)
    ends(launcher)
    assert one.output.read_text() == f'{{"lr": "a;b"}} {folder} {"HOME" in os.environ}\n'


def hears_every_signal(make: Make, folder: Path) -> None:
    launcher = make(1)
    one = job(folder, "import signal; print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())))")
    launcher.start(one)
    ends(launcher)
    assert one.output.read_text() == "[]\n"


def reads_nothing_from_the_terminal(make: Make, folder: Path) -> None:
    launcher = make(1)
    one = job(folder, "import sys; print(repr(sys.stdin.read()))")
    launcher.start(one)
    ends(launcher)
    assert one.output.read_text() == "''\n"


def runs_at_most_its_slots_at_a_time(make: Make, folder: Path) -> None:
    launcher = make(2)
    assert launcher.slots == 2
    for name in ("a", "b"):
        launcher.start(job(folder, "import time; time.sleep(600)", id=name))
    with pytest.raises(ValueError, match="slot"):
        launcher.start(job(folder, "", id="c"))
    launcher.stop("a", 0)
    while launcher.running == ("a", "b"):
        launcher.poll()
    launcher.start(job(folder, "", id="c"))
    launcher.stop("b", 0)
    assert set(ends(launcher)) == {"b", "c"}


def ends_a_run_that_takes_too_long(make: Make, folder: Path) -> None:
    launcher = make(1)
    launcher.start(job(folder, "import time; time.sleep(600)", timeout=0.5))
    end = ends(launcher)["t1"]
    assert (end.how, end.well) == (How.TIMED_OUT, False)
    assert end.reason == "it was ended after 0.5 s, its limit"
    assert end.ended - end.started >= 0.5


def lets_a_polite_run_save(make: Make, folder: Path) -> None:
    launcher = make(1)
    one = job(folder, POLITE, str(folder / "ready"))
    launcher.start(one)
    awaited(folder / "ready")
    launcher.stop("t1", 20)
    end = ends(launcher)["t1"]
    assert (end.how, end.code, end.well) == (How.STOPPED, 0, False)
    assert one.output.read_text() == "saved the last checkpoint\n"


def ends_a_run_that_ignores_being_asked(make: Make, folder: Path) -> None:
    launcher = make(1)
    launcher.start(job(folder, DEAF, str(folder / "ready")))
    awaited(folder / "ready")
    launcher.stop("t1", 0.3)
    time.sleep(0.1)
    assert launcher.poll() == []
    end = ends(launcher)["t1"]
    assert (end.how, end.code) == (How.STOPPED, -signal.SIGKILL)


def stops_at_once_what_has_hardly_started(make: Make, folder: Path) -> None:
    launcher = make(1)
    launcher.start(job(folder, "import time; time.sleep(600)"))
    launcher.stop("t1", 0)
    assert ends(launcher)["t1"].how is How.STOPPED


def ends_grandchildren(make: Make, folder: Path) -> None:
    launcher = make(1)
    launcher.start(job(folder, FAMILY + HANG, str(folder / "pid")))
    pid = int(awaited(folder / "pid"))
    launcher.stop("t1", 5)
    assert ends(launcher)["t1"].how is How.STOPPED
    assert gone(pid)


def ends_grandchildren_in_sessions_of_their_own(make: Make, folder: Path) -> None:
    launcher = make(1)
    launcher.start(job(folder, FAMILY + HANG, str(folder / "pid"), "apart"))
    pid = int(awaited(folder / "pid"))
    launcher.stop("t1", 0.2)
    assert ends(launcher)["t1"].how is How.STOPPED
    assert gone(pid)


def leaves_nothing_of_a_run_that_ended(make: Make, folder: Path) -> None:
    launcher = make(1)
    wait = "\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
    launcher.start(job(folder, FAMILY + wait, str(folder / "pid"), "apart"))
    pid = int(awaited(folder / "pid"))
    end = ends(launcher)["t1"]
    assert (end.how, end.code) == (How.EXITED, 0)
    assert end.reason == "it ended well; 2 processes that it left behind had to be ended"
    assert gone(pid)


def tells_of_a_program_that_is_not_there(make: Make, folder: Path) -> None:
    launcher = make(1)
    for number, word in enumerate(("no-such-program", "./train.sh")):
        output = folder / "trials" / f"x{number}" / "output.txt"
        missing = Job(id="x", argv=(word,), cwd=folder, logdir=folder, output=output)
        told = f'the command starts "{word}", .*no .*program'
        said = ""
        try:
            launcher.start(missing)
        except LaunchError as error:  # at once, where it runs on this machine
            said = f"it could not be started: {error}"
        else:  # from the node
            end = ends(launcher)["x"]
            assert (end.how, end.code) == (How.EXITED, 127)
            said = end.reason
        assert re.match(f"it could not be started: {told}", said)
    assert launcher.running == ()
    launcher.start(job(folder, ""))  # nothing was used up
    assert ends(launcher)["t1"].well


def makes_no_log_folder_and_needs_none(make: Make, folder: Path) -> None:
    launcher = make(1)
    script = "import os, sys; print(os.path.exists(sys.argv[1])); os.makedirs(sys.argv[1])"
    one = job(folder, script, str(folder / "logs" / "t1"))
    launcher.start(replace(one, logdir=folder / "logs" / "t1"))
    assert ends(launcher)["t1"].well
    assert one.output.read_text() == "False\n"
    assert (folder / "logs" / "t1").is_dir()


def tries_again_under_another_name(make: Make, folder: Path) -> None:
    """What a lost run was to do is done by another one, beside which it stands."""
    launcher = make(1)
    for name, word in (("a", "0"), ("b", "1")):
        script = "import os, sys; os.kill(os.getpid(), 9) if sys.argv[1] == '0' else print('done')"
        launcher.start(job(folder, script, word, id=name))
        assert ends(launcher)[name].well == (name == "b")
    assert (folder / "trials" / "b" / "output.txt").read_text() == "done\n"


def loses_a_run_whose_watcher_is_killed(make: Make, folder: Path) -> None:
    launcher = make(1)
    one = job(folder, FAMILY + HANG, str(folder / "pid"))
    launcher.start(one)
    pid = int(awaited(folder / "pid"))
    told = record.read(record.place(one))
    assert told is not None
    assert told.child is not None
    # the supervisor here, the scheduler's own process on a cluster
    page = json.loads(record.place(one).read_text())
    os.kill(page.get("worker", told.supervisor[0]), signal.SIGKILL)
    end = ends(launcher)["t1"]
    assert (end.how, end.well) == (How.LOST, False)
    assert end.reason
    assert gone(told.child[0])
    assert gone(pid)
    launcher.start(job(folder, "", id="t2"))  # and its slot is free again
    assert ends(launcher)["t2"].well


def leaves_nothing_of_a_run_whose_supervisor_is_killed(make: Make, folder: Path) -> None:
    launcher = make(1)
    one = job(folder, FAMILY + HANG, str(folder / "pid"))
    launcher.start(one)
    awaited(folder / "pid")
    told = record.read(record.place(one))
    assert told is not None
    assert told.child is not None
    os.kill(told.supervisor[0], signal.SIGKILL)
    assert ends(launcher)["t1"].how is How.LOST
    assert gone(told.child[0])


def runs_nothing_twice(make: Make, folder: Path) -> None:
    script = "print('x', file=open('count', 'a'))"
    launcher = make(1)
    launcher.start(job(folder, script))
    ends(launcher)
    for again in (launcher, make(1)):
        with pytest.raises(LaunchError, match="t1 was started before"):
            again.start(job(folder, script))
    assert (folder / "count").read_text() == "x\n"


def finds_a_run_that_goes_on(make: Make, folder: Path) -> None:
    one = job(folder, POLITE, str(folder / "ready"))
    make(1).start(one)
    awaited(folder / "ready")
    later = make(1)
    assert later.adopt(one)
    assert (later.running, later.poll()) == (("t1",), [])
    later.stop("t1", 20)
    end = ends(later)["t1"]
    assert (end.how, end.code) == (How.STOPPED, 0)


def finds_a_run_that_has_ended_since(make: Make, folder: Path) -> None:
    one = job(folder, "import sys; print('bye'); sys.exit(3)")
    first = make(1)
    first.start(one)
    told = ends(first)["t1"]
    later = make(1)
    assert later.adopt(one)
    assert ends(later)["t1"] == told
    assert told.code == 3


def finds_nothing_where_nothing_was_started(make: Make, folder: Path) -> None:
    launcher = make(1)
    one = job(folder, "")
    assert not launcher.adopt(one)
    launcher.start(one)
    assert ends(launcher)["t1"].well


def closes_with_all_ended(make: Make, folder: Path) -> None:
    launcher = make(2)
    for name in ("a", "b"):
        launcher.start(job(folder, DEAF, str(folder / name), id=name))
        awaited(folder / name)
    found = dict(launcher.close(0.2))
    assert {name: end.how for name, end in found.items()} == {"a": How.STOPPED, "b": How.STOPPED}
    assert launcher.running == ()
    launcher.stop("a")  # of what is over, nothing is asked
    assert launcher.close() == []


SLOW = {"leaves_nothing_of_a_run_that_ended"}  # it waits as long as what is left may linger

CLAUSES = {
    clause.__name__: clause
    for clause in (
        ends_well,
        captures_all_output_in_order,
        tells_a_crash,
        tells_exit_codes_and_signals,
        gives_each_argument_as_it_is,
        gives_environment_and_folder,
        hears_every_signal,
        reads_nothing_from_the_terminal,
        runs_at_most_its_slots_at_a_time,
        ends_a_run_that_takes_too_long,
        lets_a_polite_run_save,
        ends_a_run_that_ignores_being_asked,
        stops_at_once_what_has_hardly_started,
        ends_grandchildren,
        ends_grandchildren_in_sessions_of_their_own,
        leaves_nothing_of_a_run_that_ended,
        tells_of_a_program_that_is_not_there,
        makes_no_log_folder_and_needs_none,
        tries_again_under_another_name,
        loses_a_run_whose_watcher_is_killed,
        leaves_nothing_of_a_run_whose_supervisor_is_killed,
        runs_nothing_twice,
        finds_a_run_that_goes_on,
        finds_a_run_that_has_ended_since,
        finds_nothing_where_nothing_was_started,
        closes_with_all_ended,
    )
}
