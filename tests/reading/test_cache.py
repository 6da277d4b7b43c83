"""What is kept of earlier scans: never wrong, never torn, never in the way."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tbdiag
from tbdiag.api.intake import At
from tbdiag.config import Config
from tbdiag.diagnosis import remember
from tbdiag.model.finding import Evidence, Finding
from tbdiag.model.remedy import Remedy
from tbdiag.model.report import Fired, Ignored, NotApplicable, Passed, RunReport, Skipped
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.reading import binding, cache, eventfile, follow, kept
from tbdiag.reading import store as store_module
from tbdiag.reading.eventfile import Reading
from tbdiag.reading.plain import plain
from tbdiag.reading.store import Store, default_store
from tests.cli.builders import DIVERGED, HEALTHY, ROOT, event_dir
from tests.reading.eventfiles import (
    NAME,
    data,
    event,
    histo,
    hparams,
    proto,
    scalar,
    scalars,
    start,
    tensor,
    text,
    value,
    write,
)

NONE = Config()
SCAN = "import sys, tbdiag; print(tbdiag.scan(sys.argv[1]).to_json())"


def report(folder: Path, **options: bool) -> str:
    return tbdiag.scan(folder, config=NONE, **options).to_json()


def logs(folder: Path) -> Path:
    event_dir(folder / "bad")
    event_dir(folder / "good", HEALTHY)
    event_dir(folder / "diverged", DIVERGED)
    (folder / "bad" / "hparams.yaml").write_text("lr: 0.1\n")
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Folder and offset of everything that was really read from an event file, glances aside."""
    seen: list[tuple[str, int]] = []

    class Noted(Reading):
        def __init__(self, path: Path, limit: int | None = None, **options: Any) -> None:
            if limit is None:
                seen.append((path.parent.name, options.get("offset", 0)))
            super().__init__(path, limit, **options)

    monkeypatch.setattr(follow, "Reading", Noted)
    monkeypatch.setattr(eventfile, "Reading", Noted)
    return seen


