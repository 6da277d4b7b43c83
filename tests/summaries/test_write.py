"""Which folder gets what: runs, roots, follow-ups, and logs that cannot be written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import plugin_data_pb2

import tbdiag
from tbdiag.errors import RequestError, SummaryError
from tbdiag.journal.file import Journal
from tbdiag.model.proposal import (
    Decision,
    Origin,
    Params,
    Proposal,
    State,
    Trial,
    Turn,
    Verdict,
)
from tbdiag.reading.discover import discover
from tbdiag.summaries import events, own, stored
from tests.cli.builders import CALM, DIVERGED, HEALTHY, OVERFITTING, event_dir
from tests.reading.eventfiles import NAME, event, hparams, value, write


def scanned(*paths: Path) -> tbdiag.Report:
    return tbdiag.scan(paths, cache=False, now=2000.0)


def entries(folder: Path) -> dict[str, events.Entry]:
    """The newest entry of each tag that the own files of a folder hold."""
    found: dict[str, events.Entry] = {}
    for name in reversed(own.names(folder)):
        data = own.content(folder / name)
        found |= {each.tag: each for each in (events.unpacked(data) if data else ())}
    return found


def text(folder: Path, tag: str) -> str:
    return events.string(entries(folder)[tag])


def plugin_data(entry: events.Entry) -> plugin_data_pb2.HParamsPluginData:
    return plugin_data_pb2.HParamsPluginData.FromString(entry.content)


def a_followup(
    root: Path,
    name: str = "followup-001",
    params: Params | None = None,
    state: State = State.FINISHED,
    verdict: Verdict | None = None,
) -> Path:
    """A follow-up run and what the journal tells of it."""
    proposal = Proposal(
        id=name,
        parent="bad",
        origin=Origin.REMEDY,
        params={"lr": 0.01, "nesterov": True, "optimizer": "sgd", "warmup": None, "layers": 3}
        if params is None
        else params,
        turns=(Turn("lr", 0.1, 0.01),),
        why="because",
    )
    trial = Trial(
        proposal=proposal, run=name, command=(), state=state, started=1000.0, ended=1060.0
    )
    journal = Journal.beside(root)
    journal.proposed(proposal)
    journal.launched(trial)
    if state is not State.RUNNING:
        journal.finished(trial)
    if verdict is not None:
        journal.verified(name, verdict)
    return event_dir(root / name, CALM)


def test_a_second_scan_writes_nothing(tmp_path: Path) -> None:
    event_dir(tmp_path / "bad")
    event_dir(tmp_path / "good", HEALTHY)
    first = scanned(tmp_path).write()
    assert sorted(first.written) == [tmp_path / n / "tbdiag" for n in ("bad", "good")] + [
        tmp_path / "tbdiag"
    ]
    files = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.tbdiag")}
    second = scanned(tmp_path).write()
    assert (second.written, len(second.unchanged)) == ((), 3)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.tbdiag")} == files


def test_from_wherever_it_is_called_the_same_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_dir(tmp_path / "logs" / "bad")
    scanned(tmp_path / "logs").write()
    monkeypatch.chdir(tmp_path)
    assert scanned(Path("logs")).write().written == ()
    monkeypatch.chdir(tmp_path / "logs")
    report = scanned(Path())
    monkeypatch.chdir("/")
    assert report.write().written == (), "it counts where it was scanned"
    found = stored(tmp_path / "logs")
    assert found is not None
    assert found["runs"][0]["path"] == "bad"


def test_what_was_written_is_no_run(tmp_path: Path) -> None:
    bad = event_dir(tmp_path / "bad")
    before = discover([tmp_path])
    scanned(tmp_path).write()
    assert discover([tmp_path]) == before
    with pytest.raises(RequestError, match="no event files below"):
        discover([bad / "tbdiag"]).runs or scanned(bad / "tbdiag")
    (file,) = (bad / "tbdiag").iterdir()
    with pytest.raises(RequestError, match="holds what tbdiag found in a run"):
        scanned(file)
    elsewhere = tmp_path / file.name  # as where somebody moved it
    elsewhere.write_bytes(file.read_bytes())
    assert discover([tmp_path]) == before


def test_a_run_that_is_the_root_gets_both(tmp_path: Path) -> None:
    bad = event_dir(tmp_path / "bad")
    result = scanned(bad).write()
    assert result.written == (bad / "tbdiag",)
    assert {"tbdiag/summary", "tbdiag/overview", own.RUN, own.REPORT} <= {*entries(bad / "tbdiag")}
    assert scanned(bad).write().written == ()
    assert stored(bad) is not None


def test_an_event_file_alone_writes_into_its_folder(tmp_path: Path) -> None:
    bad = event_dir(tmp_path / "bad")
    assert scanned(bad / NAME).write().written == (bad / "tbdiag",)


def test_parts_of_a_run_share_one_folder(tmp_path: Path) -> None:
    for part in ("train", "validation"):
        event_dir(tmp_path / "run" / part, {"epoch_loss": OVERFITTING["loss/val"]})
    assert [*scanned(tmp_path).write().written] == [
        tmp_path / "run" / "tbdiag",
        tmp_path / "tbdiag",
    ]
    (event_,) = event_pb2.Event.FromString(
        entries(tmp_path / "tbdiag")["custom_scalars__config__"].payload
    ).summary.value
    layout = layout_pb2.Layout.FromString(event_.tensor.string_val[0])
    patterns = {c.title: [*c.multiline.tag] for c in layout.category[0].chart}
    assert patterns["training loss"] == ["epoch_loss$"], "as TensorBoard knows the tag"


def test_several_trainings_in_a_folder_do_not_overwrite_each_other(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for number, curves in enumerate((OVERFITTING, HEALTHY)):
        name = NAME.replace("17", f"1{7 + number}")
        file = (
            event_dir(tmp_path / "made" / str(number), curves, start=1000.0 + 500 * number) / NAME
        )
        run.mkdir(exist_ok=True)
        file.rename(run / name)
    report = scanned(run)
    assert len(report.runs) == 2
    report.write()
    assert "GEN001" not in text(run / "tbdiag", "tbdiag/summary"), "the newest training"
    (older,) = [path for path in (run / "tbdiag").iterdir() if path.is_dir()]
    assert "GEN001" in text(older, "tbdiag/summary")
    assert scanned(run).write().written == ()
    tbdiag.clean(run)
    assert sorted(path.name for path in run.iterdir()) == [NAME, NAME.replace("17", "18")]


def test_out_leaves_the_logs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event_dir(tmp_path / "logs" / "a" / "bad")
    before = sorted((tmp_path / "logs").rglob("*"))
    monkeypatch.chdir(tmp_path)
    result = scanned(tmp_path / "logs").write("results")
    out = tmp_path / "results"
    assert result.written == (out / "a" / "bad" / "tbdiag", out / "tbdiag")
    assert sorted((tmp_path / "logs").rglob("*")) == before
    assert stored(out) is not None
    assert scanned(tmp_path / "logs").write("results").written == ()


def test_out_keeps_roots_of_one_name_apart(tmp_path: Path) -> None:
    for top in ("x", "y"):
        event_dir(tmp_path / top / "logs" / "bad")
    result = scanned(tmp_path / "x" / "logs", tmp_path / "y" / "logs").write(tmp_path / "out")
    assert len(set(result.written)) == 4
    assert stored(tmp_path / "out" / "logs") is not None
    assert stored(tmp_path / "out" / "logs-2") is not None


class Url(PurePosixPath):
    """A place that is not on this machine."""

    def __str__(self) -> str:
        return super().__str__().replace(":/", "://", 1)


def test_what_a_url_names_is_written_with_out_only(tmp_path: Path) -> None:
    event_dir(tmp_path / "deep" / "bad")
    found = scanned(tmp_path)
    run = replace(found.runs[0].run, path=Url("s3://bucket/logs/deep/bad"))
    report = replace(
        found, runs=(replace(found.runs[0], run=run),), roots=(Url("s3://bucket/logs"),)
    )
    with pytest.raises(
        SummaryError, match=r"s3://bucket/logs.* is not on this machine; scan --out"
    ):
        report.write()
    out = tmp_path / "out"
    assert report.write(out).written == (out / "deep" / "bad" / "tbdiag", out / "tbdiag")
    told = stored(out)
    assert told is not None
    assert told["runs"][0]["path"] == "deep/bad"


def test_each_root_tells_of_its_own_runs(tmp_path: Path) -> None:
    event_dir(tmp_path / "a" / "bad")
    event_dir(tmp_path / "b" / "good", HEALTHY)
    scanned(tmp_path / "a", tmp_path / "b").write()
    told = [stored(tmp_path / name) for name in "ab"]
    assert [[run["run"] for run in each["runs"]] for each in told if each] == [["bad"], ["good"]]
    assert [each["summary"]["warnings"] for each in told if each] == [1, 0]
    assert [run["path"] for each in told if each for run in each["runs"]] == ["bad", "good"]


def test_what_cannot_be_written_is_said_and_the_rest_is_written(tmp_path: Path) -> None:
    event_dir(tmp_path / "bad")
    event_dir(tmp_path / "good", HEALTHY)
    (tmp_path / "bad" / "tbdiag").write_text("mine")
    result = scanned(tmp_path).write()
    assert len(result.written) == 2
    ((where, why),) = result.failed
    assert where == tmp_path / "bad" / "tbdiag"
    assert "File exists" in why
    assert (tmp_path / "bad" / "tbdiag").read_text() == "mine"


def test_a_run_that_is_gone_is_not_brought_back(tmp_path: Path) -> None:
    event_dir(tmp_path / "bad")
    gone = event_dir(tmp_path / "gone")
    report = scanned(tmp_path)
    shutil.rmtree(gone)
    assert [why for _, why in report.write().failed] == [f"{gone} is not there any more"]
    assert not gone.exists()


def test_a_run_called_tbdiag_stays_as_it_is(tmp_path: Path) -> None:
    mine = event_dir(tmp_path / "tbdiag")
    event_dir(tmp_path / "bad")
    report = scanned(tmp_path)
    assert {each.run.id for each in report} == {"bad", "tbdiag"}
    result = report.write()
    assert [where for where, _ in result.failed] == [mine]
    assert [path.name for path in mine.iterdir() if path.is_file()] == [NAME]


def test_where_nothing_can_be_written_that_is_an_error(tmp_path: Path) -> None:
    bad = event_dir(tmp_path / "bad")
    (bad / "tbdiag").write_text("mine")
    with pytest.raises(SummaryError):
        scanned(bad).write()
    with pytest.raises(RequestError, match="it has a folder"):
        tbdiag.diagnose({"loss": [1.0, 2.0]}).write()


def test_progress_counts_the_folders(tmp_path: Path) -> None:
    event_dir(tmp_path / "bad")
    event_dir(tmp_path / "good", HEALTHY)
    told: list[tuple[int, int]] = []
    scanned(tmp_path).write(progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_followup_that_told_hparams_nothing_gets_a_session(tmp_path: Path) -> None:
    event_dir(tmp_path / "bad", DIVERGED)
    verdict = Verdict(decision=Decision.CONFIRMED, reason="NUM001 is gone")
    run = a_followup(tmp_path, verdict=verdict)
    scanned(tmp_path).write()
    found = entries(run)
    assert {*found} == {"_hparams_/session_start_info", "_hparams_/session_end_info"}
    start = plugin_data(found["_hparams_/session_start_info"]).session_start_info
    values: Mapping[str, object] = {
        name: getattr(v, v.WhichOneof("kind")) for name, v in start.hparams.items()
    }
    assert values == {"lr": 0.01, "nesterov": True, "optimizer": "sgd", "layers": 3}
    assert start.start_time_secs == 1000.0
    end = plugin_data(found["_hparams_/session_end_info"]).session_end_info
    assert (end.status, end.end_time_secs) == (1, 1060.0)
    assert not own.names(tmp_path / "bad"), "a run of the user's own gets none"
    told = text(run / "tbdiag", "tbdiag/summary")
    assert "Follow-up of [bad](#tbdiag&p.tbdiag.run=bad): lr 0.1 → 0.01." in told
    assert "**confirmed**: NUM001 is gone" in told
    assert scanned(tmp_path).write().written == ()
    assert len(own.names(run)) == 1


def test_a_session_of_its_own_is_not_doubled_and_replaces_ours(tmp_path: Path) -> None:
    run = a_followup(tmp_path)
    scanned(tmp_path).write()
    (ours,) = own.names(run)
    write(run / NAME.replace("1.0", "2.0"), hparams({"lr": 0.01}), event(61, value("x", 1.0)))
    scanned(tmp_path).write()
    assert own.content(run / ours) is None


@pytest.mark.parametrize(("state", "status"), [(State.FAILED, 2), (State.KILLED, 2)])
def test_a_session_tells_how_the_run_ended(tmp_path: Path, state: State, status: int) -> None:
    run = a_followup(tmp_path, state=state)
    scanned(tmp_path).write()
    assert plugin_data(entries(run)["_hparams_/session_end_info"]).session_end_info.status == status


def test_a_followup_that_still_runs_gets_no_session(tmp_path: Path) -> None:
    run = a_followup(tmp_path, state=State.RUNNING)
    scanned(tmp_path).write()
    assert not own.names(run), "TensorBoard would stop following the file that is written"
    assert own.names(run / "tbdiag")


def test_a_broken_journal_costs_only_the_sessions(tmp_path: Path) -> None:
    run = a_followup(tmp_path)
    (tmp_path / ".tbdiag" / "journal.jsonl").write_text('{"schema": 99}\n')
    assert scanned(tmp_path).write().failed == ()
    assert not own.names(run)


def test_an_experiment_is_never_described(tmp_path: Path) -> None:
    event_dir(tmp_path / "bad")
    a_followup(tmp_path)
    scanned(tmp_path).write()
    for path in tmp_path.rglob("*tfevents*"):
        assert b"_hparams_/experiment" not in path.read_bytes()


def test_hostile_names_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)> \"' | [x](y) \u202e #?%"
    run = event_dir(tmp_path / name)
    scanned(tmp_path).write()
    told = text(run / "tbdiag", "tbdiag/summary")
    assert "<img" not in told
    assert "\u202e" not in told
    found = stored(tmp_path)
    assert found is not None
    assert found["runs"][0]["run"] == name, "JSON holds it as it is: whoever shows it escapes it"


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    run = event_dir(tmp_path / b"bad\xff".decode("utf-8", "surrogateescape"))
    scanned(tmp_path).write()
    assert own.names(run / "tbdiag")
    json.dumps(stored(tmp_path)).encode()
