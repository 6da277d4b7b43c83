"""Make the gallery: train every run that is missing, and write labels.json.

python -m benchmarks.gallery --setting digits --part calibration
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.gallery.build import build, kind_of
from benchmarks.gallery.plan import planned
from benchmarks.gallery.problems import SETTINGS, numbered
from benchmarks.gallery.unshown import unshown, write

ROOT = Path(__file__).resolve().parents[2]


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gallery", help="folder")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--setting", default=",".join(SETTINGS), help="some of them, by commas")
    parser.add_argument("--part", choices=("calibration", "report"), help="only this part")
    parser.add_argument("--problem", help="only the problems whose name holds this")
    parser.add_argument("--limit", type=int, help="only the first N runs of each problem")
    parser.add_argument(
        "--all",
        action="store_true",
        help="those as well that are known to show nothing; note them anew",
    )
    args = parser.parse_args(argv)
    wanted = args.setting.split(",")
    unknown = sorted(set(wanted) - set(SETTINGS))
    if unknown:
        parser.error(f"no setting {', '.join(unknown)}; there are {', '.join(SETTINGS)}")

    # Labels are written of all that lies in the folder, whatever is made this time.
    everything = list(planned(numbered()))
    plans, counts = [], dict[str, int]()
    left = frozenset[str]() if args.all else unshown()
    for plan in everything:
        problem = plan.problem
        if problem.setting not in wanted or args.part not in (None, problem.part):
            continue
        if args.problem is not None and args.problem not in problem.name:
            continue
        if plan.path in left:
            continue
        counts[problem.name] = counts.get(problem.name, 0) + 1
        if args.limit is None or counts[problem.name] <= args.limit:
            plans.append(plan)

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("training", total=len(plans))
        silent = build(plans, args.out, args.jobs, lambda plan: progress.advance(task), everything)
    console.print(f"{len(silent)} runs did not become what was meant, and are left out:")
    for (kind, family), count in sorted(Counter(map(kind_of, silent)).items()):
        console.print(f"  {kind} {family}: {count}")
    if args.all and len(plans) == len(everything):
        # Controls are what the others are compared with.
        write(plan.path for plan in silent if plan.family != "healthy")
    return 0


if __name__ == "__main__":
    sys.exit(main())
