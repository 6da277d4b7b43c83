"""What is kept of earlier scans: never wrong, never torn, never in the way."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tbdiag
from tbdiag.config import Config
from tbdiag.model.finding import Evidence, Finding
from tbdiag.model.remedy import Remedy
from tbdiag.model.report import Fired, Ignored, NotApplicable, Passed, RunReport, Skipped
from tbdiag.model.run import Run
from tbdiag.reading import cache, runs
from tbdiag.reading.plain import plain
from tbdiag.reading.store import RUN, Store, default_store
from tests.cli.builders import DIVERGED, HEALTHY, ROOT, event_dir
from tests.reading.eventfiles import NAME, data, scalar

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
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs that were really read."""
    seen: list[str] = []

    def load(files, overrides=None):
        seen.append(files.id)
        return runs.load(files, overrides)

    monkeypatch.setattr(cache, "load", load)
    return seen


def test_a_second_scan_says_the_same_and_reads_nothing(tmp_path: Path, reads: list[str]) -> None:
    logs(tmp_path)
    without = report(tmp_path, cache=False)
    assert reads == []
    assert default_store().entries() == []
    assert report(tmp_path) == without
    assert len(reads) == 3
    assert report(tmp_path) == without
    assert len(reads) == 3


def test_only_the_run_that_grew_is_read(tmp_path: Path, reads: list[str]) -> None:
    logs(tmp_path)
    report(tmp_path)
    reads.clear()
    with (tmp_path / "good" / NAME).open("ab") as file:
        file.write(data(scalar("loss/train", 99)))
    assert report(tmp_path) == report(tmp_path, cache=False)
    assert reads == ["good"]


