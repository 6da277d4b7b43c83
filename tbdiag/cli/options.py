"""The options, with the words that their help uses."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option


class Color(StrEnum):
    """When to colour text."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


class Launchers(StrEnum):
    """Where follow-up runs are started."""

    LOCAL = "local"
    RAY = "ray"
    SLURM = "slurm"


class Show(StrEnum):
    """What to show beside the findings."""

    PASSED = "passed"


def size(text: str) -> int:
    """Bytes from words, as the configuration takes them."""
    from tbdiag.config import sizes

    try:
        return sizes.size(text)
    except ValueError as error:
        raise BadParameter(str(error)) from None


Paths = Annotated[
    list[Path] | None,
    Argument(metavar="PATH", show_default=False, help="Log folders, runs, event files, URLs."),
]
Folders = Annotated[
    list[Path] | None,
    Argument(metavar="PATH", show_default=False, help="Log folders or runs."),
]
SomePaths = Annotated[
    list[Path], Argument(metavar="PATH", help="Log folders, runs, event files, URLs.")
]
SomeRuns = Annotated[
    list[Path], Argument(metavar="RUN", help="Runs, or folders that hold several.")
]
OneLog = Annotated[
    Path | None, Argument(metavar="PATH", show_default=False, help="A log folder, or a journal.")
]
OneFolder = Annotated[
    Path | None, Argument(metavar="PATH", show_default=False, help="A log folder.")
]
OneRun = Annotated[Path, Argument(metavar="RUN", help="A run's folder or event file.")]
OneRule = Annotated[
    str | None, Argument(metavar="CODE", show_default=False, help="A rule's code or name.")
]
Script = Annotated[
    Path | None,
    Argument(
        metavar="SCRIPT", show_default=False, help="The script that trains, if not the only one."
    ),
]
Logs = Annotated[
    Path | None,
    Option("--logs", metavar="PATH", help="Runs of it; else logs/, runs/ and the like."),
]
Formats = Annotated[str, Option("--format", help="text, json, or both: text,json.")]
ReportFormats = Annotated[
    str,
    Option(
        "--format",
        help="text, json, markdown, junit, sarif or github; text may be joined: text,json.",
    ),
]
JournalFormats = Annotated[
    str, Option("--format", help="text, markdown, json or csv; text may be joined: text,csv.")
]
Output = Annotated[
    Path | None, Option("-o", "--output", metavar="FILE", help="Write the report to this file.")
]
Page = Annotated[
    Path,
    Option("-o", "--output", metavar="FILE", help="A .html file, or - for stdout."),
]
MaxRuns = Annotated[
    int, Option("--max-runs", min=0, metavar="N", help="Show so many runs in full, worst first.")
]
Opens = Annotated[bool, Option("--open", help="Show it in the browser.")]
Picture = Annotated[
    Path | None, Option("-o", "--output", metavar="FILE", help="A .png, .svg or .pdf file.")
]
Table = Annotated[
    Path, Option("-o", "--output", metavar="FILE", help="A .csv, .parquet or .feather file.")
]
Select = Annotated[
    list[str] | None,
    Option(metavar="CODE,...", help="Run only these rules: codes, names or families (OPT)."),
]
Ignore = Annotated[
    list[str] | None, Option(metavar="CODE,...", help="Do not report what these rules find.")
]
FailsOn = Annotated[FailOn, Option("--fail-on", help="Exit with 1 from this severity on.")]
Shows = Annotated[Show | None, Option("--show", help="Show what passed, too.")]
Plots = Annotated[
    Path | None, Option("--plots", metavar="DIR", help="Plot each run with findings into DIR.")
]
Writes = Annotated[bool, Option("--write", help="Write the findings where TensorBoard shows them.")]
Watches = Annotated[
    bool, Option("--watch", help="Follow runs while they are trained, until Ctrl-C.")
]
WritesAll = Annotated[
    bool | None,
    Option(
        "--write/--no-write",
        show_default=False,
        help="Write the findings of all runs in the end, or of none; else of the follow-ups.",
    ),
]
Out = Annotated[
    Path | None,
    Option("--out", metavar="DIR", help="Write them below DIR, not into the logs."),
]
Tries = Annotated[bool, Option("--dry-run", help="Name what would be removed, and remove nothing.")]
Overlay = Annotated[
    Path | None, Option("--plot", metavar="FILE", help="Draw all curves into a .png, .svg or .pdf.")
]
ConfigFile = Annotated[
    Path | None, Option("--config", metavar="FILE", help="Not the nearest tbdiag.toml, but this.")
]
Findings = Annotated[bool, Option(help="Mark what the rules found.")]
Force = Annotated[bool, Option("--force", help="Overwrite the file.")]
Verify = Annotated[
    bool, Option("--verify", help="Compare the checksums of images and histograms as well.")
]
NoCache = Annotated[bool, Option("--no-cache", help="Read all anew, and keep nothing of it.")]
Jobs = Annotated[
    int | None,
    Option("--jobs", "-j", min=1, metavar="N", help="Work on so many folders at a time."),
]
Memory = Annotated[
    int | None,
    Option(parser=size, metavar="SIZE", help="Hold no more curves: 2GB; else 64MB."),
]
Count = Annotated[int, Option("-n", min=1, metavar="N", help="Propose so many runs.")]
Proposals = Annotated[str, Option("--format", help="text, json, shell, or several: text,json.")]
Retrain = Annotated[bool, Option("--retrain", help="Launch follow-up runs and verify them.")]
MaxTrials = Annotated[
    int | None, Option(min=1, metavar="N", help="Launch so many at most; 10 without any budget.")
]
MaxEpochs = Annotated[
    float | None, Option(min=0, metavar="N", help="Train for so many epochs in all at most.")
]
Timeout = Annotated[
    float | None, Option(min=0, metavar="SECONDS", help="End after so many seconds.")
]
Parallel = Annotated[int, Option(min=1, metavar="N", help="Run so many at a time.")]
Repeats = Annotated[
    int, Option(min=0, metavar="N", help="Train a winner on so many other seeds, too.")
]
Storage = Annotated[
    str | None, Option(metavar="URL", help="Keep Optuna's study there, not beside the logs.")
]
Study = Annotated[
    str | None, Option(metavar="NAME", help="Share the study of this name in the storage.")
]
Launches = Annotated[
    Launchers | None, Option("--launcher", help="Where runs are started; else as configured.")
]
Cluster = Annotated[
    str | None,
    Option(
        "--cluster", metavar="ADDRESS", help="Diagnose on this Ray cluster: ray://host:10001, auto."
    ),
]
DryRun = Annotated[bool, Option("--dry-run", help="Show what would be launched first.")]
NoKill = Annotated[bool, Option("--no-kill", help="Let hopeless runs go on to their end.")]
KeepGoing = Annotated[
    bool, Option("--keep-going", help="Go on when the problem is gone, for a better result.")
]
Port = Annotated[
    int, Option(min=1, max=65535, metavar="N", help="If it is taken, another one is found.")
]
Host = Annotated[
    str, Option(metavar="ADDRESS", help="The address to serve on; others than this let others in.")
]
Clear = Annotated[bool, Option("--clear", help="Remove all that is kept.")]
Colors = Annotated[Color, Option("--color", help="Colour the text; auto: on a terminal.")]
