"""``tbdiag export``: every logged point as one table."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag export logs/ -o points.csv
  tbdiag export logs/ -o points.parquet --force"""


def export(
    paths: o.SomePaths,
    output: o.Table,
    force: o.Force = False,
    no_cache: o.NoCache = False,
    jobs: o.Jobs = None,
    config: o.ConfigFile = None,
) -> None:
    """Write every logged point as a row of one table.

    Its columns are run, tag, step, wall_time and value. Parquet and Feather need pyarrow.
    """
    from tbdiag.api.folders import each_run
    from tbdiag.api.replacing import replacing
    from tbdiag.cli.output import say
    from tbdiag.cli.progress import progress
    from tbdiag.errors import RequestError
    from tbdiag.reading.tidy import SUFFIXES, write

    if output.suffix.lower() not in SUFFIXES:
        raise RequestError(f"{output} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    if output.exists() and not force:
        raise RequestError(f"{output} exists; --force overwrites it, -o names another file")
    with progress() as update, replacing(output, force=force) as draft:
        runs = each_run(paths, config=config, cache=not no_cache, jobs=jobs, progress=update)
        points = write(runs, draft)
    say(f"{output}: {points} points")
