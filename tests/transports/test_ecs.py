"""Alibaba Cloud's run-command on simulated servers: batches, files, ends, failures, keys."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alibaba_cloud import Alibaba, alibaba, keys_file
from alibabacloud_tea_openapi.exceptions import (
    ClientException,
    ServerException,
    ThrottlingException,
)
from cloud_lab import HELLO, bad, bat, fault, good, ready_all, run_all, run_late
from darabonba.exceptions import RetryError

from volact.cloud.alibaba.account import check_account, open_account
from volact.cloud.alibaba.assistant import MAX_FILE, Agent, Task
from volact.cloud.alibaba.declaration import AlibabaSettings
from volact.cloud.alibaba.failures import as_failure
from volact.cloud.alibaba.run_command import LIMITS, outcome, unfit
from volact.cloud.alibaba.sdk import Keys
from volact.errors import InputError, TransportError
from volact.transports.base import Raw
from volact_lab.alibaba.signature import Account
from volact_lab.instances.agent import SYSTEM_TEMP
from volact_lab.winrm.http import Reply

# what goes together


async def test_a_script_and_its_file_go_out_once_for_many(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=110) as here:
        ids = here.some(55)
        script = HELLO.replace(b"exit 0", b'del /q /f "%~f0" & exit 0')
        results = await run_all(here.region(), ids, script, deadline_s=60)
        assert len({good(result).stdout for result in results.values()}) == 55
        assert here.front.calls["RunCommand"] == here.front.calls["SendFile"] == 2
        assert {here.executions(name) for name in ids} == {1}
        for name in ids:
            slot = here.front.estate.slot(name)
            assert slot is not None
            assert list(slot.machine.files.children(SYSTEM_TEMP)) == []


async def test_a_file_that_does_not_come_is_told(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=2) as here:
        nothing = b'{"RequestId": "x", "InvokeId": "f-1"}'
        here.fail("SendFile", 1, lambda: Reply(200, nothing, "application/json"))
        (name,) = here.some(1)
        slot = here.front.estate.slot(name)
        assert slot is not None
        slot.machine.world = replace(slot.machine.world, file_patience=0.01)
        (result,) = (await run_all(here.region(), [name])).values()
        assert (bad(result).kind, here.front.calls["SendFile"]) == ("connect", 1)
        assert "did not arrive within 60 s" in bad(result).message


async def test_a_file_that_cannot_be_sent_ends_the_script_that_waits(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=2) as here:
        here.fail("SendFile", -1, fault("Forbidden.RAM", "no file"))
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert (bad(result).kind, "no file" in bad(result).message) == ("auth", True)
        assert here.front.calls["StopInvocation"] == 1


@pytest.mark.parametrize(
    ("answers", "passing"),
    [
        (["InternalError", *["Throttling.User"] * 4], "never"),
        (["InternalError", "InvalidInstance.NotFound"], "never"),
        (["Throttling.User"] * 5, "refused"),
    ],
    ids=["lost, then throttled", "lost, then refused", "throttled"],
)
async def test_a_script_may_run_whose_file_may_have_come(
    tmp_path: Path, answers: list[str], passing: str
) -> None:
    async with alibaba(tmp_path, servers=4) as here:
        left = list(answers)

        def answer(action: str, _parameters: dict[str, Any]) -> Any:
            if action == "StopInvocation":
                return fault("Throttling.User")()
            return fault(left.pop(0))() if action == "SendFile" else None

        here.front.mischief = answer
        results = await run_all(here.region(), here.some(2))
        assert {bad(result).passing for result in results.values()} == {passing}
        assert (left, here.front.calls["RunCommand"]) == ([], 1)


async def test_one_instance_that_is_refused_costs_only_itself(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=20) as here:
        ids, own = here.some(8), here.own
        here.front.accounts[own.access_key] = Account(
            own.access_key, own.secret_key, denied=frozenset({ids[2]})
        )
        here.front.estate.change(ids[5], state="STOPPED")
        results = await run_all(here.region(), ids)
        assert bad(results.pop(ids[2])).kind == "auth"
        assert "IncorrectInstanceStatus" in bad(results.pop(ids[5])).message
        assert {here.executions(name) for name in results} == {1}


# before anything is sent


async def test_who_cannot_be_asked_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=8) as here:
        ids = here.some(3)
        here.front.estate.change(ids[1], agent="Offline")
        here.front.estate.change(ids[2], agent="")
        linux, nowhere = "i-bplinux000000000000", "i-bp1nowhere00000000"
        standing = await ready_all(here.region(), [*ids, linux, nowhere])
        assert standing.pop(ids[0]) is None
        words = {
            ids[1]: ("connect", "is not online (last heartbeat 2026-"),
            ids[2]: ("connect", "is not online (last heartbeat never)"),
            linux: ("agent", "runs Linux"),
            nowhere: ("connect", "there is no such instance"),
        }
        for name, (kind, text) in words.items():
            assert (bad(standing[name]).kind, text in bad(standing[name]).message) == (kind, True)
        assert here.front.calls["RunCommand"] == 0


def test_an_agent_that_says_little_is_told_too() -> None:
    error = unfit(Agent(instance_id="i-1"))
    assert error is not None
    assert error.kind == "connect"


# requests that fail


async def test_a_command_that_was_throttled_is_sent_again(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=4) as here:
        ids = here.some(2)
        here.fail("RunCommand", 2, fault("Throttling.User"))
        results = await run_all(here.region(), ids)
        assert all(isinstance(result, Raw) for result in results.values())
        assert here.front.calls["RunCommand"] == 3
        assert [here.executions(name) for name in ids] == [1, 1]


@pytest.mark.parametrize(
    "trouble",
    [fault("InternalError"), fault("InvalidParameter.New"), lambda: Reply(502, b"bad gateway")],
    ids=["inside", "parameter", "gateway"],
)
async def test_a_command_that_may_have_begun_is_not_sent_again(
    tmp_path: Path, trouble: Any
) -> None:
    async with alibaba(tmp_path, servers=4) as here:
        here.fail("RunCommand", 1, trouble)
        results = await run_all(here.region(), here.some(2))
        assert {bad(result).kind for result in results.values()} <= {"connect", "protocol"}
        assert here.front.calls["RunCommand"] == 1


@pytest.mark.parametrize(
    "trouble",
    [fault("InternalError"), fault("Throttling.Api")],
    ids=["inside", "rate"],
)
async def test_questions_and_files_are_repeated(tmp_path: Path, trouble: Any) -> None:
    async with alibaba(tmp_path, servers=4) as here:
        ids, region = here.some(2), here.region()
        here.fail("DescribeCloudAssistantStatus", 2, trouble)
        assert set((await ready_all(region, ids)).values()) == {None}
        for action in ("DescribeInvocationResults", "SendFile"):
            here.fail(action, 2, trouble)
            results = await run_all(region, ids)
            assert all(isinstance(result, Raw) for result in results.values())


async def test_an_answer_that_is_not_as_agreed_is_a_protocol_error(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=2) as here:
        for body in (b"{}", b"[]", b"not JSON"):
            here.fail("RunCommand", 1, partial(Reply, 200, body, "application/json"))
            (result,) = (await run_all(here.region(), here.some(1))).values()
            assert bad(result).kind == "protocol"


# how a task ends


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ("Aborted", "connect", "could not be delivered"),
        ("Invalid", "agent", "does not fit"),
        ("Error", "agent", "could not run"),
        ("Timeout", "timeout", "did not end in time"),
        ("Cancelled", "connect", "cancelled"),
        ("Terminated", "agent", "was ended"),
        ("SomethingNew", "protocol", "SomethingNew"),
    ],
)
async def test_every_end_of_a_task_has_its_kind(
    tmp_path: Path, status: str, kind: str, words: str
) -> None:
    async with alibaba(tmp_path, servers=2) as here:
        here.front.invocations.fate = lambda _task: (status, "as the API says it")
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert bad(result).kind == kind
        assert words in bad(result).message
        assert f"{status}: as the API says it" in bad(result).message


def test_output_that_is_no_base64_is_told() -> None:
    task = Task(invoke_id="t", instance_id="i", invocation_status="Success", output="%%")
    result = outcome(task)
    assert isinstance(result, TransportError)
    assert result.kind == "protocol"


async def test_output_that_was_cut_is_noticed(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=2) as here:
        ids, region = here.some(1), here.region()
        whole = bat(f"for /L %%i in (1,1,240) do echo {'x' * 98}", "exit 3")
        (result,) = (await run_all(region, ids, whole)).values()
        assert (len(good(result).stdout), good(result).exit_status) == (24_000, 3)
        more = bat(f"for /L %%i in (1,1,300) do echo {'x' * 98}", "exit 0")
        (result,) = (await run_all(region, ids, more)).values()
        assert bad(result).message == (
            "the answer is truncated: Cloud Assistant keeps 24 KB of output and dropped 5424 bytes"
        )


async def test_a_script_that_is_too_large_is_not_sent(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=2) as here:
        import base64
        import random

        noise = base64.b64encode(random.Random(1).randbytes(34 * 1024)).decode().encode()
        for script in (HELLO + b"x" * LIMITS.script_bytes, HELLO + b"rem " + noise):
            (result,) = (await run_all(here.region(), here.some(1), script)).values()
            assert bad(result).kind == "protocol"
        assert len(noise) < LIMITS.script_bytes
        assert len(noise) > MAX_FILE
        assert here.front.calls["RunCommand"] == 0


async def test_a_deadline_stops_the_task_and_says_where_it_stood(tmp_path: Path) -> None:
    async with alibaba(tmp_path, "clouds", servers=60) as here:
        hangs = next(slot.spec for slot in here.lab.slots.values() if slot.line == "hang")
        region = here.region(hangs.region)
        result = await run_late(here.front, region, hangs.instance_id)
        assert bad(result).kind == "timeout"
        assert "within 600 s (the task is Running)" in bad(result).message
        assert here.front.calls["StopInvocation"] == 1


# errors of the SDK


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClientException(code="InvalidAccessKeyId.NotFound", message="m"), "auth"),
        (ClientException(code="SignatureDoesNotMatch", message="m"), "auth"),
        (ClientException(code="InvalidTimeStamp.Expired", message="m"), "auth"),
        (ClientException(code="Forbidden.RAM", message="m"), "auth"),
        (ClientException(code="InvalidInstance.NotFound", message="m"), "connect"),
        (ClientException(code="InvalidInstance.NotMatch", message="m"), "agent"),
        (ClientException(code="NeverHeardOf", message="\x1b[2J"), "protocol"),
        (ClientException(code="None", message=None), "protocol"),
        (ServerException(code="None", message="m", status_code=503), "connect"),
        (ThrottlingException(code="Throttling", message="m"), "connect"),
        (RetryError("HTTPSConnectionPool: Read timed out."), "connect"),
        (AttributeError("'list' object has no attribute 'get'"), "protocol"),
    ],
    ids=lambda item: getattr(item, "code", None) or type(item).__name__,
)
def test_every_shape_of_an_error_becomes_one_kind_and_one_line(error: Any, kind: str) -> None:
    told = as_failure(error, str)
    assert told.kind == kind
    assert told.line().isprintable()


@pytest.mark.parametrize(("asked", "seconds"), [(2_500, 2.5), (10**400, 10**6), (None, 0)])
def test_a_wait_of_any_number_of_digits_is_a_wait(asked: int | None, seconds: float) -> None:
    error = ThrottlingException(code="Throttling", message="m", retry_after=asked)
    assert as_failure(error, str).after_s == seconds


# keys


async def test_wrong_keys_are_an_auth_error_and_in_no_message_or_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with alibaba(tmp_path, servers=2) as here:
        ids, folder = here.some(1), tmp_path / "wrong"
        folder.mkdir()
        for wrong in (
            Account(here.own.access_key, "another-secret-key"),
            Account("LTAInobody00000000", here.own.secret_key),
        ):
            error = (await ready_all(Alibaba(here.lab, folder, wrong).region(), ids))[ids[0]]
            assert bad(error).kind == "auth"
        words = f"{here.own.access_key} and {here.own.secret_key} are wrong"
        here.fail("DescribeCloudAssistantStatus", 1, fault("Forbidden.RAM", words))
        error = bad((await ready_all(here.region(), ids))[ids[0]])
    assert "*** and *** are wrong" in error.message
    assert here.own.secret_key not in caplog.text + error.line()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (AlibabaSettings(credentials="/nowhere/keys.ini"), "No such file"),
        (AlibabaSettings(endpoint="http://ecs.example"), "http leads to this machine only"),
    ],
)
def test_what_is_wrong_before_any_call_is_told(settings: AlibabaSettings, says: str) -> None:
    with pytest.raises(InputError) as caught:
        check_account(settings)
    assert says in caught.value.line()


def test_a_file_that_holds_something_else_is_told_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "keys.ini"
    path.write_text("LTAISECRET = here\n")
    with pytest.raises(InputError, match="is not a file of profiles") as caught:
        check_account(AlibabaSettings(credentials=str(path)))
    assert "LTAI" not in caught.value.line()
    keys_file(path, Account("LTAIx", "y"), "prod")
    with pytest.raises(InputError, match="has no section"):
        check_account(AlibabaSettings(credentials=str(path)))
    check_account(AlibabaSettings(credentials=str(path), profile="prod"))


async def test_where_keys_were_sought_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keys.ini"
    path.write_text("[default]\ntype = of another kind\n")
    with pytest.raises(InputError, match="no Alibaba Cloud credentials were found") as caught:
        await open_account(AlibabaSettings(credentials=str(path)))
    # The environment and roles of this machine are not asked where a file is named.
    assert caught.value.line().startswith(f"{path} [default]: ")
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" not in caught.value.hint


def test_the_sdk_writes_nothing_beside_the_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It has handlers of its own, which wrote tracebacks to the terminal."""
    path, token = tmp_path / "keys.ini", tmp_path / "no-such-token"
    path.write_text(
        "[default]\ntype = oidc_role_arn\nrole_arn = r\noidc_provider_arn = p\n"
        f"role_session_name = s\noidc_token_file_path = {token}\n"
    )
    with pytest.raises(InputError, match="no Alibaba Cloud credentials were found"):
        Keys(AlibabaSettings(credentials=str(path))).find()
    assert not caplog.records
