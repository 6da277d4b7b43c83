"""Measure the diagnosis on labelled runs, and write `docs/accuracy.json` and `docs/accuracy.md`.

python -m benchmarks.diagnosis                    # everything; written to docs/
python -m benchmarks.diagnosis --only gallery     # one section, printed and not written
python -m benchmarks.diagnosis --only gallery --part calibration --verbose

Needs the gallery (`python -m benchmarks.gallery`), the labelled runs in `../shared`, and for the
peers a package index that pip can reach; environments and answers are kept below `build/peers`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.diagnosis import beside, conventions, corpus, gallery, rates
from benchmarks.diagnosis.answers import Answer, Judged, load, ours
from benchmarks.diagnosis.labels import Label, read
from benchmarks.diagnosis.page import (
    PLACE,
    Results,
    Section,
    dump,
    markdown,
    section_lines,
)
from benchmarks.peers.forms import Form
from benchmarks.peers.tools import TOOLS, Bench

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ("gallery", "peers", "conventions", "rates", "corpus")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables; writes the page where all of it was measured on the report part."""
    options = _parser().parse_args(argv)
    wanted = tuple(options.only or SECTIONS)
    bench, sections, short = Bench(options.cache), list[Section](), None
    judged: list[Judged] = []
    if {"gallery", "peers"} & set(wanted):
        labels = read(options.gallery, options.part)
        judged = _judge(options.gallery, labels)
    if options.verbose:
        print("\n".join(gallery.listing(judged)) + "\n")
    if "gallery" in wanted:
        sections.append(_shown(gallery.section(judged, options.part)))
    if "peers" in wanted:
        peers = beside.ask(bench, options.gallery, [label for label, _ in judged])
        sections.append(_shown(beside.section(judged, peers)))
        short = beside.overall(beside.by_name(judged, peers))
    if "conventions" in wanted:
        sections.append(_shown(_conventions(bench)))
    if "rates" in wanted:
        runs = rates.look()
        sections.append(_shown(rates.section(runs, rates.held_out(runs))))
    if "corpus" in wanted:
        sections.append(_shown(corpus.section(corpus.scan(), corpus.labels())))
    if short is not None and wanted == SECTIONS and options.part == "report":
        _write(Results(short, tuple(sections)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.diagnosis",
        description=(__doc__ or "").splitlines()[0],
    )
    parser.add_argument("--gallery", type=Path, default=ROOT / "build" / "gallery", metavar="DIR")
    parser.add_argument("--part", choices=("report", "calibration"), default="report")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="sections; nothing is written")
    parser.add_argument("--verbose", action="store_true", help="list what was said of every run")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "peers", metavar="DIR",
        help="where the peers' environments and answers are kept",
    )  # fmt: skip
    return parser


def _judge(folder: Path, labels: Sequence[Label]) -> list[Judged]:
    judged = []
    for at, label in enumerate(labels, start=1):
        if sys.stderr.isatty():
            print(f"\r{at} of {len(labels)} runs", end="", file=sys.stderr)
        judged.append((label, ours(folder / label.run)))
    return judged


def _conventions(bench: Bench) -> Section:
    (run,) = load(ROOT / "sample_logs" / "overfitting")
    with tempfile.TemporaryDirectory() as scratch:
        found = conventions.layouts(run.series)
        folders = [Path(scratch, name.replace(" ", "-").lower()) for name in found]
        for folder, layout in zip(folders, found.values(), strict=True):
            conventions.write(folder, layout)
        answers: dict[str, Sequence[Answer]] = {"tbdiag": [ours(folder) for folder in folders]}
        for tool in TOOLS:
            answers[tool.name] = bench.answers(tool, folders, Form.EVENTS)
    return conventions.section(list(found), answers)


def _shown(section: Section) -> Section:
    print("\n".join(section_lines(section)))
    return section


def _write(results: Results) -> None:
    PLACE.write_text(dump(results) + "\n", encoding="utf-8")
    PLACE.with_suffix(".md").write_text(markdown(results), encoding="utf-8")
    print(f"written to {PLACE.relative_to(ROOT)}; `make docs` puts the short table into README.md")


if __name__ == "__main__":
    sys.exit(main())
