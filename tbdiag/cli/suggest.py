"""``tbdiag suggest``: what to try next; with ``--retrain``, try it and verify."""

from __future__ import annotations

from typer import Exit

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag suggest logs/lr1e-2
  tbdiag suggest logs/ -n 5 --format shell > next.sh
  tbdiag suggest logs/ --retrain --max-trials 6"""


def suggest(
    paths: o.Paths = None,
    n: o.Count = 3,
    formats: o.Proposals = "text",
    retrain: o.Retrain = False,
    max_trials: o.MaxTrials = None,
    max_epochs: o.MaxEpochs = None,
    timeout: o.Timeout = None,
    parallel: o.Parallel = 1,
    repeats: o.Repeats = 2,
    launcher: o.Launches = None,
    storage: o.Storage = None,
    study: o.Study = None,
    dry_run: o.DryRun = False,
    no_kill: o.NoKill = False,
    keep_going: o.KeepGoing = False,
    write: o.WritesAll = None,
    output: o.Output = None,
    config: o.ConfigFile = None,
    no_cache: o.NoCache = False,
    color: o.Colors = o.Color.AUTO,
) -> None:
    """Propose follow-up runs: what changes, why, and the command.

    They start from the best of the comparable runs below the paths. With --retrain they are launched
    and verified by the same rules, until the problem is gone or the budget is spent.
    """
    from tbdiag.cli import advising

    if not retrain or dry_run:
        advising.propose(
            paths, n, formats, output, config, not no_cache, color, keep_going=keep_going
        )
        return
    budget = advising.budget(max_trials, max_epochs, timeout, parallel, repeats)
    how = {**budget, "storage": storage, "study": study, "kill": not no_kill}
    how |= {"keep_going": keep_going, "write": write, "launcher": launcher and launcher.value}
    code = advising.retrain(paths, formats, output, config, not no_cache, color, how)
    if code:
        raise Exit(code)
