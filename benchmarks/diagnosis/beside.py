"""The section about other tools: the same runs, the same labels, the same arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.diagnosis import gallery, scores, silence
from benchmarks.diagnosis.answers import Answer, Judged
from benchmarks.diagnosis.labels import Label
from benchmarks.diagnosis.page import Section, Table
from benchmarks.peers.forms import Form
from benchmarks.peers.tools import TOOLS, Bench, Tool
from tbdiag.model.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool with its answers to the runs in the form that suits it best."""

    tool: Tool
    form: Form
    judged: tuple[Judged, ...]


def ask(bench: Bench, folder: Path, labels: Sequence[Label]) -> list[Peer]:
    """Every tool on every run, in each form; the form with the best balance counts.

    That is the share of faults that are named less the share of healthy runs with a false alarm,
    on these very runs: the choice favours the tool.
    """
    folders = [folder / label.run for label in labels]
    peers = []
    for tool in TOOLS:
        tried = [
            Peer(
                tool=tool,
                form=form,
                judged=tuple(zip(labels, bench.answers(tool, folders, form), strict=True)),
            )
            for form in Form
        ]
        peers.append(max(tried, key=_balance))
    return peers


def _balance(peer: Peer) -> float:
    alarm = gallery.alarms(peer.judged, Severity.WARNING).value
    return gallery.named(peer.judged).value - alarm


def section(ours: Sequence[Judged], peers: Sequence[Peer]) -> Section:
    """The part of the page about the peers."""
    everyone = by_name(ours, peers)
    return Section(
        "Beside other tools",
        (
            "Linters of training logs from the package index on the same runs. What a message means"
            " in codes is laid down in `benchmarks/peers/messages.py`, as kindly as one can: it"
            " counts as naming every fault that its text, its causes or its advice point to. Every"
            " tool got each run as event files, as a table under the names that it likes best with"
            " the loss per epoch, and as one with the loss per batch; the form counts that suits it"
            " best on these very runs. What it calls information is no false alarm. A crash, or more"
            " than a minute, is no answer.",
            overall(everyone),
            Table.of(
                ("tool", "version", "form", "no answer"),
                (
                    (
                        peer.tool.name,
                        peer.tool.version,
                        peer.form.value,
                        sum(bool(answer.failed) for _, answer in peer.judged),
                    )
                    for peer in peers
                ),
            ),
            "Faults named, by family, which is that of the rule that is there for the fault (the first"
            " that the gallery's table lists for it):",
            by_family(everyone),
            "Faults named, by kind:",
            by_kind(everyone),
        ),
    )


def by_name(ours: Sequence[Judged], peers: Sequence[Peer]) -> dict[str, Sequence[Judged]]:
    """Tool → its answers: tbdiag, each of the others, and all others as if they were one."""
    others = {peer.tool.name: peer.judged for peer in peers}
    return {"tbdiag": ours, **others, "these together": together(list(others.values()))}


def together(several: Sequence[Sequence[Judged]]) -> list[Judged]:
    """What several tools say of each run, gravest first."""
    found = []
    for answers in zip(*several, strict=True):
        said = [each for _, answer in answers for each in answer.statements]
        said.sort(key=lambda each: each.severity.rank)
        found.append((answers[0][0], Answer(statements=tuple(said))))
    return found


def overall(everyone: Mapping[str, Sequence[Judged]]) -> Table:
    """A row for each tool."""
    return Table.of(
        ("tool", "faults named", "named first", "wrong answers", "alarms on healthy and traps"),
        (
            (
                tool,
                gallery.named(judged),
                f"{scores.share(judged, scores.first_right, lambda it: it.faulty).value:.0%}",
                gallery.wrong(judged),
                gallery.alarms(judged, Severity.WARNING),
            )
            for tool, judged in everyone.items()
        ),
    )


def by_family(everyone: Mapping[str, Sequence[Judged]]) -> Table:
    """A row for each family of rules, a column for each tool."""
    families = sorted(
        {silence.rule_for(label)[:3] for label, _ in everyone["tbdiag"] if label.faulty}
    )
    return _recalls(
        "family",
        {family: _of(lambda it: silence.rule_for(it)[:3], family) for family in families},
        everyone,
    )


def by_kind(everyone: Mapping[str, Sequence[Judged]]) -> Table:
    """A row for each kind of fault, a column for each tool."""
    kinds = sorted({label.family for label, _ in everyone["tbdiag"] if label.faulty})
    return _recalls("fault", {kind: _of(lambda it: it.family, kind) for kind in kinds}, everyone)


def _of(group: Callable[[Label], str], name: str) -> Callable[[Label], bool]:
    return lambda label: group(label) == name


def _recalls(
    head: str,
    groups: Mapping[str, Callable[[Label], bool]],
    everyone: Mapping[str, Sequence[Judged]],
) -> Table:
    """The share of faults that each tool names in each of ``groups``, and in all of them."""

    def rows() -> Iterator[tuple[object, ...]]:
        for name, belongs in (*groups.items(), ("all", lambda label: True)):
            shares = [
                gallery.named([each for each in judged if each[0].faulty and belongs(each[0])])
                for judged in everyone.values()
            ]
            yield name, shares[0].total, *(f"{each.value:.0%}" for each in shares)

    return Table.of((head, "runs", *everyone), rows())
