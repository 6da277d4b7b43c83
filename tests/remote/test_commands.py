"""What users do with URLs: in one process, on fsspec's file system in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

import tbdiag
from tbdiag.config import Config
from tests.cli.builders import HEALTHY, called, event_dir

fsspec = pytest.importorskip("fsspec", reason="the extra s3 is not installed")

ROOT = Path(__file__).parents[2]


def stored(folder: Path, name: str) -> str:
    fs = fsspec.filesystem("memory")
    for path in folder.rglob("*"):
        if path.is_file():
            fs.pipe_file(f"/{name}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    return f"memory://{name}"


@pytest.fixture
def logs(tmp_path: Path) -> str:
    for index in range(4):
        place = event_dir(tmp_path / "logs" / f"run{index}", *((HEALTHY,) if index else ()))
        (place / "hparams.yaml").write_text(f"lr: {index + 1}e-3\nweight_decay: 1e-4\nepochs: 60\n")
    return stored(tmp_path / "logs", f"logs-{tmp_path.name}")


def test_suggestions_from_far_logs(
    logs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = tbdiag.suggest(logs, n=2, config=Config(root=tmp_path))
    here = tbdiag.suggest(tmp_path / "logs", n=2, config=Config(root=tmp_path))
    assert [each.params for each in found] == [each.params for each in here]
    assert found.plan.logdir == tmp_path / "logs"
    assert {each.id for each in found.plan.past} == {each.id for each in here.plan.past}


def test_paths_and_urls_stand_side_by_side(
    logs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, out, err = called(capsys, "scan", "logs", logs, "--select", "GEN001")
    assert "in 8 runs" in out
    assert f"{logs}/run0" in out
    assert err == ""


def test_a_page_about_far_logs(
    logs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = called(capsys, "report", logs, "-o", "far.html")
    assert (code, err) == (0, "")
    assert out.startswith("far.html: 4 runs")
    text = (tmp_path / "far.html").read_text("utf-8")
    assert f"<h1><bdi>{logs}</bdi></h1>" in text
    assert text.count('<figure class="chart"') >= 4
    assert f"tbdiag suggest {logs} -n 3" in text
    assert "--retrain" not in text


def test_a_configured_logdir_may_be_a_url(
    logs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tbdiag.toml").write_text(f'logdir = "{logs}"\n')
    _, out, _ = called(capsys, "scan")
    assert "in 4 runs" in out


def test_comparisons_name_urls(logs: str) -> None:
    found = tbdiag.compare(logs, config=Config())
    assert all(str(each.run.path).startswith(f"{logs}/run") for each in found.standings)


def test_what_cannot_be_read_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url, sentence in {
        "nosuch://bucket/logs": 'tbdiag: no storage of the kind "nosuch://" is known\n',
        "memory://nowhere": "tbdiag: memory://nowhere does not exist\n",
        "simplecache::memory://nowhere": "tbdiag: simplecache::memory:/nowhere does not exist\n",
    }.items():
        code, out, err = called(capsys, "scan", url)
        assert (code, out, err) == (2, "", sentence)


def test_every_kind_of_layout_is_discovered_alike(tmp_path: Path) -> None:
    logs = ROOT / "sample_logs"
    here = tbdiag.load(logs, config=Config(), cache=False)
    there = tbdiag.load(stored(logs, "samples"), config=Config(), cache=False)
    assert [each.id for each in there] == [each.id for each in here]
    for one, other in zip(here, there, strict=True):
        assert dict(other.hparams) == dict(one.hparams)
        assert other.series.keys() == one.series.keys()
