"""A cloud's API and its metadata service that mean harm."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import requests
from alibabacloud_credentials.provider import URLCredentialsProvider
from azure.core.credentials import AccessToken
from evil_http import FLOODS, SLOW, Say, compressed, evil, leads_to, with_success

from volact.bounded.http_session import bind_session
from volact.bounded.stream import Limits
from volact.cloud.alibaba import assistant
from volact.cloud.alibaba import sdk as alibaba_sdk
from volact.cloud.alibaba.calls import Calls as AlibabaCalls
from volact.cloud.alibaba.declaration import AlibabaSettings
from volact.cloud.aws import sdk as aws_sdk
from volact.cloud.aws import ssm
from volact.cloud.aws.calls import Calls as AwsCalls
from volact.cloud.aws.declaration import AwsSettings
from volact.cloud.azure import sdk as azure_sdk
from volact.cloud.azure.calls import LIMITS as AZURE_LIMITS
from volact.cloud.azure.calls import Calls as AzureCalls
from volact.cloud.azure.declaration import AzureSettings
from volact.cloud.azure.vm import machine_of
from volact.cloud.base import ApiError
from volact.cloud.calls import PacedCalls
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.declaration import TencentSettings as Account
from volact.cloud.tencent.keys import Keys as TencentKeys
from volact.cloud.tencent.roles import MachineRole, fetch
from volact.cloud.tencent.sdk import LIMITS
from volact.cloud.tencent.tat import agents
from volact.errors import InputError
from volact.threads import BlockingCalls

KEYS = {"TENCENTCLOUD_SECRET_ID": "AKIDsomething", "TENCENTCLOUD_SECRET_KEY": "some-key"}
BUFFERS = 16 * 1024 * 1024
# Long enough for any machine: only a hang takes longer.
HANG_S = 120.0


async def ask_tencent(port: int, _folder: Path) -> ApiError:
    account = Account(endpoint=f"http://127.0.0.1:{port}")
    calls = Calls("ap-jakarta", TencentKeys(account, KEYS), BlockingCalls(), ())
    with pytest.raises(ApiError) as caught:
        await agents(calls, ["ins-1"])
    return caught.value


async def ask_aws(port: int, folder: Path) -> ApiError:
    path = folder / "keys.ini"
    path.write_text("[default]\naws_access_key_id = AKIA0\naws_secret_access_key = some-key\n")
    keys = aws_sdk.Keys(AwsSettings(endpoint=f"http://127.0.0.1:{port}", credentials=str(path)))
    with pytest.raises(ApiError) as caught:
        await ssm.agents(AwsCalls("eu-west-1", keys, BlockingCalls(), ()), ["i-1"])
    return caught.value


async def ask_alibaba(port: int, folder: Path) -> ApiError:
    path = folder / "keys.ini"
    path.write_text("[default]\ntype = access_key\naccess_key_id = L0\naccess_key_secret = key\n")
    settings = AlibabaSettings(endpoint=f"http://127.0.0.1:{port}", credentials=str(path))
    calls = AlibabaCalls("cn-hangzhou", alibaba_sdk.Keys(settings), BlockingCalls(), ())
    with pytest.raises(ApiError) as caught:
        await assistant.agents(calls, ["i-1"])
    return caught.value


class SomeToken:
    """A credential that asks no one."""

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        return AccessToken("some-token", int(time.time()) + 3600)


async def ask_azure(port: int, _folder: Path) -> ApiError:
    keys = azure_sdk.Keys(AzureSettings(endpoint=f"http://127.0.0.1:{port}"), SomeToken())
    calls = AzureCalls("subscription/group", keys, PacedCalls(AZURE_LIMITS, BlockingCalls(), ()))
    with pytest.raises(ApiError) as caught:
        await machine_of(calls, "vm")
    return caught.value


Ask = Callable[[int, Path], Awaitable[ApiError]]
ASKS: dict[str, tuple[Ask, Limits]] = {
    "tencent": (ask_tencent, LIMITS),
    "alibaba": (ask_alibaba, alibaba_sdk.LIMITS),
    "aws": (ask_aws, aws_sdk.LIMITS),
    "azure": (ask_azure, azure_sdk.LIMITS),
}
CLOUDS = pytest.mark.parametrize(("ask", "limits"), ASKS.values(), ids=ASKS)


@CLOUDS
@pytest.mark.parametrize("say", FLOODS.values(), ids=FLOODS)
async def test_an_api_that_floods(ask: Ask, limits: Limits, say: Say, tmp_path: Path) -> None:
    with evil(say) as server:
        await ask(server.port, tmp_path)
        assert server.over.wait(HANG_S)
        assert server.sent < limits.most_bytes + BUFFERS


@CLOUDS
async def test_an_api_that_compresses(ask: Ask, limits: Limits, tmp_path: Path) -> None:
    with evil(compressed) as server:
        error = await ask(server.port, tmp_path)
        assert "compressed" in str(error) or error.kind == "connect"
        assert server.sent < limits.most_bytes


def page(text: str) -> Say:
    def say(send: Callable[[bytes], None]) -> None:
        send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text.encode())

    return say


# What each of the APIs says when it is throttled; every SDK reads its own part.
BUSY = {
    "__type": "ThrottlingException",
    "message": "later",
    "Code": "Throttling.User",
    "RequestId": "r",
    "error": {"code": "TooManyRequests", "message": "later"},
}


@CLOUDS
async def test_an_api_that_asks_to_wait(ask: Ask, limits: Limits, tmp_path: Path) -> None:
    def busy(header: str) -> Say:
        head = f"HTTP/1.1 429 Busy\r\nContent-Type: application/json\r\n{header}\r\n"
        text = json.dumps(BUSY)
        return lambda send: send(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())

    hour = formatdate(time.time() + 3600, usegmt=True)
    for header, least, most in (
        ("Retry-After: 7", 7, 7),
        (f"Retry-After: {hour}", 600, 3600),
        ("X-Other: 7", 0, 0),
    ):
        with evil(busy(header)) as server:
            error = await ask(server.port, tmp_path)
        assert error.again != "never"
        assert least <= error.after_s <= most


async def test_alibaba_says_it_in_milliseconds_too(tmp_path: Path) -> None:
    text = json.dumps(BUSY)
    head = f"HTTP/1.1 429 Busy\r\nx-acs-retry-after: 2500\r\nContent-Length: {len(text)}\r\n\r\n"
    with evil(lambda send: send((head + text).encode())) as server:
        error = await ask_alibaba(server.port, tmp_path)
    assert (error.again, error.after_s) == ("throttled", 2.5)


@CLOUDS
@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"a":' * 200_000, '{"x":[' + "{}," * 2_600_000 + "{}]}", "<a>" * 200_000, ""],
    ids=["arrays", "objects", "many", "elements", "nothing"],
)
async def test_an_api_that_answers_deeply_or_in_many_values(
    ask: Ask, limits: Limits, text: str, tmp_path: Path
) -> None:
    """The error is one line, and no decoder raises one of its own."""
    with evil(page(text)) as server:
        error = await ask(server.port, tmp_path)
        assert error.kind in ("protocol", "connect")
        assert error.line().isprintable()
        assert server.over.wait(HANG_S)
        assert server.sent < limits.most_bytes + BUFFERS


def test_an_answer_of_many_values_is_cut_off() -> None:
    """Counted on the line: what a library would make of it needs fifty times its bytes."""
    with evil(page('{"x":[' + "{}," * 2_600_000 + "{}]}")) as server:
        session = requests.Session()
        bind_session(session, LIMITS, "never")
        with pytest.raises(requests.RequestException, match="more than 250000 values"):
            session.get(f"http://127.0.0.1:{server.port}/")
        assert server.over.wait(HANG_S)


@CLOUDS
async def test_an_api_that_leads_elsewhere(ask: Ask, limits: Limits, tmp_path: Path) -> None:
    with evil(page("{}")) as elsewhere, evil(leads_to(elsewhere.port)) as server:
        error = await ask(server.port, tmp_path)
        assert "is a redirect" in str(error) or "(30" in str(error)
        assert elsewhere.requests == []


def test_metadata_of_aws_that_floods_gives_no_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for say in (*FLOODS.values(), *map(with_success, FLOODS.values())):
        with evil(say) as server:
            url = f"http://127.0.0.1:{server.port}/"
            monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
            with pytest.raises(InputError):
                aws_sdk.Keys(AwsSettings()).find()
            assert server.over.wait(HANG_S)
            assert server.sent < aws_sdk.METADATA.most_bytes + BUFFERS


def test_a_role_of_aws_that_floods_gives_no_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "keys.ini"
    path.write_text(
        "[own]\naws_access_key_id = AKIA0\naws_secret_access_key = some-key\n"
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/volact\nsource_profile = own\n"
    )
    for say in FLOODS.values():
        with evil(say) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.port}")
            monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
            monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
            keys = aws_sdk.Keys(AwsSettings(credentials=str(path)))
            keys.find()
            with pytest.raises(Exception, match=r"."):  # of many types
                keys.session.get_credentials().get_frozen_credentials()
            assert server.over.wait(600)
            assert b"sts" in server.requests[0]
            assert server.sent < aws_sdk.LIMITS.most_bytes + BUFFERS


def test_a_place_of_keys_of_alibaba_that_floods_gives_none(tmp_path: Path) -> None:
    path = tmp_path / "keys.ini"
    path.write_text("[default]\ntype = access_key\naccess_key_id = L0\naccess_key_secret = key\n")
    alibaba_sdk.Keys(AlibabaSettings(credentials=str(path)))
    for say in (*FLOODS.values(), *map(with_success, FLOODS.values())):
        with evil(say) as server:
            provider = URLCredentialsProvider(uri=f"http://127.0.0.1:{server.port}/")
            with pytest.raises(Exception, match=r"."):  # of many types
                provider.get_credentials()
            assert server.over.wait(600)
            assert server.sent < alibaba_sdk.KEYS.most_bytes + BUFFERS


def test_an_identity_of_azure_that_floods_gives_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    for say in (*FLOODS.values(), *map(with_success, FLOODS.values())):
        with evil(say) as server:
            url = f"http://127.0.0.1:{server.port}/"
            monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", url)
            with pytest.raises((InputError, ApiError)):
                azure_sdk.Keys(AzureSettings()).find()
            assert server.over.wait(600)
            assert server.sent < 3 * azure_sdk.TOKENS.most_bytes + BUFFERS


def test_an_identity_of_azure_brings_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"access_token": "t", "expires_in": "3600", "token_type": "Bearer", "resource": "r"}
    with evil(page(json.dumps(told))) as server:
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        url = f"http://127.0.0.1:{server.port}/"
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", url)
        azure_sdk.Keys(AzureSettings()).find()
        asked = server.requests[-1]
        assert b"resource=https://management.azure.com " in asked
        assert b"metadata: true" in asked.lower()


def test_metadata_that_floods_trickles_or_leads_elsewhere() -> None:
    with evil(page("role")) as elsewhere:
        floods = (*FLOODS.values(), *SLOW.values(), compressed)
        floods += tuple(map(with_success, floods))

        def nothing_comes(say: Say) -> bool:
            with evil(say) as server:
                fetched = fetch(f"http://127.0.0.1:{server.port}/")
                return fetched == "" and server.over.wait(HANG_S) and server.sent < BUFFERS

        says = (*floods, leads_to(elsewhere.port))
        with ThreadPoolExecutor(len(says)) as pool:  # those that trickle take seconds each
            assert list(pool.map(nothing_comes, says)) == [True] * len(says)
        assert elsewhere.requests == []


def test_a_role_of_this_machine_is_read() -> None:
    told = {"Code": "Success", "TmpSecretId": "i", "TmpSecretKey": "k", "Token": "t"}

    def say(send: Callable[[bytes], None]) -> None:
        asked = server.requests[-1].split()[1]
        keys = {**told, "ExpiredTime": int(time.time()) + 3600}
        page("volact-role" if asked == b"/" else json.dumps(keys))(send)

    with evil(say) as server:
        role = MachineRole(f"http://127.0.0.1:{server.port}/").get_credential()
        assert role.get_credential_info() == ("i", "k", "t")
        assert b"GET /volact-role " in server.requests[1]


@pytest.mark.parametrize("text", ["", "not JSON", "[]", '{"Code": "Success"}', '{"Code": "No"}'])
def test_metadata_that_is_none_gives_no_keys(text: str) -> None:
    with evil(page(text)) as server:
        assert MachineRole(f"http://127.0.0.1:{server.port}/").get_credential() is None
