"""The section about the gallery: every rule on every run of one part, as tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.diagnosis import scores, silence
from benchmarks.diagnosis.answers import Answer, Judged
from benchmarks.diagnosis.intervals import Share
from benchmarks.diagnosis.labels import Label
from benchmarks.diagnosis.page import Section, Table
from benchmarks.diagnosis.scores import Sized, Verdict, verdict
from benchmarks.diagnosis.silence import Silence
from tbdiag.detectors.registry import rules
from tbdiag.model.finding import Confidence, Severity


def section(judged: Sequence[Judged], part: str) -> Section:
    """What was found on the runs of one part of the gallery."""
    kinds = Counter(label.kind for label, _ in judged)
    tasks = {label.task for label, _ in judged}
    failed = sum(bool(answer.failed) for _, answer in judged)
    return Section(
        "Faults that were injected",
        (
            f"{len(judged)} runs on {len(tasks)} problems from the {part} part of the gallery:"
            f" {kinds['fault']} with one fault each that did show in the outcome,"
            f" {kinds['healthy']} healthy, {kinds['trap']} healthy but of a look that misleads."
            " Thresholds were chosen on other problems. Intervals are of 95 %: in total by a"
            " bootstrap over the problems, per kind and rule after Wilson."
            f" On {failed} runs a rule crashed or nothing could be read.",
            total(judged),
            "Faults named by how strong they are, by what was trained, and by how much was logged:"
            " where it is hardly anything, many rules cannot tell, and say so.",
            groups(judged),
            "What the rule that is there for the fault answered: where nothing named it, the rule either said"
            " that what was logged does not tell, or passed without a word. The rule for a fault is the first"
            " that the gallery's table lists for it; that others passed is no miss, for a rate that is too"
            " high need not blow up.",
            silence.split(judged),
            "The same rules on healthy runs and traps, as shares of all their answers. A rule that cannot"
            " tell must not be the rule: what was logged as usual clears a run of most faults.",
            silence.cleared(judged),
            "Per kind of fault. *Named*: one of the codes for it is among the findings; *first*:"
            " it is the first of them. *Cannot tell*: not named, and the rule for it said so. *Wrong*: not named, but a warning or error that is not true."
            " *Precision*: of all findings with one of its codes, those that are true of their run.",
            families(judged),
            "Warnings and errors on healthy runs and on traps that are not true of them:",
            controls(judged),
            "Per rule, findings that stand as roots. *Related*: a true consequence or side remark."
            " *Elsewhere*: on a run with another fault. *Healthy*: on healthy runs and traps, in"
            " brackets those of them that are more than a note. *Recall*: of the runs whose fault"
            " the code names; another code may have named it instead.",
            per_rule(judged),
            "How sure a finding says it is, and how often it is true:",
            confidence(judged),
            "That longer training would help (OPT006), against really training longer:",
            longer(judged),
            "The size of the validation set, read off the accuracies alone, and as VAL001 reports"
            " it where it fires:",
            sizes(judged),
        ),
    )


def total(judged: Sequence[Judged]) -> Table:
    """The whole in one table."""
    said = scores.statements(judged)
    faults = [it for it in judged if it[0].faulty]
    answered = [it for it in faults if silence.silence(*it) is not Silence.OPEN]
    rows: list[tuple[str, object]] = [
        ("faults named", named(judged)),
        ("… of those of which the rule for it does not say that it cannot tell", named(answered)),
        ("… by nothing but a suspicion", scores.share(judged, scores.only_suspected, _faulty)),
        ("fault is the first finding", scores.share(judged, scores.first_right, _faulty)),
        ("faults for which something else is named", wrong(judged)),
        ("faulty runs with an unrelated warning or error", _cries(judged, "fault")),
        ("healthy runs and traps with an error", alarms(judged, Severity.ERROR)),
        ("healthy runs and traps with a warning or error", alarms(judged, Severity.WARNING)),
        (
            "healthy runs and traps on which a suspicion is untrue",
            scores.share(judged, scores.wrongly_suspected, lambda label: not label.faulty),
        ),
        ("warnings and errors that are true", said.precision),
        (
            "… naming the fault / related / unrelated / on healthy runs",
            f"{said.naming} / {said.related} / {said.unrelated} / {said.alarms}",
        ),
    ]
    return Table.of(("all", "share"), rows)


def groups(judged: Sequence[Judged]) -> Table:
    """A row for each strength of a fault, setting and detail; faults of one strength have none."""
    strengths = [
        (f"{strength} faults", [it for it in judged if it[0].faulty and it[0].strength == strength])
        for strength in ("mild", "clear", "strong")
    ]
    settings = [
        (setting, [it for it in judged if it[0].setting == setting])
        for setting in sorted({label.setting for label, _ in judged})
    ]
    details = [
        (name, [it for it in judged if it[0].detail in kinds]) for name, kinds in silence.DETAILS
    ]
    return Table.of(
        ("group", "faulty runs", "named", "healthy and traps", "with a warning or error"),
        (
            (
                name,
                (hit := named(own)).total,
                hit,
                (cry := alarms(own, Severity.WARNING)).total,
                cry,
            )
            for name, own in (*strengths, *settings, *details)
            if own
        ),
    )


def named(judged: Sequence[Judged]) -> Share:
    """The share of faults that are named."""
    return scores.share(judged, lambda *it: verdict(*it) is Verdict.NAMED, _faulty)


def wrong(judged: Sequence[Judged]) -> Share:
    """The share of faults for which something else is named."""
    return scores.share(judged, lambda *it: verdict(*it) is Verdict.WRONG, _faulty)


def alarms(judged: Sequence[Judged], severity: Severity) -> Share:
    """The share of healthy runs and traps with something untrue at this severity or above."""
    return scores.share(
        judged,
        lambda label, answer: scores.cries(label, answer, severity),
        lambda label: not label.faulty,
    )


def _cries(judged: Sequence[Judged], kind: str) -> Share:
    return scores.share(
        judged,
        lambda label, answer: scores.cries(label, answer, Severity.WARNING),
        lambda label: label.kind == kind,
    )


def _faulty(label: Label) -> bool:
    return label.faulty


def families(judged: Sequence[Judged]) -> Table:
    """A row for each kind of fault."""
    left_open = Counter(
        label.family
        for label, answer in judged
        if label.faulty and silence.silence(label, answer) is Silence.OPEN
    )
    return Table.of(
        (
            *("fault", "runs", "problems", "named", "first", "cannot tell", "wrong", "precision"),
            "mistaken for",
        ),
        (
            (
                each.family,
                each.recall.total,
                each.tasks,
                each.recall,
                f"{each.first.value:.0%}",
                left_open[each.family],
                each.wrong,
                each.precision,
                ", ".join(f"{code} {count}×" for code, count in each.mistaken[:3]) or "–",
            )
            for each in scores.by_family(judged)
        ),
    )


def controls(judged: Sequence[Judged]) -> Table:
    """A row for each kind of healthy run."""

    def rows() -> Iterator[tuple[object, ...]]:
        kinds = sorted({(label.kind, label.family) for label, _ in judged if not label.faulty})
        for kind, family in kinds:
            own = [each for each in judged if (each[0].kind, each[0].family) == (kind, family)]
            heard = Counter(
                code
                for label, answer in own
                for each in scores.unrelated(label, answer)
                for code in each.codes
            )
            yield (
                family,
                len(own),
                alarms(own, Severity.ERROR),
                alarms(own, Severity.WARNING),
                ", ".join(f"{code} {count}×" for code, count in heard.most_common(4)) or "–",
            )

    return Table.of(("run", "runs", "with an error", "with a warning or error", "which"), rows())


def per_rule(judged: Sequence[Judged]) -> Table:
    """A row for each rule that said anything or should have."""
    return Table.of(
        ("code", "naming", "related", "elsewhere", "healthy", "precision", "recall"),
        (
            (
                each.code,
                each.naming,
                each.related,
                each.unrelated,
                f"{each.alarms} ({each.loud_alarms})",
                each.precision,
                each.recall,
            )
            for each in scores.by_rule(judged, (rule.code for rule in rules()))
            if each.precision.total or each.recall.total
        ),
    )


def confidence(judged: Sequence[Judged]) -> Table:
    """A row for each degree of confidence."""
    found = scores.by_confidence(judged)
    return Table.of(
        ("confidence", "warnings and errors", "true", "notes", "true"),
        (
            (level.value, *_counted(found.get((level, True))), *_counted(found.get((level, False))))
            for level in reversed(Confidence)
        ),
    )


def _counted(share: Share | None) -> tuple[object, object]:
    return (0, "–") if share is None else (share.total, share)


def longer(judged: Sequence[Judged]) -> Table:
    """OPT006 as root, and wherever it fires."""

    def rows() -> Iterator[tuple[object, ...]]:
        for name, hidden in (("as a root", False), ("roots and consequences", True)):
            told = scores.longer(judged, "OPT006", hidden=hidden)
            yield name, told.precision.total, told.precision, told.recall.total, told.recall

    return Table.of(("OPT006", "said", "precision", "longer helps", "recall"), rows())


def sizes(judged: Sequence[Judged]) -> Table:
    """Exact, unknown and wrong sizes, on all runs whose validation set has a known size."""

    def rows() -> Iterator[tuple[object, ...]]:
        for name, reported in (("read off the accuracies", False), ("reported by VAL001", True)):
            found = [scores.sized(label, answer, reported=reported) for label, answer in judged]
            if reported:
                found = [
                    each
                    for each, (_, answer) in zip(found, judged, strict=True)
                    if answer.reported is not None
                ]
            counts = Counter(each for each in found if each is not None)
            n = sum(counts.values())
            yield name, n, *(f"{counts[k]} ({_percent(counts[k], n)})" for k in Sized)

    return Table.of(("size", "runs", *(each.value for each in Sized)), rows())


def _percent(part: int, whole: int) -> str:
    value = part / whole if whole else math.nan
    return "–" if math.isnan(value) else f"{value:.0%}"


def listing(judged: Sequence[Judged]) -> Iterator[str]:
    """Every run that is missed, mistaken or falsely alarmed, with what was said; then the others."""
    for label, answer in judged:
        mark = verdict(label, answer).value if label.faulty else "quiet"
        if not label.faulty and scores.unrelated(label, answer):
            mark = "ALARM"
        if mark in (Verdict.WRONG, Verdict.SILENT):
            mark = mark.upper()
        extra = " +unrelated" if mark == "named" and scores.unrelated(label, answer) else ""
        wanted = " ".join(sorted(label.codes)) or "nothing"
        related = f" (related: {' '.join(sorted(label.related))})" if label.related else ""
        yield f"{mark}{extra}\t{label.run}\t{label.family} {label.strength}".rstrip()
        yield f"    label: {wanted}{related}"
        for each in answer.statements:
            tick = "+" if label.named_by(each.codes) else "~" if label.right(each.codes) else "-"
            sure = f", {each.confidence}" if each.confidence else ""
            yield f"  {tick} {'/'.join(sorted(each.codes))} {each.severity}{sure}: {each.text}"
        for each in answer.hidden:
            yield f"    hidden: {'/'.join(sorted(each.codes))} {each.severity}"
        if answer.failed:
            yield f"    failed: {answer.failed}"
        yield from _facts(label, answer)


def _facts(label: Label, answer: Answer) -> Iterator[str]:
    foretold = any("OPT006" in each.codes for each in (*answer.statements, *answer.hidden))
    if label.facts.longer_helps is not None and label.facts.longer_helps is not foretold:
        gain = label.facts.gain_if_longer
        told = "" if gain is None else f" (gain {gain:.3g})"
        yield f"    longer training helps: {label.facts.longer_helps}{told}, OPT006: {foretold}"
    if scores.sized(label, answer, reported=False) is Sized.WRONG:
        yield f"    {label.facts.validation_samples} samples, inferred: {answer.inferred}"
