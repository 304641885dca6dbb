"""The reach test on a WinHTTP that behaves as described: codes and times, and what they mean.

The clock moves only by what a request takes, so nothing here depends on a real one.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import quickjs
from script import source

from volact_lab.script.source import with_puts

CONNECT = 3000
HTTP_OK, TIMED_OUT, REFUSED, NO_NAME = 0, 0x80072EE2, 0x80072EFD, 0x80072EE7
# One request after another: each sets what happens to it, from the limits it was given.
_WINHTTP = """
var clock = 0, asked = [], CASE = %s;
function Date() { this.getTime = function () { return clock; }; }
function ActiveXObject(name) {
  var limits, url, one;
  this.SetProxy = function () {};
  this.SetTimeouts = function (r, c, s, v) { limits = {resolve: r, connect: c, receive: v}; };
  this.Open = function (method, text) { url = text; };
  this.SetOption = function (option, value) { this.redirects = option !== 6 || value; };
  this.Abort = function () {};
  this.Send = function () {
    asked.push(url);
    one = CASE[asked.length - 1] || CASE[CASE.length - 1];
  };
  this.WaitForResponse = function (seconds) {
    var ms = one.ms || 0, of = (one.of || "").split(" "), i, error;
    for (i = 0; i < of.length; i++) { ms += limits[of[i]] || 0; }
    clock += ms > seconds * 1000 ? seconds * 1000 : ms;
    if (ms > seconds * 1000) { return false; }
    if (one.code) { error = new Error(""); error.number = one.code | 0; throw error; }
    this.Status = one.status && !this.redirects ? one.status : 403;
    return true;
  };
}
var WScript = {ScriptFullName: "C:\\\\x\\\\volact-1.js"};
var STARTED = 0, BUDGET_MS = %d;
var REQUEST = {ask: {kms: [], metadata: {}, headers: {}, connect_ms: %d}};
"""


def tried(
    *case: dict[str, Any], connect_ms: int = CONNECT, budget_ms: int = 60_000
) -> tuple[dict[str, Any], list[str]]:
    """What the agent makes of these requests, and the addresses that it asked."""
    context = quickjs.Context()
    context.eval(_WINHTTP % (json.dumps(case), budget_ms, connect_ms))
    for part in ("host", "net", "reach"):
        context.eval(with_puts(source(part)))
    found = json.loads(str(context.eval('JSON.stringify(reach("kms:1688"))')))
    return found, json.loads(str(context.eval("JSON.stringify(asked)")))


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        # it was cut off, or sent something that is no HTTP
        ({"code": 0x80072F78, "ms": 11}, "connected"),
        ({"code": 0x80072EFE, "ms": 2}, "connected"),
        ({"code": 0x80072EFF, "ms": 2}, "connected"),
        ({"code": 0x80072746, "ms": 9}, "connected"),
        # it is silent: the answer's time-out, at once or after a slow connection
        ({"code": TIMED_OUT, "of": "receive"}, "connected"),
        ({"code": TIMED_OUT, "of": "receive", "ms": 1000}, "connected"),
        # nothing listens: after one second, after two
        ({"code": REFUSED, "ms": 1010}, "refused"),
        ({"code": REFUSED, "ms": 2010}, "refused"),
        # nothing answers the connection: time-out or code, one address or three
        ({"code": REFUSED, "of": "connect", "ms": 5}, "filtered"),
        ({"code": TIMED_OUT, "of": "connect"}, "filtered"),
        ({"code": TIMED_OUT, "of": "connect", "ms": 40}, "filtered"),
        ({"code": TIMED_OUT, "of": "connect connect"}, "filtered"),
        ({"code": TIMED_OUT, "of": "connect connect connect"}, "filtered"),
        ({"code": NO_NAME, "ms": 3}, "name"),
        ({"code": NO_NAME, "ms": 12_000}, "unknown"),  # the request itself had no end
        ({"code": TIMED_OUT, "of": "resolve"}, "name"),
        ({"code": HTTP_OK, "ms": 4}, "http"),
        ({"code": HTTP_OK, "ms": 4, "status": 307}, "http"),
        ({"code": 0x80072F7C, "ms": 4}, "http"),
        # nothing that can be distinguished from other causes
        ({"code": TIMED_OUT, "ms": 1}, "unknown"),
        ({"code": 0x80004005}, "unknown"),
        ({"of": "resolve connect receive connect"}, "unknown"),  # no time-out is kept
    ],
)
def test_what_a_request_tells(case: dict[str, Any], outcome: str) -> None:
    found, _ = tried(case)
    assert found["outcome"] == outcome


@pytest.mark.parametrize(
    ("ms", "closed", "outcome"),
    [
        # Windows asks a host that refuses again, half a second apart: this is no host's word
        (2, {"code": REFUSED, "ms": 2030}, "local"),
        (2, {"code": REFUSED, "ms": 1010}, "local"),
        (450, {"code": REFUSED, "ms": 2030}, "local"),  # the name was slow to be found
        (620, {"code": REFUSED, "ms": 610}, "refused"),  # set to ask again sooner
        (800, {"code": REFUSED, "ms": 1010}, "refused"),
        # a server that refuses its own closed port at once, or of which that is not known
        (2, {"code": REFUSED, "ms": 1}, "unknown"),
        (2, {"code": TIMED_OUT, "of": "connect"}, "unknown"),
        (2, {"code": 0x80004005}, "unknown"),
        (2, {"code": REFUSED, "ms": -3_600_000}, "unknown"),
        (400, {"code": REFUSED, "ms": 1}, "refused"),
    ],
)
def test_an_end_that_is_too_soon_for_a_refusal_accuses_no_host(
    ms: int, closed: dict[str, Any], outcome: str
) -> None:
    found, asked = tried({"code": REFUSED, "ms": ms}, closed)
    assert found["outcome"] == outcome
    assert asked[1].startswith("http://127.0.0.1:1/")


def test_a_refusal_that_took_its_time_needs_no_comparison() -> None:
    _, asked = tried({"code": REFUSED, "ms": 1010})
    assert len(asked) == 1


def test_the_request_is_as_long_as_its_own_bytes_say() -> None:
    _, (url,) = tried({"code": 0x80072F78})
    request = b"GET " + url.removeprefix("http://kms:1688").encode()
    for order in ("little", "big"):
        assert int.from_bytes(request[8:10], order) == 8481
    assert len(request) >= 8481


def test_a_slow_name_server_and_a_silent_host_are_told_apart_by_a_second_try() -> None:
    slow = {"code": TIMED_OUT, "of": "receive", "ms": 2500}
    cached = {"code": TIMED_OUT, "of": "receive"}
    found, asked = tried(slow, cached)
    assert (found["outcome"], len(asked)) == ("connected", 2)


def test_a_host_that_answers_the_second_time_is_there() -> None:
    found, _ = tried({"code": TIMED_OUT, "of": "connect"}, {"code": 0x80072746, "ms": 3})
    assert found["outcome"] == "connected"


def test_without_time_for_a_second_try_nothing_is_said() -> None:
    found, asked = tried({"code": TIMED_OUT, "of": "connect"}, budget_ms=2000)
    assert (found["outcome"], len(asked)) == ("unknown", 1)


def test_a_long_path_that_is_not_taken_gives_way_to_a_short_one() -> None:
    found, (_, short) = tried({"code": 0x80072EE5}, {"code": 0x80072F78, "ms": 2})
    assert (found["outcome"], short) == ("connected", "http://kms:1688/")


@pytest.mark.parametrize("step_ms", [-3_600_000, 90_000_000])
def test_a_clock_that_is_set_meanwhile_tells_no_time(step_ms: int) -> None:
    found, _ = tried({"code": TIMED_OUT, "of": "connect", "ms": step_ms})
    assert (found["outcome"], found["ms"]) == ("unknown", None if step_ms < 0 else found["ms"])
