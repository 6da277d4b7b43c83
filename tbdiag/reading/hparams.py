"""Hyperparameters of a run, from its logs and from the files beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePath

from tbdiag.model.place import Place, UrlPath, is_url
from tbdiag.model.run import HParam, Scalar
from tbdiag.reading import settings
from tbdiag.reading.beside import settings_files, tells_settings, upward
from tbdiag.reading.settings import Settings

_LARGEST_FILE = 4 << 20
_TRAINER_STATE = frozenset(
    {"train_batch_size", "max_steps", "num_train_epochs", "logging_steps", "eval_steps"}
)
_SETTINGS_TAG = re.compile(
    r"\b(args?|arguments?|configs?|configuration|cfg|h?params?|hyper_?param(eter)?s?|parameters?"
    r"|opts?|options?|optim(izer)?|settings?|flags?)\b"
)
_VALUE = r"(\[[^\]]*\]|\([^)]*\)|[^\s;,/=]+?)"
_ASSIGNED = re.compile(
    rf"(?:^|[\s;,/_\-+.])([A-Za-z][\w.]*?)={_VALUE}(?=$|[\s;,/]|[_\-+.][A-Za-z][A-Za-z_]*=)"
)
_SHORT = (
    r"lr|wd|bs|batch_?size|batch|dropout|do|mom|momentum|seed|epochs|ep|warmup|width|depth|layers"
    r"|hidden|gamma|beta1|beta2|eps|alpha|clip"
)
_GLUED = re.compile(
    rf"(?:^|[\s;,_\-+/])({_SHORT})[-_]?((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?=$|[\s;,_\-+/])",
    re.IGNORECASE,
)


def hparams_of(
    logged: Iterable[Mapping[str, Scalar]],
    texts: Mapping[str, str],
    folder: Place,
    root: Place,
    names: Iterable[str] = (),
) -> dict[str, HParam]:
    """The hyperparameters of a run by the names it used, each with the place it was found.

    Looked for in this order, of which the first counts and those that disagree are kept beside it:
    ``logged`` by the HParams plugin (the last session first), in its ``texts``, in files in
    ``folder`` and then in its parents up to ``root``, and at last in ``names``, those of the run and
    of its files. Files that are too large, broken or no settings at all are passed over.
    """
    found: dict[str, HParam] = {}
    for values, source in _sources(logged, texts, folder, root, names):
        for name, value in values.items():
            known = found.get(name)
            if known is None:
                found[name] = HParam(value, source)
            elif not _same(known.value, value):
                found[name] = HParam(known.value, known.source, (*known.also, (source, value)))
    return found


def _sources(
    logged: Iterable[Mapping[str, Scalar]],
    texts: Mapping[str, str],
    folder: Place,
    root: Place,
    names: Iterable[str],
) -> Iterator[tuple[Mapping[str, Scalar], str]]:
    for session in reversed(list(logged)):
        yield session, "event file"
    for tag, text in texts.items():
        yield from_text_tag(tag, text), f"text {tag}"
    for place in upward(str(folder), str(root)):
        for path in _remote_files(place) if is_url(place) else _files(place, _changed(place)):
            yield from_file(path), Path(os.path.relpath(str(path), str(root))).as_posix()
    for name in names:
        yield from_name(name), "run name"


def _same(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or (one != one and other != other)
    return str(one).strip().lower() == str(other).strip().lower()


def _remote_files(folder: str) -> tuple[UrlPath, ...]:
    from tbdiag.reading import remote

    return remote.settings_in(folder)


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - a str, not a Path
    except OSError:
        return 0


@lru_cache(maxsize=4096)
def _files(folder: str, changed: int) -> tuple[Path, ...]:
    """The files of settings in a folder, kept as long as its time of change (``changed``) stands."""
    del changed
    try:
        with os.scandir(folder) as listing:
            names = [entry.name for entry in listing if tells_settings(entry.name)]
    except OSError:
        return ()
    return tuple(Path(path) for path in settings_files(folder, names))


def from_file(path: Place) -> Settings:
    """The settings in a file, none where it is missing, too large, unreadable or broken."""
    if isinstance(path, UrlPath):
        from tbdiag.reading import remote

        found = remote.text_of(path)
        return {} if found is None else _of_text(path, found[1].decode("utf-8-sig", "replace"))
    try:
        status = path.stat()
    except OSError:
        return {}
    return _parsed(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _parsed(path: Path, changed: int, size: int) -> Settings:
    del changed
    if size > _LARGEST_FILE or not path.is_file():
        return {}
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return {}
    return _of_text(path, text)


@lru_cache(maxsize=256)
def _of_text(path: PurePath, text: str) -> Settings:
    """The settings in the text of a file of that name."""
    if path.suffix == ".json":
        values = settings.from_json(text)
        if path.name == "trainer_state.json":
            values = {name: values[name] for name in sorted(_TRAINER_STATE & values.keys())}
        return values
    if path.suffix == ".toml":
        return settings.from_toml(text)
    if path.suffix == ".py":
        return settings.from_python(text)
    return settings.from_yaml(text)


def from_text_tag(tag: str, text: str) -> Settings:
    """The settings in a text summary, where its tag or its form says that it holds settings.

    A text that is but a number (``Training batch size``: ``128``) is a setting named by its tag.
    """
    name = tag.removesuffix("/text_summary")
    value = settings.plain(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {name: value}
    words = re.sub(r"[^a-z]+", " ", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    if _SETTINGS_TAG.search(words) or _SETTINGS_TAG.search(name.lower()):
        return settings.from_text(text)
    if text.lstrip()[:1] == "{":
        return settings.from_json(text)
    return {}


def from_name(name: str) -> Settings:
    """The settings in a name such as ``lr1e-3_bs32`` or ``Adam; base_lr=0.004; dropout=0.3``."""
    return dict(_from_name(name))


@lru_cache(maxsize=4096)
def _from_name(name: str) -> Settings:
    found: dict[str, object] = {}
    for match in _GLUED.finditer(name):
        found.setdefault(match[1], match[2])
    if "=" in name:
        for match in _ASSIGNED.finditer(name):
            found[match[1]] = match[2]
    return settings.flatten(found)
