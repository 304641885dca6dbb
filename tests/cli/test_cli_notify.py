"""Telling people of a run: real HTTP servers on loopback, and nothing of a URL repeated."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import evil_http
import msgspec
import pytest
from receiver_fixtures import Receiver
from report_samples import fleet, run_of

from volact.cli.failure import tell
from volact.errors import InputError, NotifyError
from volact.model.report import Cluster
from volact.notify.apprise_channel import AppriseChannel
from volact.notify.channels import open_channels, send_to_all, shown
from volact.notify.webhook import Webhook
from volact.report.message import Message, ReportedChange, message_of

SECRET = "T0Ps3cretT0ken"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def elsewhere() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def message(servers: int = 30) -> Message:
    rows = fleet(servers)
    cluster = Cluster(
        cause="kms-unreachable",
        summary="3 of 4 servers in 10.1.2.0/24: <!channel> @everyone",
        servers=3,
        of=4,
        where={"subnet": "10.1.2.0/24"},
    )
    run = msgspec.structs.replace(run_of(rows), clusters=(cluster,), notes=("stopped early",))
    change = ReportedChange(
        server="a", kind="worse", was="healthy", now="failed", summary="a: worse"
    )
    return message_of(run, Counter({"clock-skew": 3}), Counter({"not-licensed": 2}), [change])


def test_a_webhook_gets_one_document(receiver: Receiver) -> None:
    (channel,) = open_channels([f"http://127.0.0.1:{receiver.port}/{SECRET}?x=1"])
    assert send_to_all([channel], message(), tell)
    ((path, headers, body),) = receiver.got
    assert path == f"/{SECRET}?x=1"
    assert headers["Content-Type"] == "application/json"
    assert body["summary"]["servers"] == 30
    assert body["clusters"][0]["where"] == {"subnet": "10.1.2.0/24"}
    assert body["causes"] == {"clock-skew": 3}
    assert body["changes"][0]["now"] == "failed"
    assert body["run"] in body["text"]
    assert "stopped early" in body["text"]
    assert "servers" not in body


def test_apprise_gets_title_and_text(receiver: Receiver) -> None:
    channels = open_channels([f"json://127.0.0.1:{receiver.port}/{SECRET}"])
    assert send_to_all(channels, message(), tell)
    ((path, _, body),) = receiver.got
    assert path.strip("/") == SECRET
    assert body["title"].startswith("volact activate: ")
    assert "10.1.2.0/24" in body["message"]


def test_a_text_that_is_too_long_for_a_service_goes_in_parts(receiver: Receiver) -> None:
    long = msgspec.structs.replace(message(), text="\n".join(f"- line {n:05}" for n in range(4000)))
    channels = open_channels([f"json://127.0.0.1:{receiver.port}/{SECRET}"])
    assert send_to_all(channels, long, tell)
    parts = [body["message"] for _, _, body in receiver.got]
    assert len(parts) > 1
    assert "line 03999" in parts[-1]


def test_a_url_may_stand_in_the_environment(receiver: Receiver) -> None:
    env = {"HOOK": f"http://127.0.0.1:{receiver.port}/{SECRET}\n"}
    assert send_to_all(open_channels(["env:HOOK"], env), message(), tell)
    assert receiver.got[0][0] == f"/{SECRET}"


def test_a_login_in_the_url_becomes_a_header(receiver: Receiver) -> None:
    Webhook(f"http://me:pass%40word@127.0.0.1:{receiver.port}/").send(message())
    assert receiver.got[0][1]["Authorization"] == "Basic bWU6cGFzc0B3b3Jk"


@pytest.mark.parametrize(
    ("location", "place"), [("/new", "/new"), ("/n\u00e9w one?q=%20", "/n%E9w%20one?q=%20")]
)
def test_a_redirect_on_the_same_host_is_followed(
    receiver: Receiver, location: str, place: str
) -> None:
    receiver.answer = lambda path: (200, {}) if path == place else (308, {"Location": location})
    Webhook(f"http://127.0.0.1:{receiver.port}/old").send(message())
    assert [path for path, _, _ in receiver.got] == ["/old", place]


@pytest.mark.parametrize(
    "place",
    ["http://127.0.0.1:{other}/", "https://127.0.0.1:{own}/", "//h", "http://[", "//127.0.0.1:x/"],
)
def test_a_redirect_to_another_place_is_not(
    receiver: Receiver, elsewhere: Receiver, place: str
) -> None:
    location = place.format(other=elsewhere.port, own=receiver.port)
    receiver.answer = lambda path: (307, {"Location": location})
    with pytest.raises(NotifyError, match="another scheme, host or port"):
        Webhook(f"http://127.0.0.1:{receiver.port}/").send(message())
    assert elsewhere.got == []


def test_a_redirect_in_a_circle_ends(receiver: Receiver) -> None:
    receiver.answer = lambda path: (302, {"Location": "/"})
    with pytest.raises(NotifyError, match="too many"):
        Webhook(f"http://127.0.0.1:{receiver.port}/").send(message())


@pytest.mark.parametrize("scheme", ["http", "json"])
def test_who_cannot_be_told_costs_no_other(
    scheme: str, receiver: Receiver, elsewhere: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    elsewhere.answer = lambda path: (500, {})
    bad = f"{scheme}://user:{SECRET}@127.0.0.1:{elsewhere.port}/{SECRET}"
    good = f"http://127.0.0.1:{receiver.port}/{SECRET}"
    assert not send_to_all(open_channels([bad, good]), message(), tell)
    assert len(receiver.got) == 1
    said = capfd.readouterr()
    assert "not sent" in said.err
    assert SECRET not in said.err + said.out


def test_a_missing_listener_is_said_without_the_url(
    closed_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not send_to_all(
        open_channels([f"http://127.0.0.1:{closed_port}/{SECRET}"]), message(), tell
    )
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert SECRET not in said


MAIL = "mailto://u:{secret}@127.0.0.1:{port}?smtp=127.0.0.1&from=a@b.cd&to=e@f.gh&mode=insecure"
JSON = "json://127.0.0.1:{port}/{secret}"


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory as Linux has it")
@pytest.mark.parametrize(
    ("url", "says"),
    [
        (JSON, evil_http.endless_body),
        (JSON, evil_http.compressed),
        (MAIL, evil_http.endless_replies),
    ],
    ids=["endless", "compressed", "mail"],
)
def test_a_service_of_apprise_has_a_process_with_bounds(
    url: str, says: evil_http.Say, capfd: pytest.CaptureFixture[str]
) -> None:
    with evil_http.evil(says, greets=says is evil_http.endless_replies) as service:
        channels = open_channels([url.format(port=service.port, secret=SECRET)])
        assert not send_to_all(channels, message(), tell)
        assert service.over.wait(600)
        assert 0 < service.sent < 112 * 1024 * 1024
    assert SECRET not in capfd.readouterr().err


def test_a_redirect_of_a_service_is_not_followed_elsewhere(
    receiver: Receiver, elsewhere: Receiver
) -> None:
    location = f"http://127.0.0.1:{elsewhere.port}/"
    receiver.answer = lambda path: (307, {"Location": location})
    assert not send_to_all(open_channels([f"json://127.0.0.1:{receiver.port}/"]), message(), tell)
    assert len(receiver.got) == 1
    assert elsewhere.got == []


def test_a_service_of_apprise_has_its_time() -> None:
    with evil_http.evil(evil_http.trickling) as service:
        channel = AppriseChannel(f"json://127.0.0.1:{service.port}/?rto=60&cto=60", "json", 3.0)
        with pytest.raises(NotifyError, match="no answer in time"):
            channel.send(message())


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (SECRET, "not a URL"),
        ("env:", "no such variable"),
        ("env:NOT_THERE", "no such variable"),
        (f"https:///{SECRET}", "not the URL of a webhook"),
        (f"https://a:b{SECRET}/", "not the URL of a webhook"),
        (f"https://host/{SECRET}\u202e", "not the URL of a webhook"),
        (f"nosuchservice://{SECRET}", "cannot use this URL"),
    ],
)
def test_what_is_no_way_to_tell_is_named_without_its_secret(word: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        open_channels([word], {})
    assert SECRET not in caught.value.line()


def test_what_is_repeated_of_a_url_holds_no_secret() -> None:
    assert shown(f"slack://{SECRET}/x") == "slack://…"
    assert shown(SECRET) == "…"
    assert shown("env:HOOK") == "env:HOOK"
    assert SECRET not in Webhook(f"https://u:{SECRET}@host/{SECRET}?{SECRET}").name


def test_a_server_calls_no_other() -> None:
    text = message().text
    assert "@" not in text
    assert "<!" not in text
