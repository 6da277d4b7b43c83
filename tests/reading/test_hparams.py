from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tbdiag.model.run import HParam
from tbdiag.reading import settings
from tbdiag.reading.hparams import from_name, from_text_tag, hparams_of


def found(folder: Path, root: Path | None = None, **more: object) -> dict[str, HParam]:
    given = {"logged": [], "texts": {}, "names": []} | more
    return hparams_of(folder=folder, root=root or folder, **given)  # type: ignore[arg-type]


def values(folder: Path, root: Path | None = None, **more: object) -> dict[str, object]:
    return {name: one.value for name, one in found(folder, root, **more).items()}


def test_the_first_source_counts_and_those_that_disagree_are_kept(tmp_path: Path) -> None:
    run = tmp_path / "group" / "lr0.4_x"
    run.mkdir(parents=True)
    (run / "hparams.yaml").write_text("lr: 0.2\nwd: 0.01\nbs: 32.0")
    (tmp_path / "group" / "config.json").write_text('{"lr": 0.3, "seed": 1, "bs": 32}')
    (tmp_path / "args.json").write_text('{"outside": 1}')
    got = found(
        run,
        tmp_path / "group",
        logged=[{"lr": 0.1}],
        texts={"args/text_summary": '{"momentum": 0.9}'},
        names=["lr0.4_x"],
    )
    assert got == {
        "lr": HParam(
            0.1,
            "event file",
            (("lr0.4_x/hparams.yaml", 0.2), ("config.json", 0.3), ("run name", 0.4)),
        ),
        "momentum": HParam(0.9, "text args/text_summary"),
        "wd": HParam(0.01, "lr0.4_x/hparams.yaml"),
        "bs": HParam(32.0, "lr0.4_x/hparams.yaml"),
        "seed": HParam(1, "config.json"),
    }


def test_the_last_session_of_several_counts(tmp_path: Path) -> None:
    got = found(tmp_path, logged=[{"lr": 0.1}, {"lr": 0.2}])
    assert got["lr"] == HParam(0.2, "event file", (("event file", 0.1),))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("params.json", '{"optimizer": {"lr": 0.001, "betas": [0.9, 0.999]}, "amp": true}'),
        ("opt.yml", "optimizer:\n  lr: 1e-3\n  betas: !!python/tuple [0.9, 0.999]\namp: true"),
        ("hparams.toml", "amp = true\n[optimizer]\nlr = 1e-3\nbetas = [0.9, 0.999]"),
        ("config.py", "import os\noptimizer = dict(lr=1e-3, betas=(0.9, 0.999))\namp = True\n"),
        (
            ".hydra/overrides.yaml",
            "- optimizer.lr=0.001\n- optimizer.betas=[0.9, 0.999]\n- amp=true",
        ),
        ("Config.YAML", "optimizer: {lr: 0.001, betas: [0.9, 0.999]}\namp: yes"),
    ],
)
def test_files_of_settings_are_read_in_their_formats(
    tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    assert values(tmp_path) == {
        "optimizer.lr": 0.001,
        "optimizer.betas": "[0.9, 0.999]",
        "amp": True,
    }


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "args.json"
    path.write_text('{"lr": 1}')
    assert values(tmp_path) == {"lr": 1}
    path.write_text('{"lr": 22}')
    (tmp_path / "hparams.yaml").write_text("bs: 2")
    assert values(tmp_path) == {"lr": 22, "bs": 2}


def test_the_newest_checkpoint_tells_the_trainers_state(tmp_path: Path) -> None:
    for step in (5, 10):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        state = {"max_steps": step, "log_history": [{"loss": 1}], "best_metric": 0.5}
        (folder / "trainer_state.json").write_text(json.dumps(state))
    (tmp_path / "runs" / "Nov").mkdir(parents=True)
    assert values(tmp_path / "runs" / "Nov", tmp_path) == {"max_steps": 10}


def test_hostile_yaml_executes_and_builds_nothing(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    (tmp_path / "hparams.yaml").write_text(
        f"lr: !!python/object/apply:os.system ['touch {proof}']\n"
        f"a: !!python/object/new:subprocess.Popen {{args: ['touch', '{proof}']}}\n"
        "b: !!python/name:os.system ''\n"
        "c: !custom\n  deep: !!python/object:x.Y {z: 1}\n"
        "bs: 32\n"
    )
    got = values(tmp_path)
    assert not proof.exists()
    assert got["bs"] == 32
    assert got["c.deep.z"] == 1
    assert got["b"] == "os.system"
    assert str(got["lr"]).startswith("[touch")


def test_bombs_stay_small(tmp_path: Path) -> None:
    laughs = "a0: &a0 [x, y]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    nested = "a0: &a0 {k: 1}\n" + "".join(
        f"a{i}: &a{i}\n" + "".join(f"  k{j}: *a{i - 1}\n" for j in range(9)) for i in range(1, 12)
    )
    merges = "a0: &a0 {k: 1}\n" + "".join(
        f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 12)
    )
    loop = "a: &a\n  b: *a\n  c: &c [*c]\n"
    started = time.process_time()
    for bomb in (laughs, nested, merges, loop):
        settings.from_yaml(bomb)
    settings.from_json("[" * 100_000)
    settings.from_json('{"a":' * 5000 + "1" + "}" * 5000)
    settings.from_python("x = " + "(" * 5000)
    settings.from_python("x = " + "-" * 5000 + "1")
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "junk",
    [b"", b"\0" * 99, b"\xff\xfe", b"[1, 2]", b"just words", b"{", b"a: b: c: [", b"? {a: 1}\n: 2"],
)
def test_junk_is_no_settings(tmp_path: Path, junk: bytes) -> None:
    for name in ("args.json", "hparams.yaml", "opt.toml", "config.py", ".hydra"):
        (tmp_path / name).write_bytes(junk)
    assert len(found(tmp_path)) <= 1


