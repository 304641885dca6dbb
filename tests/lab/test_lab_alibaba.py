"""The lab's Alibaba Cloud API: as strict as the real one, asked by hand and by the SDK alone."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from alibaba_cloud import HOME, Alibaba, alibaba
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from volact.agent.wrap import deflated, waiting_powershell
from volact.cloud.alibaba.sdk import Keys
from volact_lab.alibaba.signature import Account, Verifier
from volact_lab.errors import LabError
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.powershell import unpacked

KEYS = Account("LTAIexample", "secret-example")
UNKNOWN = "0" * 64
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def signed(token: str = "", **query: str) -> tuple[str, dict[str, str]]:
    """The target and headers of a request that the SDK has signed."""
    request = DaraRequest()
    request.method, request.pathname = "POST", "/"
    request.query = {"RegionId": "cn-hangzhou", **query}
    request.headers = {
        "host": "ecs-cn-hangzhou.aliyuncs.com",
        "x-acs-version": "2014-05-26",
        "x-acs-action": "DescribeInstances",
        "x-acs-date": Utils.get_timestamp(),
        "x-acs-signature-nonce": Utils.get_nonce(),
        "x-acs-content-sha256": EMPTY,
        "accept": "application/json",
        **({"x-acs-security-token": token} if token else {}),
    }
    how = "ACS3-HMAC-SHA256"
    told = Utils.get_authorization(request, how, EMPTY, KEYS.access_key, KEYS.secret_key)
    return f"/?{urlencode(request.query)}", {**request.headers, "authorization": told}


def test_what_the_sdk_signs_is_accepted_and_nothing_else() -> None:
    known, now = {KEYS.access_key: KEYS}, time.time()

    def verify(target: str, headers: dict[str, str], **how: Any) -> object:
        verifier = Verifier(how.get("accounts", known))
        return verifier.verify(target, headers, how.get("body", b""), how.get("now", now))

    target, headers = signed(Content="a+b/c= ~*'")
    assert verify(target, headers) == KEYS
    temporary = {KEYS.access_key: Account(KEYS.access_key, KEYS.secret_key, "t")}
    assert verify(*signed("t"), accounts=temporary) == temporary[KEYS.access_key]
    another = {KEYS.access_key: Account(KEYS.access_key, "another")}
    wrong: list[tuple[str, Callable[[], object]]] = [
        ("SignatureDoesNotMatch", partial(verify, target + "1", headers)),
        ("SignatureDoesNotMatch", partial(verify, target, headers, body=b"x")),
        ("SignatureDoesNotMatch", partial(verify, target, {**headers, "host": "elsewhere"})),
        ("SignatureDoesNotMatch", partial(verify, target, headers, accounts=another)),
        ("InvalidAccessKeyId.NotFound", partial(verify, target, headers, accounts={})),
        ("InvalidSecurityToken.Malformed", partial(verify, target, headers, accounts=temporary)),
        ("InvalidTimeStamp.Expired", partial(verify, target, headers, now=now + 901)),
        ("IncompleteSignature", partial(verify, target, {})),
    ]
    for code, ask in wrong:
        with pytest.raises(ApiFault) as caught:
            ask()
        assert caught.value.code == code


def test_no_request_is_taken_twice() -> None:
    verifier, (target, headers) = Verifier({KEYS.access_key: KEYS}), signed()
    verifier.verify(target, headers, b"", time.time())
    with pytest.raises(ApiFault, match="SignatureNonceUsed"):
        verifier.verify(target, headers, b"", time.time())


async def refusal(here: Alibaba, action: str, request: Any) -> str:
    client = Keys(here.settings).client("ecs", HOME)
    request.region_id = request.region_id or HOME
    with pytest.raises(ClientException) as caught:
        await asyncio.to_thread(getattr(client, action), request)
    return str(caught.value.code)


async def test_what_the_api_does_not_take_is_refused(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=8) as here:
        ids = here.some(3)
        text = base64.b64encode(b"x").decode()
        run = {
            "type": "RunPowerShellScript",
            "content_encoding": "Base64",
            "command_content": text,
            "instance_id": ids,
        }
        for changed, code in (
            ({"instance_id": [f"i-bp1{n:017d}" for n in range(101)]}, "ExceedLimit"),
            ({"instance_id": [*ids, ids[0]]}, "InvalidParameter.InstanceId"),
            ({"instance_id": []}, "InvalidParameter.InstanceId"),
            ({"instance_id": ["i-bplinux000000000000"]}, "InvalidInstance.NotMatch"),
            ({"instance_id": ["i-bp1nowhere00000000"]}, "InvalidInstance.NotFound"),
            ({"command_content": "A" * 24_580}, "CmdContent.ExceedLimit"),
            ({"command_content": "%"}, "CmdContent.DecodeError"),
            ({"timeout": 9}, "InvalidParameter.Timeout"),
            ({"region_id": "cn-nowhere"}, "InvalidRegionId.NotFound"),
        ):
            asked = models.RunCommandRequest(**{**run, **changed})
            assert code in await refusal(here, "run_command", asked)
        file = models.SendFileRequest(
            name="x", target_dir="C:\\x", content="A" * 32_772, instance_id=ids
        )
        assert await refusal(here, "send_file", file) == "CmdContent.ExceedLimit"
        results = models.DescribeInvocationResultsRequest(
            invoke_id="t-none", content_encoding="Base64"
        )
        assert await refusal(here, "describe_invocation_results", results) == (
            "InvalidInvoke.NotFound"
        )


def test_only_the_known_powershell_waits() -> None:
    size = len(deflated(b"@echo off\r\n"))
    text = waiting_powershell("C:\\Windows\\Temp\\volact-1.bin", size=size, wait_s=60)
    assert len(base64.b64encode(text.encode())) < 24 * 1024
    for other in (text.replace("-ne", "-lt"), text.replace("/d /c", "/c")):
        with pytest.raises(LabError):
            unpacked(other.encode())
