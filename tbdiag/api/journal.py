"""The journal of follow-up runs: what was tried, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tbdiag.api.folders import FOLLOW_UPS, default_folder
from tbdiag.api.settings import Place, configured
from tbdiag.config import Config
from tbdiag.errors import JournalError
from tbdiag.journal import replay
from tbdiag.journal.file import Journal
from tbdiag.model.place import UrlPath, place

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class History(replay.History):
    """All that a journal tells, with views for notebooks and programs."""

    def to_frame(self) -> pd.DataFrame:
        """One row for each follow-up run, with the columns of `tbdiag journal --format csv`."""
        import pandas as pd

        from tbdiag.views.journal_csv import COLUMNS, row
        from tbdiag.views.logbook import followups

        return pd.DataFrame([row(each) for each in followups(self)], columns=list(COLUMNS))

    def to_json(self) -> str:
        """The journal in the versioned schema; the same journal always gives the same text."""
        from tbdiag.views import journal_json

        return journal_json.render(self)

    def to_markdown(self) -> str:
        """The journal as a page in Markdown, its times in the zone of this machine."""
        from tbdiag.views import journal_markdown

        return journal_markdown.render(self)


def read_journal(path: Place | None = None, *, config: Config | Place | None = None) -> History:
    """What was tried below a log folder, from its journal; ``path`` may be the journal itself.

    For a run, the journal of the folder in which it lies. Without a path, the log folder that `scan`
    would take. Raises JournalError where there is no
    journal or it cannot be read, ConfigError, and NoRunsError where no folder is known.
    """
    settings = configured(config)
    given = default_folder(settings) if path is None else place(path)
    folder = settings.root / FOLLOW_UPS if isinstance(given, UrlPath) else given
    if not folder.exists():
        raise JournalError(f"{folder} does not exist")
    journal = Journal(folder) if folder.is_file() else Journal.above(folder)
    if not journal.path.exists():
        raise JournalError(f"{folder} has no journal: no follow-up run was tried there")
    told = replay.replayed(journal)
    if folder.is_file() and told.unread and not (told.attempts or told.diagnoses):
        raise JournalError(f"{folder} is no journal")
    return History(attempts=told.attempts, diagnoses=told.diagnoses, unread=told.unread)
