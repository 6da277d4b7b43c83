"""What the tab says before there is anything to see, on both loaders and below a path prefix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import logs
from tests.browser.tabs import Tab, scanned


@pytest.mark.parametrize(("loader", "prefix"), [("auto", ""), ("false", "/some/where")])
def test_runs_are_diagnosed_in_the_tab(page, board, troubles, tmp_path, loader, prefix):
    server = board(logs.few(tmp_path), f"--load_fast={loader}", prefix=prefix)
    tab = Tab.opened(page, server)
    assert "not been diagnosed yet" in tab.find(".empty").inner_text()
    assert f"tbdiag scan {tmp_path} --write" in tab.find(".command").inner_text()
    tab.button("Diagnose now").click()
    tab.find(".matrix table").wait_for()
    assert tab.find("tr[data-run]").all_inner_texts()[0].startswith(("over", "nan"))
    assert tab.find('tr[data-run="over"] button.cell.warning').count() >= 1
    assert "just now" in tab.find(".age").inner_text()
    assert (troubles.errors, troubles.dialogs, troubles.elsewhere) == ([], [], [])


def test_an_empty_folder_says_what_to_do(page, board, troubles, tmp_path):
    tab = Tab.opened(page, board(tmp_path))
    tab.button("Diagnose now").click()
    tab.find(".empty .sentence").wait_for()
    told = tab.find(".empty").inner_text()
    assert "no event files below" in told
    assert "the folder that your training script logs to" in told
    assert troubles.errors == []
    logs.few(tmp_path)
    tab.button("Scan again").click()
    tab.find(".matrix table").wait_for()


def test_logs_without_scalars_say_what_to_log(page, board, tmp_path):
    tab = Tab.opened(page, scanned(board(logs.nothing_to_see(tmp_path))))
    told = tab.find(".empty").inner_text()
    assert "holds no scalars" in told
    assert "add_scalar" in told


def test_no_findings_say_which_rules_looked(page, board, shot, tmp_path):
    server = scanned(board(logs.healthy(tmp_path)))
    tab = Tab.opened(page, server)
    assert "No findings." in tab.find(".healthy").inner_text()
    tab.find(".coverage[open] tbody tr").first.wait_for()
    told = tab.find(".coverage").first.inner_text()
    assert "NUM001" in told
    assert "could not tell" in told
    tab.find('.sidebar button.run[data-run="fine"]').click()
    assert "No findings." in tab.find(".one .healthy").inner_text()
    assert "the run is supervised" in tab.find(".one .coverage[open]").inner_text()
    shot(page, "healthy")


def test_a_broken_tbdiag_stops_nothing(page, board, troubles, tmp_path):
    (tmp_path / "plant").mkdir()
    plant = tmp_path / "plant" / "sitecustomize.py"
    plant.write_text(
        "import sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tbdiag.tensorboard_tab.tab':\n"
        "            raise ImportError('<b>planted</b>')\n"
        "sys.meta_path.insert(0, Broken())\n"
    )
    server = board(logs.few(tmp_path / "logs"), path=str(plant.parent))
    assert "The Diagnosis tab of tbdiag cannot be shown: ImportError: <b>planted</b>" in server.said
    page.goto(f"{server.url}/#tbdiag")
    said = page.frame_locator("iframe").get_by_text("cannot be shown: ImportError: <b>planted</b>")
    said.wait_for()
    page.goto(f"{server.url}/#timeseries")
    page.get_by_text("over", exact=True).first.wait_for()
    assert troubles.errors == []


def test_tensorboard_that_has_ended_is_told(page, tmp_path):
    from tests.browser.servers import tensorboard

    server = scanned(tensorboard(logs.few(tmp_path / "logs"), tmp_path / "home"))
    try:
        tab = Tab.opened(page, server)
    finally:
        server.end()
    tab.find('.sidebar button.run[data-run="over"]').click()
    assert "is it still running?" in tab.find(".empty").inner_text()


def test_the_folder_is_asked_for_in_the_words_of_the_user(page, board, tmp_path):
    odd: Path = logs.few(tmp_path / "it's mine")
    tab = Tab.opened(page, board(odd))
    assert """'"'"'s mine' --write""" in tab.find(".command").inner_text()
