"""``tbdiag compare`` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.builders import HEALTHY, called, event_dir

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    event_dir(tmp_path / "logs" / "bad")
    event_dir(tmp_path / "logs" / "good", HEALTHY)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_two_runs_or_the_folder_of_both(capsys: Captured) -> None:
    code, out, err = called(capsys, "compare", "logs/bad", "logs/good")
    assert (code, err) == (0, "")
    assert out.startswith("2 runs by validation loss  loss/val, lower is better\n")
    assert "A   good" in out
    assert max(map(len, out.splitlines())) <= 80
    assert called(capsys, "compare", "logs")[1].splitlines()[2:] == out.splitlines()[2:]


def test_json_to_stdout_and_to_a_file(here: Path, capsys: Captured) -> None:
    code, out, _ = called(capsys, "compare", "logs", "--format", "json")
    assert code == 0
    assert [run["run"] for run in json.loads(out)["runs"]] == ["good", "bad"]
    for _ in range(2):  # the second replaces the first one's file
        code, text, _ = called(capsys, "compare", "logs", "--format", "text,json", "-o", "c.json")
        assert (code, text.startswith("2 runs")) == (0, True)
    assert (here / "c.json").read_text() == out


def test_a_plot_of_all_curves(here: Path, capsys: Captured) -> None:
    assert called(capsys, "compare", "logs", "--plot", "curves.png")[0] == 0
    assert (here / "curves.png").read_bytes().startswith(b"\x89PNG")
    code, out, err = called(capsys, "compare", "logs", "--plot", "curves.png")
    assert (code, out) == (2, "")
    assert err == "tbdiag: curves.png exists; --force overwrites it, --plot names another file\n"
    assert called(capsys, "compare", "logs", "--plot", "curves.png", "--force")[0] == 0


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["logs/bad"], "two runs or more are needed to compare: found bad only"),
        (["logs/bad", "logs/bad"], "two runs or more are needed to compare: found bad only"),
        (["logs", "--format", "jsn"], 'there is no format "jsn"; did you mean "json"?'),
        (["logs", "--plot", "curves.gif"], "curves.gif must end in .png, .svg or .pdf"),
        (["nowhere"], ""),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    words: list[str], expected: str, capsys: Captured
) -> None:
    code, out, err = called(capsys, "compare", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert expected in err
