"""AWS's run-command on simulated servers: batches, ends, failures, limits, keys."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from aws_cloud import HOME, Aws, aws, keys_file
from botocore.exceptions import BotoCoreError, ClientError
from cloud_lab import HELLO, bad, bat, fault, good, ready_all, run_all, run_late

from volact.cloud.aws.account import check_account, open_account
from volact.cloud.aws.declaration import AwsSettings
from volact.cloud.aws.failures import as_failure
from volact.cloud.aws.run_command import LIMITS, output, unfit
from volact.cloud.aws.sdk import Keys
from volact.cloud.aws.ssm import Agent, Output
from volact.errors import InputError
from volact.transports.base import Raw
from volact_lab.aws.signature import Account
from volact_lab.winrm.http import Reply

TEMPORARY = Account("ASIATEMPORARY0000000", "temporary-secret-key", "the-right-token")


# what goes together


async def test_equal_scripts_go_out_in_as_few_calls_as_the_api_takes(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=130) as here:
        ids = here.some(65)
        results = await run_all(here.region(), ids, deadline_s=60)
        assert len(ids) == 65
        assert all(b"VOLACT1 hello from" in good(result).stdout for result in results.values())
        assert len({good(result).stdout for result in results.values()}) == 65
        assert here.front.calls["SendCommand"] == 2
        assert here.front.calls["GetCommandInvocation"] == 65
        assert {here.executions(name) for name in ids} == {1}


async def test_one_instance_that_is_refused_costs_only_itself(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=20) as here:
        ids = here.some(8)
        own = here.own
        here.front.accounts[own.access_key] = Account(
            own.access_key, own.secret_key, denied=frozenset({ids[2]})
        )
        here.front.estate.change(ids[5], agent="")
        results = await run_all(here.region(), ids)
        assert bad(results.pop(ids[2])).kind == "auth"
        assert "InvalidInstanceId" in bad(results.pop(ids[5])).message
        assert all(isinstance(result, Raw) for result in results.values())
        assert {here.executions(name) for name in results} == {1}


async def test_an_action_that_is_forbidden_is_asked_for_once(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=12) as here:
        here.fail("DescribeInstanceInformation", -1, fault("AccessDeniedException", "no, no"))
        for error in (await ready_all(here.region(), here.some(6))).values():
            assert (bad(error).kind, "no, no" in bad(error).message) == ("auth", True)
        assert here.front.calls["DescribeInstanceInformation"] == 1


# before anything is sent


async def test_who_cannot_be_asked_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=12) as here:
        ids = here.some(4)
        here.front.estate.change(ids[1], agent="Offline")
        here.front.estate.change(ids[2], agent="")
        here.front.estate.change(ids[3], state="STOPPED")
        linux, nowhere = "i-00000000000000000", "i-0123456789abcdef0"
        standing = await ready_all(here.region(), [*ids, linux, nowhere])
        assert standing.pop(ids[0]) is None
        words = {
            ids[1]: ("connect", "the SSM agent is ConnectionLost (last ping 2026-"),
            ids[2]: ("connect", "no SSM agent is known"),
            ids[3]: ("connect", "no SSM agent is known"),
            linux: ("agent", "runs Linux"),
            nowhere: ("connect", "no SSM agent is known"),
        }
        for name, (kind, text) in words.items():
            assert (bad(standing[name]).kind, text in bad(standing[name]).message) == (kind, True)
        assert here.front.calls["SendCommand"] == 0


async def test_the_agents_of_every_page_are_known(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=24) as here:
        here.front.ssm.most = 5
        ids = here.some(12)
        assert set((await ready_all(here.region(), ids)).values()) == {None}
        assert here.front.calls["DescribeInstanceInformation"] == 3


def test_an_agent_that_says_little_is_told_too() -> None:
    error = unfit(Agent(instance_id="i-1"))
    assert error is not None
    assert "is unknown (last ping never)" in error.message


# requests that fail


async def test_a_command_that_was_throttled_is_sent_again(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=4) as here:
        ids = here.some(2)
        here.fail("SendCommand", 2, fault("ThrottlingException", "Rate exceeded"))
        results = await run_all(here.region(), ids)
        assert all(isinstance(result, Raw) for result in results.values())
        assert here.front.calls["SendCommand"] == 3
        assert [here.executions(name) for name in ids] == [1, 1]


@pytest.mark.parametrize(
    "trouble",
    [fault("InternalServerError"), fault("InvalidDocument"), lambda: Reply(502, b"bad gateway")],
    ids=["inside", "document", "gateway"],
)
async def test_a_command_that_may_have_begun_is_not_sent_again(
    tmp_path: Path, trouble: Any
) -> None:
    async with aws(tmp_path, servers=4) as here:
        here.fail("SendCommand", 1, trouble)
        results = await run_all(here.region(), here.some(2))
        assert {bad(result).kind for result in results.values()} <= {"connect", "protocol"}
        assert here.front.calls["SendCommand"] == 1


@pytest.mark.parametrize(
    "trouble",
    [fault("InternalServerError"), fault("ThrottlingException"), lambda: Reply(503, b"busy")],
    ids=["inside", "rate", "gateway"],
)
async def test_questions_are_repeated(tmp_path: Path, trouble: Any) -> None:
    async with aws(tmp_path, servers=4) as here:
        ids, region = here.some(2), here.region()
        for action in ("DescribeInstanceInformation", "ListCommandInvocations"):
            here.fail(action, 2, trouble)
            assert set((await ready_all(region, ids)).values()) == {None}
            results = await run_all(region, ids)
            assert all(isinstance(result, Raw) for result in results.values())
        here.fail("GetCommandInvocation", 7, trouble)
        results = await run_all(region, ids)
        assert all(isinstance(result, Raw) for result in results.values())


async def test_an_output_that_is_refused_for_good_ends_the_waiting(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=2) as here:
        here.fail("GetCommandInvocation", -1, fault("AccessDeniedException", "not yours"))
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert (bad(result).kind, "not yours" in bad(result).message) == ("auth", True)
        assert here.front.calls["GetCommandInvocation"] == 1


async def test_an_answer_that_is_not_as_agreed_is_a_protocol_error(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=2) as here:
        here.fail("SendCommand", 1, lambda: Reply(200, b"{}", "application/x-amz-json-1.1"))
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert bad(result).kind == "protocol"


# how a task ends


@pytest.mark.parametrize(
    ("status", "details", "kind", "words"),
    [
        ("TimedOut", "DeliveryTimedOut", "connect", "could not be delivered"),
        ("TimedOut", "Delivery Timed Out", "connect", "could not be delivered"),
        ("TimedOut", "ExecutionTimedOut", "timeout", "did not end in time"),
        ("Failed", "Undeliverable", "connect", "could not be delivered"),
        ("Failed", "AccessDenied", "auth", "may not do this"),
        ("Failed", "Invalid Platform", "agent", "no Windows server"),
        ("Cancelled", "Cancelled", "connect", "cancelled"),
        ("Cancelled", "Terminated", "connect", "before it started"),
        ("SomethingNew", "", "protocol", "SomethingNew"),
    ],
)
async def test_every_end_of_a_task_has_its_kind(
    tmp_path: Path, status: str, details: str, kind: str, words: str
) -> None:
    async with aws(tmp_path, servers=2) as here:
        here.front.invocations.fate = lambda _task: (status, details)
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert bad(result).kind == kind
        assert words in bad(result).message
        assert (details or status) in bad(result).message


async def test_an_exit_code_and_errors_come_back(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=2) as here:
        script = bat("echo said", "echo wrong 1>&2", "exit 3")
        (result,) = (await run_all(here.region(), here.some(1), script)).values()
        raw = good(result)
        assert (raw.exit_status, raw.stdout, raw.stderr) == (3, b"said\r\n", b"wrong \r\n")


async def test_output_that_was_cut_is_noticed(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=2) as here:
        ids, region = here.some(1), here.region()
        whole = bat(f"for /L %%i in (1,1,240) do echo {'x' * 98}", "exit 0")
        (result,) = (await run_all(region, ids, whole)).values()
        assert len(good(result).stdout) == 24_000
        more = bat(f"for /L %%i in (1,1,241) do echo {'x' * 98}", "exit 0")
        (result,) = (await run_all(region, ids, more)).values()
        assert bad(result).kind == "protocol"
        assert bad(result).message == (
            "the answer is truncated: SSM keeps 24000 bytes of output and dropped the rest"
        )


@pytest.mark.parametrize("mark", ["--output truncated--", "\n---Output truncated---"])
def test_the_marks_of_the_agent_for_what_it_cut_are_known(mark: str) -> None:
    assert output(Output(standard_output_content=f"x{mark}")).dropped == -1
    assert output(Output(standard_output_content=f"{mark}x")).dropped == 0


async def test_an_output_that_is_not_there_yet_is_awaited(tmp_path: Path) -> None:
    """What lists commands may know of an end before what has the output does."""
    async with aws(tmp_path, servers=2) as here:
        early = b'{"Status": "InProgress", "ResponseCode": -1, "StandardOutputContent": ""}'
        here.fail(
            "GetCommandInvocation", 2, lambda: Reply(200, early, "application/x-amz-json-1.1")
        )
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert good(result).stdout
        assert here.front.calls["GetCommandInvocation"] == 3


async def test_an_instance_that_is_no_longer_managed_is_told_as_that(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=2) as here:
        here.fail("SendCommand", 1, fault("InvalidInstanceId", "not in a valid state for account"))
        (result,) = (await run_all(here.region(), here.some(1))).values()
        assert "SSM cannot reach the instance" in bad(result).message
        assert "its SSM agent online" in bad(result).hint


async def test_no_execution_time_is_below_that_which_the_agent_takes(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=2) as here:
        for asked in (3, 60):
            command = here.command(HOME)
            await command.start(here.some(1), HELLO, name="volact", timeout_s=asked)
        orders = here.front.invocations.orders.values()
        assert [order.timeout_s for order in orders] == [5, 60]


async def test_a_script_that_is_too_long_is_not_sent(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=2) as here:
        script = HELLO + b"rem " + b"x" * LIMITS.script_bytes
        (result,) = (await run_all(here.region(), here.some(1), script)).values()
        assert (bad(result).kind, here.front.calls["SendCommand"]) == ("protocol", 0)


async def test_a_deadline_cancels_the_task_and_says_where_it_stood(tmp_path: Path) -> None:
    async with aws(tmp_path, "clouds", servers=60) as here:
        hangs = next(slot.spec for slot in here.lab.slots.values() if slot.line == "hang")
        region = here.region(hangs.region)
        result = await run_late(here.front, region, hangs.instance_id)
        assert bad(result).kind == "timeout"
        assert "within 600 s (the task is InProgress)" in bad(result).message
        assert here.front.calls["CancelCommand"] == 1
        (order,) = here.front.invocations.orders.values()
        assert 300 < order.timeout_s <= 600
        tasks = here.front.invocations.tasks.values()
        while any(task.status in {"RUNNING", "CANCELLING"} for task in tasks):
            await asyncio.sleep(0.01)
        assert [task.status for task in tasks] == ["TERMINATED"]


# errors of the SDK


def shapes() -> list[Exception]:
    """Every exception that the SDK has, made as it makes them."""
    kinds = [
        kind
        for kind in vars(botocore.exceptions).values()
        if isinstance(kind, type) and issubclass(kind, BotoCoreError)
    ]
    made: list[Exception] = []
    for kind in kinds:
        try:
            made.append(kind(error="why", endpoint_url="https://x", msg="why"))
        except (KeyError, TypeError):  # it wants words of its own
            made.append(type(kind.__name__, (Exception,), {})("why"))
    return made


def test_no_shape_of_an_error_is_without_a_kind_and_a_line() -> None:
    assert len(shapes()) > 50
    for error in shapes():
        told = as_failure(error, str)
        assert told.line().isprintable()
        if any(word in type(error).__name__ for word in ("Connect", "Timeout", "SSL", "Proxy")):
            assert (told.kind, told.again) == ("connect", "unsure"), error
        if any(word in type(error).__name__ for word in ("Credential", "Token", "SSO")):
            assert told.kind == "auth", error
    answers: list[dict[str, Any]] = [{"Error": {}}, {"Error": {"Code": 3}}, {}]
    answers.append({"Error": {"Code": "\x1b[2J"}})
    for answer in answers:
        assert as_failure(ClientError(answer, "X"), str).line().isprintable()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RequestExpired", "auth"),
        ("ExpiredTokenException", "auth"),
        ("AuthFailure", "auth"),
        ("UnauthorizedOperation", "auth"),
        ("com.amazonaws.ssm#ThrottlingException", "connect"),
        ("InvalidInstanceID.NotFound", "connect"),
        ("UnsupportedPlatformType", "agent"),
        ("InvalidNextToken", "protocol"),
        ("NeverHeardOf", "protocol"),
    ],
)
def test_codes_of_the_api_have_kinds(code: str, kind: str) -> None:
    error = as_failure(ClientError({"Error": {"Code": code, "Message": "says so"}}, "X"), str)
    assert error.kind == kind
    assert "says so" in error.message


@pytest.mark.parametrize("code", ["RequestExpired", "SignatureExpired"])
def test_what_has_expired_is_told(code: str) -> None:
    """EC2 says RequestExpired of temporary keys too."""
    error = as_failure(ClientError({"Error": {"Code": code}}, "DescribeInstances"), str)
    assert ("get new temporary keys" in error.hint) == (code == "RequestExpired")
    assert "set the clock of this machine" in error.hint


# keys


async def test_temporary_keys_work_and_wrong_ones_do_not(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=2) as here:
        here.front.accounts[TEMPORARY.access_key] = TEMPORARY
        ids = here.some(1)
        right = Aws(here.lab, tmp_path, TEMPORARY)
        assert (await ready_all(right.region(), ids))[ids[0]] is None
        for wrong in (
            Account(TEMPORARY.access_key, TEMPORARY.secret_key, "another-token"),
            Account(TEMPORARY.access_key, "another-secret-key", TEMPORARY.token),
            Account("ASIANOBODY0000000000", TEMPORARY.secret_key),
        ):
            error = (await ready_all(Aws(here.lab, tmp_path, wrong).region(), ids))[ids[0]]
            assert bad(error).kind == "auth"


async def test_a_role_without_a_region_is_asked_for_in_that_of_the_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    async with aws(tmp_path, servers=2) as here:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", here.front.endpoint)
        path = keys_file(tmp_path / "role.ini", here.own, "own")
        role = "[fleet]\nrole_arn = arn:aws:iam::123456789012:role/volact\nsource_profile = own\n"
        path.write_text(path.read_text() + role)
        settings = AwsSettings(endpoint=here.front.endpoint, credentials=str(path), profile="fleet")
        account = await open_account(settings)
        found = await account.list_servers(HOME).list_servers({})
        assert {one.id for one in found.instances} >= set(here.some(2))
        assert (here.front.calls["AssumeRole"], here.front.calls["DescribeInstances"]) == (1, 1)


async def test_no_key_and_no_token_is_in_a_message_or_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with aws(tmp_path, servers=2) as here:
        here.front.accounts[TEMPORARY.access_key] = TEMPORARY
        ids, own = here.some(1), Aws(here.lab, tmp_path, TEMPORARY)
        words = f"{TEMPORARY.access_key}, {TEMPORARY.secret_key} and {TEMPORARY.token} are wrong"
        assert (await ready_all(own.region(), ids))[ids[0]] is None
        here.fail("SendCommand", 1, fault("AccessDeniedException", words))
        error = bad((await run_all(own.region(), ids))[ids[0]])
    assert "***, *** and *** are wrong" in error.message
    assert caplog.records
    for secret in (TEMPORARY.secret_key, TEMPORARY.token):
        assert secret not in caplog.text + error.line()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (AwsSettings(credentials="/nowhere/keys.ini"), "No such file"),
        (AwsSettings(profile="no-such-profile"), "there is no such profile"),
        (AwsSettings(endpoint="http://ssm.example"), "http leads to this machine only"),
    ],
)
def test_what_is_wrong_before_any_call_is_told(settings: AwsSettings, says: str) -> None:
    with pytest.raises(InputError) as caught:
        check_account(settings)
    assert says in caught.value.line()


def test_a_file_that_holds_something_else_is_told_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "keys.ini"
    path.write_text("AKIASECRET = here\n")
    with pytest.raises(InputError) as caught:
        check_account(AwsSettings(credentials=str(path)))
    assert str(path) in caught.value.line()
    assert "AKIA" not in caught.value.line()


async def test_where_keys_were_sought_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    check_account(AwsSettings())  # a role is not asked for before the start
    with pytest.raises(InputError, match="no AWS credentials were found"):
        await open_account(AwsSettings())


def test_a_named_file_rules_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "environment-key")
    prod = keys_file(tmp_path / "prod.ini", TEMPORARY, "prod")
    plain = keys_file(tmp_path / "plain.ini", TEMPORARY)
    for settings, key in (
        (AwsSettings(), "AKIAENVIRONMENT"),
        (AwsSettings(credentials=str(plain)), TEMPORARY.access_key),
        (AwsSettings(credentials=str(prod), profile="prod"), TEMPORARY.access_key),
    ):
        assert Keys(settings).session.get_credentials().access_key == key


class _Role(BaseHTTPRequestHandler):
    """The role of a container, which has keys of another account."""

    def do_GET(self) -> None:
        body = json.dumps(
            {
                "AccessKeyId": "AKIAOFTHEROLE",
                "SecretAccessKey": "a secret of the role",
                "Token": "a token",
                "Expiration": "2999-01-01T00:00:00Z",
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_a_named_file_without_keys_is_not_replaced_by_a_role_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.ini"
    path.write_text("[default]\naws_acess_key_id = AKIAMISTYPED\n")
    with HTTPServer(("127.0.0.1", 0), _Role) as role:
        thread = threading.Thread(target=role.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{role.server_port}/"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        try:
            Keys(AwsSettings()).find()  # the role is there
            with pytest.raises(InputError, match="no AWS credentials were found") as caught:
                Keys(AwsSettings(credentials=str(path))).find()
        finally:
            role.shutdown()
            thread.join()
    assert caught.value.line().startswith(f"{path} [default]: ")
    assert "aws_access_key_id" in caught.value.hint
    assert "MISTYPED" not in caught.value.line()
