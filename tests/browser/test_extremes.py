"""Hostile names and texts, many runs, long curves, runs that appear while the tab is open."""

from __future__ import annotations

import json
import shutil

import pytest

from tbdiag.model.proposal import Decision, State
from tests.browser import logs
from tests.browser.tabs import Tab, address, scanned
from tests.cli.builders import DIVERGED, event_dir
from tests.journal.builders import a_journal, a_proposal, a_trial, a_verdict

EVIL = logs.EVIL.replace("/", "")


def test_names_out_of_logs_are_only_text(page, board, troubles, shot, tmp_path):
    server = scanned(board(logs.hostile(tmp_path)))
    page.set_viewport_size({"width": 1280, "height": 3000})
    tab = Tab.opened(page, server)
    row = tab.find("tr[data-run]").filter(has_text=EVIL)
    row.locator("button.link").click()
    tab.find(".one h1").get_by_text(EVIL).wait_for()
    tab.find(".chart").filter(has_text=f"a {logs.EVIL} tag").locator("canvas").wait_for()
    assert tab.find("img").count() == 0
    assert tab.find("script:not([src])").count() <= 1, "TensorBoard's own"
    for name in (EVIL, "x\u202eright to left"):
        tab = Tab.opened(page, server, address(name))
        tab.find(".one h1").wait_for()
        page.goto("about:blank")
    assert (troubles.errors, troubles.dialogs, troubles.elsewhere) == ([], [], [])


@pytest.mark.parametrize(
    "message",
    [
        logs.EVIL,
        "<script>alert(2)</script>&amp;\"'`",
        "two\nlines",
        "\u202eturned\u2066around",
        "word " * 2000,
        "x" * 10_000,
    ],
    ids=["image", "script", "lines", "direction", "long", "one-word"],
)
def test_messages_are_only_text(page, board, troubles, tmp_path_factory, message):
    folder = tmp_path_factory.getbasetemp() / "messages"
    server = board(folder if folder.exists() else logs.few(folder))
    scanned(server)

    def rewritten(route) -> None:
        answer = route.fetch()
        told = answer.json()
        for finding in told["entry"]["findings"]:
            finding["message"] = finding["name"] = message
            for evidence in finding["evidence"]:
                evidence["note"] = message
            for remedy in finding["remedies"]:
                remedy["title"] = remedy["because"] = message
        told["entry"]["hparams"] = {message: message}
        told["entry"]["reasons"] = dict.fromkeys(told["entry"]["outcomes"], message)
        route.fulfill(response=answer, body=json.dumps(told))

    page.route("**/plugin/tbdiag/run?*", rewritten)
    tab = Tab.opened(page, server, address("over"))
    tab.find(".finding").first.wait_for()
    tab.chart("loss")
    assert tab.find("img").count() == 0
    assert (troubles.errors, troubles.dialogs) == ([], [])
    main = page.frames[-1].evaluate(
        "(() => { const m = document.querySelector('main'); return m.scrollWidth - m.clientWidth; })()"
    )
    assert main <= 0, "nothing makes the page wider than the window"


def test_four_hundred_runs_come_in_pages(page, board, troubles, shot, tmp_path):
    server = scanned(board(logs.many(tmp_path, 400)))
    tab = Tab.opened(page, server)
    rows = tab.find("tr[data-run]")
    rows.nth(99).wait_for()
    assert rows.count() == 100
    tab.find(".under .more").click()
    rows.nth(199).wait_for()
    assert rows.count() == 200
    assert tab.find(".sidebar li").count() == 200
    shot(page, "many")
    tab.find(".search input").fill("run-003[0-4]")
    tab.find(".number").get_by_text("50 of 400").wait_for()
    tab.find('th[aria-sort] button[data-sort="worst"]').wait_for()
    assert rows.count() == 50
    assert troubles.errors == []


def test_a_lone_nan_and_a_lone_spike_among_many_points_are_seen(page, board, shot, tmp_path):
    points = 200_000
    server = scanned(board(logs.long(tmp_path, points)))
    with page.expect_response(lambda answer: "/curves" in answer.url) as found:
        tab = Tab.opened(page, server, address("long"))
        chart = tab.chart("loss/train")
    curve = found.value.json()["curves"][0]
    assert max(each for each in curve["y"] if each is not None) == 99
    assert curve["nonfinite"] == [[points // 3, "NaN", points // 3]]
    assert (curve["points"], len(curve["x"]) < 10_000) == (points, True)
    assert chart.get_attribute("data-crosses") == "1"
    shot(page, "long")


def test_a_scan_elsewhere_is_seen_here(page, board, troubles, tmp_path):
    server = scanned(board(logs.few(tmp_path)))
    tab = Tab.opened(page, server)
    tab.find('tr[data-run="over"]').wait_for()
    event_dir(tmp_path / "new", DIVERGED)
    tab.button("Rescan").click()
    tab.find('tr[data-run="new"]').wait_for()
    event_dir(tmp_path / "newer", DIVERGED)
    scanned(server)
    tab.find('tr[data-run="newer"]').wait_for()
    assert tab.find('.sidebar button[data-run="newer"]').count() == 1
    shutil.rmtree(tmp_path)
    tab.button("Rescan").click()
    tab.find(".banner").get_by_text("The last scan failed").wait_for()
    assert tab.find('tr[data-run="over"]').is_visible(), "what was known stays"
    assert troubles.errors == []


def test_the_journal_tells_each_verdict(page, board, troubles, shot, tmp_path):
    journal = a_journal(logs.few(tmp_path))
    for number, decision in enumerate(Decision, 1):
        proposal = a_proposal(f"t{number}")
        trial = a_trial(proposal)
        journal.proposed(proposal)
        journal.launched(trial)
        journal.finished(a_trial(proposal, state=State.FINISHED, exit_code=0, objective=0.284))
        journal.verified(
            proposal.id, a_verdict(decision=decision, reason=f"because of {logs.EVIL}")
        )
    tab = Tab.opened(page, scanned(board(tmp_path)))
    tab.find(".trials summary").first.click()
    rows = tab.find(".journal tbody tr")
    rows.first.wait_for()
    assert tab.find(".verdict").all_inner_texts() == [each.value for each in Decision]
    told = rows.first.inner_text()
    for word in ("t1", "lr 1 → 0.1", "finished", "2.31 → 0.284", "cleared OPT001", logs.EVIL):
        assert word in told
    tab.find(".journal").scroll_into_view_if_needed()
    shot(page, "journal")
    assert (troubles.errors, troubles.dialogs) == ([], [])
