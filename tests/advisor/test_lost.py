"""Workers and controllers are killed in the middle; the study is complete in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from tbdiag.advisor.news import Ending
from tbdiag.advisor.storages import closed, opened, silence
from tbdiag.api import retrain
from tbdiag.config.settings import Config
from tbdiag.config.training import Launch, Range, Train
from tbdiag.journal.file import Journal
from tbdiag.journal.replay import replayed
from tbdiag.model.proposal import State
from tbdiag.model.role import Override
from tests import servers
from tests.advisor.builders import PARAMS, SPACE, by_rate, log

ROOT = Path(__file__).parent.parent.parent
TRAINER = Path(__file__).with_name("trainer.py")


def a_project(root: Path, *logdirs: str, takes: float = 1.0) -> Config:
    told = {**PARAMS, "lr": 1.0}
    for each in logdirs:
        log(root / each / "start", by_rate(told), told)
    return Config(
        root=root,
        train=Train(
            command=(sys.executable, str(TRAINER), "{logdir}", str(takes)),
            objective=Override("val_loss"),
        ),
        space={**SPACE, "seed": Range(low=0, high=99, step=1)},
        launch=Launch(launcher="ray"),
    )


def page_of(logdir: Path, name: str) -> dict[str, Any]:
    """The record of a follow-up, once it runs."""
    path = logdir / ".tbdiag" / "output" / f"{name}.txt.run"
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            page: dict[str, Any] = json.loads(text)
            if page["child"]:
                return page
        time.sleep(0.02)
    raise AssertionError(f"{path} was not written")


@pytest.mark.ray
@pytest.mark.usefixtures("cluster")
def test_what_a_lost_ray_worker_did_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    config = a_project(tmp_path, "logs", takes=2.0)
    killed: list[int] = []

    def kill() -> None:
        page = page_of(tmp_path / "logs", "followup-001")
        os.kill(page["worker"], signal.SIGKILL)
        killed.append(page["worker"])

    killer = threading.Thread(target=kill)
    killer.start()
    found = retrain(path=tmp_path / "logs", config=config, max_trials=6, repeats=1, cache=False)
    killer.join()
    assert killed
    assert found.ending is Ending.SOLVED
    trials = replayed(Journal.beside(tmp_path / "logs")).trials
    assert trials["followup-001"].state is State.INTERRUPTED
    assert trials["followup-001"].reason == (
        f"the worker that watched it on {page_of(tmp_path / 'logs', 'followup-001')['host']} was lost"
    )
    assert trials["followup-002"].state is State.FINISHED
    first, second = (trials[f"followup-00{n}"].proposal for n in (1, 2))
    assert first.params == second.params
    assert found.best.id == "followup-002"


CONTROLLER = """
import sys
from pathlib import Path
from tbdiag.advisor import shared
from tbdiag.advisor.news import Remark
from tbdiag.api import retrain
from tests.advisor.test_lost import a_project
shared.GRACE, shared.BEAT = 3.0, 0.3
root, logdir, storage, trials = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
tell = lambda news: print(news.sentence, flush=True) if isinstance(news, Remark) else None
found = retrain(path=root / logdir, config=a_project(root, takes=2.0), max_trials=trials, repeats=0,
                keep_going=True, cache=False, storage=storage, launcher="local", tell=tell)
print(found.ending.value, len(found.trials))
"""


def controller(root: Path, logdir: str, storage: str, trials: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CONTROLLER, root, logdir, storage, str(trials)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    with servers.postgresql() as url:
        yield url


def kept(storage: str) -> list[optuna.trial.FrozenTrial]:
    with silence():
        there = opened(storage)
        (name,) = optuna.get_all_study_names(there)
        found = optuna.load_study(study_name=name, storage=there).trials
    closed(there)
    return found


def test_of_three_controllers_one_is_killed_and_the_study_is_whole(
    tmp_path: Path, storage: str
) -> None:
    a_project(tmp_path, "a", "b", "c")
    dying = controller(tmp_path, "a", storage, 3)
    page_of(tmp_path / "a", "followup-001")
    dying.send_signal(signal.SIGKILL)
    dying.communicate()
    others = [controller(tmp_path, each, storage, 4) for each in ("b", "c")]
    said = [each.communicate(timeout=200) for each in others]
    assert [out.splitlines()[-1] for out, _ in said] == ["spent 4", "spent 4"], said
    taken = [line for out, _ in said for line in out.splitlines() if "takes over a run" in line]
    assert len(taken) == 1, said
    owner = (tmp_path / "a" / ".tbdiag" / "owner.txt").read_text().strip()
    assert f"takes over a run: its controller {owner} on " in taken[0]
    assert taken[0].endswith("gave no sign of life for 3 s")
    trials = kept(storage)
    assert not [each for each in trials if not each.state.is_finished()]
    whole = [each for each in trials if each.state is TrialState.COMPLETE]
    assert len(whole) == 9  # the past run, and four of each; none of them twice
    settings = [each.user_attrs["settings"] for each in whole]
    assert len(set(settings)) == 9
    (lost,) = [each for each in trials if each.user_attrs.get("lost")]
    assert lost.user_attrs["settings"] in settings
    # it comes back: what its run became stands there as well, beside that of who took it over
    again = controller(tmp_path, "a", storage, 1)
    out, error = again.communicate(timeout=200)
    assert out.splitlines()[-1] == "spent 1", error
    whole = [each for each in kept(storage) if each.state is TrialState.COMPLETE]
    owners = {e.user_attrs["owner"] for e in whole if e.user_attrs["settings"] == lost.user_attrs["settings"]}  # fmt: skip
    assert len(owners) == 2
    assert owner in owners
