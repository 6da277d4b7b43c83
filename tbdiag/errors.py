"""What tbdiag raises, so that callers can catch as narrowly or as widely as they like.

::

    TbdiagError                  every error that tbdiag raises on purpose
    ├── RequestError             the request cannot be met: one sentence, exit code 2
    │   ├── ConfigError          tbdiag.toml is wrong: every problem at once
    │   ├── JournalError         the journal of follow-up runs cannot be read or written
    │   ├── LaunchError          a follow-up run cannot be started
    │   ├── NoRunsError          nothing to read below the given paths
    │   ├── SummaryError         results cannot be written back beside the logs
    │   └── UnknownRuleError     a rule code or name that does not exist
    └── ReadError                an event file could not be opened at all
"""

from __future__ import annotations

from collections.abc import Sequence


class TbdiagError(Exception):
    """Base of all errors that tbdiag raises on purpose."""


class RequestError(TbdiagError):
    """The request cannot be met; the message is one sentence for the user."""


class ConfigError(RequestError):
    """The configuration is wrong; ``problems`` holds one sentence for each mistake in it."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class JournalError(RequestError):
    """The journal of follow-up runs cannot be read or written; the message says why."""


class LaunchError(RequestError):
    """A follow-up run cannot be started; the message says why."""


class NoRunsError(RequestError):
    """No run was found below the given paths."""


class SummaryError(RequestError):
    """Results cannot be written back beside the logs; the message says where and why."""


class UnknownRuleError(RequestError):
    """A rule was named that does not exist."""


class ReadError(TbdiagError):
    """An event file could not be opened or listed; the message names it and the reason."""
