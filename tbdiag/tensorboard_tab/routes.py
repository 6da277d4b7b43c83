"""Paths to answers: each answer is JSON with TensorBoard's own headers, each error one sentence."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from werkzeug import wrappers

from tbdiag.errors import RequestError
from tbdiag.tensorboard_tab.diagnosis import Diagnosis
from tbdiag.tensorboard_tab.pages import Pages
from tbdiag.tensorboard_tab.rows import Wanted
from tbdiag.tensorboard_tab.trials import Trials
from tbdiag.views.axes import Axis
from tbdiag.views.curves import Frame

_LOG = logging.getLogger("tensorboard")
_TOKEN = "X-Tbdiag-Token"  # noqa: S105 - the name of a header
_KINDS = {".js": "text/javascript", ".css": "text/css"}
_WIDEST = 4000  # columns of a chart
_SMOOTHEST = 0.999

Request = wrappers.Request
Answer = Callable[[Request], Any]


class Routes:
    """The applications behind the paths of the tab."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        self._pages = Pages(diagnosis)
        self._trials = Trials(diagnosis)

    def apps(self) -> dict[str, Any]:
        """Each path with its application, the static files among them."""
        answers: dict[str, Answer] = {
            "/state": lambda request: self._diagnosis.state(),
            "/rules": lambda request: rules(),
            "/runs": lambda request: self._pages.matrix(wanted(request)),
            "/run": lambda request: self._pages.run(_one(request, "run")),
            "/curves": self._curves,
            "/compare": lambda request: self._pages.compared(request.args.getlist("run")),
            "/trials": lambda request: self._trials.state(),
        }
        found = {path: _application(answer) for path, answer in answers.items()}
        found["/rescan"] = _application(self._rescan, method="POST")
        return {**found, **static()}

    def _curves(self, request: Request) -> dict[str, Any]:
        tags = request.args.getlist("tag")
        return self._pages.curves(_one(request, "run"), tags, frame(request))

    def _rescan(self, request: Request) -> dict[str, Any]:
        token = request.headers.get(_TOKEN, "")
        if not hmac.compare_digest(token.encode(), self._diagnosis.token.encode()):
            raise RequestError("this page is out of date: reload it, then scan")
        return {"started": self._diagnosis.begin()}


def wanted(request: Request) -> Wanted:
    """Which rows of the matrix a request asks for; raises RequestError."""
    given = request.args
    return Wanted(
        pattern=given.get("pattern", ""),
        severities=tuple(given.getlist("severity")),
        rules=tuple(given.getlist("rule")),
        sort=given.get("sort", "worst"),
        descending=given.get("descending") == "1",
        offset=int(_number(request, "offset", 0.0)),
        limit=int(_number(request, "limit", 100.0)),
    )


def frame(request: Request) -> Frame:
    """How a request wants curves drawn; raises RequestError."""
    axis = request.args.get("axis", Axis.STEP.value)
    if axis not in {each.value for each in Axis}:
        raise RequestError(f"there is no x axis {axis!r}")
    given = request.args
    return Frame(
        axis=Axis(axis),
        first=_number(request, "first", 0.0) if given.get("first") else None,
        last=_number(request, "last", 0.0) if given.get("last") else None,
        columns=int(min(max(_number(request, "columns", 500.0), 10.0), _WIDEST)),
        smoothing=min(max(_number(request, "smoothing", 0.0), 0.0), _SMOOTHEST),
    )


def rules() -> dict[str, Any]:
    """Name and summary of every rule, by code."""
    from tbdiag.detectors.base import rule_name
    from tbdiag.detectors.registry import every_rule

    return {
        each.code: {"name": rule_name(each), "summary": (each.__doc__ or "").partition("\n")[0]}
        for each in every_rule()
    }


def static() -> dict[str, Any]:
    """Every file of the front end by its path: the module, its parts, its style."""
    folder = files("tbdiag.tensorboard_tab") / "static"
    found = {}
    for place, prefix in ((folder, "/static"), (folder / "vendor", "/static/vendor")):
        for file in place.iterdir():
            kind = next((kind for end, kind in _KINDS.items() if file.name.endswith(end)), None)
            if kind is not None:
                found[f"{prefix}/{file.name}"] = _file(file, kind)
    return found


def _file(file: Any, kind: str) -> Any:
    @Request.application
    def serve(request: Request) -> Any:
        from tensorboard.backend import http_util

        return http_util.Respond(request, file.read_bytes(), kind)

    return serve


def _application(answer: Answer, method: str = "GET") -> Any:
    @Request.application
    def serve(request: Request) -> Any:
        if request.method not in (method, "HEAD" if method == "GET" else method):
            return _json(request, {"error": f"this path takes {method} only"}, 405)
        try:
            return _json(request, answer(request), 200)
        except RequestError as error:
            return _json(request, {"error": str(error)}, 400)
        except Exception as error:  # noqa: BLE001 - told in the tab; TensorBoard goes on
            _LOG.exception("tbdiag failed to answer %s", request.path)
            said = f"tbdiag failed: {type(error).__name__}: {error}"
            return _json(request, {"error": said}, 500)

    return serve


def _json(request: Request, told: Any, code: int) -> Any:
    from tensorboard.backend import http_util

    from tbdiag.views import jsontext

    # Cleansed here: TensorBoard's own would make NaN a string where numbers are expected.
    return http_util.Respond(request, jsontext.line(told), "application/json", code=code)


def _one(request: Request, name: str) -> str:
    values: Sequence[str] = request.args.getlist(name)
    if len(values) != 1:
        raise RequestError(f"the request has to name one {name}")
    return values[0]


def _number(request: Request, name: str, default: float) -> float:
    text = request.args.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e15:
        raise RequestError(f"{name} is not a number")
    return value
