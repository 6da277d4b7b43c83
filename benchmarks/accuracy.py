"""Measure the rules on labelled runs, and write what came out into ``docs/accuracy.md``.

    python -m benchmarks.accuracy

Needs the labelled runs in ``../shared``; about two minutes on one core.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tbdiag
from benchmarks.sweep import PROBLEMS, sweep
from tbdiag.case import Case
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow
from tbdiag.detectors.registry import rules
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Severity
from tbdiag.model.report import RunReport

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
BROKEN = ("NUM001", "NUM002", "NUM003", "OPT004")  # a rate that is too high shows as these, too
SPEAKS_OF_RATE = ("NUM002", "NUM003", "OPT001", "OPT002", "OPT003", "OPT004")
RATES = ("low", "ok", "high")
HIGH_GRID = [
    LearningRateTooHigh(left=left, noise=noise, stuck_left=stuck)
    for left in (0.1, 0.2, 0.3)
    for noise in (0.01, 0.015, 0.03)
    for stuck in (0.3, 0.4, 0.6)
]
LOW_GRID = [
    LearningRateTooLow(drop=drop, slow=slow, left=left)
    for drop in (0.03, 0.05, 0.1)
    for slow in (0.05, 0.15, 0.3)
    for left in (0.1, 0.15, 0.25)
]
NAMES = {
    "overfitting": {"GEN001"},
    "diverged_nan": {"NUM001", "NUM002", "NUM003"},
    "not_learning": {"OPT004"},
    "still_improving": {"OPT006", "OPT002"},
    "plateau": {"OPT005", "OPT004"},
    "lr_too_low": {"OPT002"},
    "noisy_validation": {"VAL002"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A run of the sweep with all that the grid needs to know about it."""

    problem: str
    rate: str
    broken: bool
    error: bool
    rate_warning: bool
    high: tuple[bool, ...]  # for each of HIGH_GRID
    low: tuple[bool, ...]  # for each of LOW_GRID

    def called(self, high: int, low: int) -> str:
        """What the rules say of the rate under these thresholds."""
        if self.low[low] and not self.broken:
            return "low"
        return "high" if self.broken or self.high[high] else "ok"


def look() -> Iterator[Seen]:
    """Every run of the sweep, examined once with the defaults and by every rule of the grids."""
    selection = Selection(detectors=tuple(rule() for rule in rules()))
    for labelled in sweep():
        report, case = examine(labelled.run, selection), Case(labelled.run)
        roots = {finding.code: finding.severity for finding in report.roots}
        yield Seen(
            problem=labelled.problem,
            rate=labelled.rate,
            broken=any(code in roots for code in BROKEN),
            error=Severity.ERROR in roots.values(),
            rate_warning=any(
                roots.get(code) in (Severity.WARNING, Severity.ERROR) for code in SPEAKS_OF_RATE
            ),
            high=tuple(_fires(rule, case) for rule in HIGH_GRID),
            low=tuple(_fires(rule, case) for rule in LOW_GRID),
        )


def _fires(rule: LearningRateTooHigh | LearningRateTooLow, case: Case) -> bool:
    return rule.blocked(case) is None and any(True for _ in rule.check(case))


def confusion(runs: Iterable[Seen], high: int, low: int) -> dict[tuple[str, str], int]:
    """(label, called) → number of runs."""
    table = dict.fromkeys(itertools.product(RATES, RATES), 0)
    for run in runs:
        table[run.rate, run.called(high, low)] += 1
    return table


def balanced(table: Mapping[tuple[str, str], int]) -> float:
    """The mean over the labels of the share that is called right."""
    shares = []
    for rate in RATES:
        total = sum(table[rate, called] for called in RATES)
        if total:
            shares.append(table[rate, rate] / total)
    return sum(shares) / len(shares)


def choose(runs: Sequence[Seen]) -> tuple[int, int]:
    """The thresholds with the best balanced accuracy that call at most a tenth of ``ok`` wrong."""
    best, chosen = -1.0, (0, 0)
    for high, low in itertools.product(range(len(HIGH_GRID)), range(len(LOW_GRID))):
        table = confusion(runs, high, low)
        fine = sum(table["ok", called] for called in RATES)
        if fine and 1 - table["ok", "ok"] / fine > 0.1:
            continue
        score = balanced(table)
        if score > best:
            best, chosen = score, (high, low)
    return chosen


