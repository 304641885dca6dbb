"""The log: lines of text or JSON, with what was under way, and never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from service_identity import PASSWORD, Clock, Service, either_service, service, store

from volact.service.logs import configure_logging, context

__all__ = ["Clock", "either_service", "service", "store"]
CANARY = "c4n4ry-s3cret"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is written; logging is as it was afterwards."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    levels = {logger: logger.level for logger in named_loggers()}
    yield io.StringIO()
    root.handlers, level = before
    root.setLevel(level)
    for logger in named_loggers():
        logger.setLevel(levels.get(logger, logging.NOTSET))


def named_loggers() -> list[logging.Logger]:
    found = logging.root.manager.loggerDict.values()
    return [logger for logger in found if isinstance(logger, logging.Logger)]


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_has_what_was_under_way(written: io.StringIO) -> None:
    configure_logging("json", out=written)
    with context(request="r1"), context(run="aa11", actor=""):
        logging.getLogger("volact.service").warning("it is %s", "late")
    logging.getLogger("volact.service").info("afterwards")
    logging.getLogger("other").info("not volact's")
    first, second = lines(written)
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warning",
        "logger": "volact.service",
        "message": "it is late",
        "request": "r1",
        "run": "aa11",
    }
    assert "request" not in second


def test_an_error_is_one_line_of_json(written: io.StringIO) -> None:
    configure_logging("json", out=written)
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        logging.getLogger("volact").exception("it failed")
    (line,) = lines(written)
    assert line["message"] == "it failed"
    assert line["error"].endswith("RuntimeError: broken")


def test_text_from_outside_cannot_begin_a_line_of_its_own(written: io.StringIO) -> None:
    configure_logging("text", out=written)
    with context(run="a\nb"):
        logging.getLogger("volact").warning("one\n2026-01-01 INFO forged\x1b[2J")
    assert written.getvalue().count("\n") == 1
    assert "\x1b" not in written.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_of_a_request_is_in_the_log(
    either_service: Service, written: io.StringIO, form: Any
) -> None:
    user = either_service.user("ada", "administrator", password=PASSWORD)
    link, token = either_service.link(user), either_service.token(user, "viewer")
    configure_logging(form, logging.DEBUG, written)
    with either_service.client() as client:
        client.get(f"/sign-in/link?key={link}")
        client.post("/sign-in/link", data={"key": link})
        signed = client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
        client.post("/sign-in", data={"name": "ada", "password": CANARY})
        client.get(f"/sign-in?next={CANARY}")
        cookies = [cookie.value for cookie in client.cookies.jar if cookie.value]
    with either_service.client() as client:
        for bearer in (token, f"{token}{CANARY}", CANARY):
            client.get("/metrics", headers={"authorization": f"Bearer {bearer}"})
        client.get("/metrics", headers={"cookie": f"volact={CANARY}"})
        client.post("/api/v1/none", content=CANARY)
    assert signed.status_code == 303
    assert cookies
    told = written.getvalue()
    assert "/sign-in" in told
    assert "/metrics" in told
    for secret in (CANARY, PASSWORD, link, token, *cookies):
        assert secret not in told
