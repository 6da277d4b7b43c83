"""The journal as text for a terminal or a pipe: a lab notebook of what was tried."""

from __future__ import annotations

from datetime import tzinfo

from tbdiag.journal.entry import Diagnosed
from tbdiag.journal.replay import History
from tbdiag.model.proposal import Origin
from tbdiag.views.logbook import Followup, chapters, followups, lead, seen_in, tally, when
from tbdiag.views.paper import Paper
from tbdiag.views.text import duration

_STYLES = {
    "confirmed": "ok",
    "refuted": "error",
    "failed": "error",
    "inconclusive": "warning",
    "killed": "warning",
    "timed-out": "warning",
    "interrupted": "warning",
    "running": "note",
}
_FINDINGS = 5  # of one look that are shown
_UNREAD = 5  # lines that could not be read which are shown


def render(
    history: History,
    *,
    color: bool,
    width: int = 80,
    ascii: bool = False,  # noqa: A002 -- the word for it, and nothing here needs the builtin
    zone: tzinfo | None = None,
) -> str:
    """The journal in lines of at most ``width`` columns (40 at least), the oldest entry first.

    Times are in ``zone``, by default that of this machine. Text from files is escaped; there are
    escape sequences only with ``color``, and without them the text is the same; ``ascii`` keeps it to
    ASCII.
    """
    paper = Paper(color=color, width=width, only_ascii=ascii)
    tried = followups(history)
    paper.flow(tally(tried), indent=0, style="name")
    if told := lead(tried):
        paper.flow(told, indent=0)
    for at, chapter in chapters(history):
        paper.gap()
        if isinstance(chapter, Diagnosed):
            _diagnosed(paper, when(at, zone), chapter)
        else:
            _followup(paper, when(at, zone), chapter)
    if history.unread:
        paper.gap()
    for sentence in history.unread[:_UNREAD]:
        paper.flow(sentence, indent=0, label=("not read:", "warning"), most=2)
    if len(history.unread) > _UNREAD:
        paper.line((f"and {len(history.unread) - _UNREAD} more", "dim"))
    return paper.text()


def _diagnosed(paper: Paper, time: str, seen: Diagnosed) -> None:
    paper.ends([("diagnosed ", "name"), (seen_in(seen), "")], [(time, "dim")])
    for each in seen.findings[:_FINDINGS]:
        style = each.severity if each.severity in ("error", "warning", "note") else ""
        label = (paper.cut(each.code, 12), style)
        paper.flow(each.message, indent=2, label=label, most=3)
    if len(seen.findings) > _FINDINGS:
        paper.line((f"and {len(seen.findings) - _FINDINGS} more findings", "dim"), indent=2)


def _followup(paper: Paper, time: str, each: Followup) -> None:
    standing = (each.standing, _STYLES.get(each.standing, ""))
    paper.ends([(f"{each.id} ", "name"), (each.idea, ""), ("  ", ""), standing], [(time, "dim")])
    verdict, proposal = each.attempt.verdict, each.attempt.proposal
    lines = [
        ("why", proposal.why),
        ("change", ", ".join(each.changes)),
        ("should clear", ", ".join(proposal.expects)),
        ("result", each.outcome),
        ("repeats", each.repeats),
        ("took", "" if each.seconds is None else duration(each.seconds)),
        ("ended", each.ending),
        ("verdict", f"{verdict.decision.value}: {verdict.reason}" if verdict else ""),
        ("cleared", ", ".join(verdict.cleared) if verdict else ""),
        ("still there", ", ".join(verdict.persisting) if verdict else ""),
        ("new", ", ".join(verdict.introduced) if verdict else ""),
        *(("to do by hand", words) for words in proposal.advice),
        # that of a repeat is its original's but for the seed, which stands above
        ("command", "" if proposal.origin is Origin.REPEAT else each.command),
    ]
    for name, words in lines:
        if words:
            paper.flow(words, indent=2, label=(f"{name}:", "dim"), most=8)
