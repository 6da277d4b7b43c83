"""The index of a cache in pages: few are held at a time, and whatever happens, the answers are the same."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tbdiag
from tbdiag.api import folders
from tbdiag.api.intake import At
from tbdiag.config import Config
from tbdiag.reading import binding, cache, spool
from tbdiag.reading import discover as discovery
from tbdiag.reading import folders as listed
from tbdiag.reading.discover import discover, order
from tbdiag.reading.pages import Entry
from tbdiag.reading.segments import Place
from tbdiag.reading.shelf import Leaf, Shelf
from tbdiag.reading.store import default_store
from tbdiag.scale import stream
from tests.reading.eventfiles import NAME, scalar, write
from tests.reading.test_cache import append, assert_kept, reads
from tests.scale.test_batches import Elsewhere

__all__ = ["reads"]  # a fixture

NONE = Config()
RULES = ["NUM", "LOG"]


def report(folder: Path, **options: bool) -> str:
    """What a few rules say, for it is about what is kept of it."""
    return tbdiag.scan(folder, config=NONE, select=RULES, **options).to_json()


def run(folder: Path, points: int = 3) -> Path:
    return write(folder / NAME, *(scalar("loss", step, 1 / (step + 1)) for step in range(points)))


def sweep(folder: Path, runs: int) -> Path:
    for number in range(runs):
        run(folder / f"run{number}", 3 + number % 3)
    return folder


def shelf() -> Shelf:
    """The only one that is kept."""
    store = default_store()
    ((_, _, name),) = store.shelves()
    return Shelf.opened(store, name, cache.code())


def places(leaves: list[Leaf]) -> list[tuple[str, int] | None]:
    """Where pages stand, None for the one in the index itself."""
    return [
        (each.where.segment.path.name, each.where.offset) if isinstance(each.where, Place) else None
        for each in leaves
    ]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of four folders; what is listed is put aside, too."""
    monkeypatch.setattr(binding, "FULL", 4)
    put_aside(monkeypatch)


def put_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (spool, listed, discovery):
        monkeypatch.setattr(module, "HELD", 3)


@pytest.mark.usefixtures("small")
def test_a_scan_holds_few_entries_whatever_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_WHOLE", 10)
    sweep(tmp_path, 150)
    expected = report(tmp_path, cache=False)
    most = 0

    def count(at: At) -> None:
        nonlocal most
        if at.files % 13 == 0:  # more often would take long
            most = max(most, entries())

    def peak() -> int:
        nonlocal most
        most = 0
        found = tbdiag.scan(tmp_path, config=NONE, select=RULES, progress=count)
        assert found.to_json() == expected
        assert len(found.runs[140].run.series["loss"]) > 0
        return most

    assert 0 < peak() < 40  # nothing was kept: those read together, and a page
    assert 0 < peak() < 40  # nothing is new
    append(tmp_path / "run70" / NAME, scalar("loss", 99))
    expected = report(tmp_path, cache=False)
    assert peak() < 40
    run(tmp_path / "run30b")
    expected = report(tmp_path, cache=False)
    assert peak() < 40


@pytest.mark.usefixtures("small")
def test_few_are_held_where_the_new_ones_are_read_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_WHOLE", 10)
    monkeypatch.setattr(stream, "_KNOWN", 8)
    sweep(tmp_path, 150)
    report(tmp_path)
    for name in ("run70b", "run149b"):
        run(tmp_path / name)
    held: list[int] = []
    pool = Elsewhere()
    found = tbdiag.scan(
        tmp_path,
        config=NONE,
        select=RULES,
        pool=pool,
        progress=lambda at: at.files % 13 or held.append(entries()),
    )
    assert pool.batches == 2
    assert 0 < max(held) < 40
    assert found.to_json() == report(tmp_path, cache=False)


def entries() -> int:
    """How many there are in memory."""
    return sum(type(each) is Entry for each in gc.get_objects())


@pytest.mark.usefixtures("small")
def test_runs_that_somebody_holds_hold_no_entries(tmp_path: Path) -> None:
    sweep(tmp_path, 12)
    for _ in range(2):
        held = tbdiag.load(tmp_path, config=NONE)
        assert entries() == 0
        assert [len(each.series["loss"]) for each in held] == [3, 4, 5] * 4


@pytest.mark.usefixtures("small")
def test_up_to_a_page_all_stands_in_the_index(tmp_path: Path) -> None:
    sweep(tmp_path, 4)
    report(tmp_path)
    assert places(shelf().leaves) == [None]
    run(tmp_path / "run4")
    report(tmp_path)
    assert [each.count for each in shelf().leaves] == [4, 1]
    assert places(shelf().leaves)[0] is not None


