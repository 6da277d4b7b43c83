"""The page of ``tbdiag report`` in a browser: from a file, without a network, in all its looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tbdiag
from tests.browser import logs
from tests.browser.conftest import Troubles
from tests.browser.servers import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Shot = Callable[["Page", str], Path]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page about the sample runs."""
    return written(ROOT / "sample_logs", tmp_path_factory.mktemp("report") / "samples.html")


def written(folder: Path, file: Path, **options: int) -> str:
    tbdiag.scan(folder, cache=False).to_html(file, **options)
    return file.as_uri()


def drawn(page: Page, run: str = "r0") -> None:
    """The run is in view, and its first chart drawn."""
    page.locator(f"#{run} .chart").first.scroll_into_view_if_needed()
    page.locator(f"#{run} canvas").first.wait_for()


def until(page: Page, expression: str) -> None:
    """Waits until it is true; Playwright's own way needs eval, which the page forbids."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def fine(troubles: Troubles) -> bool:
    return not (troubles.errors or troubles.dialogs or troubles.elsewhere)


def test_it_opens_by_itself_and_asks_nobody(samples: str, page: Page, troubles: Troubles) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(samples)
    drawn(page)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(300)
    assert [url for url in asked if not url.startswith("data:")] == [samples]
    assert fine(troubles), troubles


def test_charts_come_to_life_when_they_are_seen(samples: str, page: Page, shot: Shot) -> None:
    page.goto(samples)
    chart = page.locator("#r1 .chart").first
    assert page.locator("#r19 canvas").count() == 0
    chart.scroll_into_view_if_needed()
    chart.locator("canvas").wait_for()
    assert int(chart.get_attribute("data-drawn") or 0) > 50
    assert not chart.locator(".picture").is_visible()
    pixels = chart.locator("canvas").evaluate(
        "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    )
    assert pixels > 20
    shot(page, "report-chart")


def test_values_are_told_where_the_pointer_is(samples: str, page: Page) -> None:
    page.goto(samples)
    drawn(page, "r1")
    chart = page.locator("#r1 .chart").first
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(page, "document.querySelector('#r1 .legend .at').textContent")
    assert (chart.locator(".at").text_content() or "").startswith("step ")
    assert float(chart.locator(".value").first.text_content() or "nan") > 0


def test_a_curve_is_zoomed_with_mouse_and_keys(samples: str, page: Page) -> None:
    page.goto(samples)
    drawn(page, "r1")
    chart = page.locator("#r1 .chart").first
    reset = chart.get_by_role("button", name="whole curve")
    assert not reset.is_visible()
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 60, steps=4)
    page.mouse.up()
    reset.wait_for()
    reset.click()
    assert not reset.is_visible()
    chart.locator(".plot").focus()
    page.keyboard.press("+")
    reset.wait_for()
    page.keyboard.press("Escape")
    assert not reset.is_visible()
    log = chart.get_by_role("button", name="log")
    log.click()
    assert log.get_attribute("aria-pressed") == "true"


def test_evidence_leads_to_the_curve_and_the_curve_to_the_finding(
    samples: str, page: Page, troubles: Troubles
) -> None:
    page.goto(samples)
    run = page.locator('.run[data-run="overfitting"]')
    run.locator("a.show").first.click()
    chart = run.locator(".chart").first
    chart.get_by_role("button", name="whole curve").wait_for()
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    run.locator('.finding.flash[data-code="GEN001"]').wait_for()
    assert fine(troubles), troubles


def test_the_filter_shows_only_what_matches(samples: str, page: Page, troubles: Troubles) -> None:
    page.goto(samples)
    runs = page.locator(".run:not([hidden])")
    rows = page.locator(".matrix tbody tr")
    page.keyboard.press("/")
    page.keyboard.type("overfitting")
    until(page, "document.querySelectorAll('.run:not([hidden])').length < 5")
    assert "overfitting" in runs.evaluate_all("all => all.map(each => each.dataset.run)")
    assert rows.count() == runs.count()
    page.keyboard.press("Escape")
    assert (runs.count(), rows.count()) == (20, 20)
    page.locator(".chip[data-severity=error]").click()
    assert set(runs.evaluate_all("all => all.map(each => each.dataset.worst)")) == {"error"}
    errors = runs.count()
    page.locator(".chip[data-severity=warning]").click()
    assert set(runs.evaluate_all("all => all.map(each => each.dataset.worst)")) == {
        "error",
        "warning",
    }
    assert errors < runs.count() < 20
    assert page.locator(".filter output").text_content() == f"{runs.count()} of 20 runs"
    page.get_by_role("button", name="Clear").click()
    until(page, "document.querySelectorAll('.run:not([hidden])').length === 20")
    page.locator("select[name=rule]").select_option("OPT006")
    assert 1 < runs.count() < 20
    page.locator("input[name=text]").fill("no such thing anywhere")
    page.locator(".nothing").wait_for()
    assert fine(troubles), troubles


def test_the_matrix_sorts_and_leads_to_the_runs(samples: str, page: Page) -> None:
    page.goto(samples)
    names = page.locator(".matrix tbody th bdi")
    page.get_by_role("button", name="Sort by Run").click()
    told = names.evaluate_all("all => all.map(each => each.title)")
    assert told == sorted(told)
    page.locator(".matrix thead th[data-code=GEN001] .sort").click()
    assert names.first.get_attribute("title") == "overfitting"
    assert page.locator(".matrix [aria-sort=ascending]").get_attribute("data-code") == "GEN001"
    cell = page.locator(".matrix tbody tr").first.locator("td.E")
    cell.click()
    assert page.evaluate("location.hash") == "#r1-0"
    quiet = page.locator(".matrix tbody tr").nth(3).locator("td.p").first
    quiet.hover()
    assert (quiet.get_attribute("title") or "").endswith(": passed")


def test_a_link_opens_what_is_folded_or_filtered_away(samples: str, page: Page) -> None:
    page.goto(samples)
    page.locator(".chip[data-severity=ok]").click()
    page.evaluate("location.hash = '#r1'")
    page.locator("#r1").wait_for()
    page.evaluate("location.hash = '#rule-GEN001'")
    until(page, "document.getElementById('rule-GEN001').open")
    page.goto(f"{samples}#r2-0")
    until(page, "Math.abs(document.querySelector('#r2-0').getBoundingClientRect().top) < 700")


def test_a_link_follows_the_keyboard(samples: str, page: Page) -> None:
    page.goto(samples)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#runs"
    page.locator(".matrix tbody a").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#r0"


def test_it_is_dark_where_people_like_it_dark(
    samples: str, browser: Browser, page: Page, shot: Shot
) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(samples)
    drawn(page)
    light = brightness(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert brightness(page) < 0.3 < 0.8 < light
    shot(page, "report-dark")


def brightness(page: Page) -> float:
    told: list[float] = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    return sum(told[:3]) / 765


def test_nothing_is_wider_than_a_telephone(samples: str, page: Page, shot: Shot) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(samples)
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.locator("#r0").scroll_into_view_if_needed()
    shot(page, "report-narrow")


def test_it_can_be_read_without_javascript(samples: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(samples)
    assert page.locator("#r0 .picture").first.is_visible()
    assert not page.locator(".filter").is_visible()
    assert page.locator(".matrix tbody tr").count() == 20
    context.close()


def test_paper_holds_findings_and_pictures(samples: str, page: Page) -> None:
    page.goto(samples)
    drawn(page)
    page.emulate_media(media="print")
    assert page.locator("#r0 .picture").first.is_visible()
    assert not page.locator("#r0 canvas").first.is_visible()
    assert not page.locator(".filter").is_visible()
    assert page.locator("#r0 .finding").first.is_visible()
    assert len(page.pdf(format="A4")) > 50_000


def test_hostile_logs_run_nothing(tmp_path: Path, page: Page, troubles: Troubles) -> None:
    page.goto(written(logs.hostile(tmp_path / "logs"), tmp_path / "page.html"))
    drawn(page)
    page.locator("input[name=text]").fill("onerror")
    page.wait_for_timeout(200)
    assert page.locator("img").count() == 0
    assert fine(troubles), troubles


def test_markup_that_got_in_all_the_same_runs_nothing(
    samples: str, tmp_path: Path, page: Page, troubles: Troubles
) -> None:
    text = Path(samples.removeprefix("file://")).read_text("utf-8")
    evil = (
        "<img src='https://elsewhere.example/x.png' onerror='alert(1)'><script>alert(2)</script>"
        "<style>h1{display:none}</style><iframe src='https://elsewhere.example/'></iframe>"
        "<script src='https://elsewhere.example/x.js'></script>"
    )
    file = tmp_path / "page.html"
    file.write_text(text.replace('<main class="wide"', f'{evil}<main class="wide"'), "utf-8")
    page.goto(file.as_uri())
    drawn(page)
    assert troubles.dialogs == []
    assert page.locator("h1").is_visible()
    refused = [each for each in troubles.errors if "Content Security Policy" in each]
    assert len(refused) >= 4


def test_thousands_of_runs_are_there(tmp_path: Path, page: Page, troubles: Troubles) -> None:
    file = tmp_path / "page.html"
    address = written(logs.many(tmp_path / "logs", 1200), file, max_runs=50)
    assert file.stat().st_size < 3_000_000
    page.goto(address)
    drawn(page)
    rows = page.locator(".matrix tbody tr")
    first = rows.count()
    assert first < 200
    page.locator("#matrix .more").click()
    assert rows.count() == 2 * first
    page.locator("input[name=text]").fill("run-01199")
    until(page, "document.querySelectorAll('.matrix tbody tr').length === 1")
    assert page.locator(".nothing").is_visible()
    assert rows.first.locator("td.p").count() > 3
    assert fine(troubles), troubles
