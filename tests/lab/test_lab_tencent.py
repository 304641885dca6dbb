"""The lab's Tencent API: as strict as the real one, asked by hand and by the SDK alone."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from tencent_cloud import Cloud, cloud
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from volact_lab.instances.estate import Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.limits import Limits
from volact_lab.tencent.front import PER_SECOND
from volact_lab.tencent.signature import Account, verify

VERSIONS = {"tat": "2020-10-28", "cvm": "2017-03-12"}


class Sdk:
    """The SDK's plainest client: any action, any parameters, no model of ours or its own."""

    def __init__(self, here: Cloud, keys: Account | None = None) -> None:
        self.here = here
        self.keys = keys or here.own

    async def __call__(
        self, action: str, parameters: Mapping[str, Any], *, service: str = "tat", region: str = ""
    ) -> dict[str, Any]:
        http = HttpProfile(protocol="http", endpoint=f"127.0.0.1:{self.here.front.port}")
        client = CommonClient(
            service,
            VERSIONS[service],
            Credential(self.keys.secret_id, self.keys.secret_key, self.keys.token or None),
            region or "ap-jakarta",
            ClientProfile(httpProfile=http),
        )
        answer = await asyncio.to_thread(client.call_json, action, dict(parameters))
        found: dict[str, Any] = answer["Response"]
        return found

    async def refusal(self, action: str, parameters: Mapping[str, Any], **how: str) -> str:
        with pytest.raises(TencentCloudSDKException) as caught:
            await self(action, parameters, **how)
        return str(caught.value.code)


def run(ids: list[str], text: str = "exit 0\r\n", **more: Any) -> dict[str, Any]:
    content = base64.b64encode(text.encode()).decode()
    return {"Content": content, "InstanceIds": ids, "CommandType": "BAT", **more}


# signatures


KEYS = Account("AKIDexample", "secret-example")


def signed(here: Cloud) -> tuple[dict[str, str], bytes]:
    """The headers and body that the SDK would send, taken off its own client."""
    http = HttpProfile(protocol="http", endpoint="tat.example")
    client = CommonClient(
        "tat",
        VERSIONS["tat"],
        Credential(KEYS.secret_id, KEYS.secret_key),
        "ap-jakarta",
        ClientProfile(httpProfile=http),
    )
    sent: dict[str, Any] = {}

    def keep(request: Any) -> Any:
        sent.update(headers=request.header, body=request.data)
        raise TencentCloudSDKException("Kept")

    client.request.send_request = keep
    with pytest.raises(TencentCloudSDKException):
        client.call_json("DescribeAutomationAgentStatus", {"Limit": 3})
    return {name.lower(): value for name, value in sent["headers"].items()}, sent["body"].encode()


async def test_what_the_sdk_signs_is_accepted_and_nothing_else() -> None:
    async with cloud(servers=1) as here:
        headers, body = signed(here)
        known, now = {KEYS.secret_id: KEYS}, time.time()
        assert verify(headers, body, known, now).service == "tat"
        wrong: dict[str, Callable[[], object]] = {
            "AuthFailure.SignatureFailure": partial(verify, headers, body + b" ", known, now),
            "AuthFailure.SecretIdNotFound": partial(verify, headers, body, {}, now),
            "AuthFailure.SignatureExpire": partial(verify, headers, body, known, now + 301),
            "AuthFailure.TokenFailure": partial(
                verify, headers, body, {KEYS.secret_id: replace(KEYS, token="t")}, now
            ),
            "AuthFailure.InvalidAuthorization": partial(
                verify, {**headers, "authorization": "Bearer x"}, body, known, now
            ),
        }
        for code, ask in wrong.items():
            with pytest.raises(ApiFault) as caught:
                ask()
            assert caught.value.code == code


async def test_another_host_or_key_is_another_signature() -> None:
    async with cloud(servers=1) as here:
        headers, body = signed(here)
        for changed, keys in (
            ({**headers, "host": "elsewhere.example"}, KEYS),
            (headers, replace(KEYS, secret_key="another")),
        ):
            with pytest.raises(ApiFault, match="SignatureFailure"):
                verify(changed, body, {KEYS.secret_id: keys}, time.time())


