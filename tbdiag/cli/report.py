"""``tbdiag report``: the diagnosis as one page of HTML."""

from __future__ import annotations

from pathlib import Path

from typer import Exit

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag report logs/
  tbdiag report logs/ -o report.html --open
  tbdiag report s3://bucket/experiments --select OPT,GEN --max-runs 50
  tbdiag report logs/ -o - | ssh host 'cat > report.html'"""


def report(
    paths: o.Paths = None,
    output: o.Page = Path("tbdiag-report.html"),
    force: o.Force = False,
    opens: o.Opens = False,
    max_runs: o.MaxRuns = 200,
    select: o.Select = None,
    ignore: o.Ignore = None,
    fail_on: o.FailsOn = o.FailOn.NEVER,
    config: o.ConfigFile = None,
    no_cache: o.NoCache = False,
    jobs: o.Jobs = None,
    cluster: o.Cluster = None,
    memory: o.Memory = None,
    verify: o.Verify = False,
) -> None:
    """Write the whole diagnosis as one page that opens in any browser.

    Summary, runs × rules, each run with its findings on its curves, what to do next, the journal.
    Without a path: the configured logdir, else logs/, runs/, lightning_logs/ or tb_logs/.
    """
    from tbdiag.cli import deliver, paging

    paging.check(output, force=force, opens=opens)
    found = deliver.scanned(
        paths,
        select,
        ignore,
        config,
        cache=not no_cache,
        jobs=jobs,
        cluster=cluster,
        memory=memory,
        verify=verify,
    )
    paging.deliver(found, output, force=force, opens=opens, max_runs=max_runs)
    if deliver.fails(found, fail_on):
        raise Exit(1)
