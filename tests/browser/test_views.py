"""The three views on the sample runs: the matrix, one run with its curves, runs over each other."""

from __future__ import annotations

import json

import pytest

from tests.browser.servers import ROOT, Server
from tests.browser.tabs import PLUGIN, Tab, address, scanned


@pytest.fixture(scope="package")
def samples(board) -> Server:
    server: Server = scanned(board(ROOT / "sample_logs"))
    return server


@pytest.fixture
def tall(page):
    """A page so tall that all of a run's charts are in view."""
    page.set_viewport_size({"width": 1280, "height": 5000})
    return page


def told(server: Server, path: str):
    return json.loads(server.get(f"{PLUGIN}{path}"))


def test_the_matrix_sorts_and_filters(page, samples, troubles):
    tab = Tab.opened(page, samples)
    rows = tab.find("tr[data-run]")
    rows.first.wait_for()
    assert rows.count() == 20
    tab.find('button[data-sort="hparam:lr"]').click()
    tab.find('th[aria-sort="ascending"] button[data-sort="hparam:lr"]').wait_for()
    assert rows.first.get_attribute("data-run") == "overfitting"
    tab.find('button[data-sort="hparam:lr"]').click()
    tab.find('th[aria-sort="descending"]').wait_for()
    assert rows.first.get_attribute("data-run") == "rate-too-high-diverging"
    tab.find('.chip[data-severity="error"]').click()
    tab.find('.matrix:has(tr[data-run="nan"]):not(:has(tr[data-run="healthy-step"]))').wait_for()
    assert rows.count() == 4
    tab.find('.chip[data-severity="error"]').click()
    tab.find("select").select_option("GEN002")
    tab.find('.matrix:not(:has(tr[data-run="nan"])) tr[data-run="underfitting"]').wait_for()
    assert rows.count() == 2
    tab.find("select").select_option("")
    tab.find(".search input").fill("^healthy-(adam|step)$")
    tab.find('.matrix:not(:has(tr[data-run="nan"])) tr[data-run="healthy-step"]').wait_for()
    assert tab.find(".sidebar li").count() == 2
    tab.find(".search input").fill("(")
    tab.find(".problem").get_by_text("no regular expression").wait_for()
    tab.find(".search input").fill("no such run")
    tab.button("Clear the filter").click()
    tab.find('tr[data-run="nan"]').wait_for()
    assert [each for each in troubles.errors if "400" not in each] == []


def test_a_cell_leads_to_its_finding(page, samples):
    tab = Tab.opened(page, samples)
    tab.find('tr[data-run="nan"] button.cell[aria-label*="GRD002"]').click()
    card = tab.find('.finding[data-code="GRD002"]')
    card.wait_for()
    assert card.is_visible(), "the consequences that it is folded into are open"
    assert "p.tbdiag.run=nan&p.tbdiag.finding=GRD002" in tab.hash


def test_every_finding_stands_at_its_place_on_the_curve(tall, samples, troubles):
    checked = 0
    for row in told(samples, "/runs?limit=100")["rows"]:
        findings = told(samples, f"/run?run={row['run']}")["entry"]["findings"]
        if not findings:
            continue
        tab = Tab.opened(tall, samples, address(row["run"]))
        tab.find(".chart canvas").first.wait_for()
        for finding in findings:
            card = tab.find(f'.finding[data-code="{finding["code"]}"]')
            assert (
                finding["message"] in card.first.inner_text(timeout=5000) or card.first.is_hidden()
            )
            tab.find(f'.chart[data-bands~="{finding["code"]}"]').first.wait_for(state="attached")
            checked += 1
        tall.goto("about:blank")
    assert checked > 40
    assert troubles.errors == []


def test_a_click_on_a_band_zooms_to_it_and_escape_shows_all(page, samples, shot):
    tab = Tab.opened(page, samples, address("overfitting"))
    chart = tab.chart("loss")
    chart.scroll_into_view_if_needed()
    over = chart.locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    with page.expect_response(lambda answer: "/curves" in answer.url and "first=" in answer.url):
        page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5)
    reset = chart.get_by_role("button", name="whole curve")
    reset.wait_for()
    shot(page, "zoomed")
    chart.locator(".plot").press("Escape")
    reset.wait_for(state="hidden")
    assert tab.find(".one").is_visible(), "Escape meant the chart, not the view"


def test_evidence_shows_its_place(page, samples):
    tab = Tab.opened(page, samples, address("overfitting"))
    tab.chart("loss")
    with page.expect_response(lambda answer: "first=" in answer.url) as found:
        tab.find(".finding .show").first.click()
    assert "tag=loss" in found.value.url
    chart = tab.chart("loss")
    chart.get_by_role("button", name="whole curve").wait_for()
    assert chart.bounding_box()["y"] > 0


