"""HEAD, as probes and load balancers ask: what GET answers, without the body."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from service_parts import actor, fill, parts, put_run, run_info, served_store
from service_running import running

from volact.service.application import application


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/", "/servers", "/api/v1/me", "/api/v1/servers"]
)
def test_head_is_answered_as_get_without_the_body(tmp_path: Path, path: str) -> None:
    with served_store(tmp_path) as store:
        fill(store)
        with running(application(parts(store, actor("viewer")))) as url:
            got = requests.get(url + path, timeout=10)
            head = requests.head(url + path, timeout=10)
    assert (head.status_code, head.content) == (got.status_code, b"") == (200, b"")
    for name in ("content-type", "etag", "cache-control", "content-security-policy"):
        assert head.headers.get(name) == got.headers.get(name)


def test_head_of_a_stream_ends(tmp_path: Path) -> None:
    with served_store(tmp_path) as store:
        put_run(store.engine, run_info("cc33", state="running"))
        with (
            running(application(parts(store, actor("viewer")))) as url,
            requests.Session() as session,
        ):
            head = session.head(f"{url}/api/v1/runs/cc33/events", timeout=10)
            assert head.headers["content-type"].startswith("text/event-stream")
            assert session.get(f"{url}/healthz", timeout=10).text == "ok"  # by the same connection


def test_other_routes_take_no_head(tmp_path: Path) -> None:
    with served_store(tmp_path) as store, running(application(parts(store, actor()))) as url:
        assert requests.head(f"{url}/sign-out", timeout=10).status_code == 405
