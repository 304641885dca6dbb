"""The API against its own document: what the document allows is answered as it says.

Left out: event streams, which end with their run; and the check that all data which fits the
document is accepted, because a cursor that is well-formed may still be none of that list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from service_parts import WrittenRuns, fill, put_run, run_info, served_store

from volact.client.wire import NewUser
from volact.service.access import Actor
from volact.service.app import Parts, utc_now
from volact.service.application import application
from volact.service.identity import users
from volact.service.identity.audit import SYSTEM, changing
from volact.service.settings import ServiceSettings

KEY = "a-key"


class OneCaller:
    """An administrator's token, and a session for the routes that take no token."""

    def __init__(self, user: str) -> None:
        self._actor = Actor(user=user, name="ada", role="administrator")

    async def actor_of(self, connection: Any, *, in_use: bool = True) -> Actor | None:
        await asyncio.sleep(0)
        by_token = connection.headers.get("authorization") == f"Bearer {KEY}"
        by_session = connection.cookies.get("__Host-volact") == KEY
        return self._actor if by_token or by_session else None


# Cases at each edge of each schema are for a run by hand: they are thousands.
# Nor is a key made up: each request has one, in its header or cookie.
_BOUNDED = {
    "phases": {"coverage": {"enabled": False}},
    "generation": {"with-security-parameters": False},
}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served_store(tmp_path_factory.mktemp("api")) as store:
        fill(store)
        with changing(store, utc_now(), SYSTEM) as change:
            ada = users.add(change, NewUser(name="ada", role="administrator"))
        put_run(store.engine, run_info("cc33", state="awaiting-approval"))
        parts = Parts(
            settings=ServiceSettings(database=store.address, requests_a_minute=10**9),
            store=store,
            authenticator=OneCaller(ada.id),
            runs=WrittenRuns(store.engine),
            now=utc_now,
        )
        config = schemathesis.Config.from_dict(_BOUNDED)
        path = "/api/v1/openapi.json"
        made = schemathesis.openapi.from_asgi(path, application(parts), config=config)
        yield made.exclude(path_regex="/events$")


documented = schemathesis.pytest.from_fixture("schema")


@documented.parametrize()
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_answers_are_as_documented(case: Any) -> None:
    headers, cookies = {"Sec-Fetch-Site": "same-origin"}, {}
    if case.operation.definition.raw.get("security") == [{"session": []}]:
        cookies["__Host-volact"] = KEY
    else:
        headers["Authorization"] = f"Bearer {KEY}"
    answer = case.call(headers=headers, cookies=cookies)
    case.validate_response(answer, headers=headers, excluded_checks=[positive_data_acceptance])
    assert answer.status_code not in {401, 429}
    assert answer.status_code < 500