def test_nan_is_marked_on_the_axis(page, samples, shot):
    tab = Tab.opened(page, samples, address("nan"))
    chart = tab.chart("loss")
    assert int(chart.get_attribute("data-crosses")) >= 4
    assert "not finite" in chart.inner_text()
    chart.scroll_into_view_if_needed()
    shot(page, "nan")


def test_the_best_comparable_run_stands_behind(page, samples):
    tab = Tab.opened(page, samples, address("rate-too-low"))
    chart = tab.chart("loss")
    chart.get_by_text("best run").first.wait_for()
    assert "healthy-dropout" in tab.find(".one h2").inner_text()


@pytest.mark.parametrize("axis", ["relative", "wall"])
def test_axes_and_smoothing(page, samples, troubles, axis):
    tab = Tab.opened(page, samples, address("overfitting"))
    tab.chart("loss")
    with page.expect_response(lambda answer: f"axis={axis}" in answer.url):
        tab.find(f'.segments button[data-axis="{axis}"]').click()
    with page.expect_response(lambda answer: "smoothing=0.9" in answer.url):
        tab.find(".smoothing input").fill("0.9")
    tab.chart("loss")
    assert troubles.errors == []


def test_runs_are_laid_over_each_other(page, samples, shot, troubles):
    tab = Tab.opened(page, samples)
    for run in ("overfitting", "healthy-adam"):
        tab.find(f'li:has(button[data-run="{run}"]) input').check()
    tab.button("Compare 2 runs").click()
    tab.find(".difference table").wait_for()
    row = tab.find('.difference tr:has(bdi:text-is("lr"))')
    assert row.locator("td").all_inner_texts() == ["0.001", "0.003"]
    assert row.locator("td.differs").count() == 1
    assert "compare=overfitting,healthy-adam" in tab.hash
    assert "healthy-adam" in tab.chart("validation loss").inner_text()
    shot(page, "compared")
    assert troubles.errors == []


def test_links_open_runs_also_while_the_tab_is_open(page, samples):
    tab = Tab.opened(page, samples)
    tab.find(".matrix table").wait_for()
    page.evaluate("location.hash = '#tbdiag&p.tbdiag.run=resumed'")
    tab.find('.one[aria-label="Run resumed"] h1').wait_for()
    page.reload()
    tab.find('.one[aria-label="Run resumed"] h1').wait_for()


def test_an_unknown_run_in_a_link_is_told(page, samples):
    tab = Tab.opened(page, samples, address("../../etc/passwd"))
    assert "no run of the diagnosis is called" in tab.find(".empty").inner_text()
    tab.button("All runs").click()
    tab.find(".matrix table").wait_for()


def test_it_follows_the_dark_mode(page, samples, shot):
    tab = Tab.opened(page, samples, address("overfitting"))
    tab.chart("loss")
    background = "getComputedStyle(document.body).backgroundColor"
    frame = page.frame(url="**/plugin_entry.html*") or page.frames[-1]
    light = frame.evaluate(background)
    page.evaluate("document.body.classList.add('dark-mode')")
    tab.find("xpath=//*[@data-theme='dark']").first.wait_for(state="attached")
    assert frame.evaluate(background) != light
    shot(page, "dark")


def test_everything_is_reached_by_keyboard(page, samples):
    tab = Tab.opened(page, samples)
    tab.find(".matrix table").wait_for()
    tab.find("main").focus()
    page.keyboard.press("/")
    assert tab.find(".search input:focus").count() == 1
    page.keyboard.press("Tab")  # all runs
    page.keyboard.press("Tab")  # the list: one stop
    page.keyboard.press("ArrowDown")
    focused = tab.find(".runs button:focus").get_attribute("data-run")
    assert focused == tab.find(".runs button").nth(1).get_attribute("data-run")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert tab.find(".runs input:checked").count() == 1
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    tab.find(f'.one[aria-label="Run {focused}"] h1').wait_for()
    page.keyboard.press("Escape")
    tab.find(".matrix table").wait_for()
    tab.find('tr[data-run="nan"] button.link').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    tab.find(".one .finding").first.wait_for()


def test_next_trials_and_journal(page, samples, shot):
    tab = Tab.opened(page, samples)
    tab.find(".trials summary").first.click()
    tab.find(".proposal").first.wait_for()
    assert "--lr" in tab.find(".proposal .command code").first.inner_text()
    assert "No follow-up run was tried here" in tab.find(".trials").inner_text()
    tab.find(".proposal .copy").first.click()
    tab.find(".proposal .said").first.get_by_text("copied").wait_for()
    shot(page, "trials")


def test_a_narrow_window_keeps_everything_in_sight(page, samples, shot):
    page.set_viewport_size({"width": 900, "height": 700})
    tab = Tab.opened(page, samples, address("rate-too-high-diverging"))
    tab.chart("batch/loss")
    frame = page.frames[-1]
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert frame.evaluate(
        "document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
    )
    assert tab.find(".rescan").is_visible()
    shot(page, "narrow")