@pytest.fixture(params=[1000, 1], ids=["one page", "pages of one"])
def full(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many folders fill a page of the index."""
    monkeypatch.setattr(binding, "FULL", request.param)
    return int(request.param)


def append(path: Path, *events: Any) -> None:
    with path.open("ab") as file:
        file.write(data(*events))


def assert_equal(one: Run, other: Run, *, frozen: bool = True) -> None:
    """Two runs are the same to the last bit."""
    for name in ("id", "path", "hparams", "roles", "texts", "provenance"):
        assert getattr(one, name) == getattr(other, name), name
    assert list(one.series) == list(other.series)
    for tag, curve in one.series.items():
        for mine, its in zip(arrays(curve), arrays(other.series[tag]), strict=True):
            assert (mine.dtype, mine.tobytes()) == (its.dtype, its.tobytes()), tag
            assert not (frozen and its.flags.writeable)
    assert list(one.histograms) == list(other.histograms)
    for tag, histograms in one.histograms.items():
        assert histograms.steps.tobytes() == other.histograms[tag].steps.tobytes()
        assert repr(list(histograms.records)) == repr(list(other.histograms[tag].records))


def arrays(curve: Series) -> list[Any]:
    bad = curve.nonfinite
    return [curve.steps, curve.values, curve.wall_times, bad.steps, bad.values]


def assert_kept(folder: Path) -> None:
    """What is loaded with the cache is what is read without it."""
    fresh = tbdiag.load(folder, config=NONE, cache=False)
    for one, other in zip(fresh, tbdiag.load(folder, config=NONE), strict=True):
        assert_equal(one, other)


def test_a_second_scan_says_the_same_and_reads_nothing(
    tmp_path: Path, reads: list[tuple[str, int]]
) -> None:
    folder = logs(tmp_path)
    without = report(folder, cache=False)
    assert default_store().shelves() == []
    reads.clear()
    assert report(folder) == without
    assert sorted(reads) == [("bad", 0), ("diverged", 0), ("good", 0)]
    assert report(folder) == without
    assert len(reads) == 3
    tbdiag.load(folder, config=NONE)
    assert len(reads) == 3


def test_a_second_scan_asks_no_rule_and_looks_at_no_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = report(logs(tmp_path))

    def never(*_: object) -> None:
        raise AssertionError("nothing changed")

    monkeypatch.setattr(remember, "examine_all", never)
    monkeypatch.setattr(kept, "Bundle", never)
    monkeypatch.setattr(cache, "discovered", never)
    assert report(tmp_path) == expected


@pytest.mark.usefixtures("full")
def test_of_a_file_that_grew_only_what_was_added_is_read(
    tmp_path: Path, reads: list[tuple[str, int]]
) -> None:
    path = logs(tmp_path) / "good" / NAME
    report(tmp_path)
    size = path.stat().st_size
    for step in (99, 100):
        append(path, scalar("loss/train", step))
        reads.clear()
        assert report(tmp_path) == report(tmp_path, cache=False)
        assert reads[0] == ("good", size)
        assert {offset for _, offset in reads[1:]} == {0}  # those of the scan without a cache
        assert_kept(tmp_path)
        size = path.stat().st_size


def test_of_a_rotated_log_only_the_new_file_is_read(
    tmp_path: Path, reads: list[tuple[str, int]]
) -> None:
    folder = logs(tmp_path) / "good"
    report(tmp_path)
    reads.clear()
    write(folder / (NAME + ".2"), *scalars("loss/train", range(61, 70), at=9000.0))
    now = report(tmp_path)
    assert reads == [("good", 0)]
    assert now == report(tmp_path, cache=False)
    assert_kept(tmp_path)
    append(folder / (NAME + ".2"), scalar("loss/train", 70, at=9100.0))
    reads.clear()
    report(tmp_path)
    assert len(reads) == 1
    assert reads[0][1] > 0
    assert_kept(tmp_path)


@pytest.mark.usefixtures("full")
def test_a_new_run_is_read_and_one_that_is_gone_is_forgotten(
    tmp_path: Path, reads: list[tuple[str, int]]
) -> None:
    logs(tmp_path)
    report(tmp_path)
    reads.clear()
    event_dir(tmp_path / "another")
    now = report(tmp_path)
    assert reads == [("another", 0)]
    assert now == report(tmp_path, cache=False)
    shutil.rmtree(tmp_path / "bad")
    assert report(tmp_path) == report(tmp_path, cache=False)


def test_a_file_that_shrank_or_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = logs(tmp_path) / "good" / NAME
    report(tmp_path)
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(content[: len(content) // 2])
    assert report(tmp_path) == report(tmp_path, cache=False)
    assert_kept(tmp_path)
    other = path.with_name("other")  # of the same size and time
    other.write_bytes(content.replace(b"loss/train", b"lost/train"))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    assert report(tmp_path) == report(tmp_path, cache=False)
    assert_kept(tmp_path)


def test_a_file_that_was_rewritten_behind_its_head_is_read_anew(tmp_path: Path) -> None:
    first, other = ([scalar("loss", i, n / (i + 1)) for i in range(300)] for n in (1, 2))
    path = write(tmp_path / "run" / NAME, *first[:200], *first[200:])
    tbdiag.load(tmp_path, config=NONE)
    write(path, *first[:200], *other[200:], scalar("loss", 400))
    assert_kept(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["bad/hparams.yaml", "bad/.hydra/config.yaml", "bad/checkpoint-5/trainer_state.json",
     "bad/vis_data/config.py", "config.json"],
)  # fmt: skip
def test_changed_settings_beside_the_events_count(tmp_path: Path, name: str) -> None:
    path = logs(tmp_path) / name
    report(tmp_path)
    path.parent.mkdir(exist_ok=True)
    said = []
    for number in (16, 128):
        path.write_text(json.dumps({"train_batch_size": number}))
        said.append(report(tmp_path))
        assert said[-1] == report(tmp_path, cache=False)
    assert said[0] != said[1]
    path.unlink()
    assert report(tmp_path) == report(tmp_path, cache=False)


@pytest.mark.usefixtures("full")
def test_settings_above_a_split_that_was_given_count(tmp_path: Path) -> None:
    event_dir(tmp_path / "run" / "train")
    given = tmp_path / "run" / "train"
    for words in ("lr: 0.25", "lr: 0.125"):
        (tmp_path / "run" / "hparams.yaml").write_text(words)
        assert report(given) == report(given, cache=False)


def test_other_thresholds_are_other_answers(tmp_path: Path) -> None:
    logs(tmp_path)
    report(tmp_path)
    only = tbdiag.scan(tmp_path, config=NONE, select="NUM001")
    assert (
        only.to_json() == tbdiag.scan(tmp_path, config=NONE, select="NUM001", cache=False).to_json()
    )


def test_edited_rules_are_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[tuple[str, int]]
) -> None:
    logs(tmp_path)
    report(tmp_path)
    monkeypatch.setattr(cache, "code", lambda: "edited")
    report(tmp_path)
    assert len(reads) == 6


def test_code_is_known_by_how_its_files_look(tmp_path: Path) -> None:
    package = tmp_path / "tbdiag"
    shutil.copytree(ROOT / "tbdiag", package, ignore=shutil.ignore_patterns("__pycache__"))
    script = "from tbdiag.reading.cache import code; print(code())"

    def told() -> bytes:
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-c", script], env=env, cwd=tmp_path, check=True, capture_output=True
        ).stdout

    before = told()
    assert told() == before
    rule = package / "detectors" / "optimization" / "plateau.py"
    rule.write_text(rule.read_text("utf-8") + "\n", "utf-8")
    assert told() != before


def test_loaded_runs_are_equal_to_the_bit(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sample_logs", tmp_path / "logs")
    folder = logs(tmp_path / "logs" / "more").parent
    for tag, steps in (("loss", [0, 1, 2, 1, 2, 3]), ("still", [5, 5, 5])):
        write(folder / "odd" / tag / NAME, *scalars(tag, steps), text("note", "words"))
    write(folder / "odd" / "train" / NAME, *scalars("x", range(4)), hparams({"lr": 0.1}))
    for _ in range(3):
        assert_kept(folder)


CUTS = [
    [*scalars("loss", range(5)), scalar("loss", 5, float("nan")), scalar("loss", 6, 1.0)],
    [*scalars("loss", range(9)), *scalars("loss", range(4, 12), at=2000.0), text("a", "b")],
    [*scalars("loss", range(9)), start(4), scalar("loss", 4, 7.0), hparams({"lr": 0.5})],
    [event(i, value("a", i), tensor("b", proto(np.float32(i)))) for i in range(8)],
    [event(i, histo("w", [1.0, 2.0], [i, 2])) for i in range(5)],
]


@pytest.mark.parametrize("events", CUTS)
def test_runs_that_grow_by_bits_are_as_if_read_whole(tmp_path: Path, events: list[Any]) -> None:
    content = data(*events)
    path = tmp_path / "run" / NAME
    write(path, *scalars("first", range(3)))
    for start_ in range(0, len(content), 37):
        with path.open("ab") as file:
            file.write(content[start_ : start_ + 37])
        assert_kept(tmp_path)


def newest(suffix: str) -> Path:
    entries = default_store().folder.glob(f"*{suffix}")
    return max(entries, key=lambda entry: entry.stat().st_mtime_ns)


@pytest.mark.usefixtures("full")
def test_damage_is_noticed_and_repaired(tmp_path: Path) -> None:
    for name in ("one", "two"):
        event_dir(tmp_path / name)
    expected = report(tmp_path)
    dice = random.Random(0)
    for suffix in (".index", ".columns"):
        for _ in range(25):
            entry = newest(suffix)
            content = entry.read_bytes()
            damaged = bytearray(content[: dice.choice([0, 7, 30, len(content)])])
            if len(damaged) == len(content):
                damaged[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
            entry.write_bytes(damaged)
            if suffix == ".index":
                assert default_store().get(entry.stem) is None
            else:
                assert_kept(tmp_path)
            assert report(tmp_path) == expected
            assert_kept(tmp_path)
            assert newest(suffix).read_bytes() != bytes(damaged)


def test_damaged_columns_are_never_read_on_from(tmp_path: Path) -> None:
    path = event_dir(tmp_path / "run") / NAME
    report(tmp_path)
    (entry,) = default_store().folder.glob("*.columns")
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    append(path, scalar("loss/train", 99))
    assert_kept(tmp_path)


def test_a_folder_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TBDIAG_CACHE_DIR", str(tmp_path / "file"))
    folder = logs(tmp_path / "logs")
    assert report(folder) == report(folder, cache=False)


SLOW = f"""
import sys
from tbdiag.reading import binding, cache
cache._EVERY, binding.FULL = 0, int(sys.argv[2])  # save after every run
{SCAN}
"""


def test_two_scans_at_once_and_one_killed_leave_only_what_is_sound(
    tmp_path: Path, full: int
) -> None:
    folder = tmp_path / "logs"
    for index in range(12):
        event_dir(folder / f"run{index}")
    expected = report(folder, cache=False)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TBDIAG_CACHE_DIR": str(tmp_path / "cache")}

    def scan() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", SLOW, str(folder), str(full)],
            env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    store = Store(tmp_path / "cache" / "v2", 1 << 30)
    for patience in (0.0, 0.02, 0.05):
        killed = scan()
        until = time.monotonic() + 20
        while not store.shelves() and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(patience)
        killed.kill()
        killed.communicate()
        ((_, _, name),) = store.shelves()
        assert store.get(name) is not None
    for _ in range(2):
        both = [scan(), scan()]
        said = [each.communicate(timeout=60)[0].decode() for each in both]
        runs = [[run["findings"] for run in json.loads(each)["runs"]] for each in (*said, expected)]
        assert runs[0] == runs[1] == runs[2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TBDIAG_CACHE_DIR", env["TBDIAG_CACHE_DIR"])
        assert_kept(folder)
    ((_, _, name),) = store.shelves()
    assert store.get(name) is not None


@pytest.mark.usefixtures("full")
def test_an_interrupted_scan_keeps_what_it_read(
    tmp_path: Path, reads: list[tuple[str, int]]
) -> None:
    logs(tmp_path)

    def stop(at: At) -> None:
        if at.files == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tbdiag.scan(tmp_path, config=NONE, progress=stop)
    reads.clear()
    expected = report(tmp_path)
    assert len(reads) == 1
    assert expected == report(tmp_path, cache=False)


@pytest.mark.usefixtures("full")
def test_many_changes_do_not_pile_up(tmp_path: Path) -> None:
    path = event_dir(tmp_path / "run") / NAME
    for step in range(30):
        append(path, scalar("loss/train", 100 + step))
        report(tmp_path)
    assert len(list(default_store().folder.glob("*.columns"))) <= 9
    assert_kept(tmp_path)


@pytest.mark.parametrize("full", [1000, 6], indirect=True)
@pytest.mark.usefixtures("full")
def test_what_has_no_room_is_read_anew_when_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[tuple[str, int]]
) -> None:
    folder = tmp_path / "logs"
    for index in range(12):
        event_dir(folder / f"run{index}")
    expected = report(folder)
    (segment,) = default_store().folder.glob("*.columns")
    limit = segment.stat().st_size // 2
    store = Store(tmp_path / "cache", limit)
    monkeypatch.setattr(store_module, "default_store", lambda: store)
    reads.clear()
    for _ in range(2):
        assert report(folder) == expected
        assert len(reads) == 12
    total = sum(each.stat().st_size for each in store.folder.iterdir())
    assert limit // 2 < total <= limit
    assert_kept(folder)
    assert 12 < len(reads) - 12 < 24  # besides those without a cache


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("written", [0, 1, 3, 5, 6, 9])
def test_a_full_disk_costs_speed_alone(tmp_path: Path, written: int) -> None:
    folder = logs(tmp_path / "logs")
    logs(folder / "more")
    expected = report(folder, cache=False)
    draft, writes = Store.draft, iter([True] * written)

    class Full:
        """A file that takes so many writes and no more, in all."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, content: bytes) -> int:
            if next(writes, False):
                return int(self.file.write(content))
            raise OSError(28, "No space left on device")

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "draft", lambda *given: Full(draft(*given)))
        assert report(folder) == expected
        reports = tbdiag.scan(folder, config=NONE, memory=0).runs
        for one, other in zip(tbdiag.load(folder, config=NONE, cache=False), reports, strict=True):
            assert list(one.series) == list(other.run.series)
    assert report(folder) == expected
    assert_kept(folder)


