"""What is asked of Slurm's programs and what is made of their answers, with programs that play them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tbdiag.config.training import InSlurm, Launch
from tbdiag.errors import LaunchError, RequestError
from tbdiag.launch.base import How
from tbdiag.launch.choose import chosen
from tbdiag.launch.cluster import ClusterLauncher, Stage
from tbdiag.launch.local import LocalLauncher
from tbdiag.launch.slurm import SlurmScheduler, Squeue
from tests.launch.contract import awaited, ends, job

pytest.importorskip("submitit", reason="needs the extra `slurm`")

PROGRAMS = {
    "sbatch": 'cp "$1" "$HERE/script"; cat "$HERE/answer"; exit "$(cat "$HERE/code")"',
    "srun": "exit 1",
    "squeue": 'echo "$@" >> "$HERE/asked"; cat "$HERE/states"; cat "$HERE/error" >&2; '
    '[ ! -s "$HERE/error" ]',
    "scancel": 'echo "$@" >> "$HERE/cancelled"',
}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what Slurm's programs are to answer, and what they were asked."""
    here = tmp_path / "slurm"
    (here / "bin").mkdir(parents=True)
    for name, body in PROGRAMS.items():
        program = here / "bin" / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    for name in ("states", "error", "asked", "cancelled"):
        (here / name).touch()
    (here / "answer").write_text("Submitted batch job 17\n")
    (here / "code").write_text("0")
    monkeypatch.setenv("PATH", f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HERE", str(here))
    return here


def test_what_is_asked_for_stands_in_the_script(slurm: Path, tmp_path: Path) -> None:
    told = InSlurm(
        partition="gpu",
        time="2:00:00",
        setup=("module load cuda",),
        additional={"account": "a b; touch hacked", "exclusive": True},
    )
    launcher = chosen(Launch(launcher="slurm", cpus=4, gpus=1, memory=16 << 30, slurm=told), 2)
    assert launcher.slots == 2
    launcher.start(job(tmp_path, ""))
    lines = (slurm / "script").read_text().splitlines()
    options = [line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH")]
    for each in (
        "partition=gpu",
        "time=2:00:00",
        "cpus-per-task=4",
        "gpus-per-node=1",
        "mem=16384M",
        "account='a b; touch hacked'",
        "exclusive",
        "no-requeue",
        "signal=TERM@60",
        "job-name=t1",
        "ntasks-per-node=1",
    ):
        assert each in options
    assert "module load cuda" in lines
    launcher.stop("t1", 0)


def test_without_a_time_the_partition_decides(slurm: Path, tmp_path: Path) -> None:
    ClusterLauncher(SlurmScheduler()).start(job(tmp_path, ""))
    text = (slurm / "script").read_text()
    assert "--time" not in text
    assert "--mem" not in text
    assert "--gpus" not in text
    assert "--partition" not in text


def test_a_refusal_is_told_and_nothing_was_started(slurm: Path, tmp_path: Path) -> None:
    (slurm / "bin" / "sbatch").write_text(
        "#!/bin/sh\necho 'sbatch: error: invalid partition specified: nope' >&2\nexit 1\n"
    )
    launcher = ClusterLauncher(SlurmScheduler(partition="nope"))
    one = job(tmp_path, "")
    for _ in range(2):  # the second time it is not taken for started
        with pytest.raises(LaunchError, match=r"t1 cannot be handed to Slurm: .*nope"):
            launcher.start(one)
    assert launcher.running == ()


def test_what_waits_is_taken_out_of_the_queue(slurm: Path, tmp_path: Path) -> None:
    (slurm / "states").write_text("17 PENDING\n")
    launcher = ClusterLauncher(SlurmScheduler())
    launcher.start(job(tmp_path, ""))
    assert launcher.poll() == []
    launcher.stop("t1", 60)
    assert (slurm / "cancelled").read_text() == "17\n"
    (slurm / "states").write_text("17 CANCELLED\n")
    end = ends(launcher)["t1"]
    assert (end.how, end.reason) == (How.STOPPED, "it was stopped")


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ("17 NODE_FAIL\n", "Slurm lost it: its node failed"),
        ("17 OUT_OF_MEMORY\n", "Slurm lost it: it took more memory than was asked for"),
        ("17 BOOT_FAIL\n", "Slurm lost it: its job is BOOT_FAIL"),
        ("", "Slurm lost it: it knows nothing of it any more"),
    ],
)
def test_why_a_run_is_lost_is_told(slurm: Path, tmp_path: Path, states: str, reason: str) -> None:
    (slurm / "states").write_text(states)
    launcher = ClusterLauncher(SlurmScheduler())
    launcher.start(job(tmp_path, ""))
    end = ends(launcher)["t1"]
    assert (end.how, end.code, end.reason) == (How.LOST, None, reason)


