"""Draw the terminal's own output of a command as the picture that the README shows.

python tools/screenshot.py [-o docs/images/scan.png]
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import tbdiag
from tbdiag.views import terminal

ROOT = Path(__file__).resolve().parents[1]
STORIES = ("rate-too-high-bouncing", "overfitting", "nan")
INK, PAPER = (205, 214, 224), (24, 27, 33)
COLOURS = {
    "31": (255, 107, 107), "32": (111, 207, 133), "33": (240, 196, 84), "34": (110, 168, 254),
    "35": (208, 140, 232), "36": (94, 205, 214), "91": (255, 107, 107), "92": (111, 207, 133),
    "93": (240, 196, 84), "94": (110, 168, 254), "95": (208, 140, 232), "96": (94, 205, 214),
}  # fmt: skip


def runs_of(line: str) -> list[tuple[str, tuple[int, int, int], bool]]:
    """A line with ANSI codes as (text, colour, bold) pieces."""
    pieces, colour, bold = [], INK, False
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not part.startswith("\x1b["):
            pieces.append((part, colour, bold))
            continue
        for code in part[2:-1].split(";"):
            if code in ("", "0"):
                colour, bold = INK, False
            elif code == "1":
                bold = True
            elif code == "2":
                colour = (128, 137, 148)
            else:
                colour = COLOURS.get(code, colour)
    return [piece for piece in pieces if piece[0]]


def draw(text: str, path: Path) -> None:
    """Write ``text`` as a PNG in a monospaced font that matplotlib ships."""
    from matplotlib import get_data_path

    fonts = Path(get_data_path()) / "fonts" / "ttf"
    plain = ImageFont.truetype(str(fonts / "DejaVuSansMono.ttf"), 15)
    heavy = ImageFont.truetype(str(fonts / "DejaVuSansMono-Bold.ttf"), 15)
    width, height = plain.getlength("M"), 19
    lines = text.rstrip("\n").split("\n")
    picture = Image.new("RGB", (int(82 * width) + 24, height * len(lines) + 24), PAPER)
    pen = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        column = 0
        for piece, colour, bold in runs_of(line):
            for letter in piece:
                at = (12 + column * width, 12 + row * height)
                pen.text(at, letter, fill=colour, font=heavy if bold else plain)
                column += 1
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as beside:
        picture.quantize(32).save(beside, format="PNG", optimize=True)
    Path(beside.name).chmod(0o644)
    Path(beside.name).replace(path)


def main() -> None:
    """Scan three samples and draw what the terminal shows of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/images/scan.png")
    output = parser.parse_args().output
    report = tbdiag.scan([ROOT / "sample_logs" / story for story in STORIES])
    output.parent.mkdir(parents=True, exist_ok=True)
    draw("$ tbdiag scan sample_logs/\n\n" + terminal.render(report, color=True, width=80), output)


if __name__ == "__main__":
    main()
