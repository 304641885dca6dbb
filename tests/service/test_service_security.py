"""What protects the running application: origin, headers, and odd requests without a 500."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from built_apps import with_parts
from litestar import get
from service_identity import PASSWORD, Service, either_service, service, store
from test_service_routes import calls

from volact.service.access import Permission
from volact.service.application import application
from volact.store.store import Store

__all__ = ["either_service", "service", "store"]

FORM = {"name": "ada", "password": PASSWORD}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver.local.evil.example"},
        {"origin": "http://["},
        {"origin": ""},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    ],
)
def test_another_site_changes_nothing(service: Service, headers: dict[str, str]) -> None:
    """CSRF, of sign-in, too: else a victim works in the attacker's account."""
    service.user("ada")
    with service.client() as client:
        assert client.post("/sign-in", data=FORM).status_code == 303
        for path in ("/sign-in", "/sign-out", "/account/password", "/api/v1/runs"):
            assert client.post(path, data=FORM, headers=headers).status_code == 403, path
        assert client.get("/account/password", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "same-origin", "origin": ""}, {"origin": "http://testserver.local"}],
)
def test_the_services_own_pages_do(service: Service, headers: dict[str, str]) -> None:
    service.user("ada")
    with service.client() as client:
        assert client.post("/sign-in", data=FORM, headers=headers).status_code == 303


@pytest.mark.parametrize(
    "days", [pytest.param("9" * 5000, id="long"), "9" * 30, "400", "0", "\u00b2", ""]
)
def test_days_that_no_token_lasts_are_refused(service: Service, days: str) -> None:
    service.user("ada")
    with service.client() as client:
        assert client.post("/sign-in", data=FORM).status_code == 303
        form = {"name": "ci", "role": "viewer", "days": days}
        assert client.post("/account/tokens", data=form).status_code == 400


def test_behind_a_proxy_the_public_address_is_the_own_one(store: Store) -> None:
    service = Service(store, public_url="https://volact.example")
    service.user("ada")
    headers = {"host": "10.0.0.7:8088", "origin": "https://volact.example"}
    with service.client() as client:
        assert client.post("/sign-in", data=FORM, headers=headers).status_code == 303


@pytest.mark.parametrize("host", ["[x", "x:abc", "x:99999999", "[::1", "a b", "user@x", ""])
def test_a_host_that_is_none_is_no_defect(service: Service, host: str) -> None:
    """Neither before the sign-in nor after it, when pages and forms are told their own path."""
    service.user("ada")
    headers, own = {"host": host}, {"sec-fetch-site": "same-origin"}
    with service.client() as client:
        for signed_in in (False, True):
            if signed_in:
                assert client.post("/sign-in", data=FORM).status_code == 303
            for path in ("/", "/account", "/nowhere", "/api/v1/me", "/api/v1/nowhere"):
                assert client.get(path, headers=headers).status_code < 500, path
            answer = client.post("/runs", data={"once": "1"}, headers={**headers, **own})
            assert answer.status_code < 500


def test_a_token_needs_no_origin_and_no_browser_sends_one(service: Service) -> None:
    token = service.token(service.user("ada", "operator"), "operator")
    headers = {"authorization": f"Bearer {token}", "origin": "https://evil.example"}
    with service.client() as client:
        assert client.post("/api/v1/runs/1/pause", headers=headers).status_code != 403


@pytest.mark.parametrize("path", ["/sign-in", "/", "/nowhere", "/api/v1/servers", "/healthz"])
def test_every_answer_has_the_headers(service: Service, path: str) -> None:
    """Clickjacking, injected scripts, types that are guessed, addresses that leak."""
    with service.client() as client:
        headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers  # without TLS


def test_pages_have_no_script_or_style_that_the_policy_forbids(service: Service) -> None:
    service.user("root", "administrator")
    with service.client() as client:
        client.post("/sign-in", data={"name": "root", "password": PASSWORD})
        for path, method in calls(with_parts(application, service.parts)):
            if method == "GET" and "{" not in path:
                answer = client.get(path)
                if answer.headers.get("content-type", "").startswith("text/html"):
                    inline = r"<style|<script(?! src=)|\sstyle=|\son\w+=|javascript:"
                    assert not re.search(inline, answer.text), path


def test_a_defect_says_nothing_of_itself(service: Service) -> None:
    @get("/defect", opt={"permission": Permission.PUBLIC}, sync_to_thread=False)
    def defect() -> str:
        raise RuntimeError("the inner secret")

    with service.client(defect) as client:
        answer = client.get("/defect")
    assert answer.status_code == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text


