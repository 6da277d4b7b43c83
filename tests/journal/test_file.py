"""What was appended stays, whole, whoever is killed and whatever the disk does."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tbdiag.errors import JournalError
from tbdiag.journal import file as journal_file
from tbdiag.journal.entry import Kind, line
from tbdiag.journal.file import Journal
from tbdiag.journal.lock import Busy, locked
from tests.journal.builders import NOON, a_journal

# Appends until it is ended; says which entries are done.
WRITER = """
import sys
from pathlib import Path
from tbdiag.journal.entry import Kind
from tbdiag.journal.file import Journal
journal = Journal(Path(sys.argv[1]))
for turn in range(int(sys.argv[3])):
    entry = journal.append(Kind.PROPOSED, {"by": sys.argv[2], "turn": turn, "much": "x" * 20_000})
    print(entry.seq, turn, flush=True)
"""

# Is killed when a share of the bytes of its third line is written.
VICTIM = """
import os, signal, sys
turns, share, write = 0, float(sys.argv[4]), os.write
def half(file, data):
    global turns
    turns += 1
    if turns == 3:
        write(file, data[: int(share * len(data))])
        os.kill(os.getpid(), signal.SIGKILL)
    return write(file, data)
os.write = half
"""


def writer(path: Path, name: str, turns: int, code: str = WRITER) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", code, str(path), name, str(turns)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)


def told(journal: Journal) -> list[tuple[int, object]]:
    return [(each.seq, each.payload.get("turn")) for each in journal.entries()]


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    assert journal.entries() == ()
    written = [journal.append(Kind.PROPOSED, {"turn": turn}) for turn in range(3)]
    assert journal.entries() == tuple(written)
    assert [each.seq for each in written] == [1, 2, 3]
    assert [each.at for each in written] == [NOON, NOON + 60, NOON + 120]
    assert journal.path == tmp_path / ".tbdiag" / "journal.jsonl"
    assert journal.path.read_bytes().count(b"\n") == 3


def test_the_number_of_the_last_is_found_behind_long_lines(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    for length in (10, 70_000, 300_000, 1_000_000, 5):
        journal.append(Kind.PROPOSED, {"much": "x" * length})
    assert [each.seq for each in journal.entries()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("tail", [b"{", b'{"schema":1,"seq":3', b"\0" * 300_000, b"\xff\xfe"])
def test_a_torn_tail_is_no_entry_and_never_runs_into_the_next(tmp_path: Path, tail: bytes) -> None:
    journal = a_journal(tmp_path)
    for turn in range(2):
        journal.append(Kind.PROPOSED, {"turn": turn})
    with journal.path.open("ab") as file:
        file.write(tail)
    assert told(journal) == [(1, 0), (2, 1)]
    journal.append(Kind.PROPOSED, {"turn": 2})
    assert told(journal) == [(1, 0), (2, 1), (3, 2)]
    assert journal.read().unread == ((3, "it is not whole"),)


def test_a_tail_that_lacks_its_newline_alone_is_an_entry(tmp_path: Path) -> None:
    # as editors leave it: nothing that was finished may be lost
    journal = a_journal(tmp_path)
    for turn in range(2):
        journal.append(Kind.PROPOSED, {"turn": turn})
    journal.path.write_bytes(journal.path.read_bytes().rstrip(b"\n"))
    assert told(journal) == [(1, 0), (2, 1)]
    journal.append(Kind.PROPOSED, {"turn": 2})
    assert told(journal) == [(1, 0), (2, 1), (3, 2)]
    assert journal.read().unread == ()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.9999, 1.0])
def test_a_writer_killed_in_the_middle_of_a_line_loses_nothing_finished(
    tmp_path: Path, share: float
) -> None:
    path = tmp_path / "journal.jsonl"
    code = VICTIM.replace("float(sys.argv[4])", repr(share)) + WRITER
    victim = writer(path, "victim", 9, code)
    done = [each.split() for each in victim.communicate()[0].splitlines()]
    assert victim.returncode == -signal.SIGKILL
    assert done == [["1", "0"], ["2", "1"]]
    journal = Journal(path)
    assert told(journal)[:2] == [(1, 0), (2, 1)]
    assert len(told(journal)) == (3 if share == 1.0 else 2)  # all is there: then it counts
    journal.append(Kind.PROPOSED, {"turn": 99})
    assert told(journal)[-1] == (len(told(journal)), 99)
    assert len(journal.read().unread) == (1 if 0 < share < 1 else 0)


@pytest.mark.slow
def test_writers_killed_at_any_time_lose_nothing_finished(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    chance = random.Random(3)
    done: set[tuple[str, str]] = set()
    for turn in range(8):
        names = [f"{turn}a", f"{turn}b"]
        writers = [writer(path, name, 100_000) for name in names]
        for each in writers:  # until both are at it
            assert each.stdout is not None
            each.stdout.readline()
        time.sleep(0.4 * chance.random())
        for each in writers:
            each.kill()
        for name, each in zip(names, writers, strict=True):
            whole = each.communicate()[0].rpartition("\n")[0]
            done |= {(name, said.split()[1]) for said in whole.splitlines()}
    entries = Journal(path).entries()
    kept = {(str(each.payload["by"]), str(each.payload["turn"])) for each in entries}
    assert len(done) > 20
    assert done <= kept
    assert [each.seq for each in entries] == list(range(1, len(entries) + 1))


def test_two_processes_append_at_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writers = [writer(path, name, 40) for name in "ab"]
    for each in writers:
        each.communicate()
        assert each.returncode == 0
    pages = Journal(path).read()
    assert pages.unread == ()
    assert [each.seq for each in pages.entries] == list(range(1, 81))
    for name in "ab":
        turns = [each.payload["turn"] for each in pages.entries if each.payload["by"] == name]
        assert turns == list(range(40))


@pytest.mark.parametrize("room", [0, 1, 30])
def test_a_full_disk_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    journal = a_journal(tmp_path)
    journal.append(Kind.PROPOSED, {"turn": 0})
    before = journal.path.read_bytes()
    write, left = os.write, [room]

    def full(file: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        took = write(file, bytes(data)[: left[0]])
        left[0] -= took
        return took

    monkeypatch.setattr(journal_file.os, "write", full)
    with pytest.raises(JournalError) as said:
        journal.append(Kind.PROPOSED, {"turn": 1})
    assert str(said.value) == (
        f"the journal {journal.path} cannot be written: No space left on device"
    )
    assert journal.path.read_bytes() == before
    monkeypatch.undo()
    journal.append(Kind.PROPOSED, {"turn": 2})
    assert told(journal) == [(1, 0), (2, 2)]
    assert journal.read().unread == ()


def test_a_disk_too_full_to_clear_up_is_cleared_by_the_next_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = a_journal(tmp_path)
    journal.append(Kind.PROPOSED, {"turn": 0})

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    write = os.write
    monkeypatch.setattr(journal_file.os, "write", lambda file, data: write(file, data[:9]))
    monkeypatch.setattr(journal_file.os, "fsync", fails)
    monkeypatch.setattr(journal_file.os, "ftruncate", fails)
    with pytest.raises(JournalError, match="Input/output error"):
        journal.append(Kind.PROPOSED, {"turn": 1})
    monkeypatch.undo()
    # whole, by chance: nobody was told that it was kept, and it may stand
    journal.append(Kind.PROPOSED, {"turn": 2})
    assert [each.seq for each in journal.entries()] == [1, 2, 3]


def test_a_real_full_disk_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.path.symlink_to("/dev/full")
    with pytest.raises(JournalError, match="cannot be written: No space left on device"):
        journal.append(Kind.PROPOSED, {})


def test_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be written: Not a directory"):
        a_journal(tmp_path / "file").append(Kind.PROPOSED, {})
    folder = Journal(tmp_path)
    with pytest.raises(JournalError, match="cannot be read: Is a directory"):
        folder.entries()


def test_what_is_no_json_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    for odd in ({"x": object()}, {"x": float("nan")}):
        with pytest.raises((TypeError, ValueError)):
            journal.append(Kind.PROPOSED, odd)
    assert journal.entries() == ()
    journal.append(Kind.PROPOSED, {"x": "a\nb\u2028\ud800\x00"})
    assert journal.entries()[0].payload == {"x": "a\nb\u2028\ud800\x00"}
    assert journal.path.read_bytes().isascii()


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ("[]", "it is no entry of a journal"),
        ('{"schema": true}', "it is no entry of a journal"),
        ('{"schema": 1, "kind": "proposed", "payload": {}}', "it has no number or no time"),
        ('{"schema": 1, "seq": 1, "at": Infinity, "payload": {}}', "it has no number or no time"),
        ('{"schema": 1, "seq": 1, "at": 1, "kind": "proposed"}', "it carries nothing"),
        (
            '{"schema": 1, "seq": 1, "at": 1, "kind": "sung", "payload": {}}',
            "its kind 'sung' is not known",
        ),
        ("[" * 100_000, "it is not whole"),
    ],
)
def test_a_line_that_is_no_entry_is_told_and_left_out(
    tmp_path: Path, odd: str, reason: str
) -> None:
    journal = a_journal(tmp_path)
    entry = journal.append(Kind.PROPOSED, {"turn": 0})
    with journal.path.open("a") as file:
        file.write(f"{odd}\n\n")
    again = journal.append(Kind.PROPOSED, {"turn": 1})
    assert (entry.seq, again.seq) == (1, 2)
    assert journal.read().unread == ((2, reason),)
    assert told(journal) == [(1, 0), (2, 1)]


def test_a_journal_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    entry = journal.append(Kind.PROPOSED, {})
    later = json.loads(line(entry)) | {"schema": 2, "seq": 2, "kind": "dreamt"}
    with journal.path.open("a") as file:
        file.write(json.dumps(later) + "\n")
    before = journal.path.read_bytes()
    with pytest.raises(JournalError, match="written by a later version of tbdiag; update this one"):
        journal.entries()
    with pytest.raises(JournalError, match="written by a later version of tbdiag"):
        journal.append(Kind.PROPOSED, {})
    assert journal.path.read_bytes() == before


def test_one_process_at_a_time_starts_runs(tmp_path: Path) -> None:
    journal = a_journal(tmp_path / "logs")
    with journal.held():
        journal.append(Kind.PROPOSED, {})  # holding is not writing
        with pytest.raises(JournalError) as said, journal.held():
            pass
    assert str(said.value) == (
        f"another tbdiag is training in {tmp_path / 'logs'}; wait for it or end it"
    )
    with journal.held():
        pass


def test_a_lock_is_waited_for_and_given_up(tmp_path: Path) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with locked(tmp_path / "lock"):
        with (
            pytest.raises(Busy),
            locked(tmp_path / "lock", 5.0, clock=lambda: now[0], sleep=sleep),
        ):
            pass
        assert now[0] >= 5.0
    with locked(tmp_path / "lock"):
        pass


def test_a_lock_held_for_ever_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = a_journal(tmp_path)
    monkeypatch.setattr(journal_file, "_PATIENCE", 0.0)
    journal.append(Kind.PROPOSED, {})
    with (
        locked(journal.path.with_suffix(".lock")),
        pytest.raises(JournalError, match="another process has held its lock for 0 s"),
    ):
        journal.append(Kind.PROPOSED, {})


def test_without_locks_a_journal_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(file: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("tbdiag.journal.lock._try", none)
    journal = a_journal(tmp_path)
    journal.append(Kind.PROPOSED, {"turn": 0})
    assert told(journal) == [(1, 0)]
