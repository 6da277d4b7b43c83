"""Training the classifier behind suspicions: it finds what is there, and never sees what it is asked about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.diagnosis.labels import Label
from tbdiag.diagnosis.suspicion.features import NAMES
from tbdiag.diagnosis.suspicion.trained import decoded, encoded
from tbdiag.model.series import Floats
from tools import learn

_AT = NAMES.index("val_bends")


def _label(number: int, family: str, *, codes: tuple[str, ...] = (), problem: int = 0) -> Label:
    return Label(
        run=f"calibration/digits/p{problem}/{family}-{number}",
        part="calibration",
        setting="digits",
        problem=f"p{problem}",
        family=family,
        kind="healthy" if family == "healthy" else "fault",
        codes=frozenset(codes),
    )


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> learn.Examples:
    """Forty problems of which half of the runs move evenly, and have too low a rate for that."""
    monkeypatch.setattr(learn, "FOLDS", 4)
    rng = np.random.default_rng(0)
    labels, rows = [], []
    for number in range(400):
        low = number % 2 == 0
        family = "rate-too-low" if low else "imbalance" if number % 4 == 1 else "healthy"
        codes = ("OPT002",) if low else ()
        labels.append(_label(number, family, codes=codes, problem=number // 10))
        row: Floats = rng.normal(0, 1, len(NAMES))
        row[_AT] += -3.0 if low else 1.0
        row[0] += 3.0 if family == "imbalance" else 0.0
        row[rng.random(len(NAMES)) < 0.2] = np.nan
        rows.append(row)
    return learn.Examples(tuple(labels), np.stack(rows))


def test_it_learns_by_what_the_kinds_differ_in(examples: learn.Examples) -> None:
    classifier = learn.learned(examples)
    low = np.full(len(NAMES), np.nan)
    low[_AT] = -3.0
    assert classifier.shares(low)[classifier.kinds.index("rate-too-low")] > 0.8
    assert int(np.nanargmax(classifier.reasons(low, "rate-too-low", "healthy"))) == _AT


def test_copies_tell_less_and_nothing_else() -> None:
    whole = np.ones((2000, len(NAMES)))
    less = learn.lessened(whole, np.random.default_rng(0))
    assert whole.all()
    told = dict(zip(NAMES, np.isnan(less).mean(axis=0).tolist(), strict=True))
    assert set(less[~np.isnan(less)].tolist()) == {1.0}
    assert told["batch_early"] == pytest.approx(0.4, abs=0.05)
    assert told["val_bends"] == pytest.approx(0.1, abs=0.03)
    assert told["dropout"] == 0.0
    together = np.isnan(less[:, [NAMES.index("constant"), NAMES.index("annealed")]])
    assert (together[:, 0] == together[:, 1]).all()  # one curve tells both


def test_four_digits_are_enough(examples: learn.Examples) -> None:
    exact = learn.learned(examples)
    short = decoded(encoded(exact))
    shares = [each.shares(row) for row in examples.features[:50] for each in (exact, short)]
    assert np.stack(shares[::2]) == pytest.approx(np.stack(shares[1::2]), abs=1e-3)


def test_it_is_right_of_problems_that_it_never_saw(examples: learn.Examples) -> None:
    told = learn.left_out(examples)
    right = [
        kind == learn.kind(label) for (kind, _), label in zip(told, examples.labels, strict=True)
    ]
    assert np.mean(right) > 0.75


def test_no_run_is_judged_by_what_was_learned_of_its_problem(
    examples: learn.Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples.features[:, 0] = [int(each.problem[1:]) for each in examples.labels]

    class Remembers:
        kinds = ("known", "new")

        def __init__(self, seen: learn.Examples) -> None:
            self._seen = set(seen.features[:, 0])

        def shares(self, row: Floats) -> Floats:
            return np.array([row[0] in self._seen, row[0] not in self._seen], dtype=np.float64)

    monkeypatch.setattr(learn, "learned", Remembers)
    assert learn.left_out(examples) == [("new", 1.0)] * len(examples.labels)


def test_the_table_counts_what_is_said_and_right(examples: learn.Examples) -> None:
    told = [("rate-too-low", 0.9)] * 4 + [("healthy", 0.9)] * (len(examples.labels) - 4)
    row = next(line for line in learn.shown(examples, told).splitlines() if "rate-too-low" in line)
    assert row.split() == ["rate-too-low", "200", "4", "2", "0", "1"]


def test_families_of_the_gallery_are_known_by_name() -> None:
    from benchmarks.gallery.labels import FAMILIES

    named = {family for families in learn.KINDS.values() for family in families}
    assert named <= set(FAMILIES)


def test_nothing_is_written_where_nothing_was_asked_for(
    examples: learn.Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "FILE", tmp_path / "classifier.json")
    monkeypatch.setattr(learn, "gathered", lambda folders: examples)
    assert learn.main(["--dry-run"]) == 0
    assert not learn.FILE.exists()
    assert learn.main([]) == 0
    assert len(learn.FILE.read_text("utf-8").splitlines()) < 400
