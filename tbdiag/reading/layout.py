"""Which folders with event files form one run."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tbdiag.errors import ReadError
from tbdiag.model.place import UrlPath, back, is_url

TRAINING = frozenset({"train", "training", "learn", "train_log"})
VALIDATION = frozenset(
    {"validation", "val", "valid", "valid_log", "test", "eval", "evaluate", "dev"}
)
_SPLITS = TRAINING | VALIDATION
_TIME = re.compile(r"\d{9,11}\.\d+")  # what `time.time()` prints, as torch names its sub-runs
_GLANCE = 4096


class Part(NamedTuple):
    """A folder with event files as a part of the run at ``owner``; see `EventFile` for the rest."""

    folder: str
    owner: str
    prefix: str = ""
    key: str = ""
    hparams_only: bool = False


class _Glance(NamedTuple):
    """What the first records of a folder tell: whether it holds hyperparameters, and which curves.

    ``only`` is the tag of its only curve, ``lone`` whether no curve has more than one point.
    """

    hparams: bool
    curves: bool
    only: str | None
    lone: bool


class Layout:
    """How ``folders`` (folder → its event files) make up runs.

    Folders named for a data split (``train``, ``validation`` …) are parts of their parent. So are
    the sub-runs that torch's ``add_scalars`` and ``add_hparams`` make, known by a glance into them.
    """

    def __init__(self, folders: Mapping[str, Collection[str]]) -> None:
        self.folders = folders
        self.children: dict[str, list[str]] = {}  # by their paths, which are there anyway
        for folder in folders:
            self.children.setdefault(os.path.split(folder)[0], []).append(folder)
        self._glances: dict[str, _Glance | None] = {}

    def warm(self, folders: Sequence[str]) -> None:
        """Fetches side by side what will be glanced into to tell about ``folders`` that are far away."""
        if not any(map(is_url, folders)):
            return
        from tbdiag.reading import remote

        wanted = [
            UrlPath(f"{folder}/{min(self.folders[folder])}")
            for folder in folders
            if is_url(folder)
            and (
                os.path.split(folder)[0] in self.folders
                or _TIME.fullmatch(folder.rpartition("/")[2])
            )
        ]
        remote.warm(wanted, heads=True)

    @property
    def glanced(self) -> tuple[str, ...]:
        """The folders that were glanced into."""
        return tuple(self._glances)

    def part(self, folder: str) -> Part:
        """The folder as a part of a run."""
        parent, name = os.path.split(folder)
        if self._is_split(parent, name):
            prefix = name + "/"
            if parent in self.folders:
                above = self.part(parent)
                return Part(folder, above.owner, above.prefix + prefix)
            return Part(folder, parent, prefix)
        if folder not in self.children:
            return self._sub_run(folder, parent, name) or Part(folder, folder)
        return Part(folder, folder)

    def _is_split(self, parent: str, name: str) -> bool:
        word = name.lower()
        if parent in self.folders:
            return word in _SPLITS or word.startswith("eval_")  # TF1's estimator: eval_<name>
        if word not in _SPLITS:
            return False
        others = (os.path.split(each)[1] for each in self.children[parent])
        siblings = {sibling.lower() for sibling in others if sibling != name}
        # `train`, `train2`, `train3` are the runs of a counter, as Ultralytics names them …
        if any(re.fullmatch(re.escape(word) + r"[-_]?\d+", sibling) for sibling in siblings):
            return False
        # … and a single `test` among `run1`, `run2` is a run like these.
        return bool(siblings & _SPLITS) or not siblings

    def _sub_run(self, folder: str, parent: str, name: str) -> Part | None:
        timed = _TIME.fullmatch(name) is not None
        has_parent = parent in self.folders
        if not (has_parent or (timed and len(self.children[parent]) == 1)):
            return None
        found = self._glance(folder)
        if found is None:
            return None
        if found.hparams:
            if found.lone and (timed or self._only_session(folder, parent)):
                return Part(folder, parent, hparams_only=has_parent)
        elif has_parent and found.only is not None:
            start = found.only.replace("/", "_") + "_"
            if name.startswith(start) and len(name) > len(start):
                return Part(folder, parent, key=name[len(start) :])
        return None

    def _only_session(self, folder: str, parent: str) -> bool:
        """Whether no other sub-folder holds hyperparameters, as the many runs of a sweep would."""
        above = self._glance(parent)
        return bool(above and above.curves) and not any(
            found.hparams
            for other in self.children[parent]
            if other != folder and (found := self._glance(other))
        )

    def _glance(self, folder: str) -> _Glance | None:
        """The first records of a folder's first event file."""
        if folder not in self._glances:
            from tbdiag.reading import records

            try:
                first = back(f"{folder}/{min(self.folders[folder])}")
                found = records.read(first, limit=_GLANCE)
                only = next(iter(found.scalars)) if len(found.scalars) == 1 else None
                lone = all(len(points) == 1 for points in found.scalars.values())
                self._glances[folder] = _Glance(
                    bool(found.hparams), bool(found.scalars), only, lone
                )
            except ReadError:
                self._glances[folder] = None
        return self._glances[folder]