# requests


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"InstanceIds": ["ins-1"]}, "MissingParameter"),
        (run([]), "InvalidParameterValue"),
        (run(["nonsense"]), "InvalidParameterValue.InvalidInstanceId"),
        (run(["ins-nowhere"]), "ResourceNotFound.InstanceNotFound"),
        (run([f"ins-{n}" for n in range(201)]), "InvalidParameterValue.LimitExceeded"),
        (run(["ins-1"], "x" * 49153), "InvalidParameterValue.TooLong"),
        (run(["ins-1"], Timeout=0), "InvalidParameterValue.Range"),
        (run(["ins-1"], Timeout=86401), "InvalidParameterValue.Range"),
        (run(["ins-1"], CommandName="a b"), "InvalidParameterValue.InvalidCommandName"),
        (run(["ins-1"], CommandName="x" * 61), "InvalidParameterValue.InvalidCommandName"),
        (run(["ins-1"], Nonsense=1), "UnknownParameter"),
        ({**run(["ins-1"]), "Content": "%"}, "InvalidParameterValue.CommandContentInvalid"),
        ({**run(["ins-1"]), "Timeout": "60"}, "InvalidParameter"),
    ],
)
async def test_a_command_that_is_not_as_documented_is_refused(
    parameters: dict[str, Any], code: str
) -> None:
    async with cloud(servers=1) as here:
        assert await Sdk(here).refusal("RunCommand", parameters) == code


async def test_all_or_nothing() -> None:
    async with cloud(servers=3) as here:
        ids, ask = here.some(3), Sdk(here)
        here.front.estate.change(ids[1], agent="Offline")
        code = await ask.refusal("RunCommand", run(ids))
        assert code == "ResourceUnavailable.AgentStatusNotOnline"
        assert here.front.invocations.tasks == {}
        shell = {**run(ids[:1]), "CommandType": "SHELL"}
        unfit = await ask.refusal("RunCommand", shell)
        assert unfit == "InvalidParameterValue.AgentUnsupportedCommandType"
        assert await ask.refusal("RunCommand", run(ids[:1]), region="ap-mars") == (
            "UnsupportedRegion"
        )


async def test_output_is_hidden_unless_it_is_asked_for() -> None:
    async with cloud(servers=1) as here:
        ask = Sdk(here)
        started = await ask("RunCommand", run(here.some(1), "@echo off\r\necho hello\r\n"))
        filters = [{"Name": "invocation-id", "Values": [started["InvocationId"]]}]
        seen: list[str] = []
        while not seen or seen[-1] not in {"SUCCESS", "FAILED"}:
            tasks = await ask("DescribeInvocationTasks", {"Filters": filters})
            (task,) = tasks["InvocationTaskSet"]
            seen.append(task["TaskStatus"])
            assert task["TaskResult"]["Output"] == ""
            await asyncio.sleep(0.1)
        assert seen[-1] == "SUCCESS"
        shown = await ask("DescribeInvocationTasks", {"Filters": filters, "HideOutput": False})
        output = shown["InvocationTaskSet"][0]["TaskResult"]["Output"]
        assert base64.b64decode(output) == b"hello\r\n"


async def test_lists_come_in_pages() -> None:
    async with cloud(servers=130) as here:
        ask = Sdk(here)
        first = await ask("DescribeInstances", {}, service="cvm")
        assert (len(first["InstanceSet"]), first["TotalCount"]) == (20, 131)
        rest = await ask("DescribeInstances", {"Offset": 100, "Limit": 100}, service="cvm")
        assert len(rest["InstanceSet"]) == 31
        for wrong in ({"Limit": 101}, {"Limit": 0}, {"Offset": -1}):
            code = await ask.refusal("DescribeInstances", wrong, service="cvm")
            assert code == "InvalidParameterValue.Range"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"InstanceIds": ["ins-nowhere"]}, "InvalidInstanceId.NotFound"),
        ({"InstanceIds": ["x"]}, "InvalidInstanceId.Malformed"),
        ({"InstanceIds": ["ins-1"] * 101}, "InvalidParameterValue.LimitExceeded"),
        ({"Filters": [{"Name": "platform", "Values": ["Windows"]}]}, "InvalidFilter"),
        (
            {"Filters": [{"Name": "vpc-id", "Values": list("abcdef")}]},
            "LimitExceeded.FilterValueExceeded",
        ),
        (
            {"Filters": [{"Name": "vpc-id", "Values": ["a"]}] * 11},
            "InvalidParameterValue.LimitExceeded",
        ),
    ],
)
async def test_a_list_that_is_not_as_documented_is_refused(
    parameters: dict[str, Any], code: str
) -> None:
    async with cloud(servers=1) as here:
        assert await Sdk(here).refusal("DescribeInstances", parameters, service="cvm") == code


