"""How tbdiag ends: one sentence and 2, a log and 3, 130 on Ctrl-C, and quietly on a closed pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tbdiag.cli import app as module
from tests.cli.builders import DIVERGED, ROOT, called, event_dir, process
from tests.reading.eventfiles import NAME, write

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("scan", "nowhere"), "tbdiag: nowhere does not exist"),
        (
            ("scan", "hollow"),
            'tbdiag: no event files below hollow: no file there has "tfevents" in its name',
        ),
        (
            ("scan", "mute"),
            "tbdiag: nothing to examine below mute: mute: it holds no scalars and no histograms",
        ),
        (
            ("scan", "run", "--select", "GEN01"),
            'tbdiag: there is no rule "GEN01"; did you mean "GEN001"?',
        ),
        (
            ("rules", "ovrfitting"),
            'tbdiag: there is no rule "ovrfitting"; did you mean "overfitting"?',
        ),
        (
            ("scan", "run", "--config", "no.toml"),
            "no.toml cannot be read: No such file or directory",
        ),
        (
            ("scan",),
            "tbdiag: no path was given, no logdir is configured, "
            "and there is none of logs/, runs/, lightning_logs/, tb_logs/",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_2(
    words: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    event_dir(tmp_path / "run")
    (tmp_path / "hollow").mkdir()
    write(tmp_path / "mute" / NAME)
    monkeypatch.chdir(tmp_path)
    assert called(capsys, *words) == (2, "", f"{sentence}\n")


def test_the_real_process_ends_like_that_too(tmp_path: Path) -> None:
    done = process("scan", "nowhere", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.splitlines() == [b"tbdiag: nowhere does not exist"]


def test_every_mistake_in_the_configuration_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    event_dir(tmp_path / "run")
    (tmp_path / "tbdiag.toml").write_text("lodgir = 'x'\nselect = ['GEN01']\n[space]\nlr = 1\n")
    monkeypatch.chdir(tmp_path)
    assert called(capsys, "scan", "run") == (
        2,
        "",
        'tbdiag.toml:1: unknown key "lodgir"; did you mean "logdir"?\n'
        'tbdiag.toml:2: there is no rule "GEN01"; did you mean "GEN001"?\n'
        'tbdiag.toml:4: "space.lr" must be a range with low and high, or a list of choices\n',
    )


def test_a_hostile_name_in_a_sentence_cannot_move_the_cursor(capsys: Captured) -> None:
    code, _, err = called(capsys, "scan", "no\x1b[31m\nwhere")
    assert (code, err) == (2, "tbdiag: no\\x1b[31m\\nwhere does not exist\n")


def test_a_crash_leaves_a_log_and_says_how_to_report_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr("tbdiag.cli.deliver.scan", lambda *_, **__: 1 / 0)
    code, out, err = called(capsys, "scan", "logs")
    assert (code, out) == (3, "")
    first, second = err.splitlines()
    assert first == "tbdiag failed: ZeroDivisionError: division by zero"
    assert second.startswith("This is a defect of tbdiag. Please report it with the file ")
    log = Path(second.rpartition("file ")[2])
    text = log.read_text("utf-8")
    assert text.startswith("tbdiag ")
    assert "ZeroDivisionError: division by zero" in text.splitlines()[-1]


def test_a_crash_without_a_place_for_a_log_shows_the_details(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("platformdirs.user_log_path", lambda *_, **__: tmp_path / "file" / "log")
    monkeypatch.setattr("tbdiag.cli.deliver.scan", lambda *_, **__: 1 / 0)
    code, _, err = called(capsys, "scan", "logs")
    assert code == 3
    assert "Traceback" in err
    assert err.endswith("Please report it with the lines above.\n")


def test_interrupted_inside_a_command_is_130(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tbdiag.cli.deliver.scan", interrupted)
    assert called(capsys, "scan", "logs") == (130, "", "")
    monkeypatch.setattr(module, "app", interrupted)
    assert called(capsys, "scan", "logs") == (130, "", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process alone")
def test_control_c_on_a_running_scan_is_130(tmp_path: Path) -> None:
    event_dir(tmp_path)
    code = (
        "import signal, time; from tbdiag.cli import app, deliver\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background ignores it
        "def slow(*_, **__): print('begun', flush=True); time.sleep(60)\n"
        "deliver.scan = slow; app.main(['scan', '.'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"begun\n"
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (130, b"")


@pytest.mark.skipif(os.name == "nt", reason="Windows reports a closed pipe later")
def test_a_closed_pipe_is_quiet_and_keeps_the_verdict(tmp_path: Path) -> None:
    event_dir(tmp_path, DIVERGED)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "tbdiag", "scan", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    event_dir(tmp_path)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tbdiag", "rules"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.stderr == b"tbdiag: the output cannot be written: No space left on device\n"
    assert done.returncode == 2


def test_an_old_encoding_gets_ascii(tmp_path: Path) -> None:
    event_dir(tmp_path / "rûn")
    for encoding in ("ascii", "cp1252"):
        done = process("scan", ".", cwd=tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.isascii()
        assert b"GEN001" in done.stdout
    done = process("scan", ".", cwd=tmp_path, PYTHONIOENCODING="utf-8")
    assert "█" in done.stdout.decode("utf-8")


@pytest.mark.parametrize(
    ("words", "env", "expected"),
    [
        ((), {"NO_COLOR": ""}, False),
        ((), {"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
        ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"NO_COLOR": "", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_unless_told_otherwise(
    words: tuple[str, ...],
    env: dict[str, str],
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    assert ("\x1b[" in called(capsys, "rules", *words)[1]) is expected


def test_help_takes_less_than_three_tenths_of_a_second_of_cpu() -> None:
    resource = pytest.importorskip("resource")
    code = (
        "import sys; sys.argv[1:] = ['--help']\n"
        "from tbdiag.cli.app import app; app(standalone_mode=False)\n"
        "heavy = 'numpy pandas scipy tensorboard optuna matplotlib rich pydantic yaml google'\n"
        "print(*sorted(set(heavy.split()) & set(sys.modules)), file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stderr.strip() == ""
    assert "Usage:" in done.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3
