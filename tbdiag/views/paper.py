"""What text views write on: lines of styled text that fit the width, whatever is written."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from tbdiag.views.text import cells, printable, shorten, wrap

NARROWEST = 40

Piece = tuple[str, str]  # text and its style, "" for plain

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "note": "bold cyan",
    "ok": "bold green",
    "name": "bold",
    "dim": "dim",
}


class Paper:
    """Lines from top to bottom; every text is escaped on the way in and no line exceeds ``width``.

    The characters are the same with and without ``color``; ``only_ascii`` keeps to ASCII. Widths below
    40 columns count as 40.
    """

    def __init__(self, *, color: bool, width: int, only_ascii: bool = False) -> None:
        self.color = color
        self.width = max(width, NARROWEST)
        self.only_ascii = only_ascii
        self.ellipsis = "..." if only_ascii else "…"
        self.rule = "-" if only_ascii else "─"
        self._lines: list[list[Piece]] = []

    def clean(self, text: str) -> str:
        """``text`` as it will be shown."""
        return printable(text, only_ascii=self.only_ascii)

    def cut(self, text: str, room: int) -> str:
        """``text`` as it will be shown, in at most ``room`` columns."""
        return shorten(self.clean(text), room, self.ellipsis)

    def gap(self) -> None:
        """One empty line, never two in a row nor at the top."""
        if self._lines and self._lines[-1]:
            self._lines.append([])

    def line(self, *pieces: Piece, indent: int = 0) -> None:
        """One line of pieces; what exceeds the width is cut out of the piece that crosses it."""
        shown, room = [(" " * indent, "")], self.width - indent
        for text, style in pieces:
            fitted = self.cut(text, room)
            room -= cells(fitted)
            shown.append((fitted, style))
        self._lines.append(shown)

    def ends(
        self,
        left: Sequence[Piece],
        right: Sequence[Piece] = (),
        *,
        indent: int = 0,
        fill: str = " ",
    ) -> None:
        """One line with ``left`` and ``right`` at the two ends of it, filled up between them.

        Where the two do not fit, the pieces of ``left`` are cut short, the earlier ones first.
        """
        tail = [(self.clean(text), style) for text, style in right]
        room = self.width - indent - sum(cells(text) for text, _ in tail) - (2 if tail else 1)
        head: list[Piece] = []
        for at, (text, style) in enumerate(left):
            later = sum(cells(self.clean(each)) for each, _ in left[at + 1 :])
            fitted = self.cut(text, max(room - later, min(room // 2, 12)) if later else room)
            room -= cells(fitted)
            head.append((fitted, style))
        after = [(" ", ""), *tail] if tail else []
        self.line(*head, (" ", ""), (fill * room, "dim"), *after, indent=indent)

    def flow(
        self, text: str, *, indent: int, style: str = "", label: Piece | None = None, most: int = 12
    ) -> None:
        """``text`` wrapped below itself, after a ``label`` on its first line; ``most`` lines."""
        first = [] if label is None else [(self.clean(label[0]) + " ", label[1])]
        hang = indent + sum(cells(piece) for piece, _ in first)
        room = self.width - hang
        shown = self.clean(text)
        if len(lines := wrap(shown, room)) > most:
            lines = wrap(shorten(shown, room * (most - 1), f" {self.ellipsis} "), room)[:most]
        for at, each in enumerate(lines):
            self.line(
                *(first if at == 0 else ()), (each, style), indent=indent if at == 0 else hang
            )

    def text(self) -> str:
        """All lines, each ended by a newline; escape sequences only with colour."""
        from rich.console import Console
        from rich.style import Style
        from rich.text import Text

        while self._lines and not self._lines[-1]:
            self._lines.pop()
        styles = {name: Style.parse(style) for name, style in STYLES.items()} | {"": Style.null()}
        out = StringIO()
        console = Console(
            file=out,
            width=self.width + 1,  # rich never wraps what is measured here already
            color_system="standard" if self.color else None,
            force_terminal=self.color,
            force_jupyter=False,
            force_interactive=False,
            no_color=not self.color,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
        )
        for pieces in self._lines:
            row = Text(no_wrap=True, overflow="ignore")
            for text, style in pieces:
                row.append(text, styles[style])
            row.rstrip()
            console.print(row, soft_wrap=True)
        return out.getvalue()