def test_more_than_the_limit_in_a_second_is_refused() -> None:
    now = [0.0]
    limits = Limits(PER_SECOND, "RequestLimitExceeded", clock=lambda: now[0])
    for _ in range(20):
        limits.admit("AKID", "ap-jakarta", "RunCommand")
    limits.admit("AKID", "ap-jakarta", "DescribeInvocationTasks")
    limits.admit("AKID", "ap-singapore", "RunCommand")
    limits.admit("AKIDother", "ap-jakarta", "RunCommand")
    with pytest.raises(ApiFault, match="RequestLimitExceeded"):
        limits.admit("AKID", "ap-jakarta", "RunCommand")
    now[0] = 1.0
    limits.admit("AKID", "ap-jakarta", "RunCommand")


async def test_the_rate_is_held_over_the_wire() -> None:
    async with cloud(servers=1) as here:
        here.front.limits.clock = lambda: 0.0  # one second, however long the requests take
        ask = Sdk(here)
        many = (ask("DescribeInvocationTasks", {}) for _ in range(25))
        results = await asyncio.gather(*many, return_exceptions=True)
        codes = [r.code for r in results if isinstance(r, TencentCloudSDKException)]
        assert codes == ["RequestLimitExceeded"] * 5
        here.front.limits.refused = 0


# what runs


async def test_a_script_runs_as_the_system_with_one_pipe_for_all_output() -> None:
    async with cloud(servers=1) as here:
        ask, ids = Sdk(here), here.some(1)
        text = "@echo off\r\necho %USERNAME%\r\nnothing-of-the-kind\r\necho %CD%\r\n"
        started = await ask("RunCommand", run(ids, text))
        output = (await _result(here, started["InvocationId"]))["Output"]
        lines = output.decode().splitlines()
        machine = here.lab.machine(next(iter(here.ids)))
        assert lines[0] == f"{machine.name}$"
        assert "nothing-of-the-kind" in lines[1]
        assert lines[-1] == "C:\\Program Files\\QCloud\\tat_agent\\workdir"
        assert machine.as_system is False


async def _result(here: Cloud, invocation: str) -> dict[str, Any]:
    (task,) = here.front.invocations.of(invocation)
    while task.status not in {"SUCCESS", "FAILED"}:
        await asyncio.sleep(0.01)
    return {"Output": task.output, "ExitCode": task.exit_code}


async def test_a_script_that_runs_too_long_is_ended() -> None:
    async with cloud("tencent", servers=40) as here:
        (hanging,) = here.some(1, line="hang")
        started = await Sdk(here)("RunCommand", run([hanging], Timeout=1))
        (task,) = here.front.invocations.of(started["InvocationId"])
        while task.status in {"PENDING", "DELIVERING", "RUNNING"}:
            await asyncio.sleep(0.01)
        assert task.status == "TIMEOUT"


async def test_cancelling_needs_an_instance_that_has_a_part() -> None:
    async with cloud("tencent", servers=40) as here:
        ask, (hanging,) = Sdk(here), here.some(1, line="hang")
        started = await ask("RunCommand", run([hanging]))
        invocation = started["InvocationId"]
        wrong = {"InvocationId": invocation, "InstanceIds": ["ins-other"]}
        code = await ask.refusal("CancelInvocation", wrong)
        assert code == "InvalidParameterValue.InstanceIsNotRelatedToInvocation"
        assert await ask.refusal("CancelInvocation", {"InvocationId": "inv-none"}) == (
            "ResourceNotFound.InvocationNotFound"
        )
        await ask("CancelInvocation", {"InvocationId": invocation})
        (task,) = here.front.invocations.of(invocation)
        while task.status not in {"CANCELLED", "TERMINATED"}:
            await asyncio.sleep(0.01)


async def test_metadata_and_the_api_tell_the_same() -> None:
    async with cloud("images", servers=30) as here:
        for slot in here.lab.slots.values():
            instance = here.front.estate.find(slot.spec.instance_id)
            assert isinstance(instance, Instance)
            metadata = slot.machine.metadata
            assert metadata["instance-id"] == instance.id
            assert metadata["instance/image-id"] == instance.image
            assert metadata["placement/region"] == instance.region
        assert len({slot.spec.instance_id for slot in here.lab.slots.values()}) == 30


async def test_an_error_is_json_with_a_request_id() -> None:
    async with cloud(servers=1) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.front.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(length))["Response"]
        assert b"content-type: application/json\r\n" in head.lower()
        assert answer["Error"]["Code"] == "AuthFailure.InvalidAuthorization"
        assert len(answer["RequestId"]) == 36
        writer.close()
        await writer.wait_closed()
