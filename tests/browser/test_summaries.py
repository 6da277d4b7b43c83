"""What users see of the summaries: each dashboard of a real TensorBoard, on both of its loaders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tbdiag
from tests.browser.servers import Server
from tests.cli.builders import DIVERGED, HEALTHY, OVERFITTING, event_dir
from tests.reading.eventfiles import NAME, event, hparams, value, write
from tests.summaries.test_write import a_followup

LOADERS = ("auto", "false")  # the fast one where it is installed, the slow one
HOSTILE = "<img src=x onerror=alert(1)>"

Board = Callable[..., Server]
Shot = Callable[..., Path]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs of the user's, one of them with hyperparameters, and a follow-up; all written."""
    logs = tmp_path_factory.mktemp("logs") / "logs"
    event_dir(logs / "bad")
    event_dir(logs / HOSTILE)
    write(
        logs / "tuned" / NAME,
        hparams({"users_rate": 0.5}),
        *(event(s + 1, value("loss/val", HEALTHY["loss/val"][s])) for s in range(60)),
    )
    a_followup(logs, params={"lr": 0.01})
    tbdiag.scan(logs, cache=False, now=2000.0).write()
    return logs


@pytest.fixture(params=LOADERS)
def server(request: pytest.FixtureRequest, board: Board, logs: Path) -> Server:
    """TensorBoard on the logs, by each loader."""
    return board(logs, f"--load_fast={request.param}")


def taken(page: Any, shot: Shot, request: pytest.FixtureRequest, name: str) -> None:
    loader = "fast" if "auto" in request.node.name else "slow"
    shot(page, f"summaries-{name}-{loader}")


def test_text_shows_findings_and_leads_to_the_tab(
    page, troubles, server: Server, shot: Shot, request: pytest.FixtureRequest
) -> None:
    page.goto(f"{server.url}/#text")
    page.get_by_role("heading", name="GEN001 overfitting").first.wait_for()
    table = page.locator("table", has_text="the worst")
    table.wait_for()
    rows = table.locator("tbody tr")
    assert rows.count() == 4
    assert rows.nth(0).locator("td").nth(1).inner_text() == "warning: GEN001 overfitting"
    assert rows.nth(3).locator("td").nth(1).inner_text() == "none"
    assert table.get_by_role("link", name=HOSTILE).count() == 1, "its name is text"
    assert page.locator("img[src=x]").count() == 0
    taken(page, shot, request, "text")
    table.get_by_role("link", name="bad", exact=True).click()
    page.wait_for_url("**/#tbdiag&p.tbdiag.run=bad")
    tab = page.frame_locator("iframe")
    tab.get_by_role("heading", name="bad", exact=True).wait_for()
    tab.get_by_text("GEN001", exact=True).first.wait_for()
    assert troubles.dialogs == []


def test_images_show_one_picture_for_each_finding(
    page, server: Server, shot: Shot, request: pytest.FixtureRequest
) -> None:
    page.goto(f"{server.url}/#images")
    pictures = page.locator("tf-image-loader img")
    pictures.first.wait_for()
    page.wait_for_function(
        "() => [...document.querySelectorAll('*')].length > 0 && document.readyState === 'complete'"
    )
    assert page.get_by_text("tbdiag/GEN001 overfitting", exact=True).count() >= 2
    size = pictures.first.evaluate("async e => { await e.decode(); return e.naturalWidth }")
    assert size == 736
    taken(page, shot, request, "images")


def test_scalars_count_the_findings(
    page, server: Server, shot: Shot, request: pytest.FixtureRequest
) -> None:
    page.goto(f"{server.url}/#scalars&tagFilter=findings")
    page.get_by_text("findings/warnings", exact=True).first.wait_for()
    page.get_by_text("findings/errors", exact=True).first.wait_for()
    taken(page, shot, request, "scalars")


def test_custom_scalars_put_training_beside_validation(
    page, server: Server, shot: Shot, request: pytest.FixtureRequest
) -> None:
    page.goto(f"{server.url}/#custom_scalars")
    page.get_by_text("tbdiag: training beside validation").wait_for()
    for title, matches in (("training loss", 3), ("validation loss", 4)):
        card = page.locator("tf-custom-scalar-multi-line-chart-card", has_text=title).first
        card.get_by_text(f"Matches ({matches})").wait_for()
    taken(page, shot, request, "custom-scalars")


