"""A study that several controllers share, each with a log folder and a journal of its own."""

from __future__ import annotations

import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tbdiag.advisor.colleagues import FINDINGS, STANDING, Told
from tbdiag.advisor.marks import (
    HOST,
    IMPORTED,
    KEY,
    LOST,
    OWNER,
    REASON,
    REPEAT,
    SETTINGS,
    SIGN,
    WITHDRAWN,
    lost,
    past,
    running,
    settings_of,
    stands,
)
from tbdiag.advisor.record import same
from tbdiag.advisor.storages import Steady, closed, silence, told
from tbdiag.advisor.study import Ledger, Orphan, Page
from tbdiag.config.training import Dimension
from tbdiag.model.proposal import Params, State
from tbdiag.model.run import Scalar

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

GRACE = 120.0  # seconds without a sign of life after which a controller counts as lost
BEAT = 15.0  # seconds between two signs of life


class SharedLedger(Ledger):
    """A `Ledger` at a URL, in which a run stands from the moment on at which it is decided on.

    ``owner`` names the log folder of this controller, across its calls. A run is claimed before it is
    started: of two claims to the same settings the earlier one holds. While a controller lives it
    gives signs of life; where those of another one have been missing for ``grace`` seconds, by this
    machine's own clock, its runs are declared lost, and whoever is free makes them. It gives one every
    ``beat`` seconds.
    """

    def __init__(
        self,
        storage: str,
        name: str,
        space: Mapping[str, Dimension],
        *,
        higher: bool,
        owner: str,
        grace: float | None = None,
        beat: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.owner, self._clock = owner, clock
        self._grace, self._beat = grace or GRACE, beat or BEAT
        self._steady = Steady(storage)
        self._storage: BaseStorage
        self._held: dict[str, FrozenTrial] = {}  # the claim of each run, as it was written
        self._signs: dict[int, tuple[int, float]] = {}  # the last one, and when it was first seen
        self._swept = -float("inf")
        self._count = 0
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        super().__init__(storage, name, space, higher=higher)
        with silence(), told(storage):
            done = [each for each in self._trials() if not running(each) and stands(each)]
        self._keys = {str(each.user_attrs.get(KEY, "")) for each in done}

    def _opened(self, higher: bool) -> Study:
        study = Steady.opening(self._place)(lambda: Ledger._opened(self, higher))
        self._storage = study._storage
        return study

    # What stands in it

    def __contains__(self, key: str) -> bool:
        return f"{self.owner}/{key}" in self._keys

    def add(self, page: Page) -> None:
        """Writes down a run that is over, unless it stands there already.

        A past run that several controllers know stands there once. A follow-up of this controller always
        does, also where its claim was declared lost meanwhile.
        """
        own = page.told.get("origin") != IMPORTED
        key = f"{self.owner}/{page.key}" if own else past(page)
        if key in self._keys:
            return
        with silence(), told(self._place):
            if key not in self._held:
                ours = [each for each in self._trials() if self._ours(each, key)] if own else []
                if ours:
                    self._held[key] = ours[0]
            if key in self._held or (not own and self._take(key, page)):
                self._finish(key, page)
            elif own:
                self._add_late(key, page)
        self._keys.add(key)

    def claim(self, page: Page) -> bool:
        """Claims a run; whether no other controller tries the same, or has tried it."""
        key = f"{self.owner}/{page.key}"
        with silence(), told(self._place):
            held = key in self._held or self._take(key, page)
        if held and self._thread is None:
            self._thread = threading.Thread(target=self._live, daemon=True)
            self._thread.start()
        return held

    def ask(
        self,
        pending: Sequence[Params],
        *,
        seed: int = 0,
        within: Mapping[str, Dimension] | None = None,
    ) -> dict[str, Scalar]:
        """What the sampler would try next: to each controller something else."""
        own = zlib.crc32(f"{self.owner} {seed}".encode())
        return super().ask(pending, seed=own, within=within)

    def elsewhere(self) -> list[Params]:
        """The settings that other controllers try or have tried."""
        with silence(), told(self._place):
            trials = self._trials()
        return [params for each in trials if self._theirs(each) and (params := settings_of(each))]

    def others(self) -> list[Told]:
        """The runs of other controllers that are over and of which findings and result are known."""
        with silence(), told(self._place):
            trials = self._trials()
        return [
            Told(
                number=each.number,
                name=f"{marks[OWNER]}/{marks.get('run', '')}",
                params=params,
                findings=str(marks[FINDINGS]),
                standing=str(marks[STANDING]),
            )
            for each in trials
            if each.state.name == "COMPLETE"
            and (marks := each.user_attrs).get(OWNER) not in (None, self.owner)
            and marks.get("origin") != REPEAT
            and FINDINGS in marks
            and STANDING in marks
            and (params := settings_of(each))
        ]

    def orphans(self) -> list[Orphan]:
        """Runs whose controllers were lost and that nobody has made since."""
        with silence(), told(self._place):
            if self._clock() - self._swept >= self._beat:
                self._sweep()
                self._swept = self._clock()
            trials = self._trials()
        done = [s for each in trials if stands(each) and (s := settings_of(each))]
        found: list[Orphan] = []
        for each in trials:
            params, origin = settings_of(each), str(each.user_attrs.get("origin", ""))
            if not lost(each) or not params or origin in (IMPORTED, REPEAT):
                continue
            if any(same(params, other) for other in (*done, *(one.params for one in found))):
                continue
            reason = str(each.user_attrs.get(REASON, ""))
            found.append(Orphan(params=params, origin=origin, reason=reason))
        return found

    def give_up(self, key: str, reason: str) -> None:
        """Declares a claim of this controller lost, so that another one may make its run."""
        trial = self._held.pop(f"{self.owner}/{key}", None)
        if trial is not None:
            with silence(), told(self._place):
                self._declare(trial._trial_id, reason)

    def close(self) -> None:
        """No more signs of life; what is still claimed may be made by others after the grace."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        closed(self._storage)

    # Claims

    def _take(self, key: str, page: Page) -> bool:
        """Writes a claim; whether it holds. An earlier one of the same run is gone on with."""
        origin = page.told.get("origin")
        imported = origin == IMPORTED

        def rivals(trials: Sequence[FrozenTrial]) -> list[int]:
            """The numbers of others' trials of the same run, or with the same settings.

            A repeat has none: it proves what this controller claims, and is made for that.
            """
            return [
                each.number
                for each in trials
                if origin != REPEAT
                and stands(each)
                and each.user_attrs.get(OWNER) != self.owner
                and (
                    each.user_attrs.get(KEY) == key
                    if imported
                    else self._theirs(each) and same(settings_of(each), page.params)
                )
            ]

        trials = self._trials()
        if not any(self._ours(each, key) for each in trials):
            if rivals(trials):
                return False
            template = self._claimed(key, page)
            study = self._study._study_id
            self._steady(lambda: self._storage.create_new_trial(study, template_trial=template))
            trials = self._trials()
        ours = [each for each in trials if self._ours(each, key)]
        beaten = any(number < ours[0].number for number in rivals(trials))
        for each in ours if beaten else ours[1:]:  # else an answer of the storage got lost
            self._withdraw(each._trial_id)
        if not beaten:
            self._held[key] = ours[0]
        return not beaten

    def _withdraw(self, trial: int) -> None:
        import optuna

        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            self._attribute(trial, WITHDRAWN, True)
            self._state(trial, optuna.trial.TrialState.FAIL)

    def _claimed(self, key: str, page: Page) -> FrozenTrial:
        """A claim; of a past run all that there is to be told is told at once."""
        trial = self._trial(replace(page, state=State.RUNNING, value=None))
        trial.user_attrs |= {
            KEY: key,
            OWNER: self.owner,
            HOST: socket.gethostname(),
            SETTINGS: json.dumps(dict(page.params)),
            SIGN: self._count,
        }
        return trial

    def _finish(self, key: str, page: Page) -> None:
        """Ends a claim; where it was declared lost meanwhile, the run stands there beside it."""
        import optuna

        claim = self._held.pop(key)
        trial, whole = claim._trial_id, self._trial(page)
        values = None if whole.value is None else [whole.value]
        try:
            for name, value in whole.user_attrs.items():
                if name not in claim.user_attrs or claim.user_attrs[name] != value:
                    self._attribute(trial, name, value)
            for step in whole.intermediate_values.keys() - claim.intermediate_values.keys():
                self._point(trial, step, whole.intermediate_values[step])
            self._steady(lambda: self._storage.set_trial_state_values(trial, whole.state, values))
        except optuna.exceptions.UpdateFinishedTrialError:
            self._add_late(key, page)

    def _add_late(self, key: str, page: Page) -> None:
        """Writes down a run whose claim is gone."""
        whole = self._trial(page)
        whole.user_attrs |= self._claimed(key, page).user_attrs
        self._steady(lambda: self._study.add_trial(whole))

    # Signs of life

    def _live(self) -> None:
        """Gives signs of life until the end; a storage that is away is tried again next time."""
        while not self._end.wait(self._beat):
            self._count += 1
            for trial in tuple(self._held.values()):
                with suppress(Exception):
                    self._storage.set_trial_user_attr(trial._trial_id, SIGN, self._count)
        self._storage.remove_session()

    def _sweep(self) -> None:
        """Declares runs lost whose controllers have given no sign of life for too long."""
        now = self._clock()
        for each in self._trials():
            if not running(each) or each.user_attrs.get(OWNER) in (None, self.owner):
                continue
            sign = int(each.user_attrs.get(SIGN, 0))
            last, since = self._signs.get(each._trial_id, (-1, now))
            if sign != last:
                self._signs[each._trial_id] = sign, now
            elif now - since >= self._grace:
                owner, host = each.user_attrs[OWNER], each.user_attrs.get(HOST, "")
                reason = (
                    f"its controller {owner} on {host} gave no sign of life for {self._grace:.0f} s"
                )
                self._declare(each._trial_id, reason)

    def _declare(self, trial: int, reason: str) -> None:
        """Fails a trial as lost; of several that try, one does."""
        import optuna

        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            self._attribute(trial, LOST, True)
            self._attribute(trial, REASON, reason)
            self._state(trial, optuna.trial.TrialState.FAIL)

    # The storage

    def _trials(self) -> list[FrozenTrial]:
        return self._steady(lambda: self._study.get_trials(deepcopy=False))

    def _known(self) -> list[FrozenTrial]:
        """Without what this controller runs itself: that comes beside it."""
        return [
            each
            for each in self._trials()
            if not (running(each) and each.user_attrs.get(OWNER) == self.owner)
        ]

    def _attribute(self, trial: int, name: str, value: Any) -> None:
        self._steady(lambda: self._storage.set_trial_user_attr(trial, name, value))

    def _point(self, trial: int, step: int, value: float) -> None:
        self._steady(lambda: self._storage.set_trial_intermediate_value(trial, step, value))

    def _state(self, trial: int, state: Any) -> None:
        self._steady(lambda: self._storage.set_trial_state_values(trial, state))

    def _ours(self, trial: FrozenTrial, key: str) -> bool:
        """Whether a trial is this controller's claim of a run."""
        marks = trial.user_attrs
        return running(trial) and marks.get(KEY) == key and marks.get(OWNER) == self.owner

    def _theirs(self, trial: FrozenTrial) -> bool:
        """Whether a run of another controller stands there, running or over."""
        owner = trial.user_attrs.get(OWNER)
        imported = trial.user_attrs.get("origin") == IMPORTED
        return owner not in (None, self.owner) and not imported and stands(trial)
