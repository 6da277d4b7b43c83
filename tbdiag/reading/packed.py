"""Folders of runs that are read for somebody else, who may keep what was read."""

from __future__ import annotations

from collections.abc import Sequence

from tbdiag.errors import ReadError
from tbdiag.reading import follow
from tbdiag.reading.bundle import Part, pack
from tbdiag.reading.columns import Columns
from tbdiag.reading.discover import EventFile, RunFiles
from tbdiag.reading.folders import Look
from tbdiag.reading.heads import Told, head_of
from tbdiag.reading.slots import Overrides, Slot


class PackedSlot(Slot):
    """A folder of runs whose columns are packed, where it was listed how its files looked."""

    def __init__(
        self,
        files: RunFiles,
        looks: Sequence[Look] | None,
        overrides: Overrides | None,
        *,
        verify: bool = False,
    ) -> None:
        super().__init__(files, overrides, verify=verify)
        self._looks = dict(
            zip((each.path for each in files.files), looks or (), strict=bool(looks))
        )
        self._parts: dict[str, Part] = {}
        self._whole = bool(looks)

    def told(self) -> Told:
        """The runs without their curves, and the curves for whoever keeps them."""
        found = self._runs
        record = pack(self._parts, found) if self._whole and not self.lost else None
        return Told(tuple(head_of(run) for run in found), record=record, lost=self.lost)

    def _columns(self, file: EventFile) -> Columns:
        if not self._looks:
            return super()._columns(file)
        try:
            columns, state = follow.whole(file.path, self._started(file.path))
        except ReadError:
            self._whole = False  # next time it may be read
            raise
        self._parts[str(file.path)] = Part(self._looks[file.path], columns, state)
        return columns
