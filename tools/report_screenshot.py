"""Draw the picture of a report's page that the documentation shows, in a real Chromium.

python tools/report_screenshot.py [-o docs/images/report.png]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

import tbdiag
from tab_screenshots import ROOT, small  # which finds the tests, too
from tests.browser.conftest import FLAGS, chromium

STORIES = ("overfitting", "rate-too-high-bouncing", "rate-too-low", "healthy-step")
WIDTH, HEIGHT = 1240, 1570


def main() -> None:
    """Write a page about four samples, and take its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/images/report.png")
    output = parser.parse_args().output.resolve()
    program = chromium()
    if program is None:
        sys.exit("no Chromium is installed")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        for story in STORIES:
            shutil.copytree(ROOT / "sample_logs" / story, Path(scratch) / "logs" / story)
        os.chdir(scratch)  # so that the page names the folder as people would
        tbdiag.scan("logs", cache=False).to_html("report.html")
        browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        page = browser.new_page(viewport=ViewportSize(width=WIDTH, height=HEIGHT))
        page.goto(Path("report.html").resolve().as_uri())
        page.locator("#r0 .chart canvas").nth(1).wait_for()
        page.wait_for_timeout(300)
        output.write_bytes(small(page.screenshot()))
        browser.close()
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
