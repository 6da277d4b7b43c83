"""The configuration file: found upward, read whole, and refused with every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tbdiag import config
from tbdiag.config.command import placeholders
from tbdiag.config.positions import line, positions
from tbdiag.config.training import Choices, Range
from tbdiag.errors import ConfigError
from tbdiag.model.role import Better, Override, Role

GOOD = """\
logdir = "logs"
ignore = { "OPT008" = "warm-up ablation" }

[roles]
train_loss = "objective/train"
val_metric = { tag = "eval/bleu", better = "higher" }

[rules.overfitting]
rise = 0.08

[train]
command = "python train.py --lr {lr} --name 'a b' --epochs {epochs} --logdir {logdir}"
objective = "val_loss"
budget = "epochs"

[space]
lr = { low = 1e-6, high = 1.0, log = true }
scheduler = ["constant", "cosine", "onecycle"]
epochs = { low = 5, high = 100, step = 1 }
"""

BAD = """\
logdri = "logs"
ignore = ["OPT008"]
select = ["OPT", 5]
[roles]
train_los = "objective/train"
val_metric = { tag = "eval/bleu", bettr = "higher" }
val_loss = { tag = "x", better = "up" }
[rules]
GEN002 = 4
[train]
command = "python train.py --lr {lrr} --json '{\\"a\\": 1}'"
budget = "epoch"
[space]
lr = { low = 1e-6, high = 1e-7 }
weight_decay = { low = 0, high = 1.0, log = true }
width = { low = "a", high = 1.0 }
depth = { high = 1.0 }
dropout = 0.1
optimizer = ["sgd", "sgd"]
momentum = { low = 1, high = inf }
seed = { low = true, high = 2 }
logdir = ["a"]
epochs = { low = 1, high = 9, step = 10 }
"""


def a_file(folder: Path, text: str, name: str = "tbdiag.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    return [each.removeprefix(f"{path}:") for each in caught.value.problems]


def test_every_setting_arrives_typed(tmp_path: Path) -> None:
    found = config.load(a_file(tmp_path, GOOD))
    assert (found.root, found.logdir) == (tmp_path.resolve(), "logs")
    assert found.ignore == {"OPT008": "warm-up ablation"}
    assert found.roles == {
        Role.TRAIN_LOSS: Override("objective/train"),
        Role.VAL_METRIC: Override("eval/bleu", Better.HIGHER),
    }
    assert found.rules == {"overfitting": {"rise": 0.08}}
    assert found.train is not None
    assert found.train.command[:7] == (
        "python", "train.py", "--lr", "{lr}", "--name", "a b", "--epochs",
    )  # fmt: skip
    assert found.train.objective == Override("val_loss")
    assert found.space["lr"] == Range(low=1e-6, high=1.0, log=True)
    assert found.space["epochs"] == Range(low=5, high=100, step=1)
    assert isinstance(found.space["epochs"].low, int)
    assert found.space["scheduler"] == Choices(("constant", "cosine", "onecycle"))


def test_all_mistakes_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    assert problems(a_file(tmp_path, BAD)) == [
        '1: unknown key "logdri"; did you mean "logdir"?',
        '2: "ignore" must be a table of reasons: ignore = { CODE = "why" }',
        '3: "select[1]" must be a string, not 5',
        '5: "roles.train_los": there is no role "train_los"; did you mean "train_loss"?',
        '6: unknown key "roles.val_metric.bettr"; did you mean "better"?',
        "7: \"roles.val_loss.better\" must be 'lower' or 'higher', not 'up'",
        '9: "rules.GEN002" must be a table, not 4',
        (
            "11: in the word '{\"a\": 1}' of the command: "
            "only a name may stand between braces; write {{ and }} for plain ones"
        ),
        '11: the command uses "{lrr}", which is not in [space]; did you mean "lr"?',
        '12: the budget "epoch" is neither in [space] nor in the command; did you mean "epochs"?',
        '14: "space.lr": low (1e-06) must be below high (1e-07)',
        '15: "space.weight_decay": a range with log = true needs low above 0, not 0',
        "16: \"space.width.low\" must be a finite number, not 'a'",
        '17: "space.depth" needs a "low"',
        '18: "space.dropout" must be a range with low and high, or a list of choices',
        "19: \"space.optimizer\": the choice 'sgd' stands there twice",
        '20: "space.momentum.high" must be a finite number, not inf',
        '21: "space.seed.low" must be a finite number, not true',
        '22: "logdir" is a name of tbdiag\'s own; call the knob otherwise',
        '23: "space.epochs": step (10) must be above 0 and at most high - low',
    ]


def test_what_is_right_survives_beside_mistakes(tmp_path: Path) -> None:
    path = a_file(tmp_path, "logdir = 3\n[rules.overfitting]\nrise = -1\n[space]\nlr = { low = 1 }")
    found, mistakes = config.read(path)
    assert [each.line for each in mistakes] == [1, 5]
    assert found.rules == {"overfitting": {"rise": -1}}
    assert (found.logdir, found.space) == (None, {})


def test_a_train_table_without_a_command_is_one_mistake(tmp_path: Path) -> None:
    path = a_file(tmp_path, '[train]\nobjective = "val_loss"\n')
    assert problems(path) == ['1: "train" needs a "command"']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('logdir = "a"\nselect = [\n', "2: not valid TOML: "),
        ("logdir = 'a'\nlogdir = 'b'\n", "2: not valid TOML: cannot overwrite a value"),
        ('[train]\ncommand = "a \'b"\n', "2: the command cannot be split into words: no closing"),
        ("x = " + "[" * 5000, "1: not valid TOML: "),
    ],
)
def test_syntax_is_judged_in_one_sentence(tmp_path: Path, text: str, expected: str) -> None:
    (only,) = problems(a_file(tmp_path, text))
    assert only.startswith(expected)


def test_bytes_that_are_no_text_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "tbdiag.toml"
    path.write_bytes(b'logdir = "a"\nselect = ["\xff"]\n')
    assert problems(path) == ["2: not valid UTF-8"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "tbdiag.toml"
    path.write_bytes(b'\xef\xbb\xbflogdir = "a"\r\nselct = []\r\n')
    assert problems(path) == ['2: unknown key "selct"; did you mean "select"?']


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.toml") == [
        f"{tmp_path / 'none.toml'} cannot be read: No such file or directory"
    ]


def test_pyproject_holds_it_under_tool_tbdiag(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n[tool.tbdiag]\nlogdir = 5\n[tool.tbdiag.space]\nlr = 3\n'
    assert problems(a_file(tmp_path, text, "pyproject.toml")) == [
        '4: "logdir" must be a string, not 5',
        '6: "space.lr" must be a range with low and high, or a list of choices',
    ]


def test_the_nearest_file_upward_is_found(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    a_file(tmp_path, "")
    assert config.find(deep) == tmp_path.resolve() / "tbdiag.toml"
    near = a_file(tmp_path / "a", "[tool.tbdiag]\n", "pyproject.toml")
    assert config.find(deep) == near.resolve()
    own = a_file(tmp_path / "a", "")
    assert config.find(deep) == own.resolve()


def test_a_pyproject_that_does_not_speak_of_us_is_passed_over(tmp_path: Path) -> None:
    above = a_file(tmp_path, "")
    (tmp_path / "a").mkdir()
    shared = a_file(tmp_path / "a", "[tool.other]\n", "pyproject.toml")
    assert config.find(tmp_path / "a") == above.resolve()
    shared.write_text("[broken")
    assert config.find(tmp_path / "a") == above.resolve()
    shared.write_text("[tool.tbdiag]\n[broken")
    assert config.find(tmp_path / "a") == shared.resolve()


def test_paths_in_messages_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^tbdiag\.toml:1: unknown key"):
        config.load(a_file(tmp_path, "lodgir = 'x'"))


def test_positions_know_every_way_to_write_a_key() -> None:
    text = '''\
# a = 1
a = "# no comment" # one
b.c = [1, # first
  { d = """
  = [x]
  """, e = 2 },
  'lit"eral']
"quoted \\u0041 key" = 3

[t]
x = { y = [
  1 ] }
[t.'u.v'.w]
z = 1979-05-27T07:32:00Z
[[many]]
k = 1
[[many]]
k = 2
'''
    assert positions(text) == {
        ("a",): 2,
        ("b",): 3, ("b", "c"): 3, ("b", "c", 0): 3, ("b", "c", 1): 4,
        ("b", "c", 1, "d"): 4, ("b", "c", 1, "e"): 6, ("b", "c", 2): 7,
        ("quoted A key",): 8,
        ("t",): 10, ("t", "x"): 11, ("t", "x", "y"): 11, ("t", "x", "y", 0): 12,
        ("t", "u.v"): 13, ("t", "u.v", "w"): 13, ("t", "u.v", "w", "z"): 14,
        ("many",): 15, ("many", 0): 15, ("many", 0, "k"): 16,
        ("many", 1): 17, ("many", 1, "k"): 18,
    }  # fmt: skip


def test_a_key_that_is_not_there_falls_back_to_its_table() -> None:
    found = positions("a = 1\n[t]\nx = 1\n")
    assert line(found, ("t", "missing", "deeper")) == 2
    assert line(found, ("missing",)) == 1


def test_placeholders_are_names_between_single_braces() -> None:
    assert placeholders("--lr={lr}/{optimizer.beta-1}{{plain}}") == ("lr", "optimizer.beta-1")
    for word in ("{", "{}", "{lr!r}", "{lr:.3f}", "{a[0]}", "}"):
        with pytest.raises(ValueError, match=r"brace|'[{}]'"):
            placeholders(word)


def test_launching_is_configured(tmp_path: Path) -> None:
    text = """
    [launch]
    launcher = "slurm"
    cpus = 4
    memory = "16GB"
    [launch.ray]
    address = "ray://head:10001"
    resources = { a100 = 1 }
    [launch.slurm]
    time = 90
    additional = { account = "vision", exclusive = true }
    """
    (tmp_path / "tbdiag.toml").write_text(text)
    launch = config.load(tmp_path / "tbdiag.toml").launch
    assert (launch.launcher, launch.cpus, launch.gpus) == ("slurm", 4, 0)
    assert launch.memory == 16_000_000_000
    assert launch.ray.address == "ray://head:10001"
    assert launch.ray.resources == {"a100": 1}
    assert launch.slurm.time == "90"
    assert launch.slurm.additional == {"account": "vision", "exclusive": True}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            'launcher = "slrum"',
            'must be one of local, ray, slurm, not "slrum"; did you mean "slurm"?',
        ),
        ("cpus = 0", '"launch.cpus" must be above 0, not 0'),
        ("gpus = -1", '"launch.gpus" must not be below 0, not -1'),
        ('memory = "much"', '"launch.memory" must be a size such as 16GB'),
        ('slurm.time = "soon"', """must be minutes or a time such as "2:00:00", not 'soon'"""),
        (
            'slurm.partitoin = "gpu"',
            'unknown key "launch.slurm.partitoin"; did you mean "partition"?',
        ),
        ("ray.resources = { a100 = -1 }", '"launch.ray.resources.a100" must not be below 0'),
        ("processors = 4", 'unknown key "launch.processors"'),
    ],
)
def test_mistakes_about_launching_are_told(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / "tbdiag.toml").write_text(f"[launch]\n{line}\n")
    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path / "tbdiag.toml")
    (problem,) = raised.value.problems
    assert sentence in problem
    assert "tbdiag.toml:2: " in problem


def test_storage_takes_what_fsspec_does_and_shows_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "tbdiag.toml"
    path.write_text(
        '[storage.s3]\nkey = "me"\nsecret = "hush"\nclient_kwargs = { region_name = "eu" }\n'
    )
    found = config.load(path)
    assert found.storage["s3"]["client_kwargs"] == {"region_name": "eu"}
    assert "hush" not in repr(found)
    path.write_text('[storage]\nendpoint_url = "http://x"\n')
    with pytest.raises(ConfigError, match=r"2: .*endpoint_url.* must be a table"):
        config.load(path)
