"""Runs side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tbdiag import __version__
from tbdiag.api.folders import each_run
from tbdiag.api.intake import Progress
from tbdiag.api.settings import Place, configured
from tbdiag.config import Config, shown
from tbdiag.detectors.search.difference_within_noise import DifferenceWithinNoise
from tbdiag.diagnosis import comparison
from tbdiag.diagnosis.select import select
from tbdiag.model.place import is_url
from tbdiag.model.run import Run
from tbdiag.naming.settings import goes_by_ratio
from tbdiag.search.entrant import Entrant, values

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 20  # runs: with fewer the importances of settings are mostly luck
MOST = 24  # settings whose importance is asked for, those with the strongest correlation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison(comparison.Comparison):
    """Runs side by side, with views for notebooks and programs."""

    def to_frame(self) -> pd.DataFrame:
        """One row per run, the best first, with a column for each setting that differs.

        Before them stand: run, path, best, best_step, last, epochs, steps, seconds. Settings that are
        called like one of these are preceded by ``setting_``.
        """
        import pandas as pd

        rows = []
        for each in self.standings:
            level = each.entrant.level
            row: dict[str, object] = {
                "run": each.run.id,
                "path": each.run.path.as_posix(),
                "best": level.best if level else None,
                "best_step": level.step if level else None,
                "last": level.last if level else None,
                "epochs": each.epochs,
                "steps": each.steps,
                "seconds": each.seconds,
            }
            known = {**each.entrant.settings, **each.entrant.seeds}
            own = {name: known.get(name) for name in self.differing}
            rows.append(row | {f"setting_{n}" if n in row else n: v for n, v in own.items()})
        return pd.DataFrame(rows)

    def to_json(self) -> str:
        """The comparison as JSON, schema 1; the same comparison always gives the same text."""
        from tbdiag.views import comparison_json

        return comparison_json.render(self)


def compare(
    paths: Place | Run | Sequence[Place | Run],
    *,
    config: Config | Place | None = None,
    cache: bool = True,
    follow_symlinks: bool = True,
    progress: Progress | None = None,
) -> Comparison:
    """The runs below the paths side by side, the best first.

    Says in which settings they differ, how they stand, whether the best one's lead is more than noise,
    and with six runs or more which setting matters. Runs that were loaded already are taken as they
    are. They are ranked by the ``objective`` of the configuration, else by the validation metric, else by
    the validation loss. Raises RequestError with fewer than two runs, or where they have no curve in
    common; NoRunsError where a path holds none.
    """
    settings = configured(config)
    several = [paths] if isinstance(paths, str | os.PathLike | Run) else list(paths)
    runs = [each for each in several if isinstance(each, Run)]
    places = [each for each in several if not isinstance(each, Run)]
    if places:
        read = each_run(
            places,
            config=settings,
            cache=cache,
            follow_symlinks=follow_symlinks,
            progress=progress,
        )
        runs += [
            run if is_url(str(run.path)) else replace(run, path=Path(shown(Path(run.path))))
            for run in read
        ]
    rules = select(settings).search.detectors
    found = comparison.compared(
        runs,
        version=__version__,
        objective=settings.train.objective if settings.train else None,
        rule=next((each for each in rules if isinstance(each, DifferenceWithinNoise)), None),
    )
    found = _with_importances(found)
    return Comparison(**{each.name: getattr(found, each.name) for each in fields(found)})


def _with_importances(found: comparison.Comparison) -> comparison.Comparison:
    """With the importance of each setting that every run has, where there are runs enough.

    Runs of which no setting is known do not count.
    """
    entrants = [each.entrant for each in found.standings if each.entrant.settings]
    names = [each.name for each in found.effects if each.runs == len(entrants)][:MOST]
    if found.effects and len(entrants) < ENOUGH:
        why = f"{len(entrants)} runs are too few to tell importances; {ENOUGH} are needed"
        return replace(found, why_no_importance=why)
    if found.effects and not names:
        return replace(found, why_no_importance="no setting that differs is known of every run")
    if not names:
        return found
    from tbdiag.advisor.importance import importances

    columns = {name: _column(entrants, name) for name in names}
    trials = [{name: columns[name][at] for name in names} for at in range(len(entrants))]
    losses = values(entrants)
    shares = importances(
        trials,
        -losses if found.objective.higher else losses,
        by_ratio=frozenset(name for name in names if goes_by_ratio(name)),
    )
    effects = [
        replace(each, importance=shares[each.name][0], chance=shares[each.name][1])
        if each.name in shares
        else each
        for each in found.effects
    ]
    effects.sort(key=lambda each: (-(each.importance or 0.0), each.name))
    return replace(found, effects=tuple(effects))


def _column(entrants: Sequence[Entrant], name: str) -> Sequence[float | str]:
    """The values of a setting in all runs, as numbers where all of them are."""
    numbers = comparison.numbers(entrants, name)
    return numbers if numbers is not None else [str(each.settings[name]) for each in entrants]
