"""What is between volact and the SDK: errors, keys, endpoints, pace, threads."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from cloud_lab import fault, ready_all
from tencent_cloud import Cloud, cloud, profile_file
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.cvm.v20170312 import errorcodes as cvm_codes
from tencentcloud.tat.v20201028 import errorcodes as tat_codes

from volact.cloud.base import ApiError
from volact.cloud.calls import CallRateLimiter, all_pages
from volact.cloud.tencent.calls import LIMITS, Calls
from volact.cloud.tencent.cvm import states
from volact.cloud.tencent.declaration import TencentSettings as Account
from volact.cloud.tencent.declaration import endpoint_of
from volact.cloud.tencent.failures import as_failure, failure
from volact.cloud.tencent.keys import Keys
from volact.cloud.tencent.tat import agents
from volact.errors import InputError, TransportError
from volact.threads import BlockingCalls
from volact_lab.tencent.signature import Account as LabAccount

KINDS = {"auth", "connect", "timeout", "protocol", "agent"}


def NO_ROLE() -> None:  # noqa: N802  # given where a role would be asked for
    """A machine without a role."""


def as_is(text: str) -> str:
    return text


# errors


def codes() -> list[str]:
    modules = (tat_codes, cvm_codes)
    return sorted({v for m in modules for k, v in vars(m).items() if k.isupper()})


@pytest.mark.parametrize(
    "error",
    [
        TencentCloudSDKException(),
        TencentCloudSDKException(None, "words"),
        TencentCloudSDKException("", ""),
        TencentCloudSDKException("ClientNetworkError", "HTTPSConnectionPool(...)\nRead timed out."),
        TencentCloudSDKException("ServerNetworkError", b"<html>\xff</html>"),
        TencentCloudSDKException("KeyError", "'Response'"),
        TencentCloudSDKException("InternalError.Something.New", "?", "request-id"),
        TencentCloudSDKException(404, {"not": "a text"}),
        KeyError("Response"),
        AttributeError("'NoneType' object has no attribute 'status_code'"),
        DeprecationWarning("utcfromtimestamp"),
    ],
    ids=repr,
)
def test_every_shape_of_an_error_becomes_one_kind_and_one_line(error: Exception) -> None:
    told = as_failure(error, as_is)
    assert isinstance(told, TransportError)
    assert told.kind in KINDS
    assert told.line().isprintable()


def test_every_code_of_both_services_has_a_kind() -> None:
    assert len(codes()) > 300
    for code in codes():
        told = failure(code, "as the API says")
        assert told.kind in KINDS
        assert f"({code}: as the API says)" in told.message
        if code.startswith(("AuthFailure", "UnauthorizedOperation")):
            assert told.kind == "auth", code
        if code.startswith(("ResourceUnavailable", "ResourceNotFound", "InvalidInstanceId")):
            assert told.kind == "connect", code


def test_the_nearest_family_of_a_code_speaks() -> None:
    assert "signature's time" in failure("AuthFailure.SignatureExpire", "").message
    assert "refused the credentials" in failure("AuthFailure.New", "").message
    assert failure("NeverHeardOf", "").kind == "protocol"


async def test_nothing_but_our_own_error_leaves_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with cloud(servers=1) as here:
        calls = here.calls()
        for error in (TencentCloudSDKException(), ValueError("x"), OSError("gone")):

            def fail(_action: str, _asked: Any, error: Exception = error) -> Any:
                raise error

            monkeypatch.setattr(calls.client("tat"), "call_json", fail)
            with pytest.raises(ApiError):
                await agents(calls, ["ins-1"])


async def test_an_api_that_is_not_there_is_no_connection() -> None:
    async with cloud(servers=1) as here:
        closed = Account(endpoint="http://127.0.0.1:1")
        calls = Calls("ap-jakarta", here.keys(closed), BlockingCalls(), pauses_s=(0.01,))
        with pytest.raises(ApiError) as caught:
            await agents(calls, ["ins-1"])
        assert (caught.value.kind, caught.value.code) == ("connect", "ClientNetworkError")


# keys


ENV = {"TENCENTCLOUD_SECRET_ID": "AKIDenvironment", "TENCENTCLOUD_SECRET_KEY": "environment-key"}
FILE = LabAccount("AKIDfile", "file-key-1234")


def found(keys: Keys) -> tuple[str, str, str | None]:
    keys.find()
    secret_id, secret_key, token = keys.credential.get_credential_info()
    return secret_id, secret_key, token


def test_keys_come_from_the_environment_first(tmp_path: Path) -> None:
    assert found(Keys(Account(), ENV))[:2] == ("AKIDenvironment", "environment-key")


@pytest.mark.parametrize("name", ["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"])
def test_temporary_keys_of_the_environment_come_with_their_token(name: str) -> None:
    assert found(Keys(Account(), {**ENV, name: "the-token"}))[2] == "the-token"


@pytest.mark.parametrize("missing", list(ENV))
def test_half_a_pair_in_the_environment_is_told(missing: str) -> None:
    half = {name: value for name, value in ENV.items() if name != missing}
    with pytest.raises(InputError, match=missing):
        Keys(Account(), half)


def test_a_named_file_or_profile_rules_over_the_environment(tmp_path: Path) -> None:
    other = LabAccount("AKIDprod", "prod-key-1234", "prod-token")
    path = profile_file(tmp_path / "keys.ini", default=FILE, prod=other)
    own = Account(credentials=str(path))
    assert found(Keys(own, ENV)) == ("AKIDfile", "file-key-1234", None)
    prod = Account(credentials=str(path), profile="prod")
    assert found(Keys(prod, ENV)) == ("AKIDprod", "prod-key-1234", "prod-token")


def test_the_users_own_file_is_where_the_sdk_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".tencentcloud").mkdir()
    profile_file(tmp_path / ".tencentcloud" / "credentials", default=FILE)
    assert found(Keys(Account(), {}, role=NO_ROLE))[0] == "AKIDfile"


def test_without_anything_else_the_machines_role_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    role = object()
    keys = Keys(Account(), {}, role=lambda: role)
    assert keys.credential is None  # a role is not asked for before the start
    keys.find()
    assert keys.credential is role
    keys = Keys(Account(), {}, role=NO_ROLE)
    with pytest.raises(InputError, match="no Tencent Cloud credentials were found"):
        keys.find()


@pytest.mark.parametrize(
    ("text", "profile", "says"),
    [
        ("[default]\nsecret_id = AKIDx\n", "", "has no secret_id and secret_key"),
        ("[other]\nsecret_id = a\n", "prod", "has no section [prod] (it has: other)"),
        ("AKIDsecret = here\n", "", "is not a file of profiles"),
        ("[default]\nsecret_id = A B\nsecret_key=x\nsecret_id = y", "", "not a file of profiles"),
    ],
)
def test_a_bad_file_is_told_without_its_content(
    tmp_path: Path, text: str, profile: str, says: str
) -> None:
    path = tmp_path / "keys.ini"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        Keys(Account(credentials=str(path), profile=profile), {})
    assert says in caught.value.line()
    assert str(path) in caught.value.line()
    assert "AKID" not in caught.value.line()


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(InputError, match="No such file"):
        Keys(Account(credentials="/nowhere/keys.ini"), ENV)


def test_keys_are_taken_out_of_any_text() -> None:
    keys = Keys(Account(), {**ENV, "TENCENTCLOUD_TOKEN": "a-long-token"})
    text = keys.redact("AKIDenvironment/environment-key/a-long-token/harmless")
    assert text == "***/***/***/harmless"


async def test_a_role_is_assumed_with_the_keys_of_the_file(tmp_path: Path) -> None:
    async with cloud(servers=1) as here:
        path = profile_file(tmp_path / "keys.ini", default=here.own)
        path.write_text(path.read_text() + "role_arn = qcs::cam::uin/1:roleName/volact\n")
        keys = Keys(Account(endpoint=here.front.endpoint, credentials=str(path)), {})
        calls = Calls("ap-jakarta", keys, BlockingCalls())
        ids = here.some(1)
        assert list(await agents(calls, ids)) == ids
        assert here.front.calls["AssumeRole"] == 1
        assert len(here.front.accounts) == 2


async def test_temporary_keys_work_and_a_wrong_token_does_not() -> None:
    async with cloud(servers=1) as here:
        temporary = LabAccount("AKIDtemporary", "temporary-key", "the-right-token")
        here.front.accounts[temporary.secret_id] = temporary
        ids = here.some(1)
        right = Cloud(here.lab, temporary)
        assert (await ready_all(right.region(), ids))[ids[0]] is None
        for wrong in (
            LabAccount("AKIDtemporary", "temporary-key", "another-token"),
            LabAccount("AKIDtemporary", "temporary-kez", "the-right-token"),
            LabAccount("AKIDnobody", "temporary-key"),
        ):
            error = (await ready_all(Cloud(here.lab, wrong).region(), ids))[ids[0]]
            assert error is not None
            assert error.kind == "auth"


async def test_no_key_and_no_token_is_in_any_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with cloud(servers=1) as here:
        temporary = LabAccount("AKIDtemporary", "temporary-key", "the-right-token")
        here.front.accounts[temporary.secret_id] = temporary
        ids = here.some(1)
        right = Cloud(here.lab, temporary)
        assert (await ready_all(right.region(), ids))[ids[0]] is None
    assert caplog.records  # the libraries below it do talk
    for secret in (temporary.secret_key, temporary.token, temporary.secret_id):
        assert secret not in caplog.text


async def test_a_field_of_a_newer_api_is_passed_over_and_odd_text_is_an_answer_of_no_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {"AutomationAgentSet": [{"InstanceId": "ins-1", "\x1b[2JNewField": 1}]}
    calls = Calls("ap-jakarta", Keys(Account(), ENV), BlockingCalls(), ())

    def says(total: object) -> None:
        answer = {"Response": {**said, "TotalCount": total}}
        monkeypatch.setattr(calls.client("tat"), "call_json", lambda _action, _asked: answer)

    says(1)
    assert list(await agents(calls, ["ins-1"])) == ["ins-1"]
    says("\ud800")
    with pytest.raises(ApiError) as caught:
        await agents(calls, ["ins-1"])
    assert caught.value.kind in KINDS
    assert caught.value.line().isprintable()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"RequestId": "r"},
        {"RequestId": "r", "AutomationAgentSet": [{"InstanceId": "ins-1"}]},
        {"RequestId": "r", "Error": {"Code": "AuthFailure", "Message": "no"}},
    ],
)
async def test_a_list_without_its_count_is_no_list(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, object]
) -> None:
    calls = Calls("ap-jakarta", Keys(Account(), ENV), BlockingCalls(), ())
    for service in ("tat", "cvm"):
        client = calls.client(service)
        monkeypatch.setattr(client, "call_json", lambda _action, _asked: {"Response": answer})
    for ask in (agents, states):
        with pytest.raises(ApiError, match="TotalCount"):
            await ask(calls, ["ins-1"])


async def test_a_list_without_an_end_is_given_up() -> None:
    async def page(offset: int) -> tuple[int, ...]:
        return (offset,)

    with pytest.raises(ApiError, match="a list of more than 2000 pages"):
        await all_pages(page, lambda rows: rows, lambda _page, count: count, 0)


async def test_a_list_whose_pages_repeat_is_given_up_at_once() -> None:
    asked = []

    async def page(token: str) -> tuple[str, ...]:
        asked.append(token)
        return ("row",)

    tokens = {"": "a", "a": "b", "b": "a"}
    with pytest.raises(ApiError, match="a list whose pages repeat"):
        await all_pages(page, lambda rows: rows, lambda _page, _n: tokens[asked[-1]], "")
    assert asked == ["", "a", "b"]


async def test_a_list_that_is_too_large_is_given_up() -> None:
    asked = []

    async def page(offset: int) -> tuple[str, ...]:
        asked.append(offset)
        return ("\ud800" + "x" * 2**20,) * 8

    with pytest.raises(ApiError, match="or 64 MB or"):
        await all_pages(page, lambda rows: rows, lambda _page, count: count, 0)
    assert len(asked) < 10


# endpoints


@pytest.mark.parametrize(
    ("account", "scheme", "host"),
    [
        (Account(), "https", "tat.tencentcloudapi.com"),
        (Account(site="international"), "https", "tat.intl.tencentcloudapi.com"),
        (Account(endpoint="https://{service}.tce.example"), "https", "tat.tce.example"),
        (Account(endpoint="tce.example:8443/"), "https", "tce.example:8443"),
        (Account(endpoint="http://127.0.0.1:1234"), "http", "127.0.0.1:1234"),
        (Account(endpoint="http://[::1]:1234"), "http", "[::1]:1234"),
    ],
)
def test_endpoints(account: Account, scheme: str, host: str) -> None:
    endpoint = endpoint_of(account, "tat")
    assert (endpoint.scheme, endpoint.host) == (scheme, host)


@pytest.mark.parametrize(
    ("account", "region", "domain"),
    [
        (Account(), "ap-shanghai-fsi", "ap-shanghai-fsi.tencentcloudapi.com"),
        (Account(site="international"), "ap-shenzhen-fsi", "ap-shenzhen-fsi.tencentcloudapi.com"),
        (Account(endpoint="https://{service}.tce.example"), "ap-beijing-fsi", "tce.example"),
        (Account(), "ap-shanghai", "tencentcloudapi.com"),
        (Account(site="international"), "ap-jakarta", "intl.tencentcloudapi.com"),
    ],
)
def test_a_finance_region_is_asked_at_its_own_domain(
    account: Account, region: str, domain: str
) -> None:
    calls = Calls(region, Keys(account, ENV), BlockingCalls())
    assert calls.client("tat").profile.httpProfile.endpoint == f"tat.{domain}"
    assert calls.client("cvm").profile.httpProfile.endpoint == f"cvm.{domain}"


@pytest.mark.parametrize(
    "text", ["http://tat.example", "ftp://x", "https://a/b", "https://user:pw@host", "a b"]
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        endpoint_of(Account(endpoint=text), "tat")


# pace


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("limit", sorted(set(LIMITS.values())))
async def test_no_second_sees_more_calls_than_the_limit(limit: int) -> None:
    time = Time()
    bucket = CallRateLimiter(limit, clock=time.clock, sleep=time.sleep)
    turns = []
    for number in range(limit * 5):
        await bucket.take()
        turns.append(time.now)
        time.now += 0.7 if number == limit else 0.0
    for start in turns:
        assert sum(start <= turn < start + 1 for turn in turns) <= limit
    assert turns[-1] - turns[0] < 5 * 1.5 + 1


async def test_a_state_that_cannot_be_had_at_once_stops_nothing() -> None:
    async with cloud(servers=2) as here:
        here.fail("DescribeInstances", 1, fault("InternalError"))
        assert set((await ready_all(here.region(), here.some(2))).values()) == {None}


# threads


async def test_threads_are_bounded_and_go_away() -> None:
    threads = BlockingCalls(most=3)
    gate = threading.Event()
    running: set[str] = set()
    most = 0

    def work() -> None:
        nonlocal most
        running.add(threading.current_thread().name + str(threading.get_ident()))
        most = max(most, len(running))
        gate.wait()

    jobs = [asyncio.ensure_future(threads.run(work)) for _ in range(10)]
    while most < 3:
        await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(*jobs)
    assert len(running) == most == 3


async def test_a_caller_who_leaves_does_not_stop_the_others() -> None:
    threads = BlockingCalls(most=1)
    begun, gate = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait()

    left = asyncio.ensure_future(threads.run(work))
    stays = asyncio.ensure_future(threads.run(lambda: 7))
    while not begun.is_set():
        await asyncio.sleep(0.01)
    left.cancel()
    gate.set()
    assert await stays == 7
    with pytest.raises(asyncio.CancelledError):
        await left


async def test_what_a_thread_raises_is_raised_to_the_caller() -> None:
    def fail() -> None:
        raise ValueError("in a thread")

    with pytest.raises(ValueError, match="in a thread"):
        await BlockingCalls().run(fail)
