"""What is put aside comes back, whether there is room for a file or not."""

from __future__ import annotations

import errno
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.reading.listing import Folders, natural
from tbdiag.reading.spool import Chosen, Made, Spool, Spooled


@pytest.mark.parametrize("memory", [0, 50, 1 << 20])
def test_pieces_come_back_in_any_order(memory: int) -> None:
    dice, spool = random.Random(1), Spool(memory)
    pieces = [dice.randbytes(dice.choice((0, 1, 9, 40_000, 100_000))) for _ in range(60)]
    places = [spool.add(each) for each in pieces]
    assert spool.size == sum(map(len, pieces))
    order = list(range(60))
    dice.shuffle(order)
    for each in [*order, *range(60)]:
        assert spool.get(places[each], len(pieces[each])) == pieces[each]


def test_without_room_for_a_file_all_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: Any, **words: Any) -> IO[bytes]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    spool = Spool(10)
    places = [spool.add(b"%5d" % each) for each in range(100)]
    assert [spool.get(each, 5) for each in places] == [b"%5d" % each for each in range(100)]


def test_a_disk_that_fills_up_loses_nothing() -> None:
    class Full:
        room = 1000

        def __init__(self, file: IO[bytes]) -> None:
            self.file = file

        def write(self, data: bytes) -> int:
            if self.room <= 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            done = self.file.write(data[: self.room])
            self.room -= done
            return done

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    spool = Spool(300)
    places = [spool.add(b"%9d" % each) for each in range(50)]
    spool._file = Full(spool._file)  # type: ignore[assignment]
    places += [spool.add(b"%9d" % each) for each in range(50, 400)]
    assert [spool.get(each, 9) for each in places] == [b"%9d" % each for each in range(400)]


@pytest.mark.skipif(os.name != "posix", reason="signals of another system")
def test_a_killed_process_leaves_no_file_behind(tmp_path: Path) -> None:
    script = (
        "import sys, time; from tbdiag.reading.spool import Spool\n"
        "spool = Spool(10); spool.add(b'x' * 100); print('there', flush=True); time.sleep(60)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "there\n"
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    child.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_sequences_are_what_a_list_would_be() -> None:
    numbers = list(range(100, 150))
    spooled = Spooled[int](lambda each: str(each).encode(), int, held=7)
    for each in numbers:
        spooled.append(each)
    backwards = Chosen(spooled, range(49, -1, -1))
    for one, other in (
        (spooled, numbers),
        (backwards, numbers[::-1]),
        (Made(50, lambda number: numbers[number]), numbers),
    ):
        assert list(one) == other
        assert (len(one), one[-1], list(one[5:20:3])) == (50, other[-1], other[5:20:3])
        with pytest.raises(IndexError):
            one[50]
        assert other[30] in one


def test_a_listing_of_many_folders_is_the_mapping_that_it_was_made_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tbdiag.reading import spool

    monkeypatch.setattr(spool, "HELD", 3)
    dice, found = random.Random(2), Folders()
    plain: dict[str, dict[str, tuple[int, int, int]]] = {}
    roots: dict[str, str] = {}
    for number in range(300):
        folder, name = f"/logs/{dice.randrange(40)}", f"file{number}\udc80"
        look, root = (number, number * 7, -number), f"/{dice.randrange(3)}"
        found.add(folder, name, look, root)
        plain.setdefault(folder, {})[name] = look
        roots.setdefault(folder, root)
    assert {folder: dict(files) for folder, files in found.items()} == plain
    assert list(found) == list(plain)
    assert {folder: found.root(folder) for folder in found} == roots
    assert "/logs/elsewhere" not in found


def words(name: str) -> list[tuple[int, int, str]]:
    """The same order, spelled out."""
    return [
        (0, int(word), word) if word.isdecimal() and word.isascii() else (1, 0, word)
        for word in re.split(r"([0-9]+)", name)
        if word
    ]


NAMES = st.text(st.sampled_from("0019ab/_-.é\udc80\U0001f600\0\uffff"), max_size=12)


@given(NAMES, NAMES)
def test_natural_order_is_that_of_numbers_and_words(one: str, other: str) -> None:
    assert (natural(one) < natural(other)) == (words(one) < words(other))
    assert (natural(one) == natural(other)) == (one == other)
