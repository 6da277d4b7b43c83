"""A report on its way out: to stdout, to files, to plots, to the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tbdiag import __version__
from tbdiag.api import Report, scan
from tbdiag.api.intake import repeated
from tbdiag.api.replacing import OWN_PLOT, replacing
from tbdiag.cli.drawing import draw, file_name
from tbdiag.cli.options import Color, FailOn
from tbdiag.cli.output import Look, look, say_all, warn
from tbdiag.cli.progress import counting, progress
from tbdiag.config import did_you_mean, shown
from tbdiag.errors import RequestError
from tbdiag.model.finding import Severity
from tbdiag.views import terminal
from tbdiag.views.text import count

if TYPE_CHECKING:
    from tbdiag.scale.base import Pool

FORMATS = ("text", "json", "markdown", "junit", "sarif", "github")
_MOST = 8  # paths named one by one

PLAIN = Look(color=False, width=80, ascii=False)

Target = tuple[str, Path | None]


def targets(formats: str, output: Path | None, known: Sequence[str] = FORMATS) -> list[Target]:
    """Each of the ``known`` formats that is asked for and its file, None for stdout.

    Of several formats, text stays on stdout and ``output`` takes the other.
    """
    words = list(dict.fromkeys(word.strip().lower() for word in formats.split(",") if word.strip()))
    for word in words or [""]:
        if word not in known:
            hint = did_you_mean(word, known) or f"; choose among {', '.join(known)}"
            raise RequestError(f'there is no format "{word}"{hint}')
    if len([word for word in words if word != "text"]) > 1:
        raise RequestError("choose one format, or text and one other")
    return [(word, None if word == "text" and len(words) > 1 else output) for word in words]


def scanned(
    paths: Sequence[Path] | None,
    select: Sequence[str] | None,
    ignore: Sequence[str] | None,
    config: Path | None,
    *,
    cache: bool,
    jobs: int | None,
    cluster: str | None,
    memory: int | None,
    verify: bool,
    bar: bool = True,
) -> Report:
    """The report, with a progress ``bar`` on the way.

    Diagnosed on a ``cluster`` where one is named; else ``jobs`` processes read logs on disk.
    """
    with _pool(paths, jobs, cluster) as pool, progress(watched=bar) as update:
        return scan(
            paths or None,
            select=select or (),
            ignore=ignore or (),
            config=config,
            progress=update,
            cache=cache,
            jobs=jobs,
            memory=memory,
            verify=verify,
            pool=pool,
        )


def _pool(
    paths: Sequence[Path] | None, jobs: int | None, cluster: str | None
) -> AbstractContextManager[Pool | None]:
    if cluster is not None:
        from tbdiag.scale.ray import RayPool

        return RayPool(cluster)
    from tbdiag.scale.local import side_by_side

    return side_by_side(paths, jobs)


def report(found: Report, targets: Sequence[Target], *, color: Color, show_passed: bool) -> None:
    """Writes the report in each format; what could not be examined is said on stderr beside all but text."""
    for form, file in targets:
        text: Iterable[str]
        if form == "text":
            style = look(color) if file is None else PLAIN
            text = [terminal.render(found, show_passed=show_passed, **style)]
        else:
            text = _chunks(form, found)
        if file is None:
            say_all(text)
            continue
        head = f"tbdiag {__version__}\n\n" if form == "text" else ""
        with (
            replacing(file) as draft,
            draft.open("w", encoding="utf-8", errors="backslashreplace") as out,
        ):
            out.writelines(chain([head], text))
    if n := repeated():
        warn(f"tbdiag: {n} requests were repeated, since the storage did not answer them at once")
    if "text" not in [form for form, _ in targets]:
        for path, reason in found.unread[:_MOST]:
            warn(f"tbdiag: {path} was not examined: {reason}")
        if len(found.unread) > _MOST:
            warn(f"tbdiag: {len(found.unread) - _MOST} more paths were not examined")


def _chunks(form: str, found: Report) -> Iterator[str]:
    """The report in a format for other programs, piece by piece."""
    match form:
        case "markdown":
            from tbdiag.views import report_markdown

            return report_markdown.chunks(found)
        case "junit":
            from tbdiag.views import report_junit

            return report_junit.chunks(found)
        case "sarif":
            from tbdiag.views import report_sarif

            return report_sarif.chunks(found)
        case "github":
            from tbdiag.views import report_github

            return report_github.chunks(found)
    from tbdiag.views import json_v1

    return json_v1.chunks(found)


def plots(found: Report, folder: Path) -> None:
    """One annotated PNG in ``folder`` for each run with findings and curves that can be drawn."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(f"{folder} cannot be made a folder: {error.strerror}") from None
    taken: set[str] = set()
    for each in found:
        if each.roots:
            try:
                draw(each.run, each.roots, folder / file_name(each.run.id, taken, OWN_PLOT))
            except ValueError as error:
                warn(f"tbdiag: no plot of {each.run.id}: {error}")


def written(found: Report, out: Path | None) -> None:
    """Writes the summaries, and says on stderr how many there are and where TensorBoard finds them."""
    with counting("writing") as update:
        result = found.write(out, progress=update)
    for _, reason in result.failed[:_MOST]:
        warn(f"tbdiag: {reason}")
    if len(result.failed) > _MOST:
        warn(f"tbdiag: {len(result.failed) - _MOST} more folders could not be written")
    roots = [out] if out is not None else [each for each in found.roots if isinstance(each, Path)]
    where = " ".join(map(shown, roots))
    told = [(len(result.written), "written"), (len(result.unchanged), "unchanged")]
    words = ", ".join(f"{count(n, 'folder')} {what}" for n, what in told if n)
    warn(f"tbdiag: summaries for TensorBoard below {where}: {words}")


def fails(found: Report, fail_on: FailOn) -> bool:
    """Whether a root finding is at or above the severity."""
    if fail_on is FailOn.NEVER:
        return False
    limit = Severity(fail_on.value).rank
    return any(found.count(severity) for severity in Severity if severity.rank <= limit)