def test_the_longest_unused_go_first_and_clearing_spares_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", 250)
    for age, name in ((30, "a"), (20, "b"), (10, "c")):
        assert store.put(name, b"x" * 26)
        (store.folder / f"{name}-0.columns").write_bytes(b"x" * 50)
        then = time.time() - age
        os.utime(store.folder / f"{name}.index", (then, then))
    assert store.get("a") is not None  # used again
    store.trim()
    assert sorted(name for _, _, name in store.shelves()) == ["a", "c"]
    (store.folder / "mine.txt").write_text("mine")
    assert store.clear() == 200
    assert [path.name for path in store.folder.iterdir()] == ["mine.txt"]


def test_abandoned_files_go_after_an_hour(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", 1 << 20)
    assert store.put("a", b"x")
    names = ["a-1.draft", "b-2.columns", "a-3.columns"]
    for name in names:
        (store.folder / name).write_bytes(b"x")
    store.trim()
    assert all((store.folder / name).exists() for name in names)
    for name in names:
        os.utime(store.folder / name, (0, 0))
    store.trim()
    assert [(store.folder / name).exists() for name in names] == [False, False, True]


def test_histograms_come_back_undecoded_and_equal(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path / "run")) as writer:
        for step in range(3):
            writer.add_histogram("weights", np.arange(10.0) + step, step)
    for _ in range(2):
        assert_kept(tmp_path)
    assert tbdiag.load(tmp_path, config=NONE)[0].histograms["weights"].steps.tolist() == [0, 1, 2]


