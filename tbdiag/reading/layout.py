"""Which folders with event files form one run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tbdiag.errors import ReadError
from tbdiag.model.place import UrlPath, back, is_url

if TYPE_CHECKING:
    from tbdiag.reading.columns import Columns

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


class Layout:
    """How ``folders`` (folder → its event files) make up runs.

    Folders named for a data split (``train``, ``validation`` …) are parts of their parent. So are
    the sub-runs that torch's ``add_scalars`` and ``add_hparams`` make, known by a glance into them.
    """

    def __init__(self, folders: Mapping[str, Sequence[str]]) -> None:
        self.folders = folders
        self.children: dict[str, list[str]] = {}
        for folder in folders:
            parent, name = os.path.split(folder)
            self.children.setdefault(parent, []).append(name)
        self._glances: dict[str, Columns | None] = {}

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
        siblings = {sibling.lower() for sibling in self.children[parent] if sibling != name}
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
            lone = all(len(points) == 1 for points in found.scalars.values())
            if lone and (timed or self._only_session(folder, parent)):
                return Part(folder, parent, hparams_only=has_parent)
        elif has_parent and len(found.scalars) == 1:
            start = next(iter(found.scalars)).replace("/", "_") + "_"
            if name.startswith(start) and len(name) > len(start):
                return Part(folder, parent, key=name[len(start) :])
        return None

    def _only_session(self, folder: str, parent: str) -> bool:
        """Whether no other sub-folder holds hyperparameters, as the many runs of a sweep would."""
        above = self._glance(parent)
        others = (os.path.join(parent, name) for name in self.children[parent])  # noqa: PTH118
        return bool(above and above.scalars) and not any(
            found.hparams for other in others if other != folder and (found := self._glance(other))
        )

    def _glance(self, folder: str) -> Columns | None:
        """The first records of a folder's first event file."""
        if folder not in self._glances:
            from tbdiag.reading import records

            try:
                first = back(f"{folder}/{min(self.folders[folder])}")
                self._glances[folder] = records.read(first, limit=_GLANCE)
            except ReadError:
                self._glances[folder] = None
        return self._glances[folder]
