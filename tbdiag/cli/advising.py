"""Suggestions and rounds of follow-up runs on their way to the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tbdiag import __version__, api
from tbdiag.advisor.news import Ended, Ending, Launched, News, Remark, Underway
from tbdiag.advisor.plan import Plan
from tbdiag.api.replacing import replacing
from tbdiag.cli.deliver import PLAIN, targets
from tbdiag.cli.options import Color
from tbdiag.cli.output import look, only_ascii, say
from tbdiag.cli.progress import progress
from tbdiag.errors import RequestError
from tbdiag.views import rounds, suggestions
from tbdiag.views.paper import Paper

PROPOSALS = ("text", "json", "shell")
ROUNDS = ("text", "json")
_TRIALS = 10  # follow-ups where no budget is given


def propose(
    paths: Sequence[Path] | None,
    n: int,
    formats: str,
    output: Path | None,
    config: Path | None,
    cache: bool,
    color: Color,
    *,
    keep_going: bool,
) -> None:
    """Proposals in each of the formats; with ``keep_going`` those of such a round."""
    wanted = targets(formats, output, PROPOSALS)
    with progress() as update:
        found = api.suggest(
            paths or None,
            n=n,
            keep_going=keep_going,
            config=config,
            cache=cache,
            progress=update,
        )
    for form, file in wanted:
        if form == "json":
            text = found.to_json()
        elif form == "shell":
            text = suggestions.shell(found.sheet)
        else:
            text = suggestions.render(found.sheet, **(look(color) if file is None else PLAIN))
        _deliver(text, file, form)


def budget(
    trials: int | None, epochs: float | None, timeout: float | None, parallel: int, repeats: int
) -> dict[str, Any]:
    """The budget: without any, ten follow-ups."""
    if trials is None and epochs is None and timeout is None:
        trials = _TRIALS
    return {
        "max_trials": trials,
        "max_epochs": epochs,
        "timeout": timeout,
        "parallel": parallel,
        "repeats": repeats,
    }


def retrain(
    paths: Sequence[Path] | None,
    formats: str,
    output: Path | None,
    config: Path | None,
    cache: bool,
    color: Color,
    how: Mapping[str, Any],
) -> int:
    """A round of follow-up runs; 1 where the problem is not solved, 130 where it was interrupted."""
    wanted = targets(formats, output, ROUNDS)
    aloud = ("text", None) in wanted
    style = look(color)

    def write(draw: Callable[[Paper], object], *, apart: bool = False) -> None:
        if aloud:
            paper = Paper(color=style["color"], width=style["width"], only_ascii=style["ascii"])
            draw(paper)
            say(("\n" if apart else "") + paper.text())

    def ready(plan: Plan) -> None:
        write(lambda paper: suggestions.head(paper, api.sheet(plan)))

    with ExitStack() as stack:
        live = _live(stack)

        def tell(news: News) -> None:
            live(news)
            if not isinstance(news, Underway):
                write(lambda paper: _told(paper, news), apart=isinstance(news, Launched | Remark))

        found = api.retrain(
            path=paths or None, config=config, cache=cache, tell=tell, ready=ready, **how
        )
    for form, file in wanted:
        if form == "json":
            _deliver(found.to_json(), file, form)
        elif file is None:
            write(lambda paper: rounds.ended(paper, found.outcome), apart=True)
        else:
            paper = Paper(color=False, width=PLAIN["width"])
            suggestions.head(paper, api.sheet(found.plan))
            rounds.ended(paper, found.outcome)
            _deliver(paper.text(), file, form)
    if found.ending is Ending.INTERRUPTED:
        return 130
    healthy = not found.problem and found.ending is not Ending.NOTHING
    return 0 if found.solved or healthy else 1


def _told(paper: Paper, news: News) -> None:
    match news:
        case Launched(trial, adopted):
            rounds.begun(paper, trial, adopted=adopted)
        case Ended(trial, record, verdict):
            rounds.over(paper, trial, None if record is None else record.run, verdict)
        case Remark(sentence):
            paper.flow(sentence, indent=0, style="dim")
        case _:
            pass


def _live(stack: ExitStack) -> Callable[[News], None]:
    """What draws the runs that are under way, where stderr is a terminal."""
    if not sys.stderr.isatty():
        return lambda news: None
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    lines: dict[str, str] = {}
    plain = only_ascii(sys.stderr)
    screen = stack.enter_context(Live(console=Console(stderr=True), transient=True))

    def draw(news: News) -> None:
        if isinstance(news, Launched):
            lines[news.trial.proposal.id] = f"{news.trial.proposal.id}  started"
        elif isinstance(news, Underway):
            line = rounds.underway(news.proposal, news.run, only_ascii=plain)
            lines[news.proposal.id] = line
        elif isinstance(news, Ended):
            lines.pop(news.trial.proposal.id, None)
        screen.update(Text("\n".join(lines.values()), no_wrap=True, overflow="ellipsis"))

    return draw


def _deliver(text: str, file: Path | None, form: str) -> None:
    if file is None:
        say(text)
        return
    if form == "shell" and file.exists():
        raise RequestError(f"{file} exists; it is not overwritten")
    head = f"tbdiag {__version__}\n\n" if form == "text" else ""
    if form == "shell":
        file.write_text(text, "utf-8")
        return
    with replacing(file) as draft:
        draft.write_text(f"{head}{text}", "utf-8", errors="backslashreplace")
