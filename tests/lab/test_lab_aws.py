"""The lab's AWS API: as strict as the real one, asked by hand and by the SDK alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from aws_cloud import HOME, Aws, aws
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from volact.agent.wrap import packed_powershell
from volact_lab.aws.signature import Account, verify
from volact_lab.errors import LabError
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.powershell import unpacked

KEYS = Account("AKIAEXAMPLE", "secret-example")


def signed(body: bytes = b'{"MaxResults": 5}', token: str = "") -> dict[str, str]:
    """The headers of a request that the SDK has signed."""
    request = AWSRequest(
        "POST",
        "https://ssm.eu-west-1.amazonaws.com/",
        {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.X"},
        body,
    )
    keys = Credentials(KEYS.access_key, KEYS.secret_key, token or None)
    SigV4Auth(keys, "ssm", "eu-west-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {**headers, "host": "ssm.eu-west-1.amazonaws.com"}


def test_what_the_sdk_signs_is_accepted_and_nothing_else() -> None:
    body, known, now = b'{"MaxResults": 5}', {KEYS.access_key: KEYS}, time.time()
    headers = signed(body)
    caller = verify("/", headers, body, known, now)
    assert (caller.service, caller.region) == ("ssm", "eu-west-1")
    temporary = {KEYS.access_key: replace(KEYS, token="t")}
    assert verify("/", signed(body, "t"), body, temporary, now).account.token == "t"
    other = {KEYS.access_key: replace(KEYS, secret_key="another")}
    elsewhere = {**headers, "host": "elsewhere.example"}
    wrong: list[tuple[str, Callable[[], object]]] = [
        ("InvalidSignatureException", partial(verify, "/", headers, body + b" ", known, now)),
        ("InvalidSignatureException", partial(verify, "/", headers, body, other, now)),
        ("InvalidSignatureException", partial(verify, "/", elsewhere, body, known, now)),
        ("InvalidSignatureException", partial(verify, "/", headers, body, known, now + 301)),
        ("UnrecognizedClientException", partial(verify, "/", headers, body, {}, now)),
        ("UnrecognizedClientException", partial(verify, "/", headers, body, temporary, now)),
        ("IncompleteSignatureException", partial(verify, "/?a=b", headers, body, known, now)),
        ("IncompleteSignatureException", partial(verify, "/", {}, body, known, now)),
    ]
    for code, ask in wrong:
        with pytest.raises(ApiFault) as caught:
            ask()
        assert caught.value.code == code


class Sdk:
    """The SDK's plainest client, which checks nothing by itself."""

    def __init__(self, here: Aws, region: str = HOME) -> None:
        session = botocore.session.Session()
        self._client = session.create_client(
            "ssm",
            region_name=region,
            endpoint_url=here.front.endpoint,
            aws_access_key_id=here.own.access_key,
            aws_secret_access_key=here.own.secret_key,
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )

    async def refusal(self, action: str, asked: dict[str, Any]) -> str:
        with pytest.raises(ClientError) as caught:
            await asyncio.to_thread(self._client._make_api_call, action, asked)
        return str(caught.value.response["Error"]["Code"])


def send(ids: list[str], commands: list[str], **more: Any) -> dict[str, Any]:
    return {
        "DocumentName": "AWS-RunPowerShellScript",
        "InstanceIds": ids,
        "Parameters": {"commands": commands, "executionTimeout": ["60"]},
        "MaxErrors": "100%",
        "MaxConcurrency": "100%",
        **more,
    }


async def test_what_the_api_does_not_take_is_refused(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=8) as here:
        ask, ids = Sdk(here).refusal, here.some(3)
        many = [f"i-{number:017x}" for number in range(51)]
        for asked, code in (
            (send(many, ["x"]), "ValidationException"),
            (send(["i-1"], ["x"]), "ValidationException"),
            (send([*ids, ids[0]], ["x"]), "DuplicateInstanceId"),
            (send(ids, ["x" * 65_537]), "MaxDocumentSizeExceeded"),
            (send(ids, ["echo {{ x }}"]), "InvalidParameters"),
            (send(ids, []), "InvalidParameters"),
            (send(ids, ["x"], DocumentName="AWS-RunShellScript"), "InvalidDocument"),
            (send(["i-00000000000000000"], ["x"]), "UnsupportedPlatformType"),
            (send(["i-0123456789abcdef0"], ["x"]), "InvalidInstanceId"),
        ):
            assert await ask("SendCommand", asked) == code
        assert await ask("ListCommandInvocations", {"CommandId": "0" * 36}) == "InvalidCommandId"
        assert await ask("DescribeInstanceInformation", {"MaxResults": 4}) == "ValidationException"
        assert await ask("CancelCommand", {"CommandId": "x"}) == "InvalidCommandId"
        there = Sdk(here, "ap-south-1").refusal
        assert await there("CancelCommand", {}) == "InvalidSignatureException"


def test_only_the_known_powershell_is_run() -> None:
    script = b'@echo off\r\necho {{x}} \'@ $x\r\ndel /q /f "%~f0" & exit 0\r\n'
    text = packed_powershell(script)
    assert unpacked(text.encode()) == script
    assert text.isascii()
    assert "{{" not in text
    for other in ("Get-Date", text.replace("/d /c", "/c"), text + "exit 0\n"):
        with pytest.raises(LabError):
            unpacked(other.encode())


def test_the_largest_script_stays_below_the_limit_of_a_document() -> None:
    """Even one that hardly packs: half of it is chance."""
    import base64
    import random

    noise = base64.b64encode(random.Random(1).randbytes(36 * 1024)).decode()
    assert len(packed_powershell(noise.encode())) < 64 * 1024
