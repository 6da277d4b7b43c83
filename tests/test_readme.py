"""What the README and the pages under docs/ show is what tbdiag does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tbdiag
from tbdiag.cli.app import app
from tbdiag.diagnosis.select import load
from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.naming.roles import bind

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FRAMEWORKS = sorted((ROOT / "docs" / "frameworks").glob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    fenced = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return fenced.findall(page.read_text("utf-8"))


def commands(page: Path) -> Iterator[list[str]]:
    """Every call of tbdiag that the page shows, as words."""
    text = page.read_text("utf-8")
    for line in re.findall(r"^\$ (tbdiag .+)$", text, re.MULTILINE):
        yield shlex.split(line)
    for block in blocks(page, "sh"):
        yield from (shlex.split(line) for line in block.splitlines() if line.startswith("tbdiag "))
    for inline in re.findall(r"`(tbdiag [a-z][^`]*)`", text):
        yield shlex.split(inline)


def test_the_first_block_runs_the_main_job_in_one_line() -> None:
    (line,) = blocks(README, "sh")[0].splitlines()
    *setup, job = line.split(" && ")
    assert setup == ["python3 -m venv .venv", '.venv/bin/pip install ".[demo]"']
    assert job.startswith(".venv/bin/tbdiag scan sample_logs/")


def test_the_second_block_passes_the_tests_in_one_line() -> None:
    (line,) = blocks(README, "sh")[1].splitlines()
    assert line == (
        'python3 -m venv .venv && .venv/bin/pip install -e ".[dev]" && .venv/bin/python -m pytest'
    )


def test_the_main_job_is_done_as_it_stands() -> None:
    job = blocks(README, "sh")[0].split(" && ")[-1]
    _, *words = shlex.split(job)
    done = subprocess.run(
        [sys.executable, "-m", "tbdiag", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for story in ("overfitting", "nan", "resumed"):
        assert story in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_exists(page: Path) -> None:
    known = {each.name for each in app.registered_commands}
    for _, command, *_ in commands(page):
        assert command in known


def test_every_command_is_shown() -> None:
    told = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for each in app.registered_commands:
        assert f"\n## tbdiag {each.name}\n" in told
        assert f"`tbdiag {each.name}" in README.read_text("utf-8")


@pytest.mark.parametrize("page", [README, ROOT / "docs" / "library.md"], ids=lambda page: page.name)
def test_the_library_does_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sample_logs").symlink_to(ROOT / "sample_logs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_configuration_shown_is_right(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "toml"):
        file = tmp_path / "tbdiag.toml"
        file.write_text(block, "utf-8")
        load(file)  # raises ConfigError with every mistake


def test_the_tutorial_ends_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    train, scan = blocks(ROOT / "docs" / "tutorial.md", "sh")[0].splitlines()
    _, *words = shlex.split(train)
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    (run,) = tbdiag.scan(shlex.split(scan)[-1]).runs
    assert run.outcomes["GEN001"].kind == "passed"


def tables(page: Path) -> Iterator[dict[str, Role]]:
    """Each table of a page that says which tag plays which role."""
    for table in re.findall(
        r"^\| tag \| role \|\n\|.*\n((?:\|.*\n)+)", page.read_text("utf-8"), re.M
    ):
        yield {tag: Role(role) for tag, role in re.findall(r"\| `(.+?)` \| (\w+) \|", table)}


def a_curve(tag: str, role: Role | None = None) -> Series:
    """A curve like one of this role: falling, a point every ten steps unless per batch."""
    every = 1 if role is Role.BATCH_LOSS else 10
    steps = np.arange(every, 201, every)
    values = steps / 10 if role is Role.EPOCH else np.exp(-steps / 50)
    return Series.of(tag, steps, values)


@pytest.mark.parametrize("page", FRAMEWORKS, ids=lambda page: page.stem)
def test_tags_are_understood_as_the_page_says(page: Path) -> None:
    for roles in tables(page):
        bound = bind({tag: a_curve(tag, role) for tag, role in roles.items()}).bound
        assert {binding.tag: role for role, binding in bound.items()} == roles


def test_the_index_of_frameworks_lists_tags_that_are_understood() -> None:
    text = (ROOT / "docs" / "frameworks" / "index.md").read_text("utf-8")
    expected = {
        "training loss": {Role.TRAIN_LOSS, Role.BATCH_LOSS},
        "validation loss": {Role.VAL_LOSS},
        "accuracy": {Role.VAL_METRIC},
        "learning rate": {Role.LEARNING_RATE},
        "gradient norm": {Role.GRAD_NORM},
    }
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (`.+`) \|$", text, re.MULTILINE))
    assert rows.keys() == expected.keys()
    for phrase, tags in rows.items():
        for tag in re.findall(r"`(.+?)`", tags):
            bound = bind({tag: a_curve(tag)}).bound
            assert set(bound) & expected[phrase], tag