def test_runs_from_the_cache_can_be_pickled_and_outlive_it(tmp_path: Path) -> None:
    folder = logs(tmp_path / "logs")
    fresh = tbdiag.load(folder, config=NONE)
    kept = tbdiag.load(folder, config=NONE)
    for one, other in zip(fresh, kept, strict=True):
        assert_equal(one, pickle.loads(pickle.dumps(other)), frozen=False)
    kept = tbdiag.load(folder, config=NONE)
    default_store().clear()
    for one, other in zip(fresh, kept, strict=True):
        assert_equal(one, other)


numbers = st.floats(allow_nan=False)
findings = st.builds(
    Finding,
    evidence=st.lists(st.from_type(Evidence), max_size=2).map(tuple),
    remedies=st.lists(st.from_type(Remedy), max_size=2).map(tuple),
)
outcomes = st.one_of(
    st.builds(Fired, st.lists(findings, max_size=2).map(tuple)),
    st.builds(Passed),
    st.builds(NotApplicable),
    st.builds(Ignored),
    st.builds(Skipped),
)


@given(st.dictionaries(st.text(), outcomes, max_size=4), st.lists(findings, max_size=3))
def test_answers_survive_the_way_through_json(answers, found) -> None:
    run = Run(id="run", path=Path("run"))
    for code, outcome in answers.items():  # as `examine` tells what fired
        if isinstance(outcome, Fired):
            answers[code] = Fired(tuple(each for each in found if each.code == code))
    report = RunReport(run=run, outcomes=answers, findings=tuple(found))
    back = remember.Remembered(run, remember.told(report))
    assert repr((back.outcomes, back.findings)) == repr((report.outcomes, report.findings))


def test_what_cannot_come_back_is_not_stored() -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        plain((object(),))