EDITS: dict[str, tuple[Callable[[Path], object], int]] = {  # and how many pages are written for it
    "first": (lambda folder: run(folder / "run"), 1),
    "middle": (lambda folder: run(folder / "run9b"), 1),
    "boundary": (lambda folder: run(folder / "run7b"), 1),
    "last": (lambda folder: run(folder / "run99"), 1),
    "gone": (lambda folder: shutil.rmtree(folder / "run9"), 1),
    "first gone": (lambda folder: shutil.rmtree(folder / "run0"), 1),
    "grown": (lambda folder: append(folder / "run9" / NAME, scalar("loss", 99)), 1),
    "settings": (lambda folder: (folder / "run9" / "hparams.yaml").write_text("lr: 0.1\n"), 1),
    "renamed": (lambda folder: (folder / "run0").rename(folder / "run98"), 2),
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_changes_a_page(tmp_path: Path, reads: list[tuple[str, int]], edit: str) -> None:
    sweep(tmp_path, 22)
    report(tmp_path)
    before = places(shelf().leaves)
    assert len(before) == 6
    change, most = EDITS[edit]
    change(tmp_path)
    reads.clear()
    now = report(tmp_path)
    assert len(reads) == (edit != "settings" and "gone" not in edit)
    assert now == report(tmp_path, cache=False)
    after = places(shelf().leaves)
    assert len({*before} - {*after} - {None}) <= most
    assert_kept(tmp_path)
    reads.clear()
    assert report(tmp_path) == now
    assert reads == []


@pytest.mark.usefixtures("small")
def test_pages_that_shrink_are_put_together(tmp_path: Path) -> None:
    sweep(tmp_path, 40)
    report(tmp_path)
    assert len(shelf().leaves) == 10
    for number in range(40):
        if number % 10:
            shutil.rmtree(tmp_path / f"run{number}")
    report(tmp_path)
    assert [each.count for each in shelf().leaves] in ([1, 1, 1, 1], [4])


@pytest.mark.usefixtures("small")
def test_a_damaged_page_costs_its_own_runs_alone(
    tmp_path: Path, reads: list[tuple[str, int]]
) -> None:
    sweep(tmp_path, 22)
    expected = report(tmp_path)
    leaf = shelf().leaves[2]
    assert isinstance(leaf.where, Place)
    path = leaf.where.segment.path
    content = bytearray(path.read_bytes())
    content[leaf.where.offset + leaf.where.length // 2] ^= 4
    path.write_bytes(content)
    reads.clear()
    assert report(tmp_path) == expected
    assert [name for name, _ in reads] == ["run8", "run9", "run10", "run11"]
    assert report(tmp_path) == expected
    assert len(reads) == 4
    assert_kept(tmp_path)


@pytest.mark.usefixtures("small")
def test_a_damaged_record_costs_its_own_run_alone(
    tmp_path: Path, reads: list[tuple[str, int]]
) -> None:
    sweep(tmp_path, 22)
    expected = report(tmp_path)
    kept = shelf()
    places = [entry.place for leaf in kept.leaves for entry in kept.read(leaf).entries]
    (path,) = default_store().folder.glob("*.columns")
    content = bytearray(path.read_bytes())
    for place in (places[2], places[20]):
        assert place is not None
        content[place.offset + place.length // 2] ^= 4
    path.write_bytes(content)
    stopped(tmp_path, 5, select=["OPT"])  # for which it looks at the curves
    reads.clear()
    assert report(tmp_path) == expected
    assert [name for name, _ in reads] == ["run2", "run20"]
    assert report(tmp_path) == expected
    assert len(reads) == 2
    assert_kept(tmp_path)


@pytest.mark.usefixtures("small")
def test_segments_do_not_pile_up(tmp_path: Path) -> None:
    sweep(tmp_path, 22)
    for number in range(12):
        report(tmp_path)
        append(tmp_path / f"run{number}" / NAME, scalar("loss", 99))
    assert len(list(default_store().folder.glob("*.columns"))) <= 9
    assert_kept(tmp_path)


@pytest.mark.usefixtures("small")
def test_a_segment_that_somebody_removes_meanwhile_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[tuple[str, int]]
) -> None:
    sweep(tmp_path, 22)
    report(tmp_path)
    append(tmp_path / "run3" / NAME, scalar("loss", 99))

    def remove(at: At) -> None:
        if at.files == 20:
            for path in default_store().folder.glob("*.columns"):
                path.unlink()

    tbdiag.scan(tmp_path, config=NONE, select=RULES, progress=remove)
    reads.clear()
    now = report(tmp_path)
    assert reads == []
    assert now == report(tmp_path, cache=False)


@pytest.mark.usefixtures("small")
def test_interrupted_scans_lose_neither_what_was_kept_nor_what_they_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[tuple[str, int]]
) -> None:
    sweep(tmp_path, 30)
    for end in (3, 9, 13, 26):
        stopped(tmp_path, end)
    assert len({name for name, _ in reads}) <= 30
    reads.clear()
    expected = report(tmp_path)
    assert [name for name, _ in reads] == ["run26", "run27", "run28", "run29"]
    for name in ("run5b", "run14b"):
        run(tmp_path / name)
        stopped(tmp_path, 7)  # in the middle of a page
        reads.clear()
    now = report(tmp_path)
    assert [name for name, _ in reads] == ["run14b"]
    assert now != expected
    assert now == report(tmp_path, cache=False)
    assert [each.count for each in shelf().leaves][:1] != [32]


def stopped(folder: Path, files: int, select: Sequence[str] = RULES) -> None:
    """A scan that is interrupted after so many files."""

    def stop(at: At) -> None:
        if at.files == files:
            raise KeyboardInterrupt

    try:
        tbdiag.scan(folder, config=NONE, select=select, progress=stop)
    except KeyboardInterrupt:
        return


names = st.sampled_from(
    ["run1", "run2", "run10", "a", "a/b", "b/run1", "z", "10", "2/x/y", "é", "a b"]
)
edits = st.lists(
    st.tuples(
        st.sampled_from(
            ["new", "new", "grow", "gone", "rename", "settings", "above", "stop", "split", "kill"]
        ),
        names,
        names,
        st.integers(0, 12),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits, st.integers(1, 5))
def test_whatever_is_edited_the_answers_are_those_without_a_cache(
    done: list[tuple[str, str, str, int]], full: int
) -> None:
    with TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TBDIAG_CACHE_DIR", f"{place}/cache")
        patch.setattr(binding, "FULL", full)
        put_aside(patch)
        logs = sweep(Path(place) / "logs", 7)
        report(logs)
        for edit in done:
            change(logs, *edit)
            expected = report(logs, cache=False)
            assert report(logs) == expected
            assert report(logs) == expected
            kept = shelf()
            assert [each.first for each in kept.leaves] == sorted(
                each.first for each in kept.leaves
            )
            assert sum(each.count for each in kept.leaves) == len(discover([logs]).runs)
            size = sum(path.stat().st_size for path in default_store().folder.iterdir())
            assert size <= 2 * kept.size + (1 << 21)
        assert_kept(logs)


def unfinished(kept: cache.Cache) -> None:
    """Leaves all as it is."""
    if kept._shelf._writing is not None:
        kept._shelf._writing.close()


def change(logs: Path, what: str, name: str, other: str, number: int) -> None:
    folder, path = logs / name, logs / name / NAME
    match what:
        case "new":
            run(folder, 1 + number)
        case "grow" if path.exists():
            append(path, scalar("loss", 100 + number))
        case "gone" if folder.exists() and len(discover([logs]).runs) > 3:
            shutil.rmtree(folder)
        case "rename" if folder.exists() and not (logs / other).exists():
            if not other.startswith(f"{name}/"):
                (logs / other).parent.mkdir(parents=True, exist_ok=True)
                folder.rename(logs / other)
        case "settings" if folder.exists():
            (folder / "hparams.yaml").write_text(f"lr: {number}\n")
        case "above":
            (logs / "config.yaml").write_text(f"lr: {number}\n")
        case "split":
            run(folder / "train", 2), run(folder / "val", 2)
        case "stop":
            run(logs / f"{name}x{number}", 2)
            stopped(logs, number)
        case "kill":  # as if it ended behind its last periodic save
            run(logs / f"{name}y{number}", 2)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(cache, "_EVERY", 0)
                patch.setattr(cache.Cache, "save", unfinished)
                stopped(logs, number)


def test_the_key_of_a_run_is_its_place_in_a_discovery(tmp_path: Path) -> None:
    for name in (
        "a",
        "a/b",
        "a b",
        "a10",
        "a9",
        "a/c/d",
        "10/1",
        "9/1",
        "a.b",
        "a-b",
        "A",
        "é",
        "e",
    ):
        run(tmp_path / "one" / name, 1)
        run(tmp_path / "two" / name, 1)
    found = discover([tmp_path / "one", tmp_path / "two"]).runs
    keys = [order(each.folder, each.top) for each in found]
    assert keys == sorted(keys)
    assert len({*keys}) == 26