def test_what_is_too_large_or_no_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "args.json").write_text('{"a": "' + "x" * (4 << 20) + '"}')
    (tmp_path / "config.yaml").mkdir()
    (tmp_path / "opt.json").symlink_to("nowhere")
    assert found(tmp_path) == {}
    assert found(tmp_path / "missing") == {}
    long = settings.from_json('{"a": "' + "x" * 10_000 + '"}')["a"]
    assert isinstance(long, str)
    assert len(long) == 500


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        (
            "args/text_summary",
            '{"learning_rate": 5e-05, "optim": "adamw"}',
            ("learning_rate", 5e-5),
        ),
        ("config", "model = dict(type='R')\nlr = 0.1\nx = run()", ("lr", 0.1)),
        (
            "config",
            "optim_wrapper = dict(optimizer=dict(lr=0.1))",
            ("optim_wrapper.optimizer.lr", 0.1),
        ),
        ("hparams", "|name|value|\n|---|---|\n|lr|`1e-3`|\n|bs|32|", ("lr", 0.001)),
        ("Hyperparameters", "lr: 0.1\nlayers:\n  width: 64", ("layers.width", 64)),
        ("run/options", "Namespace(lr=0.1, name='x', layers=[1, 2])", ("layers", "[1, 2]")),
        ("config", "{'lr': 0.1, 'bs': 32}", ("bs", 32)),
        ("settings", "```yaml\nlr: 0.1\n```", ("lr", 0.1)),
        ("Hyperparameters", "lr:\t0.1\n\tbs:\t32", ("bs", 32)),
        ("Batch size/text_summary", "128", ("Batch size", 128)),
        (
            "Train/Optimizer",
            "SGD (\nParameter Group 0\n    initial_lr: 0.1\n    lr: 0.06\n)",
            ("lr", 0.1),
        ),
        ("anything", '{"lr": 0.1}', ("lr", 0.1)),
    ],
)
def test_texts_that_hold_settings_are_read(
    tag: str, text: str, expected: tuple[str, object]
) -> None:
    assert from_text_tag(tag, text)[expected[0]] == expected[1]


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("generated/text_summary", "Question: why\nAnswer: because"),
        ("samples", "|target|prediction|\n|---|---|\n|a|b|"),
        ("config", "see the file"),
        ("loss", "CrossEntropyLoss()"),
    ],
)
def test_other_texts_are_not(tag: str, text: str) -> None:
    assert from_text_tag(tag, text) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lr1e-3_bs32", {"lr": 0.001, "bs": 32}),
        ("sweep/lr=0.01,wd=1e-4", {"lr": 0.01, "wd": 1e-4}),
        ("lr=0.1_batch_size=32_opt=sgd", {"lr": 0.1, "batch_size": 32, "opt": "sgd"}),
        (
            "Nov13_DESKTOPAdam;   base_lr=0.004;   hidden_sizes=[512, 256]",
            {"base_lr": 0.004, "hidden_sizes": "[512, 256]"},
        ),
        ("optimizer.lr=0.1,seed=3", {"optimizer.lr": 0.1, "seed": 3}),
        ("Nov13_16-59-43_host", {}),
        ("version_0", {}),
        ("model4_2_iters", {}),
        ("events.out.tfevents.1700000000.host.1.0", {}),
        ("trial_4", {}),
    ],
)
def test_settings_in_names(name: str, expected: dict[str, object]) -> None:
    assert from_name(name) == expected


def test_names_are_matched_in_linear_time() -> None:
    started = time.process_time()
    for name in ("a=" * 2000, "a_" * 2000, "lr" * 2000, "a=[" * 2000, "1" * 4000, "lr1" * 1500):
        from_name(name)
    assert time.process_time() - started < 1
