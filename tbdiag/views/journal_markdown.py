"""The journal as Markdown: for a wiki, a merge request, a paper's appendix."""

from __future__ import annotations

from datetime import tzinfo

from tbdiag import __version__
from tbdiag.journal.entry import Diagnosed
from tbdiag.journal.replay import History
from tbdiag.views.logbook import Followup, chapters, followups, lead, seen_in, tally, when
from tbdiag.views.markup import code, plain
from tbdiag.views.text import duration, result


def render(history: History, *, zone: tzinfo | None = None) -> str:
    """A table of the follow-ups, then each of them, the oldest first.

    Times are in ``zone``, by default that of this machine. Whatever text from files holds, it is
    text: marks and tags in it are escaped, and so are control characters.
    """
    tried = followups(history)
    lines = [
        f"<!-- tbdiag {__version__} -->",
        "",
        "# What was tried",
        "",
        f"{plain(tally(tried))}.",
    ]
    if told := lead(tried):
        lines += ["", f"{plain(told[0].upper() + told[1:])}."]
    if tried:
        lines += ["", *_table(tried)]
    for at, chapter in chapters(history):
        if isinstance(chapter, Diagnosed):
            lines += ["", *_diagnosed(when(at, zone), chapter)]
        else:
            lines += ["", *_followup(when(at, zone), chapter)]
    if history.unread:
        lines += ["", "## Not read", "", *(f"- {plain(each)}" for each in history.unread)]
    return "\n".join(lines) + "\n"


def _table(tried: list[Followup]) -> list[str]:
    rows = ["| follow-up | change | before | after | what became of it |", "|---|---|---|---|---|"]
    for each in tried:
        cells = (
            plain(each.id),
            ", ".join(code(change) for change in each.changes).replace("|", "\\|"),
            "" if each.before is None else result(each.before),
            "" if each.after is None else result(each.after),
            each.standing,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _diagnosed(time: str, seen: Diagnosed) -> list[str]:
    head = f"## {time}: {plain(seen_in(seen))}"
    found = [f"- **{plain(each.code)}** {plain(each.message)}" for each in seen.findings]
    return [head, "", *(found or ["Nothing was found."])]


def _followup(time: str, each: Followup) -> list[str]:
    verdict, proposal = each.attempt.verdict, each.attempt.proposal
    facts = [
        ("why", plain(proposal.why)),
        ("change", ", ".join(code(change) for change in each.changes)),
        ("should clear", plain(", ".join(proposal.expects))),
        ("result", plain(each.outcome)),
        ("repeats", plain(each.repeats)),
        ("took", "" if each.seconds is None else duration(each.seconds)),
        ("ended", plain(each.ending)),
        ("verdict", f"**{verdict.decision.value}**: {plain(verdict.reason)}" if verdict else ""),
        ("cleared", plain(", ".join(verdict.cleared)) if verdict else ""),
        ("still there", plain(", ".join(verdict.persisting)) if verdict else ""),
        ("new", plain(", ".join(verdict.introduced)) if verdict else ""),
        *(("to do by hand", plain(words)) for words in proposal.advice),
        ("command", code(each.command) if each.command else ""),
    ]
    return [
        f"## {time}: {plain(each.id)}, {plain(each.idea)}",
        "",
        *(f"- {name}: {words}" for name, words in facts if words),
    ]
