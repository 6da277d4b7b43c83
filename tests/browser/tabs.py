"""The Diagnosis tab in a page, as a person finds it, and scans that nobody has to click for."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.browser.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Locator, Page

PLUGIN = "/data/plugin/tbdiag"


def state(server: Server) -> dict[str, Any]:
    """What the plugin says of itself."""
    told: dict[str, Any] = json.loads(server.get(f"{PLUGIN}/state"))
    return told


def scanned(server: Server) -> Server:
    """The server, once it has scanned anew."""
    token = state(server)["token"]
    asked = urllib.request.Request(
        f"{server.url}{PLUGIN}/rescan", method="POST", headers={"X-Tbdiag-Token": token}
    )
    urllib.request.urlopen(asked, timeout=30).close()
    while state(server)["scanning"]:
        time.sleep(0.05)
    return server


def address(run: str = "", finding: str = "") -> str:
    """The part after ``#`` that opens a run in the tab."""
    told = f"&p.tbdiag.run={quote(run, safe='')}" if run else ""
    return f"#tbdiag{told}" + (f"&p.tbdiag.finding={finding}" if finding else "")


@dataclass(frozen=True)
class Tab:
    """The tab's frame within TensorBoard's page."""

    page: Page

    @classmethod
    def opened(cls, page: Page, server: Server, hash_: str = "#tbdiag") -> Tab:
        """The tab, once something stands in it."""
        page.goto(f"{server.url}/{hash_}")
        tab = cls(page)
        tab.find("main h1, .empty h1").first.wait_for()
        return tab

    @property
    def frame(self) -> FrameLocator:
        """The frame of the plugin."""
        return self.page.frame_locator("iframe")

    def find(self, selector: str) -> Locator:
        """What a selector finds in the frame."""
        return self.frame.locator(selector)

    def button(self, name: str) -> Locator:
        """A button by its name."""
        return self.frame.get_by_role("button", name=name, exact=True)

    def chart(self, title: str) -> Locator:
        """A chart by its title, drawn."""
        found = self.find(f'.chart[data-title="{title}"]')
        found.scroll_into_view_if_needed()
        found.locator("canvas").wait_for()
        return found

    @property
    def hash(self) -> str:
        """TensorBoard's own address, from ``#`` on."""
        return str(self.page.evaluate("location.hash"))
