"""Write everything in the documentation that the code already knows.

python tools/generate.py            # write what is stale
python tools/generate.py --check    # list what is stale, write nothing, fail if there is any

Whole pages: docs/rules/, docs/cli.md, docs/report.schema.json, docs/accuracy.md. In README.md and in the other pages
under docs/ the text between `<!-- generated: … -->` and `<!-- end -->`: a table by its name, or
the output of a command, run on a copy of sample_logs/; a round of follow-ups is recorded once, by
tools/record_round.py. Pictures depend on the version of matplotlib, so that only their presence is checked.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.diagnosis import page as accuracy
from pages import command_page, rule_index, rule_page, rule_table, threshold_table
from pictures import draw
from tbdiag.detectors import registry
from tbdiag.views import schema_v1

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SHOWN = "/home/ada/experiment"  # where commands seem to run
BENCH = "/tmp" if Path("/tmp").is_dir() else None
PREFIX = "tbdiag-"  # of that folder, whose whole name is as long as what is shown instead
BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)

RECORDED = ROOT / "tools" / "recorded"
ROUND = "tbdiag suggest sample_logs/rate-too-high-bouncing --retrain --max-trials 6"

TABLES: Mapping[str, Callable[[], str]] = {
    "rules": lambda: rule_table("docs/rules/"),
    "thresholds": threshold_table,
    "accuracy": accuracy.short,
    "advisor": lambda: advisor_table(),
    "round": lambda: console(ROUND, (RECORDED / "round.txt").read_text("utf-8").strip("\n")),
}


def advisor_table() -> str:
    """How often and how soon each method came near the best settings, by the benchmark's own page."""
    measured = json.loads((DOCS / "advisor-benchmark.json").read_text("utf-8"))["sections"][0]
    table = measured["parts"][0]
    rows = [table["head"], ["---"] * len(table["head"]), *table["rows"]]
    return "".join(f"| {' | '.join(row[:4])} |\n" for row in rows)


def console(command: str, said: str) -> str:
    """A block with a command and what it said."""
    return f"```console\n$ {command}\n{said}\n```\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Every file that is generated as a whole, with its text."""
    for rule in registry.every_rule():
        yield DOCS / "rules" / f"{rule.code}.md", rule_page(rule)
    yield DOCS / "rules" / "index.md", rule_index()
    yield DOCS / "cli.md", command_page()
    schema = json.dumps(schema_v1.schema(), indent=2, ensure_ascii=False)
    yield DOCS / "report.schema.json", schema + "\n"
    yield DOCS / "accuracy.md", accuracy.markdown(accuracy.load(accuracy.PLACE.read_text("utf-8")))


def handwritten() -> Iterator[Path]:
    """Every page that may have generated blocks in it."""
    whole = {path for path, _ in pages()}
    yield from (
        path for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))) if path not in whole
    )


def filled(text: str, output: Callable[[str], str]) -> str:
    """The text with its blocks made anew; ``output`` runs a command."""

    def block(match: re.Match[str]) -> str:
        what = match[2]
        content = output(what[2:]) if what.startswith("$ ") else TABLES[what]()
        return f"{match[1]}{content}{match[3]}"

    return BLOCK.sub(block, text)


class Shop:
    """A folder with a copy of the sample logs and their trainer, where commands run.

    Its name is as long as the one that is shown instead of it, so that lines break alike everywhere.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.blocks: dict[str, str] = {}
        for name in ("sample_logs", "examples"):
            shutil.copytree(ROOT / name, folder / name)
        (folder / "logs" / ".tbdiag").mkdir(parents=True)
        if RECORDED.exists():
            shutil.copy(RECORDED / "journal.jsonl", folder / "logs" / ".tbdiag")

    def output(self, command: str) -> str:
        """A console block with a tbdiag command and what it says on both of its streams."""
        if command not in self.blocks:
            self.blocks[command] = console(command, self.said(command))
        return self.blocks[command]

    def said(self, command: str) -> str:
        """What a tbdiag command says on both of its streams."""
        program, *words = shlex.split(command)
        if program != "tbdiag":
            raise ValueError(f"only tbdiag is run for the documentation, not {program}")
        kept = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "GITHUB_ACTIONS")}
        plain = {"COLUMNS": "80", "NO_COLOR": "1", "TZ": "UTC"}
        python = {"PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
        there = set(self.folder.iterdir())
        home = {"HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / ".cache")}
        done = subprocess.run(
            [sys.executable, "-m", "tbdiag", *words],
            cwd=self.folder,
            env={**kept, **plain, **python, **home},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout}")
        for made in set(self.folder.iterdir()) - there:  # what a command writes is not for the next
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        said = done.stdout.replace(str(self.folder), SHOWN)
        return "\n".join(line.rstrip() for line in said.splitlines()).strip("\n")


def stale() -> Iterator[tuple[Path, str]]:
    """Every text that is not as it should be, with what it should be."""
    wanted = list(pages())
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=BENCH) as folder:
        shop = Shop(Path(folder))
        wanted += [(path, filled(path.read_text("utf-8"), shop.output)) for path in handwritten()]
    for path, text in wanted:
        if not path.exists() or path.read_text("utf-8") != text:
            yield path, text


def superfluous() -> Iterator[Path]:
    """Pages and pictures of rules that are no more."""
    codes = {rule.code for rule in registry.every_rule()} | {"index"}
    yield from (path for path in sorted((DOCS / "rules").glob("*.*")) if path.stem not in codes)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="list what is stale, write nothing")
    args = parser.parse_args(argv)
    texts = dict(stale())
    pictures = {DOCS / "rules" / f"{rule.code}.svg": rule for rule in registry.every_rule()}
    if args.check:
        gone = [path for path in pictures if not path.exists()]
        found = sorted({*texts, *superfluous(), *gone})
        for path in found:
            print(f"{path.relative_to(ROOT)} is stale; `make docs` makes it anew")
        return 1 if found else 0
    for path in superfluous():
        path.unlink()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    for path, rule in pictures.items():
        draw(rule, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