TEXT = (
    "", "\x00", "' OR 1=1 --", "../../etc/passwd", "%00", "é" * 50, "{{7*7}}", "x" * 5000,
    "<script>", "-1", "9" * 40, "1e999", "null", "[]", "日本", "2026-99-99",
)  # fmt: skip
BODIES = (
    "", "{", "null", "[]", "{}", '{"verb":1}', '{"verb":"check","inventory":"\\u0000"}', "[" * 2000,
    '{"a":' * 500, '"\\ud800"', "9" * 400, '{"limit":["x",null]}', "name=%00&password=%ff",
    '{"name":"\\u0000","role":"viewer","days":99999999999}', '{"name":"\\ud800"}', "name=a&name=b",
)  # fmt: skip
HEADERS = (
    "accept", "accept-language", "if-none-match", "idempotency-key", "x-forwarded-for", "range",
    "cookie", "content-encoding", "last-event-id", "x-request-id", "host", "origin",
)  # fmt: skip
TYPES = (
    "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "multipart/form-data", "text/plain", "application/json; charset=utf-16", "\xff", "",
)  # fmt: skip
QUERIES = (
    "limit", "cursor", "name", "tag", "verdict", "next", "key", "q", "sort", "ends_from",
    "overdue", "state",
)  # fmt: skip
WORDS = ("1", "x", "%00", "..%2f", "%ff", "a" * 300, "%F0%9F%98%80")


def odd_request(rng: random.Random) -> dict[str, Any]:
    """Headers, cookies, queries and a body that no client sends on purpose."""
    value = rng.choice(TEXT).replace("\x00", "\x7f").encode()
    return {
        "headers": {
            rng.choice(HEADERS): value,
            "content-type": rng.choice(TYPES).encode("latin-1"),
        },
        "params": {rng.choice(QUERIES): rng.choice(TEXT)},
        "content": rng.choice(BODIES).encode("utf-8", "surrogatepass"),
    }


def test_a_body_that_is_nested_without_end_is_refused(service: Service) -> None:
    token = service.token(service.user("root", "administrator"), "administrator")
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    with service.client() as client:
        for begin, end in (("", ""), ('{"verb":"check","inventory":"main","x":', "}")):
            body = begin + "[" * 5000 + "]" * 5000 + end
            assert client.post("/api/v1/runs", content=body, headers=headers).status_code == 400


def test_odd_requests_never_end_in_a_defect(service: Service) -> None:
    """Every route, 12 odd requests, as administrator: any status but 5xx."""
    token = service.token(service.user("root", "administrator"), "administrator")
    rng, wrong = random.Random(12), []
    with service.client() as client:
        for path, method in calls(with_parts(application, service.parts)):
            for _ in range(12):
                filled, odd = re.sub(r"\{[^}]*\}", rng.choice(WORDS), path), odd_request(rng)
                odd["headers"]["authorization"] = f"Bearer {token}".encode()
                answer = client.request(method, filled, **odd)
                if answer.status_code >= 500:
                    wrong.append((method, filled, odd, answer.text[:200]))
    assert not wrong


CSV = "name,address\nweb-1,10.0.0.1\n"
FILES = {
    "csv": (b'"fleet.csv"', f"{CSV}a\0b,10.0.0.2\n".encode()),
    "utf-16": (b'"fleet.csv"', CSV.encode("utf-16-le")),
    "its name": (b'"fleet\0.csv"', CSV.encode()),
}


def test_the_character_nul_is_refused_by_every_page(either_service: Service) -> None:
    """PostgreSQL cannot be asked for it: that is no error of the database."""
    either_service.user("ada", "administrator")
    answers = {}
    with either_service.client() as client:
        for path, field in (("/sign-in", "name"), ("/sign-in/link", "key")):
            for kind in ("application/x-www-form-urlencoded", "application/json"):
                told = {"content-type": kind}
                answer = client.post(path, content=f"{field}=%00", headers=told)
                assert answer.status_code == (400 if "form" in kind else 401), (path, kind)
        assert client.post("/sign-in", data=FORM).status_code == 303
        for path, method in calls(with_parts(application, either_service.parts)):
            if path.startswith("/api/") or path in {"/healthz", "/readyz", "/metrics"}:
                continue
            filled = re.sub(r"\{[^}]*\}", "x", path)
            if "{" in path:
                odd = re.sub(r"\{[^}]*\}", "%00", path)
                answers[method, odd] = client.request(method, odd).status_code
            answers[method, f"{filled}?"] = client.request(
                method, f"{filled}?search=a%00"
            ).status_code
            if method == "POST":
                for form in ({"name": "\0"}, {"\0": "1"}):
                    answers[filled, str(form)] = client.post(filled, data=form).status_code
        assert client.get("/servers?search=%2500").status_code == 200
    assert {what: code for what, code in answers.items() if code != 400} == {}
    assert len(answers) > 100


@pytest.mark.parametrize("file", FILES)
def test_a_file_with_the_character_nul_is_refused(either_service: Service, file: str) -> None:
    either_service.user("ada", "administrator")
    with either_service.client() as client:
        assert client.post("/sign-in", data=FORM).status_code == 303
        part = b"--x\r\ncontent-disposition: form-data; name="
        named, text = FILES[file]
        body = part + b"name\r\n\r\nfleet.csv\r\n" + part + b"file; filename=" + named
        told = {"content-type": "multipart/form-data; boundary=x"}
        answer = client.post(
            "/inventories", content=body + b"\r\n\r\n" + text + b"\r\n--x--\r\n", headers=told
        )
        assert answer.status_code == 400
        assert client.get("/inventories/fleet.csv").status_code == 404
