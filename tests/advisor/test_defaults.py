"""A script's flags are read without training, whatever the script does."""

from __future__ import annotations

import contextlib
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tbdiag.advisor.defaults import SOURCE, read_flags
from tbdiag.advisor.flags import Flags, Kind

NEVER = "open('trained', 'w').close()\n"  # what must not happen: the script went on to train


def a_script(folder: Path, text: str, name: str = "train.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text) + NEVER, "utf-8")
    return path


def flags_of(folder: Path, text: str, *words: str, timeout: float = 60.0) -> Flags:
    a_script(folder, text)
    before = sorted(path.name for path in folder.rglob("*"))
    found = read_flags((sys.executable, "train.py", *words), folder, timeout=timeout)
    assert sorted(path.name for path in folder.rglob("*")) == before, "something was written"
    return found


def defaults(found: Flags) -> dict[str, object]:
    return {name: flag.default for name, flag in found.flags.items()}


def test_argparse_tells_names_options_kinds_choices_and_defaults(tmp_path: Path) -> None:
    found = flags_of(
        tmp_path,
        """
        import argparse
        from pathlib import Path
        parser = argparse.ArgumentParser()
        group = parser.add_argument_group("optimization")
        group.add_argument("-l", "--learning-rate", "--lr", type=float, default="1e-3", help="peak, %(default)s")
        group.add_argument("--optimizer", choices=("sgd", "adam"), default="adam")
        parser.add_argument("--width", type=int, default=64)
        parser.add_argument("--nesterov", action="store_true")
        parser.add_argument("--no-shuffle", dest="shuffle", action="store_false")
        parser.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True)
        parser.add_argument("--decay", type=lambda text: float(text) * 2, default=0.5)
        parser.add_argument("--layers", nargs="+", type=int, default=[64, 32])
        parser.add_argument("--out", type=Path, default=Path("a/b"))
        parser.add_argument("--subset", type=int)
        parser.add_argument("--object", default=object())
        parser.add_argument("--secret", default=argparse.SUPPRESS)
        parser.add_argument("--quiet", help=argparse.SUPPRESS, type=int, default=1)
        parser.add_argument("data")
        parser.add_argument("--fold", required=True, type=int)
        parser.set_defaults(width=128)
        parser.parse_args()
        """,
    )
    assert (found.how, found.why, found.script) == ("argparse", "", "train.py")
    assert defaults(found) == {
        "learning_rate": 0.001, "optimizer": "adam", "width": 128, "nesterov": False,
        "shuffle": True, "augment": True, "decay": 0.5, "layers": "[64, 32]", "out": "a/b",
        "subset": None, "object": None, "secret": None, "quiet": 1, "data": None, "fold": None,
    }  # fmt: skip
    flags = found.flags
    assert flags["learning_rate"].options == ("-l", "--learning-rate", "--lr")
    assert flags["learning_rate"].help == "peak, 0.001"
    assert flags["optimizer"].choices == ("sgd", "adam")
    kinds = {name: flag.kind for name, flag in flags.items()}
    assert kinds["learning_rate"] is Kind.FLOAT
    assert kinds["width"] is Kind.INT
    assert kinds["decay"] is Kind.OTHER
    assert {kinds[name] for name in ("nesterov", "shuffle", "augment")} == {Kind.SWITCH}
    assert (flags["augment"].options, flags["augment"].off) == (("--augment",), "--no-augment")
    assert (flags["shuffle"].options, flags["shuffle"].off) == ((), "--no-shuffle")
    assert flags["layers"].several
    assert not flags["object"].known
    assert not flags["secret"].known
    assert {name for name, flag in flags.items() if flag.required} == {"data", "fold"}


@pytest.mark.parametrize(
    "text",
    [
        "print('x' * 100)\n",  # no arguments at all: would train
        "import sys\nrate = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1\n",
        "import argparse\nparser = argparse.ArgumentParser()\n",
        (
            "import argparse\nparser = argparse.ArgumentParser()\n"
            "parser.add_argument('--lr')\nparser.parse_args([])\n"
        ),
    ],
)
def test_a_script_that_reads_no_arguments_is_not_started(tmp_path: Path, text: str) -> None:
    found = flags_of(tmp_path, text)
    assert found.flags == {}
    assert found.why == "train.py reads no arguments that could be looked at"


def test_what_is_imported_from_the_same_folder_may_read_the_arguments(tmp_path: Path) -> None:
    a_script(
        tmp_path,
        """
        import argparse
        def get():
            parser = argparse.ArgumentParser()
            parser.add_argument("--lr", type=float, default=0.1)
            return parser.parse_args()
        """,
        "lib/options.py",
    ).write_text(
        "import argparse\n"
        "def get():\n"
        "    parser = argparse.ArgumentParser()\n"
        "    parser.add_argument('--lr', type=float, default=0.1)\n"
        "    return parser.parse_args()\n"
    )
    found = flags_of(tmp_path, "from lib.options import get\nget()\n")
    assert (found.how, defaults(found)) == ("argparse", {"lr": 0.1})


PARSER = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
"""


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("import no_such_framework\n", "No module named 'no_such_framework'"),
        ("raise RuntimeError('first line\\nsecond')\n", "RuntimeError: first line"),
        ("import os\nos.makedirs('runs')\n", "it would write"),
        ("open('notes.txt', 'a')\n", "it would write"),
        ("import os\nos.remove(__file__)\n", "it would change"),
        ("import subprocess\nsubprocess.run(['touch', 'x'])\n", "it would start touch"),
        ("import os\nos.system('touch x')\n", "it would start"),
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))\n", "it would use the network"),
        (
            "try: open('cache', 'w')\nexcept OSError: pass\nraise RuntimeError('other')\n",
            "RuntimeError: other",
        ),
        ("import os\nos._exit(3)\n", "it told nothing"),
        ("import os\nos.kill(os.getpid(), 9)\n", "it told nothing"),
        ("import time\ntime.sleep(600)\n", "it was stopped after 2 s"),
        ("while True: print('garbage \\x1b[2J' * 100)\n", "it was stopped after 1024 KB of output"),
    ],
)
def test_a_script_that_does_not_come_so_far_is_read_from_its_source(
    tmp_path: Path, before: str, reason: str
) -> None:
    found = flags_of(tmp_path, before + PARSER + "parser.parse_args()\n", timeout=2.0)
    assert found.how == SOURCE
    assert defaults(found) == {"lr": 0.1}
    assert reason in found.why
    assert "\n" not in found.why


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_what_a_stopped_script_started_is_ended_too(tmp_path: Path) -> None:
    # a fork through the C library is none that the interpreter sees
    forks = "import ctypes, time\nctypes.CDLL(None).fork()\ntime.sleep(600)\n"
    found = flags_of(tmp_path, forks + PARSER + "parser.parse_args()\n", timeout=1.0)
    assert "it was stopped after 1 s" in found.why
    deadline = time.monotonic() + 5
    while (left := at_work_in(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def at_work_in(folder: Path) -> list[str]:
    """The processes whose working directory is ``folder``."""
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder.resolve():
                left.append(process.name)
    return left


def test_garbage_before_and_a_huge_parser_do_no_harm(tmp_path: Path) -> None:
    found = flags_of(
        tmp_path,
        """
        import argparse, itertools
        print("\\x00\\x1b]0;x\\x07 garbage" * 100)
        parser = argparse.ArgumentParser()
        for n in range(5000):
            parser.add_argument(f"--option-{n}", default=n, help="h" * 10000)
        parser.add_argument("--any", choices=range(10**9), metavar="N", type=int, default=3)
        parser.parse_args()
        """,
    )
    assert found.how == "argparse"
    assert 1000 <= len(found.flags) <= 3000
    assert all(len(flag.help) <= 300 for flag in found.flags.values())


def test_objects_that_lie_about_themselves_do_no_harm(tmp_path: Path) -> None:
    found = flags_of(
        tmp_path,
        """
        import argparse, enum
        class Odd(str):
            def __eq__(self, other): raise RuntimeError("no")
            __hash__ = str.__hash__
        class Endless:
            def __iter__(self):
                while True: yield "x"
            def __contains__(self, item): return True
        class Optim(enum.Enum):
            SGD = "sgd"
        parser = argparse.ArgumentParser()
        parser.add_argument("--endless", choices=Endless(), metavar="X", default="x")
        parser.add_argument("--enum", type=Optim, choices=list(Optim), default=Optim.SGD)
        parser.add_argument("--nan", type=float, default=float("nan"))
        parser.add_argument("--odd", default=Odd("x"))
        parser.add_argument("--lr", type=float, default=0.1)
        parser.parse_args()
        """,
    )
    assert found.how == "argparse"
    assert found.flags["lr"].default == 0.1
    assert (found.flags["enum"].default, found.flags["enum"].choices) == ("sgd", ("sgd",))
    assert not found.flags["nan"].known
    assert len(found.flags["endless"].choices) <= 300


def test_the_subcommand_of_the_command_counts(tmp_path: Path) -> None:
    text = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    commands = parser.add_subparsers()
    fit = commands.add_parser("fit")
    fit.add_argument("--lr", type=float, default=0.1)
    test = commands.add_parser("test")
    test.add_argument("--ckpt", default="best")
    parser.parse_args()
    """
    assert defaults(flags_of(tmp_path, text, "fit", "--lr", "{lr}")) == {"seed": 1, "lr": 0.1}
    assert defaults(flags_of(tmp_path, text)) == {"seed": 1}


def test_a_second_parser_is_waited_for(tmp_path: Path) -> None:
    found = flags_of(
        tmp_path,
        """
        import argparse
        first = argparse.ArgumentParser(add_help=False)
        first.add_argument("--config", default="")
        given, rest = first.parse_known_args()
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=0.1)
        parser.parse_args(rest)
        """,
    )
    assert defaults(found) == {"config": "", "lr": 0.1}


def test_arguments_for_others_are_not_taken_for_the_scripts(tmp_path: Path) -> None:
    found = flags_of(
        tmp_path,
        """
        import argparse
        library = argparse.ArgumentParser()
        library.add_argument("--internal", default=1)
        assert library.parse_args(["--internal", "2"]).internal == "2"
        """
        + PARSER.replace("\n", "\n        ")
        + "parser.parse_known_args()\n",
    )
    assert defaults(found) == {"lr": 0.1}


def test_click_and_typer_tell_theirs(tmp_path: Path) -> None:
    pytest.importorskip("click")
    found = flags_of(
        tmp_path,
        """
        import click
        @click.command()
        @click.option("--lr", "-l", default=1e-3, help="peak")
        @click.option("--optim", type=click.Choice(["sgd", "adam"]), default="adam")
        @click.option("--augment/--plain", default=True)
        @click.option("--fold", type=int, required=True)
        @click.option("--nesterov", is_flag=True)
        @click.argument("data", default="cifar")
        def train(**params): open("trained", "w")
        train()
        """,
    )
    assert found.how == "click"
    values = {name: flag.default for name, flag in found.flags.items() if name != "fold"}
    assert values == {
        "lr": 0.001, "optim": "adam", "augment": True, "nesterov": False, "data": "cifar",
    }  # fmt: skip
    assert found.flags["optim"].choices == ("sgd", "adam")
    assert (found.flags["augment"].options, found.flags["augment"].off) == (
        ("--augment",), "--plain",
    )  # fmt: skip
    assert found.flags["fold"].required
    assert found.flags["lr"].kind is Kind.FLOAT

    found = flags_of(
        tmp_path,
        """
        import enum, typer
        class Optim(enum.Enum):
            SGD = "sgd"
            ADAM = "adam"
        def train(
            lr: float = 1e-3, epochs: int = 5, augment: bool = True, optim: Optim = Optim.SGD
        ):
            open("trained", "w")
        typer.run(train)
        """,
    )
    assert (found.how, defaults(found)) == (
        "click",
        {"lr": 0.001, "epochs": 5, "augment": True, "optim": "sgd"},
    )
    assert found.flags["optim"].choices == ("sgd", "adam")
    assert found.flags["epochs"].kind is Kind.INT
    assert found.flags["augment"].off == "--no-augment"


def test_other_libraries_tell_by_their_help(tmp_path: Path) -> None:
    found = flags_of(
        tmp_path,
        """
        import sys
        try: import docopt
        except ImportError: pass
        if "--help" in sys.argv:
            print("Usage: train.py [options]\\n  --lr=LR  learning rate [default: 0.1]")
            sys.exit()
        """,
    )
    assert (found.how, defaults(found)) == ("help", {"lr": 0.1})


def test_tbdiag_params_are_read_from_the_source(tmp_path: Path) -> None:
    found = flags_of(
        tmp_path,
        """
        import tbdiag
        WIDTH = 64
        params = tbdiag.params(lr=1e-3, width=WIDTH, optimizer="adam", nesterov=False, size=len("a"))
        """,
    )
    assert found.how == "tbdiag.params"
    assert defaults(found) == {
        "lr": 0.001, "width": 64, "optimizer": "adam", "nesterov": False, "size": None,
    }  # fmt: skip
    assert not found.flags["size"].known


def test_modules_and_scripts_with_their_own_python_are_found(tmp_path: Path) -> None:
    a_script(tmp_path, PARSER + "parser.parse_args()\n", "pack/train.py")
    found = read_flags((sys.executable, "-u", "-m", "pack.train", "--lr", "{lr}"), tmp_path)
    assert (found.how, defaults(found)) == ("argparse", {"lr": 0.1})
    own = a_script(tmp_path, f"#!{sys.executable}\n{PARSER}parser.parse_args()\n", "go")
    own.chmod(0o755)
    found = read_flags(("./go", "--lr", "{lr}"), tmp_path)
    assert (found.how, defaults(found)) == ("argparse", {"lr": 0.1})


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ((), "there is no command"),
        (("python", "none.py"), "there is no none.py in "),
        (("bash", "train.sh"), "the command starts 'bash', which is no Python script"),
        (("python", "-m", "no.such"), "the module no.such is not below "),
        (("python", "-m", "../x"), "the module ../x is not below "),
        ((sys.executable, "broken.py"), "broken.py cannot be read: SyntaxError"),
        ((sys.executable, "bytes.py"), "bytes.py cannot be read: "),
    ],
)
def test_why_nothing_was_read_is_one_sentence(
    tmp_path: Path, command: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "broken.py").write_text("import (\n")
    (tmp_path / "bytes.py").write_bytes(b"\x00\xff" * 10)
    found = read_flags(command, tmp_path)
    assert found.flags == {}
    assert found.why.startswith(reason)


