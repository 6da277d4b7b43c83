"""The shape of the configuration file, and what is wrong with one: the one user of pydantic."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (  # noqa: TID253 - the doorway of pydantic, imported only to read a file
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from tbdiag.config.positions import Key
from tbdiag.config.settings import did_you_mean
from tbdiag.config.sizes import size
from tbdiag.config.training import LAUNCHERS
from tbdiag.model.role import Role

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _wrong(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("tbdiag", "{sentence}", {"sentence": sentence})


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(f"must be a finite number{_given(value)}")
    return value


def _choice(value: object) -> object:
    if not isinstance(value, bool | int | float | str):
        raise _wrong("must be a number, a string, true or false")
    return value if isinstance(value, bool | str) else _number(value)


Number = Annotated[int | float, BeforeValidator(_number)]
Choice = Annotated[bool | int | float | str, BeforeValidator(_choice)]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class RangeTable(_Table):
    """``{ low = 1e-6, high = 1.0, log = true }``."""

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> RangeTable:
        if not self.low < self.high:
            raise _wrong(f"low ({self.low:g}) must be below high ({self.high:g})")
        if self.log and not self.low > 0:
            raise _wrong(f"a range with log = true needs low above 0, not {self.low:g}")
        if self.step is not None and self.log:
            raise _wrong("a range has either log = true or a step, not both")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise _wrong(f"step ({self.step:g}) must be above 0 and at most high - low")
        return self


def _distinct(choices: list[Any]) -> list[Any]:
    keys = [(isinstance(each, bool), each) for each in choices]
    twice = [each for place, each in enumerate(choices) if keys[place] in keys[:place]]
    if twice:
        raise _wrong(f"the choice {twice[0]!r} stands there twice")
    return choices


ChoiceList = Annotated[list[Choice], Field(min_length=1), AfterValidator(_distinct)]


class TagTable(_Table):
    """``{ tag = "eval/bleu", better = "higher" }``."""

    tag: Word
    better: Literal["lower", "higher"] | None = None


def _form(value: object) -> str | None:
    """Which of several forms a value takes: the marks below, which never show in a message."""
    forms = ((dict, "<table>"), (list, "<list>"), (str, "<text>"))
    return next((mark for kind, mark in forms if isinstance(value, kind)), None)


def _either(what: str) -> Discriminator:
    return Discriminator(_form, custom_error_type="tbdiag", custom_error_message=f"must be {what}")


Curve = Annotated[
    Annotated[Word, Tag("<text>")] | Annotated[TagTable, Tag("<table>")],
    _either("a tag, or a table with a tag and better"),
]
DimensionTable = Annotated[
    Annotated[RangeTable, Tag("<table>")] | Annotated[ChoiceList, Tag("<list>")],
    _either("a range with low and high, or a list of choices"),
]


def _role(name: str) -> str:
    if name not in list(Role):
        raise _wrong(f'there is no role "{name}"{did_you_mean(name, list(Role))}')
    return name


class TrainTable(_Table):
    """``[train]``."""

    command: Word
    objective: Curve = Role.VAL_LOSS.value
    budget: Word | None = None


def _positive(value: float) -> float:
    if value <= 0:
        raise _wrong(f"must be above 0, not {value:g}")
    return value


def _counted(value: float) -> float:
    if value < 0:
        raise _wrong(f"must not be below 0, not {value:g}")
    return value


def _size(value: str) -> str:
    try:
        size(value)
    except ValueError as error:
        raise _wrong(f"must be a size such as 16GB, and {error}") from None
    return value


def _time(value: object) -> object:
    """Minutes, or what ``sbatch --time`` takes: ``2:00:00``, ``1-12:00:00``."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _wrong('must be minutes or a time such as "2:00:00"')
    if not re.fullmatch(r"(\d+-)?\d+(:\d+){0,2}", str(value)):
        raise _wrong(f'must be minutes or a time such as "2:00:00", not {value!r}')
    return str(value)


def _launcher(name: str) -> str:
    if name not in LAUNCHERS:
        raise _wrong(
            f'must be one of {", ".join(LAUNCHERS)}, not "{name}"{did_you_mean(name, LAUNCHERS)}'
        )
    return name


class RayTable(_Table):
    """``[launch.ray]``."""

    address: Word = "auto"
    resources: dict[Word, Annotated[Number, AfterValidator(_counted)]] = {}
    runtime_env: dict[Word, Any] = {}