def test_a_file_that_shrank_or_was_replaced_is_read_anew(tmp_path: Path, reads: list[str]) -> None:
    path = logs(tmp_path) / "good" / NAME
    report(tmp_path)
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(content[: len(content) // 2])
    assert report(tmp_path) == report(tmp_path, cache=False)
    other = path.with_name("other")  # of the same size and time
    other.write_bytes(content.replace(b"loss/train", b"lost/train"))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    assert report(tmp_path) == report(tmp_path, cache=False)
    assert reads.count("good") == 3


@pytest.mark.parametrize(
    "name",
    ["bad/hparams.yaml", "bad/.hydra/config.yaml", "bad/checkpoint-5/trainer_state.json",
     "bad/vis_data/config.py", "config.json"],
)  # fmt: skip
def test_changed_settings_beside_the_events_count(
    tmp_path: Path, name: str, reads: list[str]
) -> None:
    path = logs(tmp_path) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"lr": 0.25}')
    report(tmp_path)
    reads.clear()
    path.write_text('{"lr": 0.125}')
    assert report(tmp_path) == report(tmp_path, cache=False)
    assert "bad" in reads


def test_other_thresholds_are_other_answers(tmp_path: Path) -> None:
    logs(tmp_path)
    report(tmp_path)
    only = tbdiag.scan(tmp_path, config=NONE, select="NUM001")
    assert (
        only.to_json() == tbdiag.scan(tmp_path, config=NONE, select="NUM001", cache=False).to_json()
    )


def test_edited_rules_are_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    logs(tmp_path)
    report(tmp_path)
    monkeypatch.setattr(cache, "code", lambda: "edited")
    report(tmp_path)
    assert len(reads) == 6


def test_loaded_runs_are_equal_to_the_bit(tmp_path: Path) -> None:
    logs(tmp_path)
    cold = tbdiag.load(tmp_path, config=NONE)
    warm = tbdiag.load(tmp_path, config=NONE)
    for one, other in zip(cold, warm, strict=True):
        assert (one.id, one.path, one.hparams, one.roles) == (
            other.id, other.path, other.hparams, other.roles,
        )  # fmt: skip
        assert one.provenance == other.provenance
        assert list(one.series) == list(other.series)
        for tag, curve in one.series.items():
            same = other.series[tag]
            for a, b in (
                (curve.steps, same.steps), (curve.values, same.values),
                (curve.wall_times, same.wall_times), (curve.nonfinite.steps, same.nonfinite.steps),
                (curve.nonfinite.values, same.nonfinite.values),
            ):  # fmt: skip
                assert a.dtype == b.dtype
                assert a.tobytes() == b.tobytes()
                assert not b.flags.writeable


def test_damaged_entries_are_rebuilt_and_never_believed(tmp_path: Path) -> None:
    event_dir(tmp_path / "run")
    expected = report(tmp_path)
    dice = random.Random(0)
    for _, _, entry in default_store().entries():
        content = entry.read_bytes()
        cuts = {0, 1, 7, 8, 23, 24, 25, *(dice.randrange(len(content)) for _ in range(8))}
        damaged = [content[:cut] for cut in sorted(cuts)]
        for _ in range(15):
            flipped = bytearray(content)
            flipped[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
            damaged.append(bytes(flipped))
        for each in damaged:
            entry.write_bytes(each)
            assert default_store().get(entry.name) is None
        entry.write_bytes(damaged[-1])
        assert report(tmp_path) == expected
        assert entry.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TBDIAG_CACHE_DIR", str(tmp_path / "file"))
    folder = logs(tmp_path / "logs")
    assert report(folder) == report(folder, cache=False)


def test_two_scans_at_once_and_one_killed_leave_only_sound_entries(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for index in range(8):
        event_dir(folder / f"run{index}")
    expected = report(folder, cache=False)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TBDIAG_CACHE_DIR": str(tmp_path / "cache")}

    def scan() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", SCAN, str(folder)],
            env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    killed = scan()
    store = Store(tmp_path / "cache" / "v1", 1 << 30)
    until = time.monotonic() + 20
    while not store.entries() and time.monotonic() < until:
        time.sleep(0.002)
    killed.kill()
    killed.communicate()
    assert store.entries()
    both = [scan(), scan()]
    said = [each.communicate(timeout=60)[0].decode() for each in both]
    findings = [[run["findings"] for run in json.loads(each)["runs"]] for each in (*said, expected)]
    assert findings[0] == findings[1] == findings[2]
    assert all(store.get(path.name) is not None for _, _, path in store.entries())
    assert len(store.entries(RUN)) == 8


def test_the_longest_unused_go_first_and_clearing_spares_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", 250)
    for age, name in ((30, "a.run"), (20, "b.run"), (10, "c.run")):
        store.put(name, b"x" * 76)
        then = time.time() - age
        os.utime(store.folder / name, (then, then))
    assert store.get("a.run") is not None  # used again
    store.trim()
    assert sorted(path.name for _, _, path in store.entries()) == ["a.run", "c.run"]
    (store.folder / "mine.txt").write_text("mine")
    assert store.clear() == 200
    assert [path.name for path in store.folder.iterdir()] == ["mine.txt"]


def test_histograms_come_back_undecoded_and_equal(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path / "run")) as writer:
        for step in range(3):
            writer.add_histogram("weights", np.arange(10.0) + step, step)
    cold, warm = (tbdiag.load(tmp_path, config=NONE)[0].histograms["weights"] for _ in range(2))
    assert cold.steps.tolist() == warm.steps.tolist() == [0, 1, 2]
    for one, other in zip(cold.records, warm.records, strict=True):
        assert one.edges.tobytes() == other.edges.tobytes()
        assert one.counts.tobytes() == other.counts.tobytes()
        assert one.total == other.total


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
    from tbdiag.diagnosis.remember import from_json, to_json

    run = Run(id="run", path=Path("run"))
    told = RunReport(run=run, outcomes=answers, findings=tuple(found))
    back = from_json(to_json(told), run)
    assert repr((back.outcomes, back.findings)) == repr((told.outcomes, told.findings))


def test_what_cannot_come_back_is_not_stored() -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        plain((object(),))