def test_a_script_that_changed_is_read_again(tmp_path: Path) -> None:
    assert defaults(flags_of(tmp_path, PARSER + "parser.parse_args()\n")) == {"lr": 0.1}
    changed = PARSER.replace("0.1", "0.25") + "parser.parse_args()\n"
    assert defaults(flags_of(tmp_path, changed)) == {"lr": 0.25}


def test_hydra_shows_its_configuration(tmp_path: Path) -> None:
    pytest.importorskip("hydra", reason="hydra is not installed: its scripts were not read")
    (tmp_path / "config.yaml").write_text("optimizer: {name: adam, lr: 1e-3}\nepochs: 10\n")
    found = flags_of(
        tmp_path,
        """
        import hydra
        @hydra.main(version_base=None, config_path=".", config_name="config")
        def main(config):
            open("trained", "w")
        main()
        """,
    )
    assert found.how == "hydra"
    assert defaults(found) == {"optimizer.name": "adam", "optimizer.lr": 1e-3, "epochs": 10}


def test_lightnings_command_line_is_told_by_its_parser(tmp_path: Path) -> None:
    pytest.importorskip("jsonargparse", reason="jsonargparse is not installed: it was not read")
    found = flags_of(
        tmp_path,
        """
        import jsonargparse
        parser = jsonargparse.ArgumentParser()
        parser.add_argument("--model.lr", type=float, default=1e-3)
        parser.add_argument("--trainer.max_epochs", type=int, default=10)
        parser.parse_args()
        """,
    )
    assert found.how == "argparse"
    assert (found.flags["model.lr"].default, found.flags["model.lr"].options) == (
        1e-3, ("--model.lr",),
    )  # fmt: skip
