"""A real Chromium and a real TensorBoard for the tests in this folder.

``board(logdir)`` gives a server that is shared by tests that ask for the same one; ``page`` is an empty
tab of a fresh profile that remembers every error and every dialog; ``shot(page, name)`` takes a picture.
Where no browser is installed the tests say so and are skipped, unless TBDIAG_REQUIRE_BROWSER is 1.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.servers import ROOT, Server, tensorboard

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for a page is a test in a browser."""
    for item in items:
        if _HERE in item.path.parents and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def chromium() -> str | None:
    """The browser's program, or None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, started once for all tests."""
    required = os.environ.get("TBDIAG_REQUIRE_BROWSER") == "1"
    program = chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if required:
            raise
        pytest.skip("the Python package playwright is not installed")
    if program is None:
        (pytest.fail if required else pytest.skip)("no Chromium is installed")
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        yield launched
        launched.close()


@dataclass
class Troubles:
    """What went wrong in a page: uncaught errors, console errors, dialogs, requests to elsewhere."""

    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Takes note of all that happens in ``page`` from now on."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._said)
        page.on("dialog", self._asked)
        page.on("request", self._asked_for)

    def _said(self, message: Any) -> None:
        place = message.location.get("url", "")
        own = "/font-roboto/" in place  # TensorBoard asks for its fonts without the prefix
        if message.type == "error" and not own:
            self.errors.append(f"{message.text} ({place})")

    def _asked(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _asked_for(self, request: Any) -> None:
        if request.url.startswith("http") and "//127.0.0.1:" not in request.url:
            self.elsewhere.append(request.url)


@pytest.fixture
def troubles() -> Troubles:
    """What went wrong in this test's page."""
    return Troubles()


@pytest.fixture
def page(browser: Browser, troubles: Troubles) -> Iterator[Page]:
    """An empty tab of a profile of its own, 1280 × 800; a test may look at ``troubles`` in the end."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    troubles.watch(opened)
    yield opened
    context.close()


@pytest.fixture(scope="package")
def board(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Server]]:
    """``board(logdir, *flags, prefix="")``: TensorBoard there, the same one for the same words.

    With ``fresh=True`` it is one of the test's own; modules in the folder ``path`` are found before all
    others. All are ended with the last test. Without a browser none is started.
    """
    del browser
    servers: dict[tuple[str, ...], Server] = {}

    def serve(
        logdir: Path, *flags: str, prefix: str = "", path: str = "", fresh: bool = False
    ) -> Server:
        key = (str(logdir), prefix, path, *flags, *([str(len(servers))] if fresh else []))
        if key not in servers:
            home = tmp_path_factory.mktemp("server")
            servers[key] = tensorboard(logdir, home, flags, prefix, path)
        return servers[key]

    yield serve
    for server in servers.values():
        server.end()


@pytest.fixture(scope="package")
def shot() -> Callable[[Page, str], Path]:
    """``shot(page, "name")``: a picture in build/screenshots, or where TBDIAG_SCREENSHOTS says."""
    folder = Path(os.environ.get("TBDIAG_SCREENSHOTS") or ROOT / "build" / "screenshots")

    def take(page: Page, name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.png"
        page.screenshot(path=file)
        return file

    return take
