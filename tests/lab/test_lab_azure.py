"""The lab's Azure API: as strict as the real one, asked by hand and by the SDK's own classes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from azure_cloud import HOME, SUBSCRIPTION, Azure, azure

from volact.agent.wrap import answering_powershell
from volact_lab.azure.tokens import LIFE_S, Tokens
from volact_lab.errors import LabError
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.powershell import unpacked

ENDPOINT = "https://management.example"
COMPUTE = {"api-version": "2024-07-01"}
VIEW = {**COMPUTE, "$expand": "instanceView"}
VMS = "/providers/Microsoft.Compute/virtualMachines"


def test_a_token_is_given_for_the_secret_alone_and_ends() -> None:
    now = [1000.0]
    tokens = Tokens(lambda: now[0])
    own = tokens.principal
    asked = {
        "grant_type": "client_credentials",
        "scope": f"{ENDPOINT}/.default",
        "client_id": own.client_id,
        "client_secret": own.client_secret,
    }
    token = tokens.give(own.tenant_id, asked, ENDPOINT)["access_token"]
    assert tokens.check(f"Bearer {token}") == own
    wrong = {
        "grant_type": ("password", "unsupported_grant_type"),
        "scope": ("https://vault.example/.default", "invalid_scope"),
        "client_id": ("another", "unauthorized_client"),
        "client_secret": ("another", "invalid_client"),
    }
    for name, (value, code) in wrong.items():
        with pytest.raises(ApiFault) as caught:
            tokens.give(own.tenant_id, {**asked, name: value}, ENDPOINT)
        assert caught.value.code == code
    with pytest.raises(ApiFault, match="invalid_tenant"):
        tokens.give("another", asked, ENDPOINT)
    for header in ("", "Bearer x", f"Basic {token}"):
        with pytest.raises(ApiFault, match="InvalidAuthenticationToken"):
            tokens.check(header)
    now[0] += LIFE_S
    with pytest.raises(ApiFault, match="ExpiredAuthenticationToken"):
        tokens.check(f"Bearer {token}")


async def ask(
    here: Azure, method: str, path: str, query: Mapping[str, str], body: object = None
) -> tuple[int, str]:
    """Status and code of an answer."""
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{HOME.partition('/')[2]}"
    response = await asyncio.to_thread(here.keys.send, method, group + path, query, body)
    told: dict[str, Any] = response.json() if response.content else {}
    return response.status_code, told.get("error", {}).get("code", "")


def body(**changes: Any) -> dict[str, Any]:
    about = {"source": {"script": "x"}, "asyncExecution": True, "timeoutInSeconds": 60}
    return {"location": "westeurope", "properties": {**about, **changes}}


async def test_what_the_api_does_not_take_is_refused(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=8) as here:
        vm = f"{VMS}/{here.some(1)[0]}"
        run = f"{vm}/runCommands/a-name"
        elsewhere = {**body(), "location": "eastus"}
        for method, path, query, given, told in (
            ("GET", vm, VIEW, None, (200, "")),
            ("GET", vm, {}, None, (400, "InvalidApiVersionParameter")),
            ("GET", vm, {"api-version": "2015-06-15"}, None, (400, "InvalidApiVersionParameter")),
            ("GET", f"{VMS}/vm-nowhere", VIEW, None, (404, "ResourceNotFound")),
            ("GET", "/providers/Microsoft.Storage/x", COMPUTE, None, (400, "NotFound")),
            ("PUT", run, COMPUTE, elsewhere, (400, "InvalidParameter")),
            ("PUT", run, COMPUTE, body(timeoutInSeconds=0), (400, "InvalidParameter")),
            ("PUT", run, COMPUTE, body(source={}), (400, "BadRequest")),
            ("PUT", run, COMPUTE, body(runAsUser="x"), (400, "BadRequest")),
            ("PUT", f"{VMS}/linux-0/runCommands/x", COMPUTE, body(), (409, "OperationNotAllowed")),
            ("GET", run, VIEW, None, (404, "ResourceNotFound")),
            ("DELETE", run, COMPUTE, None, (404, "ResourceNotFound")),
        ):
            assert await ask(here, method, path, query, given) == told


async def test_a_machine_keeps_so_many_run_commands_and_each_name_once(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=2) as here:
        name = here.some(1)[0]
        script = answering_powershell(b"@echo off\r\nexit 0\r\n", "volact-0")
        here.front.invocations.fate = lambda _task: ("SUCCESS", "")
        told = []
        given = body(source={"script": script})
        for number in (*range(25), 0, 25):
            path = f"{VMS}/{name}/runCommands/run-{number}"
            told.append(await ask(here, "PUT", path, COMPUTE, given))
        assert told == [(201, "")] * 25 + [(409, "OperationNotAllowed")] * 2
        path = f"{VMS}/{name}/runCommands/run-0"
        assert await ask(here, "DELETE", path, COMPUTE) == (202, "")
        assert len(here.front.machines.left(name)) == 24


async def test_more_than_a_bucket_holds_is_refused(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=2) as here:
        here.front.limits.per_second, here.front.limits.clock = {"GET": 2}, lambda: 0.0
        vm = f"{VMS}/{here.some(1)[0]}"
        got = [await ask(here, "GET", vm, VIEW) for _ in range(3)]
        assert got == [(200, ""), (200, ""), (429, "TooManyRequests")]
        here.front.limits.refused = 0


def test_only_the_known_powershell_packs_its_answer() -> None:
    text = answering_powershell(b"@echo off\r\n", "volact-0")
    assert unpacked(text.encode()) == b"@echo off\r\n"
    for other in (text.replace("4000", "5000"), text.replace("UTF8", "ASCII")):
        with pytest.raises(LabError):
            unpacked(other.encode())
