"""Start a new rule: one file with everything that the contract asks for, still to be filled in.

python tools/new_rule.py GEN006 memorized-labels generalization
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from tbdiag import __version__
from tbdiag.detectors import registry

DETECTORS = Path(__file__).resolve().parent.parent / "tbdiag" / "detectors"

PREFIXES = {
    "numerics": "NUM",
    "optimization": "OPT",
    "initialization": "INI",
    "generalization": "GEN",
    "validation": "VAL",
    "gradients": "GRD",
    "bookkeeping": "LOG",
    "throughput": "SYS",
    "reinforcement": "RLX",
    "adversarial": "GAN",
    "search": "SET",
}

SKELETON = '''"""{code}: …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold
from tbdiag.model.finding import Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role


@dataclass(frozen=True, kw_only=True)
class {name}(Detector):
    """…

    ## What it does

    …

    ## Why is this bad?

    …

    ## How it is detected

    … `limit` …

    ## Remedy

    …

    ## False alarms

    …

    ## References

    …
    """

    code, severity, since = "{code}", Severity.WARNING, "{version}"
    needs = (Role.TRAIN_LOSS,)
    points = 8

    limit: Annotated[float, Threshold("…", above=0)] = 0.0

    def check(self, case: Case) -> Iterator[Finding]:
        loss = case.the(Role.TRAIN_LOSS)
        measured = 0.0
        if measured > self.limit:
            yield self.finding(
                "…",
                Evidence(
                    tag=loss.tag,
                    span=(int(loss.steps[0]), int(loss.steps[-1])),
                    measures=(Measure("measured", measured, ">", self.limit),),
                ),
                remedies=(Remedy.advice("…", "…"),),
            )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        yield from ()
'''

# What is different in a rule about several runs together.
OF_A_SEARCH = (
    ("from tbdiag.case import Case\n", ""),
    ("Detector, Sample, Threshold", "SearchDetector, SearchSample, Threshold"),
    ("from tbdiag.model.role import Role\n", "from tbdiag.search import Family\n"),
    ("(Detector)", "(SearchDetector)"),
    ("    needs = (Role.TRAIN_LOSS,)\n    points = 8\n", "    runs = 3\n"),
    ("case: Case", "family: Family"),
    ("loss = case.the(Role.TRAIN_LOSS)", "best = family.ranked[0]"),
    ("tag=loss.tag", "tag=best.curve.tag"),
    (
        "(int(loss.steps[0]), int(loss.steps[-1]))",
        "(int(best.curve.steps[0]), int(best.curve.steps[-1]))",
    ),
    (' ">", self.limit),),\n', ' ">", self.limit),),\n                    run=best.run.id,\n'),
    (
        "                remedies",
        "                subject=family.project,\n                remedies",
    ),
    ("Iterator[Sample]", "Iterator[SearchSample]"),
)


def skeleton(code: str, name: str) -> str:
    """The source of an empty rule; ``name`` in kebab case."""
    title = "".join(word.capitalize() for word in name.split("-"))
    source = SKELETON
    for old, new in OF_A_SEARCH if code.startswith(PREFIXES["search"]) else ():
        source = source.replace(old, new)
    return source.format(code=code, name=title, version=__version__)


def problem(code: str, name: str, family: str) -> str | None:
    """Why there can be no such rule, or None."""
    if not re.fullmatch(rf"{PREFIXES[family]}\d{{3}}", code):
        return f"codes in {family} are {PREFIXES[family]} and three digits, not {code}"
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name):
        return f"{name!r} is not in kebab case"
    for word in (code, name):
        rule = registry.find(word)
        if rule is not None:
            return f"{word} exists already: {rule.__module__}"
    return None


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("code", help="permanent, never used before")
    parser.add_argument("name", help="the defect in kebab case, not its remedy")
    parser.add_argument("family", choices=PREFIXES)
    args = parser.parse_args(argv)
    wrong = problem(args.code, args.name, args.family)
    if wrong is not None:
        parser.error(wrong)
    folder: Path = DETECTORS / args.family
    folder.mkdir(exist_ok=True)
    if not (folder / "__init__.py").exists():
        (folder / "__init__.py").write_text(f'"""Rules about {args.family}."""\n', encoding="utf-8")
    file = folder / f"{args.name.replace('-', '_')}.py"
    file.write_text(skeleton(args.code, args.name), encoding="utf-8")
    print(f"Wrote {file}.")
    print(f"Fill it in until this passes: python -m pytest tests/detectors -k {args.code}")
    print("Then: make docs, a line in CHANGELOG.md, make check.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
