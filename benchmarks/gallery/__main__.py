"""Make the gallery: train every run that is missing, and write labels.json.

python -m benchmarks.gallery --setting digits --part calibration
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.gallery.build import build
from benchmarks.gallery.plan import planned
from benchmarks.gallery.problems import SETTINGS, problems

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
    args = parser.parse_args(argv)
    wanted = args.setting.split(",")
    unknown = sorted(set(wanted) - set(SETTINGS))
    if unknown:
        parser.error(f"no setting {', '.join(unknown)}; there are {', '.join(SETTINGS)}")

    # Labels are written of all that lies in the folder, whatever is made this time.
    everything = list(planned(problems()))
    plans, counts = [], dict[str, int]()
    for plan in everything:
        problem = plan.problem
        if problem.setting not in wanted or args.part not in (None, problem.part):
            continue
        if args.problem is not None and args.problem not in problem.name:
            continue
        counts[problem.name] = counts.get(problem.name, 0) + 1
        if args.limit is None or counts[problem.name] <= args.limit:
            plans.append(plan)

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("training", total=len(plans))
        left_out = build(
            plans, args.out, args.jobs, lambda plan: progress.advance(task), everything
        )
    console.print(f"{sum(left_out.values())} runs did not become what was meant, and are left out:")
    for (kind, family), count in sorted(left_out.items()):
        console.print(f"  {kind} {family}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
