"""The report with views for notebooks and programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from tbdiag.errors import RequestError
from tbdiag.model import report as model
from tbdiag.model.finding import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd

    from tbdiag.summaries.write import Progress, Written


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report(model.Report):
    """What a scan found, with views for notebooks and programs.

    ``roots`` are the folders that were scanned, ``here`` the working directory at that time.
    """

    roots: tuple[PurePath, ...] = ()
    here: Path | None = None

    def to_frame(self) -> pd.DataFrame:
        """One row per finding, consequences included; ``run`` is empty for the search as a whole.

        Columns: run, code, name, severity, confidence, message, tag, first_step, last_step,
        remedy, suppressed_by, fingerprint.
        """
        import pandas as pd

        rows = [_row(run.run.id, each) for run in self for each in run.findings]
        rows += [_row("", each) for each in self.search]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def to_json(self) -> str:
        """The report in the versioned schema; the same report always gives the same text."""
        from tbdiag.views import json_v1

        return json_v1.render(self)

    def to_html(
        self, path: str | Path | None = None, *, max_runs: int = 200, force: bool = False
    ) -> str:
        """The report as one self-contained page of HTML; with ``path`` it is written there, too.

        The worst ``max_runs`` runs stand in it with their curves, the others in the matrix only. The same
        report always gives the same text. A file that is no report of tbdiag is replaced only with
        ``force``: else RequestError, as where it cannot be written.
        """
        from tbdiag.api.page import pieces
        from tbdiag.api.replacing import replacing

        text = "".join(pieces(self, max_runs=max_runs))
        if path is not None:
            with replacing(Path(path), force=force) as draft:
                draft.write_text(text, encoding="utf-8", newline="\n")
        return text

    def write(self, out: str | Path | None = None, *, progress: Progress | None = None) -> Written:
        """Writes the findings back as summaries that TensorBoard shows, into ``tbdiag/`` folders.

        These stand in the folder of each run and in those that were scanned, or with ``out`` below it.
        What is there already is not written again. ``progress`` is called with the number of folders
        done, and of all. Raises SummaryError where nothing can be written, RequestError where the
        report is not of a folder.
        """
        from tbdiag.summaries.write import write

        if self.here is None:
            raise RequestError("only what was scanned can be written back: it has a folder")
        place = None if out is None else self.here / out
        return write(self, self.roots, self.here, out=place, progress=progress)

    def _repr_html_(self) -> str:
        import html

        shown = ("run", "severity", "code", "name", "message", "remedy")
        rows = [_row(run.run.id, each) for run in self for each in run.roots]
        rows += [_row("", each) for each in self.search]
        counts = ", ".join(f"{self.count(each)} {each.value}s" for each in Severity)
        caption = f"tbdiag: {len(self.runs)} runs, {counts}"
        if self.unread:
            caption += f", {len(self.unread)} not read"
        head = "".join(f"<th>{name}</th>" for name in shown)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(str(row[name]))}</td>' for name in shown)}</tr>"
            for row in rows
        )
        return (
            f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )


_COLUMNS = (
    "run",
    "code",
    "name",
    "severity",
    "confidence",
    "message",
    "tag",
    "first_step",
    "last_step",
    "remedy",
    "suppressed_by",
    "fingerprint",
)


def _row(run: str, finding: Finding) -> dict[str, Any]:
    where = finding.evidence[0] if finding.evidence else None
    values = (
        run,
        finding.code,
        finding.name,
        finding.severity.value,
        finding.confidence.value,
        finding.message,
        where.tag if where else "",
        where.span[0] if where else None,
        where.span[1] if where else None,
        finding.remedies[0].title if finding.remedies else "",
        finding.suppressed_by or "",
        finding.fingerprint,
    )
    return dict(zip(_COLUMNS, values, strict=True))