def test_a_slurm_that_does_not_answer_has_lost_nothing(slurm: Path, tmp_path: Path) -> None:
    (slurm / "states").write_text("17 RUNNING\n")
    now = [0.0]
    scheduler = SlurmScheduler()
    scheduler.queue = Squeue(clock=lambda: now[0])
    launcher = ClusterLauncher(scheduler)
    launcher.start(job(tmp_path, ""))
    assert launcher.poll() == []
    (slurm / "states").write_text("")
    (slurm / "error").write_text("slurm_load_jobs error: Unable to contact slurm controller\n")
    now[0] = 100.0
    assert launcher.poll() == []
    (slurm / "error").write_text("slurm_load_jobs error: Invalid job id specified\n")
    now[0] = 200.0
    assert ends(launcher)["t1"].how is How.LOST


def test_slurm_is_asked_about_all_jobs_at_once_and_not_too_often(slurm: Path) -> None:
    (slurm / "states").write_text("17 RUNNING\n18 PENDING\n")
    now = [0.0]
    queue = Squeue(clock=lambda: now[0])
    assert queue.stage("17").stage is Stage.RUNNING
    assert queue.stage("18").stage is Stage.WAITING
    for _ in range(50):
        queue.stage("17")
        queue.stage("18")
    asked = (slurm / "asked").read_text().splitlines()
    assert [line.split("--jobs=")[1] for line in asked] == ["17", "17,18"]
    now[0] = 6.0
    queue.stage("17")
    assert len((slurm / "asked").read_text().splitlines()) == 3


def test_a_job_that_is_begun_again_does_not_begin_its_run_again(tmp_path: Path) -> None:
    launcher = ClusterLauncher(SlurmScheduler(cluster="local"))
    one = job(tmp_path, "print('x', file=open('count', 'a'), flush=True)")
    launcher.start(one)
    handle = launcher._runs["t1"].handle
    assert ends(launcher)["t1"].well
    folder = one.output.parent / "slurm"
    words = [sys.executable, "-m", "submitit.core._submit", str(folder)]
    again = {"SUBMITIT_LOCAL_JOB_ID": handle, "SUBMITIT_LOCAL_GLOBALID": "0"}
    again |= {"SUBMITIT_EXECUTOR": "local"}
    done = subprocess.run(
        words, env={**os.environ, **again}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert awaited(tmp_path / "count") == "x"


def test_parts_of_a_cpu_are_not_for_slurm(slurm: Path) -> None:
    del slurm
    with pytest.raises(RequestError, match=r"Slurm takes whole cpus, not 0.5"):
        chosen(Launch(launcher="slurm", cpus=0.5), 1)


def test_the_launcher_is_the_named_one_or_the_configured_one() -> None:
    assert isinstance(chosen(Launch(launcher="slurm"), 3, "local"), LocalLauncher)
    assert isinstance(chosen(Launch(), 1), LocalLauncher)
    with pytest.raises(RequestError, match=r'no launcher "slrm"; did you mean "slurm"'):
        chosen(Launch(), 1, "slrm")
