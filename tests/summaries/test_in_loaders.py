"""What both of TensorBoard's loaders make of the summaries."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

import tbdiag
from tbdiag.model.finding import Severity
from tbdiag.summaries import stored
from tests.cli.builders import DIVERGED, HEALTHY, OVERFITTING, event_dir
from tests.summaries.hosts import LOADERS, Host, host

pytestmark = pytest.mark.parametrize("loader", LOADERS)


def scanned(logdir: Path) -> tbdiag.Report:
    return tbdiag.scan(logdir, cache=False, now=2000.0)


def shortened(curves, n: int):
    return {tag: list(values)[:n] for tag, values in curves.items()}


def test_everything_is_shown(tmp_path: Path, loader: str) -> None:
    event_dir(tmp_path / "bad", OVERFITTING)
    event_dir(tmp_path / "good", HEALTHY)
    report = scanned(tmp_path)
    report.write()
    with host(loader, tmp_path) as seen:
        seen.eventually(
            lambda h: h.scalars("bad/tbdiag"),
            {"findings/errors": [(60, 0.0)], "findings/warnings": [(60, 1.0)]},
        )
        seen.eventually(lambda h: h.scalars("good/tbdiag").get("findings/errors"), [(60, 0.0)])
        ((step, text),) = seen.strings("text", "bad/tbdiag")["tbdiag/summary"]
        assert step == 60
        assert "### GEN001 overfitting" in text
        assert "(#tbdiag&p.tbdiag.run=bad)" in text
        ((step, blobs),) = seen.images("bad/tbdiag")["tbdiag/GEN001 overfitting"]
        width, height, png = blobs
        assert struct.unpack_from(">II", png, 16) == (int(width), int(height))
        ((_, told),) = seen.strings("tbdiag", "bad/tbdiag")["tbdiag/run"]
        assert json.loads(told)["findings"][0]["code"] == "GEN001"
        ((_, told),) = seen.strings("tbdiag", "tbdiag")["tbdiag/report"]
        assert json.loads(told) == stored(tmp_path)
        assert json.loads(told)["summary"]["runs"] == 2
        ((_, table),) = seen.strings("text", "tbdiag")["tbdiag/overview"]
        assert table.index("[bad]") < table.index("[good]"), "the worst run stands first"
        assert "custom_scalars__config__" in seen.metadata("custom_scalars")["tbdiag"]
        assert seen.metadata("hparams") == {}, "nobody asked for sessions of the user's runs"


def test_a_grown_run_adds_one_step_to_a_tensorboard_that_runs(tmp_path: Path, loader: str) -> None:
    history: list[tuple[int, float]] = []

    def grown(length: int) -> None:
        event_dir(tmp_path / "bad", shortened(OVERFITTING, length))
        report = scanned(tmp_path)
        report.write()
        history.append((length, float(report.count(Severity.WARNING))))

    def counted(seen: Host) -> list[tuple[int, float]] | None:
        return seen.scalars("bad/tbdiag").get("findings/warnings")

    grown(30)
    with host(loader, tmp_path) as seen:
        seen.eventually(counted, history)
        grown(45)
        seen.eventually(counted, history)
        grown(60)
        seen.eventually(counted, history)
        texts = seen.strings("text", "bad/tbdiag")["tbdiag/summary"]
        assert [step for step, _ in texts] == [30, 45, 60]
        assert seen.images("bad/tbdiag")["tbdiag/GEN001 overfitting"][-1][0] == 60
    assert [count for _, count in history] == [0, 1, 1]
    with host(loader, tmp_path) as anew:
        anew.eventually(counted, history)
        ((step, _),) = anew.images("bad/tbdiag")["tbdiag/GEN001 overfitting"]
        assert step == 60, "of the pictures only the newest is kept"


def test_another_verdict_at_the_same_step_replaces_the_first(tmp_path: Path, loader: str) -> None:
    event_dir(tmp_path / "bad", OVERFITTING)
    scanned(tmp_path).write()
    with host(loader, tmp_path) as seen:
        seen.eventually(lambda h: h.scalars("bad/tbdiag").get("findings/warnings"), [(60, 1.0)])
        tbdiag.scan(tmp_path, cache=False, now=2000.0, ignore="GEN").write()
        seen.eventually(lambda h: h.scalars("bad/tbdiag").get("findings/warnings"), [(60, 0.0)])
        assert len(seen.strings("text", "bad/tbdiag")["tbdiag/summary"]) == 1


def test_a_training_that_was_started_over_voids_the_steps_behind_it(
    tmp_path: Path, loader: str
) -> None:
    event_dir(tmp_path / "bad", OVERFITTING)
    scanned(tmp_path).write()
    with host(loader, tmp_path) as seen:
        seen.eventually(lambda h: h.scalars("bad/tbdiag").get("findings/warnings"), [(60, 1.0)])
        file = next((tmp_path / "bad").glob("*.0"))
        file.unlink()
        event_dir(tmp_path / "bad", DIVERGED, start=9000.0)
        scanned(tmp_path).write()
        seen.eventually(lambda h: h.scalars("bad/tbdiag").get("findings/errors"), [(22, 1.0)])
