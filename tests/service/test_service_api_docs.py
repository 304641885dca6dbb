"""docs/api.md: every request is in its table, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from service_parts import actor, api, fill, parts, served_store
from service_running import running

from volact.service.access import Actor
from volact.service.api import HANDLERS
from volact.service.api.openapi import document
from volact.service.application import application

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\S+) (\S+)` \| (\S+) \| (.+) \|$", re.MULTILINE)


def requests() -> dict[tuple[str, str], tuple[str, str]]:
    """What each request of the API asks of its caller, and what it does."""
    app = Litestar(HANDLERS, openapi_config=None)
    paths = document(HANDLERS)["paths"]
    return {
        (method, route.path_format): (
            handler.opt["permission"].value,
            paths[route.path_format][method.lower()]["summary"],
        )
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if "permission" in handler.opt and handler.include_in_schema
    }


def test_every_request_is_in_the_table() -> None:
    told = {(method, path): (who, does) for method, path, who, does in ROW.findall(PAGE)}
    assert told == requests()


def test_the_filters_are_all_told() -> None:
    given = document(HANDLERS)["paths"]["/api/v1/servers"]["get"]["parameters"]
    assert [one["name"] for one in given if f"`{one['name']}`" not in PAGE] == ["order"]


@pytest.mark.parametrize("path", re.findall(r"https://volact\.example(/api/v1[^\s\"]*)", PAGE))
def test_the_examples_of_addresses_are_answered(tmp_path: Path, path: str) -> None:
    with served_store(tmp_path) as store:
        fill(store)
        with api(store, actor("viewer")) as http:
            assert http.get(path).status_code == 200


def test_the_example_in_python_runs(tmp_path: Path, capsys: Any) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    who = Actor(user="1", name="ada", role="operator", via="token")
    with served_store(tmp_path) as store:
        fill(store)
        with running(application(parts(store, who))) as url:
            exec(example, {"url": url, "token": "a token"})
    assert capsys.readouterr().out == "web-02 error:connect\nrun1 queued\n"
