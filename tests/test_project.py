"""The project around the package keeps its own promises."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

import tbdiag
from tbdiag.config import Config
from tests.detectors.contract import CLAUSES
from tests.detectors.search_contract import CLAUSES as SEARCH_CLAUSES
from tools.new_rule import problem, skeleton

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)

# Which library a name that is imported belongs to, where they differ.
DISTRIBUTIONS = {
    "google": "protobuf",
    "typing_extensions": "typing-extensions",
    "yaml": "pyyaml",
}


# Libraries that are imported only where their extra is asked for, and which one that is.
EXTRAS = {"ray": "ray", "sshfs": "ssh", "submitit": "slurm"}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The outcome of a Python command in the project's folder."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def sources() -> Iterator[Path]:
    """Every text of the project but the logs and what tools leave behind."""
    kept = ("*.py", "*.md", "*.toml", "*.yml", "*.yaml", "*.json", "*.svg", "Makefile", ".ci/run")
    for pattern in kept:
        for path in ROOT.rglob(pattern):
            parts = path.relative_to(ROOT).parts
            hidden = parts[0].startswith(".") and parts[0] not in (".ci", ".github")
            if not hidden and parts[0] not in ("venv", "build", "dist", "site"):
                yield path


def imported() -> set[str]:
    """The top-level names that the package imports, at module level or in functions."""
    names = set()
    for path in (ROOT / "tbdiag").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"tbdiag"}


def declared(requirements: list[str]) -> set[str]:
    """The names in a list of requirements."""
    return {re.split(r"[<>=!~\[ ]", each)[0].lower() for each in requirements}


def test_generated_pages_are_fresh() -> None:
    done = run("tools/generate.py", "--check")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_each_layer_imports_only_what_is_below() -> None:
    done = run("-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())")
    assert done.returncode == 0, done.stdout


def test_what_is_imported_is_declared() -> None:
    # pydantic brings pydantic_core, of exactly the version that it needs; whoever uses a callback has
    # its framework
    others = {"pydantic_core", "keras", "lightning", "transformers"}
    used = {DISTRIBUTIONS.get(name, name) for name in imported()} - others
    assert used <= declared(PROJECT["dependencies"]) | set(EXTRAS)


@pytest.mark.parametrize("library", EXTRAS)
def test_what_an_extra_brings_is_imported_where_it_is_asked_for(library: str) -> None:
    assert library in declared(PROJECT["optional-dependencies"][EXTRAS[library]])


@pytest.mark.parametrize("name", sorted(declared(PROJECT["dependencies"])))
def test_each_dependency_is_justified(name: str) -> None:
    text = (ROOT / "docs" / "design" / "dependencies.md").read_text("utf-8")
    assert re.search(rf"^\| {name} \| .{{20,}} \|$", text, re.MULTILINE)


@pytest.mark.parametrize("extra", sorted(PROJECT["optional-dependencies"]))
def test_each_extra_is_justified(extra: str) -> None:
    text = (ROOT / "docs" / "design" / "dependencies.md").read_text("utf-8")
    told = " ".join(re.findall(rf"^\| {extra} \| (.+) \| .+ \|$", text, re.MULTILINE)).lower()
    names = declared(PROJECT["optional-dependencies"][extra]) - {"tbdiag"}
    assert names == {each.strip() for each in re.split(r"[, ]+", told)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page",
    sorted((ROOT / "docs").rglob("*.md")),
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_pages_of_the_site_link_only_to_the_site(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        inside = "://" in target or (page.parent / target).resolve().is_relative_to(ROOT / "docs")
        assert inside, f"{target} is not part of the site"


def test_every_verb_is_explained() -> None:
    verbs = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    told = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [verb for verb in verbs if verb != "help" and f"`make {verb}" not in told] == []


def test_every_public_name_is_documented() -> None:
    told = (ROOT / "docs" / "library.md").read_text("utf-8")
    assert [name for name in tbdiag.__all__ if f"{name}" not in told] == []


def test_every_setting_is_documented() -> None:
    told = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    settings = {field.name for field in fields(Config)} - {"path", "root", "lines"}
    assert [name for name in settings if not re.search(rf"\b{name}\b", told)] == []


def test_the_version_is_in_one_place() -> None:
    assert "version" in PROJECT["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", tbdiag.__version__)


def test_changes_are_kept() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_package_registry_is_named() -> None:
    # Pip is asked for packages as it is configured, wherever that is.
    hosts = ["pypi" + ".org", "python" + "hosted", "anaconda" + ".org", "npmjs" + ".com"]
    found = [
        path.relative_to(ROOT)
        for path in sources()
        if any(host in path.read_text("utf-8") for host in hosts)
    ]
    assert found == []


def test_an_empty_rule_fails_its_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("toys.generalization.memorized_labels")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    source = skeleton("GEN099", "memorized-labels")
    exec(compile(source, module.__name__, "exec"), module.__dict__)
    rule = module.__dict__["MemorizedLabels"]
    broken = {name for name, clause in CLAUSES.items() if list(clause(rule))}
    assert broken == {
        "fires_on_exactly_its_samples",
        "documentation_is_whole",
        "thresholds_are_explained",
    }


def test_an_empty_rule_about_a_search_fails_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("toys.search.too_many_knobs")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(skeleton("SET099", "too-many-knobs"), module.__name__, "exec"), module.__dict__)
    rule = module.__dict__["TooManyKnobs"]
    broken = {name for name, clause in SEARCH_CLAUSES.items() if list(clause(rule))}
    assert broken == {
        "fires_on_exactly_its_samples",
        "documentation_is_whole",
        "thresholds_are_explained",
    }


@pytest.mark.parametrize(
    ("code", "name"), [("OPT099", "new-rule"), ("GEN99", "new-rule"), ("GEN099", "New_Rule")]
)
def test_an_ill_named_rule_is_refused(code: str, name: str) -> None:
    assert problem(code, name, "generalization") is not None


def test_a_code_is_given_once() -> None:
    assert problem("GEN001", "new-rule", "generalization") is not None
    assert problem("GEN099", "overfitting", "generalization") is not None
    assert problem("GEN099", "new-rule", "generalization") is None
