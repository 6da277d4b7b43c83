"""Draw the pictures of the Diagnosis tab that the documentation shows, in a real Chromium.

python tools/tab_screenshots.py [-o docs/images]

Starts TensorBoard on copies of the sample runs, scans them in the tab, and ends both.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import FLAGS, chromium  # noqa: E402 - needs the path
from tests.browser.servers import Server, tensorboard  # noqa: E402
from tests.browser.tabs import Tab, address, scanned  # noqa: E402

WIDTH, HEIGHTS = 1280, {"tab-run": 890}  # 800 unless it is told
LIMIT = 120_000  # bytes of a picture


def matrix(page: Page, server: Server) -> None:
    """All runs."""
    tab = Tab.opened(page, server)
    tab.find("tr[data-run]").nth(10).wait_for()


def run(page: Page, server: Server) -> None:
    """One run, its findings and the first curves."""
    tab = Tab.opened(page, server, address("overfitting"))
    tab.find(".chart canvas").nth(1).wait_for()


def compared(page: Page, server: Server) -> None:
    """Three runs over each other, in the dark."""
    runs = "rate-too-low,healthy-adam,rate-too-high-bouncing"
    tab = Tab.opened(page, server, f"#tbdiag&p.tbdiag.compare={runs}")
    page.evaluate("document.body.classList.add('dark-mode')")
    tab.find(".chart canvas").nth(1).wait_for()


PICTURES: dict[str, Callable[[Page, Server], None]] = {
    "tab-runs": matrix,
    "tab-run": run,
    "tab-compare": compared,
}


def small(picture: bytes) -> bytes:
    """The same picture as it is, or in as many colours as fit the limit."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True)
    for colours in (256, 128, 64):
        if out.tell() < LIMIT:
            break
        out = io.BytesIO()
        image.quantize(colours, kmeans=3, dither=Image.Dither.NONE).save(
            out, format="PNG", optimize=True
        )
    return out.getvalue()


def main() -> None:
    """Write every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/images")
    output = parser.parse_args().output
    program = chromium()
    if program is None:
        sys.exit("no Chromium is installed")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        logs = Path(scratch) / "logs"  # a path that is the same everywhere
        shutil.copytree(ROOT / "sample_logs", logs)
        server = scanned(tensorboard(logs, Path(scratch) / "home"))
        try:
            browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
            for name, look in PICTURES.items():
                size: ViewportSize = {"width": WIDTH, "height": HEIGHTS.get(name, 800)}
                page = browser.new_page(viewport=size)
                look(page, server)
                page.mouse.move(0, 0)
                page.wait_for_timeout(500)
                (output / f"{name}.png").write_bytes(small(page.screenshot()))
                page.close()
            browser.close()
        finally:
            server.end()


if __name__ == "__main__":
    main()
