"""What users are told when a request cannot be met, or when tbdiag itself fails."""

from __future__ import annotations

import platform
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from tbdiag import __version__
from tbdiag.cli.output import warn
from tbdiag.errors import ConfigError, RequestError


def refuse(error: RequestError) -> None:
    """Why the request cannot be met: one sentence, or one for each mistake in the configuration."""
    for sentence in error.problems if isinstance(error, ConfigError) else (f"tbdiag: {error}",):
        warn(sentence)


def report(error: Exception) -> None:
    """Where the details of a crash are, and what to do with them."""
    details = "".join(traceback.format_exception(error))
    warn(f"tbdiag failed: {type(error).__name__}: {error}")
    try:
        log = _log(details)
    except OSError:
        sys.stderr.write(details)
        warn("This is a defect of tbdiag. Please report it with the lines above.")
    else:
        warn(f"This is a defect of tbdiag. Please report it with the file {log}")


def _log(details: str) -> Path:
    from platformdirs import user_log_path

    now = datetime.now(UTC)
    log = user_log_path("tbdiag", appauthor=False) / f"crash-{now:%Y%m%d-%H%M%S-%f}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    python = f"Python {platform.python_version()} on {platform.platform()}"
    head = f"tbdiag {__version__}, {python}, {now:%Y-%m-%d %H:%M:%S} UTC\n{sys.argv}\n\n"
    log.write_text(head + details, "utf-8", errors="backslashreplace")
    return log