def experiment(server: Server) -> tuple[set[str], set[tuple[str, str]]]:
    """The names of the hyperparameters that HPARAMS shows, and (group, tag) of the metrics."""
    found = json.loads(server.get("/data/plugin/hparams/experiment?request=%7B%7D"))
    return (
        {each["name"] for each in found["hparamInfos"]},
        {(each["name"].get("group", ""), each["name"]["tag"]) for each in found["metricInfos"]},
    )


def test_hparams_show_followups_beside_the_users_own(
    page, server: Server, shot: Shot, request: pytest.FixtureRequest
) -> None:
    page.goto(f"{server.url}/#hparams")
    page.get_by_text("users_rate", exact=True).first.wait_for()
    page.get_by_text("followup-001", exact=True).first.wait_for()
    page.get_by_text("tuned", exact=True).first.wait_for()
    names, metrics = experiment(server)
    assert names == {"users_rate", "lr"}
    assert {("tbdiag", "findings/errors"), ("tbdiag", "findings/warnings")} <= metrics
    assert {("", "loss/train"), ("", "loss/val")} <= metrics
    taken(page, shot, request, "hparams")


@pytest.mark.parametrize("loader", LOADERS)
def test_the_users_own_columns_stay_as_they_were(tmp_path: Path, board: Board, loader: str) -> None:
    logs = tmp_path / "logs"
    for name in ("a", "b"):
        write(
            logs / name / NAME,
            hparams({"users_rate": 0.5, "layers": 3.0}),
            *(event(s + 1, value("loss/val", HEALTHY["loss/val"][s])) for s in range(60)),
        )
    before = experiment(board(logs, f"--load_fast={loader}", fresh=True))
    tbdiag.scan(logs, cache=False, now=2000.0).write()
    names, metrics = experiment(board(logs, f"--load_fast={loader}", fresh=True))
    assert names == before[0] == {"users_rate", "layers"}
    assert metrics - before[1] == {("tbdiag", "findings/errors"), ("tbdiag", "findings/warnings")}
    assert before[1] <= metrics


@pytest.mark.parametrize("loader", LOADERS)
def test_what_a_second_scan_found_appears_while_it_runs(
    page, tmp_path: Path, board: Board, loader: str
) -> None:
    logs = tmp_path / "logs"
    event_dir(logs / "run", {tag: list(values)[:30] for tag, values in OVERFITTING.items()})
    tbdiag.scan(logs, cache=False, now=2000.0).write()
    server = board(logs, f"--load_fast={loader}", fresh=True)
    page.goto(f"{server.url}/#text")
    page.get_by_text("no findings at step 30").wait_for()
    event_dir(logs / "run", OVERFITTING)
    tbdiag.scan(logs, cache=False, now=2000.0).write()
    tag = "run=run%2Ftbdiag&tag=tbdiag%2Fsummary"
    for _ in range(100):
        told = json.loads(server.get(f"/data/plugin/text/text?{tag}"))
        if len(told) == 2:
            break
        page.wait_for_timeout(200)
    assert [each["step"] for each in told] == [30, 60]
    page.reload()
    page.get_by_role("heading", name="GEN001 overfitting").first.wait_for()
    told = json.loads(
        server.get("/data/plugin/scalars/scalars?run=run%2Ftbdiag&tag=findings%2Fwarnings")
    )
    assert [(step, count) for _, step, count in told] == [(30, 0.0), (60, 1.0)]


def test_a_diverged_run_is_the_first_of_the_table(page, tmp_path: Path, board: Board) -> None:
    logs = tmp_path / "logs"
    event_dir(logs / "a-good", HEALTHY)
    event_dir(logs / "b-bad")
    event_dir(logs / "c-diverged", DIVERGED)
    tbdiag.scan(logs, cache=False, now=2000.0).write()
    server = board(logs, fresh=True)
    page.goto(f"{server.url}/#text")
    names = page.locator("table", has_text="the worst").locator("tbody tr td:first-child")
    names.first.wait_for()
    assert names.all_inner_texts() == ["c-diverged", "b-bad", "a-good"]