class SlurmTable(_Table):
    """``[launch.slurm]``."""

    cluster: Literal["slurm", "local"] = "slurm"
    partition: Word | None = None
    time: Annotated[Word | None, BeforeValidator(_time)] = None
    setup: list[Word] = []
    additional: dict[Word, Choice] = {}


class LaunchTable(_Table):
    """``[launch]``."""

    launcher: Annotated[Word, AfterValidator(_launcher)] = LAUNCHERS[0]
    cpus: Annotated[Number, AfterValidator(_positive)] = 1
    gpus: Annotated[Number, AfterValidator(_counted)] = 0
    memory: Annotated[Word, AfterValidator(_size)] | None = None
    ray: RayTable = RayTable()
    slurm: SlurmTable = SlurmTable()


class ConfigTable(_Table):
    """The whole file, or ``[tool.tbdiag]``."""

    logdir: Word | None = None
    select: list[Word] = []
    ignore: dict[Word, Word] = {}
    suspicions: bool = True
    roles: dict[Annotated[str, AfterValidator(_role)], Curve] = {}
    rules: dict[Word, dict[str, Any]] = {}
    train: TrainTable | None = None
    space: dict[Word, DimensionTable] = {}
    storage: dict[Word, dict[str, Any]] = {}
    launch: LaunchTable = LaunchTable()


def check(raw: Mapping[str, Any]) -> tuple[ConfigTable, list[tuple[Key, str]]]:
    """The table without its wrong entries, and every mistake as (key, sentence)."""
    mistakes: list[tuple[Key, str]] = []
    table: dict[str, Any] = {
        key: dict(value) if isinstance(value, dict) else value for key, value in raw.items()
    }
    while True:
        try:
            return ConfigTable.model_validate(table), mistakes
        except ValidationError as error:
            details = error.errors()
        if not mistakes:
            mistakes = [(_key(each), _sentence(each)) for each in details]
        for each in details:
            _drop(table, _key(each), whole=each["type"] == "missing")


def _key(error: ErrorDetails) -> Key:
    """Where in the file the error stands, without the marks of forms and dictionary keys."""
    return tuple(part for part in error["loc"] if not str(part).startswith(("<", "[key]")))


def _drop(table: dict[str, Any], key: Key, whole: bool) -> None:
    """Removes the entry around ``key``, at most two tables deep; all of the table if ``whole``."""
    outer = str(key[0])
    if len(key) > (2 if whole else 1) and isinstance(table.get(outer), dict):
        table[outer].pop(key[1], None)
    else:
        table.pop(outer, None)


_TYPES = {
    "string_type": "a string",
    "bool_type": "true or false",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "list_type": "a list",
    "string_too_short": "something, not empty",
    "too_short": "a list of at least one choice",
}


def _table(key: Key) -> type[_Table]:
    """The table that ``key`` stands in."""
    if len(key) == 1:
        return ConfigTable
    if key[0] == "space":
        return RangeTable
    if key[0] == "launch":
        inner: dict[object, type[_Table]] = {"ray": RayTable, "slurm": SlurmTable}
        return LaunchTable if len(key) == 2 else inner.get(key[1], LaunchTable)
    return TrainTable if len(key) == 2 else TagTable


def _name(key: Key) -> str:
    """The key as users write it: ``space.lr.low``, ``select[1]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)[1:]


def _sentence(error: ErrorDetails) -> str:
    key = _key(error)
    name = _name(key)
    kind, last = error["type"], str(key[-1])
    if kind == "extra_forbidden":
        return f'unknown key "{name}"{did_you_mean(last, _table(key).model_fields)}'
    if kind == "missing":
        return f'"{_name(key[:-1])}" needs a "{last}"'
    if key == ("ignore",):
        return '"ignore" must be a table of reasons: ignore = { CODE = "why" }'
    if kind == "tbdiag" and error["msg"].startswith("must "):
        return f'"{name}" {error["msg"]}'
    if kind == "literal_error":
        return f'"{name}" must be {error["ctx"]["expected"]}, not {error["input"]!r}'
    if kind in _TYPES:
        return f'"{name}" must be {_TYPES[kind]}{_given(error["input"])}'
    return f'"{name}": {error["msg"]}'


def _given(value: object) -> str:
    if isinstance(value, bool):
        return f", not {str(value).lower()}"
    return f", not {value!r}" if value and isinstance(value, str | int | float) else ""