def rates(seen: Sequence[Seen]) -> Iterator[str]:
    """The part of the page about the learning-rate sweep."""
    fine = [run for run in seen if run.rate == "ok"]
    default = HIGH_GRID.index(LearningRateTooHigh()), LOW_GRID.index(LearningRateTooLow())
    yield "## Learning rate high, ok or low\n"
    yield (
        f"{len(seen)} runs of a public sweep over four problems, three optimizers and about 37"
        " constant rates. With the defaults, of the runs whose rate is `ok`,"
        f" {sum(run.error for run in fine) / len(fine):.1%} get an error and"
        f" {sum(run.rate_warning for run in fine) / len(fine):.1%} a warning that speaks of the"
        " rate.\n"
    )
    yield "Defaults, all four problems (the defaults were set while looking at these runs):\n"
    yield from _table(confusion(seen, *default))
    yield (
        "Thresholds of OPT001 and OPT002 chosen from a grid on two problems, reported on the other"
        " two. Only these thresholds are held out: the signs themselves were found on all four.\n"
    )
    yield "| chosen on | reported on | balanced accuracy | `ok` called high or low |"
    yield "|---|---|---|---|"
    pooled = dict.fromkeys(itertools.product(RATES, RATES), 0)
    for chosen_on in itertools.combinations(PROBLEMS, 2):
        high, low = choose([run for run in seen if run.problem in chosen_on])
        others = [run for run in seen if run.problem not in chosen_on]
        table = confusion(others, high, low)
        for key, count in table.items():
            pooled[key] += count
        ok = sum(table["ok", called] for called in RATES)
        left = [problem for problem in PROBLEMS if problem not in chosen_on]
        yield (
            f"| {', '.join(chosen_on)} | {', '.join(left)} | {balanced(table):.2f} |"
            f" {1 - table['ok', 'ok'] / ok:.1%} |"
        )
    yield "\nAll six splits together, every run counted in the three that report it:\n"
    yield from _table(pooled)


def _table(table: Mapping[tuple[str, str], int]) -> Iterator[str]:
    yield "| label | called low | called ok | called high | right |"
    yield "|---|---|---|---|---|"
    for rate in RATES:
        row = [table[rate, called] for called in RATES]
        yield f"| {rate} | {' | '.join(map(str, row))} | {table[rate, rate] / max(sum(row), 1):.0%} |"
    yield f"\nBalanced accuracy {balanced(table):.2f}.\n"


def corpus() -> Iterator[str]:
    """The part of the page about event files from public repositories."""
    labels = json.loads((CORPUS / "labels.json").read_text())
    report = tbdiag.scan(CORPUS)
    answers = [outcome.kind for run in report for outcome in run.outcomes.values()]
    yield "## Event files from public repositories\n"
    yield (
        f"{len(report.runs)} runs were examined, {len(report.unread)} files or folders held nothing"
        f" to examine. Every one of the {len(rules())} rules answered once for each run;"
        f" {answers.count('crashed')} crashed.\n"
    )
    found = {key: run for key in labels if (run := report_of(report.runs, key)) is not None}
    yield "| label | certainty | runs | named |"
    yield "|---|---|---|---|"
    counts: dict[tuple[str, str], list[bool]] = {}
    for key, entry in labels.items():
        for each in entry["labels"]:
            if each["label"] in NAMES:
                named = key in found and bool(NAMES[each["label"]] & codes_of(found[key]))
                counts.setdefault((each["label"], each["certainty"]), []).append(named)
    for (label, certainty), hits in sorted(counts.items(), key=lambda item: item[0][::-1]):
        yield f"| {label} | {certainty} | {len(hits)} | {sum(hits)} |"
    healthy = [
        found[key]
        for key, entry in labels.items()
        if key in found
        and any(
            each["label"] == "healthy" and each["certainty"] == "sure" for each in entry["labels"]
        )
    ]
    errors = sum(run.count(Severity.ERROR) > 0 for run in healthy)
    warned = sum(run.count(Severity.WARNING) > 0 for run in healthy)
    yield (
        f"\nOf the {len(healthy)} runs that are surely healthy, {errors} got an error and {warned} a"
        " warning.\n"
    )


def report_of(runs: Sequence[RunReport], key: str) -> RunReport | None:
    """The run that holds the labelled file ``key``, None where it was not examined."""
    folder = (CORPUS / key).parent
    for run in runs:
        path = Path.cwd() / run.run.path
        if path in (folder, folder.parent) and any(
            Path(name).name == Path(key).name for name in run.run.provenance.files
        ):
            return run
    return None


def codes_of(run: RunReport) -> set[str]:
    """The codes of all findings: a consequence of a root is named, too."""
    return {finding.code for finding in run.findings}


def main() -> None:
    """Write the page."""
    text = "\n".join(
        [
            "# How often it is right\n",
            "Written by `python -m benchmarks.accuracy`.\n",
            *rates(list(look())),
            *corpus(),
        ]
    )
    (ROOT / "docs" / "accuracy.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
