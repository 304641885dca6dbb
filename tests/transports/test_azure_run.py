"""Azure's run-command on simulated servers: tokens, ends, failures, limits, what is left."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import CredentialUnavailableError
from azure_cloud import azure
from cloud_lab import HELLO, bad, bat, fault, good, ready_all, run_all, run_late
from msgspec import convert
from msgspec.structs import replace

from volact.cloud.azure.account import check_account, open_account
from volact.cloud.azure.declaration import AzureSettings
from volact.cloud.azure.failures import as_failure
from volact.cloud.azure.run_command import LIMITS, outcome, unfit
from volact.cloud.azure.sdk import Keys
from volact.cloud.azure.vm import Machine, Properties, RunCommandState
from volact.cloud.base import ApiError, TaskOutput
from volact.errors import InputError, TransportError
from volact.transports.base import Raw
from volact_lab.instances.tasks import Task
from volact_lab.winrm.http import Reply

# what is started


async def test_every_machine_is_asked_once_and_nothing_is_left(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=12) as here:
        ids, region = here.some(6), here.region()
        assert set((await ready_all(region, ids)).values()) == {None}
        results = await run_all(region, ids, deadline_s=60)
        assert len({good(result).stdout for result in results.values()}) == 6
        assert {here.executions(name) for name in ids} == {1}
        assert {len(here.front.machines.left(name)) for name in ids} == {0}
        assert here.front.calls["GET virtualMachines"] == 6  # its place is not asked for twice


async def test_a_run_command_that_cannot_be_deleted_spoils_no_result(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=2) as here:
        ids = here.some(1)
        here.fail("DELETE runCommands", -1, fault("AuthorizationFailed"))
        results = await run_all(here.region(), ids)
        good(results[ids[0]])
        assert len(here.front.machines.left(ids[0])) == 1


async def test_one_machine_that_is_refused_costs_only_itself(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=12) as here:
        ids = here.some(4)
        own = here.front.tokens.principal
        here.front.tokens.principal = dataclasses.replace(own, denied=frozenset({ids[1]}))
        here.front.estate.change(ids[2], state="STOPPED")
        results = await run_all(here.region(), ids)
        assert bad(results.pop(ids[1])).kind == "auth"
        assert "OperationNotAllowed" in bad(results.pop(ids[2])).message
        assert all(isinstance(result, Raw) for result in results.values())


# before anything is started


async def test_who_cannot_be_asked_is_told_before_anything_is_started(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=10) as here:
        ids = here.some(4)
        here.front.estate.change(ids[1], agent="Offline")
        here.front.estate.change(ids[2], agent="")
        here.front.estate.change(ids[3], state="STOPPED")
        standing = await ready_all(here.region(), [*ids, "linux-0", "linux-1", "vm-nowhere"])
        assert standing.pop(ids[0]) is None
        words = {
            ids[1]: ("connect", "the Azure agent is not ready (Not Ready)"),
            ids[2]: ("connect", "the Azure agent is not ready (unknown)"),
            ids[3]: ("connect", "the machine is deallocated"),
            "linux-0": ("agent", "runs Linux"),
            "linux-1": ("connect", "there is no such instance"),  # it is in another group
            "vm-nowhere": ("connect", "there is no such instance"),
        }
        for name, (kind, text) in words.items():
            assert (bad(standing[name]).kind, text in bad(standing[name]).message) == (kind, True)
        assert here.front.calls["PUT runCommands"] == 0


def test_a_machine_of_which_little_is_known_is_told_too() -> None:
    error = unfit(Machine(id="/", name="vm", location="x", properties=Properties()))
    assert error is not None
    assert "the machine is unknown" in error.message


# requests that fail


@pytest.mark.parametrize("code", ["TooManyRequests", "Conflict"])
async def test_a_command_that_was_throttled_is_sent_again(tmp_path: Path, code: str) -> None:
    async with azure(tmp_path, servers=4) as here:
        ids = here.some(2)
        here.fail("PUT runCommands", 2, fault(code))
        results = await run_all(here.region(), ids)
        assert all(isinstance(result, Raw) for result in results.values())
        assert here.front.calls["PUT runCommands"] == 4
        assert [here.executions(name) for name in ids] == [1, 1]


@pytest.mark.parametrize(
    "trouble",
    [fault("InternalServerError"), fault("InvalidParameter"), lambda: Reply(502, b"bad gateway")],
    ids=["inside", "parameter", "gateway"],
)
async def test_a_command_that_may_have_begun_is_not_sent_again(
    tmp_path: Path, trouble: Any
) -> None:
    async with azure(tmp_path, servers=4) as here:
        here.fail("PUT runCommands", -1, trouble)
        results = await run_all(here.region(), here.some(2))
        assert {bad(result).kind for result in results.values()} <= {"connect", "protocol"}
        assert here.front.calls["PUT runCommands"] == 2


@pytest.mark.parametrize(
    "trouble",
    [fault("InternalServerError"), fault("TooManyRequests"), lambda: Reply(503)],
    ids=["inside", "rate", "gateway"],
)
async def test_questions_are_repeated(tmp_path: Path, trouble: Any) -> None:
    async with azure(tmp_path, servers=4) as here:
        ids, region = here.some(2), here.region()
        here.fail("GET virtualMachines", 2, trouble)
        assert set((await ready_all(region, ids)).values()) == {None}
        here.fail("GET runCommands", 2, trouble)
        results = await run_all(region, ids)
        assert all(isinstance(result, Raw) for result in results.values())


@pytest.mark.parametrize("body", [b"[]", b"not JSON", b'{"name": 1}'])
async def test_an_answer_that_is_not_as_agreed_is_a_protocol_error(
    tmp_path: Path, body: bytes
) -> None:
    async with azure(tmp_path, servers=2) as here:
        here.fail("GET virtualMachines", 1, partial(Reply, 200, body, "application/json"))
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert bad(result).kind == "protocol"


# how a script ends


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ("START_FAILED", "connect", "could not be delivered (Unknown: as the API says it)"),
        ("TIMEOUT", "timeout", "did not end in time"),
        ("TERMINATED", "agent", "was ended"),
        ("SomethingNew", "protocol", "SomethingNew: as the API says it"),
    ],
)
async def test_every_end_of_a_script_has_its_kind(
    tmp_path: Path, status: str, kind: str, words: str
) -> None:
    async with azure(tmp_path, servers=2) as here:
        here.front.invocations.fate = lambda _task: (status, "as the API says it")
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert bad(result).kind == kind
        assert words in bad(result).message


def test_a_script_that_failed_without_a_word_is_told_by_the_message_of_the_api() -> None:
    view = {
        "executionState": "Failed",
        "executionMessage": "cannot write the script",
        "exitCode": -1,
    }
    state = convert({"properties": {"instanceView": view}}, RunCommandState)
    error = outcome(state)[1]
    assert isinstance(error, TransportError)
    assert (error.kind, "Failed: cannot write the script" in error.message) == ("agent", True)
    spoke = convert({"properties": {"instanceView": {**view, "error": "no"}}}, RunCommandState)
    assert isinstance(outcome(spoke)[1], TaskOutput)


def test_a_script_of_which_nothing_is_known_is_awaited() -> None:
    assert outcome(convert({"properties": {}}, RunCommandState)) == ("Pending", None)


async def test_output_comes_whole_through_both_streams_or_is_said_to_be_cut(
    tmp_path: Path,
) -> None:
    async with azure(tmp_path, servers=2) as here:
        ids, region = here.some(1), here.region()
        letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        chance = random.Random(1)

        def lines(count: int) -> list[str]:
            return ["".join(chance.choices(letters, k=100)) for _ in range(count)]

        whole = lines(80)  # 8 KB of chance, of which each stream alone takes a part
        script = bat(*(f"echo {line}" for line in whole), "echo wrong>&2", "exit 3")
        (result,) = (await run_all(region, ids, script, deadline_s=60)).values()
        assert good(result).stdout.decode().splitlines() == whole
        assert (good(result).stderr, good(result).exit_status) == (b"wrong\r\n", 3)
        assert here.front.calls["PUT runCommands"] == 1
        large = lines(220)  # 22 KB, of which the streams take a third at a time
        script = bat(*(f"echo {line}" for line in large), "exit 3")
        (result,) = (await run_all(region, ids, script, deadline_s=60)).values()
        assert good(result).stdout.decode().splitlines() == large
        assert good(result).exit_status == 3
        assert here.front.calls["PUT runCommands"] == 4
        script = bat(*(f"echo {line}" for line in lines(260)), "exit 0")
        (result,) = (await run_all(region, ids, script, deadline_s=60)).values()
        assert "the answer is truncated: Run Command keeps 24 KB" in bad(result).message
        assert here.kept(ids[0]) == []


@pytest.mark.parametrize("known", [True, False], ids=["between parts", "before it was seen"])
async def test_an_answer_in_parts_that_is_no_longer_awaited_leaves_nothing(
    tmp_path: Path, known: bool
) -> None:
    async with azure(tmp_path, servers=2) as here:
        ids = here.some(1)
        command, chance = here.command(here.home), random.Random(1)
        lines = ("".join(chance.choices("abcdefghijklmnop0123456789", k=100)) for _ in range(200))
        script = bat(*(f"echo {line}" for line in lines), "exit 0")
        name = await command.start(ids, script, name="volact-0123456789abcdef", timeout_s=60)
        (task,) = here.front.invocations.tasks.values()
        while task.status != "SUCCESS":
            await asyncio.sleep(0.01)
        assert len(here.kept(ids[0])) == 1
        if known:
            (state,) = await command.tasks_of({name: ids})
            assert state.result is None
            assert here.front.calls["PUT runCommands"] == 2
        await command.cancel(name, ids)
        assert here.front.machines.left(ids[0]) == []
        assert here.kept(ids[0]) == []


async def test_a_part_that_does_not_come_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=2) as here:
        ids, chance = here.some(1), random.Random(1)
        seen: set[str] = set()

        def fate(task: Task) -> tuple[str, str] | None:
            seen.add(task.invocation)
            return ("TIMEOUT", "as the API says it") if len(seen) == 2 else None

        here.front.invocations.fate = fate
        lines = ("".join(chance.choices("abcdefghijklmnop0123456789", k=100)) for _ in range(200))
        script = bat(*(f"echo {line}" for line in lines), "exit 0")
        (result,) = (await run_all(here.region(), ids, script, deadline_s=60)).values()
        assert bad(result).kind == "timeout"
        assert here.front.machines.left(ids[0]) == []
        assert here.kept(ids[0]) == []


async def test_a_script_that_is_too_large_is_not_sent(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=2) as here:
        script = HELLO + b"x" * LIMITS.script_bytes
        (result,) = (await run_all(here.region(), here.some(1), script)).values()
        assert bad(result).kind == "protocol"
        assert here.front.calls["PUT runCommands"] == 0


async def test_a_deadline_ends_the_script_and_says_where_it_stood(tmp_path: Path) -> None:
    async with azure(tmp_path, "clouds", servers=60) as here:
        hangs = next(slot.spec for slot in here.lab.slots.values() if slot.line == "hang")
        region = here.region(hangs.region)
        result = await run_late(here.front, region, hangs.instance_id)
        assert bad(result).kind == "timeout"
        assert "within 600 s (the task is Running)" in bad(result).message
        assert here.front.machines.left(hangs.instance_id) == []


# errors of the SDK


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClientAuthenticationError("AADSTS7000215"), "auth"),
        (CredentialUnavailableError("none"), "auth"),
        (ServiceRequestError("Failed to establish a new connection"), "connect"),
        (ServiceResponseError("Connection aborted"), "connect"),
        (HttpResponseError("of another form"), "protocol"),
        (AttributeError("\x1b[2J"), "protocol"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_every_shape_of_an_error_becomes_one_kind_and_one_line(error: Any, kind: str) -> None:
    told = as_failure(error, str)
    assert told.kind == kind
    assert told.line().isprintable()


# keys


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"clientSecret": "another-secret"}, "AADSTS7000215"),
        ({"clientId": "missing"}, "AADSTS700016"),
        ({"tenantId": "nowhere"}, "nowhere"),
        ({"tenantId": "not a tenant"}, "cannot be used"),
        ({"activeDirectoryEndpointUrl": "http://login.example"}, "cannot be used"),
    ],
)
async def test_a_principal_that_gets_no_token_is_told(
    tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    async with azure(tmp_path, servers=2) as here:
        with pytest.raises(InputError) as caught:
            await open_account(here.with_principal(**changes))
        assert says in caught.value.line()


async def test_secrets_are_in_no_message_or_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with azure(tmp_path, servers=2) as here:
        ids, secret = here.some(1), here.front.tokens.principal.client_secret
        scope = f"{here.front.endpoint}/.default"
        token = (await asyncio.to_thread(here.keys.get_token, scope)).token
        here.fail("GET virtualMachines", 1, fault("AuthorizationFailed", f"{token} and {secret}"))
        error = bad((await ready_all(here.region(), ids))[ids[0]])
    assert "*** and ***" in error.message
    for held in (token, secret):
        assert held not in caplog.text + error.line()


async def test_a_token_that_has_expired_is_an_auth_error(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=2) as here:
        ids, region = here.some(1), here.region()
        assert set((await ready_all(region, ids)).values()) == {None}
        here.front.tokens.clock = lambda: 9e9
        error = bad((await ready_all(region, ids))[ids[0]])
        assert (error.kind, "ExpiredAuthenticationToken" in error.message) == ("auth", True)


async def test_an_api_with_a_certificate_of_another_authority_is_not_trusted(
    tmp_path: Path,
) -> None:
    async with azure(tmp_path, servers=2) as here:
        with pytest.raises(ApiError, match="certificate is not trusted") as caught:
            await open_account(replace(here.settings, authorities=""))
        assert (caught.value.kind, caught.value.again) == ("host-key", "never")
        assert "azure-authorities" in caught.value.hint
        assert "HTTPSConnectionPool" not in caught.value.message
        assert here.front.calls == {}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (AzureSettings(credentials="/nowhere/principal.json"), "No such file"),
        (AzureSettings(authorities="/nowhere/authorities.pem"), "No such file"),
        (AzureSettings(endpoint="http://management.example"), "http leads to this machine only"),
    ],
)
def test_what_is_wrong_before_any_call_is_told(settings: AzureSettings, says: str) -> None:
    with pytest.raises(InputError) as caught:
        check_account(settings)
    assert says in caught.value.line()


def test_a_file_that_holds_something_else_is_told_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "principal.json"
    path.write_text('{"clientSecret": "a-secret", "clientId": 5}')
    with pytest.raises(InputError, match="is not a service principal of Azure") as caught:
        check_account(AzureSettings(credentials=str(path)))
    assert "a-secret" not in caught.value.line()


def test_the_file_says_which_azure_it_is_for(tmp_path: Path) -> None:
    path = tmp_path / "principal.json"
    path.write_text(
        '{"clientId": "c", "clientSecret": "some-secret", "tenantId": "t",'
        ' "resourceManagerEndpointUrl": "https://management.chinacloudapi.cn/",'
        ' "activeDirectoryEndpointUrl": "https://login.chinacloudapi.cn"}'
    )
    named = AzureSettings(credentials=str(path))
    assert Keys(named).endpoint == "https://management.chinacloudapi.cn"
    own = replace(named, endpoint="https://management.example")
    assert Keys(own).endpoint == "https://management.example"
    assert Keys(AzureSettings()).endpoint == "https://management.azure.com"
