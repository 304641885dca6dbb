"""Sign-in by OpenID Connect, at a real provider on loopback."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cli_process import started
from litestar.testing import TestClient
from service_identity import Service, store

from volact.client.wire import Role, UserChange
from volact.errors import InputError
from volact.service.app import utc_now
from volact.service.identity import users
from volact.service.identity.oidc import OidcProvider, OidcSettings, derived, load_oidc
from volact.service.identity.oidc_users import role_of
from volact.store.store import Store

__all__ = ["store"]

pytestmark = pytest.mark.xdist_group("oidc")  # whose provider is started once
ADA = {"sub": "ada-1", "preferred_username": "Ada", "email": "ada@example.com", "groups": ["ops"]}
BOB = {"sub": "bob-1", "at_userinfo": {"preferred_username": "Bob", "groups": ["ops"]}}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider() as url:
        yield url


@contextmanager
def provider(*scopes: str) -> Iterator[str]:
    """The provider, as a process of its own; it listens when it has named its port."""
    script = str(Path(__file__).with_name("oidc_provider.py"))
    ways = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with started([sys.executable, script, *scopes], **ways) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        know(url, ADA)
        yield url
        process.terminate()


def know(issuer: str, user: dict[str, Any]) -> None:
    """Let the provider know a user with these claims."""
    claims = {name: value for name, value in user.items() if name != "sub"}
    httpx.put(f"{issuer}/users/{user['sub']}", json=claims, timeout=None).raise_for_status()


@pytest.fixture
def service(store: Store, issuer: str) -> Service:
    return with_provider(store, issuer)


def with_provider(store: Store, issuer: str, **settings: Any) -> Service:
    made = Service(store)
    roles = settings.pop("roles", {"admins": "administrator", "ops": "operator"})
    assert store.address.file is not None
    secret = store.address.file.with_name("secret")
    secret.write_text("the client's secret\n")
    chosen = OidcSettings(
        issuer=issuer, client_id="volact", client_secret_file=secret, roles=roles, **settings
    )
    made.use_oidc(OidcProvider(chosen, "http://testserver.local/oidc/callback"))
    made.clock.time = utc_now()
    return made


def asked(client: TestClient[Any], next: str = "/") -> str:
    """The address of the provider that the browser is sent to."""
    answer = client.get("/oidc/start", params={"next": next})
    assert answer.status_code == 303
    return answer.headers["location"]


def agreed(url: str, user: str = "ada-1") -> str:
    """The address that the provider sends the browser back to."""
    answer = httpx.post(url, data={"sub": user}, timeout=None)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def test_a_user_of_the_provider_signs_in(service: Service) -> None:
    with service.client() as client:
        assert "/oidc/start?next=/" in client.get("/sign-in").text
        answer = client.get(agreed(asked(client, "/runs")))
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
        assert client.get("/runs").status_code == 200
    (ada,) = service.store.ask(users.users)
    assert (ada.name, ada.role, ada.email, ada.oidc) == ("ada", "operator", "ada@example.com", True)


def signed_in(service: Service, user: str) -> httpx.Response:
    with service.client() as client:
        return client.get(agreed(asked(client), user))


def test_claims_that_the_id_token_does_not_have_are_asked_for(
    service: Service, issuer: str
) -> None:
    """OpenID Connect Core 5.4: claims of scopes are at the UserInfo endpoint."""
    know(issuer, BOB)
    assert signed_in(service, "bob-1").status_code == 303
    (bob,) = service.store.ask(users.users)
    assert (bob.name, bob.role) == ("bob", "operator")


@pytest.mark.parametrize("more", [{"sub": "ada-1"}, {"sub": None}, {"long": "x" * 2_000_000}])
def test_claims_of_another_or_without_end_are_not_taken(
    service: Service, issuer: str, more: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    know(issuer, {"sub": "eve-1", "at_userinfo": {"groups": ["admins"], **more}})
    with caplog.at_level(logging.DEBUG, "volact"):
        answer = signed_in(service, "eve-1")
    assert (answer.status_code, "gave no valid answer" in answer.text) == (401, True)
    assert service.store.ask(users.users) == []
    assert "Bearer" not in caplog.text


def test_the_id_token_counts_where_both_have_a_claim(service: Service, issuer: str) -> None:
    """Its signature was checked."""
    fields = {"groups": ["admins"], "preferred_username": "cy", "iss": "x"}
    know(issuer, {"sub": "cy-1", "groups": ["ops"], "at_userinfo": fields})
    assert signed_in(service, "cy-1").status_code == 303
    assert [(user.name, user.role) for user in service.store.ask(users.users)] == [
        ("cy", "operator")
    ]


def test_a_provider_that_names_no_groups_is_told_from_one_that_names_none_that_fits(
    service: Service, issuer: str
) -> None:
    know(issuer, {"sub": "dee-1", "preferred_username": "dee"})
    assert "did not say which groups you are in" in signed_in(service, "dee-1").text
    know(issuer, {"sub": "dee-1", "preferred_username": "dee", "groups": []})
    assert "none of your groups may use this service" in signed_in(service, "dee-1").text


def test_the_request_has_state_nonce_and_pkce(service: Service) -> None:
    with service.client() as client:
        query = {key: one for key, (one,) in parse_qs(urlsplit(asked(client)).query).items()}
        key = client.cookies["volact_oidc"].partition(".")[0]
    digest = hashlib.sha256(derived(key, "verifier").encode()).digest()
    assert query["code_challenge"] == urlsafe_b64encode(digest).decode().rstrip("=")
    assert query["code_challenge_method"] == "S256"
    assert (query["response_type"], query["client_id"]) == ("code", "volact")
    assert {query["state"], query["nonce"]} == {derived(key, "state"), derived(key, "nonce")}
    assert key not in str(query)


def test_the_answer_to_another_sign_in_is_refused(service: Service) -> None:
    """Sign-in CSRF: a victim's browser does not take the attacker's answer."""
    with service.client() as attacker, service.client() as victim:
        stolen = agreed(asked(attacker))
        assert victim.get(stolen).status_code == 401  # it began nothing
        asked(victim)
        assert victim.get(stolen).status_code == 401
        assert "volact" not in victim.cookies
        mixed = stolen.replace(parse_qs(urlsplit(stolen).query)["state"][0], "x")
        assert attacker.get(mixed).status_code == 401


def test_a_code_works_once_and_for_its_nonce_alone(service: Service) -> None:
    with service.client() as client:
        url = asked(client)
        back = agreed(url)
        held = client.cookies["volact_oidc"]
        other = agreed(url.replace("nonce=", "nonce=other"))
        assert client.get(other).status_code == 401
        assert client.get(back).status_code == 303
        client.cookies.clear()
        client.cookies.set("volact_oidc", held)
        assert client.get(back).status_code == 401


def test_what_the_provider_refuses_is_said(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")  # as a program does that shows its log
    told = "AADSTS650053: asked for scope\n" + "x" * 999
    query = {"error": "access_denied", "state": "x", "error_description": told}
    with service.client() as client:
        asked(client)
        answer = client.get("/oidc/callback", params=query)
    assert (answer.status_code, "access_denied" in answer.text) == (401, True)
    assert "AADSTS" not in answer.text  # which may be from a link of a stranger
    own = [record.getMessage() for record in caplog.records if record.name.startswith("volact")]
    (line,) = [text for text in own if "AADSTS650053" in text]  # the test's own client logs, too
    assert (line.isprintable(), len(line) < 400) == (True, True)


@pytest.mark.parametrize(
    ("scopes", "setting", "scope"),
    [
        ((), None, "openid profile email"),
        (("groups",), None, "openid profile email groups"),
        (("groups",), "openid email", "openid email"),
    ],
)
def test_groups_are_asked_for_where_the_provider_offers_the_scope(
    store: Store, scopes: tuple[str, ...], setting: str | None, scope: str
) -> None:
    """Entra ID, Google and others end a sign-in that asks for a scope that they do not have."""
    with (
        provider(*scopes) as issuer,
        with_provider(store, issuer, scope=setting).client() as client,
    ):
        assert parse_qs(urlsplit(asked(client)).query)["scope"] == [scope]


def test_sign_in_leads_to_no_other_site(service: Service) -> None:
    with service.client() as client:
        answer = client.get(agreed(asked(client, "//evil.example")))
    assert answer.headers["location"] == "/"


def test_the_role_follows_the_groups(store: Store, issuer: str) -> None:
    with with_provider(store, issuer).client() as client:
        assert client.get(agreed(asked(client))).status_code == 303
    with with_provider(store, issuer, roles={"ops": "viewer"}).client() as client:
        assert client.get(agreed(asked(client))).status_code == 303
    assert [user.role for user in store.ask(users.users)] == ["viewer"]
    with with_provider(store, issuer, roles={"admins": "viewer"}).client() as client:
        assert client.get(agreed(asked(client))).status_code == 401


@pytest.mark.parametrize("hours", [12, 20])
def test_a_session_ends_however_much_it_is_used(store: Store, issuer: str, hours: int) -> None:
    """The provider is asked at a sign-in alone, and may have disabled the user since."""
    service = with_provider(store, issuer, session_hours=hours)
    with service.client() as client:
        assert client.get(agreed(asked(client))).status_code == 303
        for _ in range(hours - 1):
            service.clock.advance(hours=1)
            assert client.get("/runs").status_code == 200
        service.clock.advance(hours=1)
        assert client.get("/runs").headers["location"] == "/sign-in?next=%2Fruns"


def test_a_local_user_of_the_same_name_stays_another(service: Service) -> None:
    service.user("ada", "administrator")
    with service.client() as client:
        assert client.get(agreed(asked(client))).status_code == 401
    assert [user.oidc for user in service.store.ask(users.users)] == [False]


def test_a_user_who_is_disabled_does_not_come_in(service: Service) -> None:
    service.user("root", "administrator", password="")
    with service.client() as client:
        client.get(agreed(asked(client)))
        with service.change() as change:
            users.alter(change, "ada", UserChange(disabled=True))
        assert client.get(agreed(asked(client))).status_code == 401


def test_a_provider_that_is_not_there_is_said(store: Store) -> None:
    with with_provider(store, "http://127.0.0.1:9").client() as client:
        answer = client.get("/oidc/start")
    assert (answer.status_code, "no valid answer" in answer.text) == (502, True)


def test_without_a_provider_there_is_no_such_page(store: Store) -> None:
    with Service(store).client() as client:
        assert client.get("/oidc/start").status_code == 404


def test_the_first_group_that_is_written_counts() -> None:
    settings = OidcSettings(
        issuer="https://x", client_id="c", roles={"a": "administrator", "o": "operator"}
    )
    assert role_of(settings, {"groups": ["o", "a"]}) == "administrator"
    assert role_of(settings, {"groups": "o"}) == "operator"
    with pytest.raises(InputError):
        role_of(settings, {"groups": []})


OVERAGE = {
    "_claim_names": {"groups": "src1"},
    "_claim_sources": {"src1": {"endpoint": "https://g"}},
}


@pytest.mark.parametrize(
    ("claims", "default", "held", "role"),
    [
        (OVERAGE, "viewer", "administrator", "administrator"),
        ({"hasgroups": True}, None, "operator", "operator"),
        (OVERAGE, "viewer", None, "more groups than the identity provider names"),
        ({}, "viewer", "administrator", "did not say which groups"),
        ({}, None, "administrator", "did not say which groups"),
        ({}, "viewer", "viewer", "viewer"),
        ({}, "viewer", None, "viewer"),
        ({"groups": []}, "viewer", "administrator", "viewer"),
    ],
)
def test_groups_that_cannot_be_asked_change_no_role(
    claims: dict[str, Any], default: Role | None, held: Role | None, role: str
) -> None:
    """Entra ID names 200 groups at most, and leaves the claim out where there are none."""
    settings = OidcSettings(
        issuer="https://x", client_id="c", roles={"a": "administrator"}, default_role=default
    )
    try:
        found: str = role_of(settings, claims, held)
    except InputError as error:
        found = error.line()
    assert role in found


def test_without_roles_no_groups_are_needed() -> None:
    """Google has none."""
    settings = OidcSettings(issuer="https://x", client_id="c", default_role="viewer")
    assert role_of(settings, {}, "administrator") == "viewer"


def test_a_known_user_in_too_many_groups_stays_who_it_is(store: Store, issuer: str) -> None:
    service = with_provider(store, issuer, default_role="viewer")
    know(issuer, {"sub": "flo-1", "preferred_username": "flo", "groups": ["ops"]})
    assert signed_in(service, "flo-1").status_code == 303
    know(issuer, {"sub": "flo-1", "preferred_username": "flo", **OVERAGE})
    assert signed_in(service, "flo-1").status_code == 303
    know(issuer, {"sub": "flo-1", "preferred_username": "flo"})
    assert signed_in(service, "flo-1").status_code == 401
    assert [user.role for user in store.ask(users.users)] == ["operator"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('issuer = "http://login.example"\nclient-id = "v"', "begins with https://"),
        ('issuer = "https://login.example"', "client-id"),
        ('issuer = "https://l"\nclient-id = "v"\nclient-secret = "x"', "client-secret"),
        ('issuer = "https://l"\nclient-id = "v"\nroles = {a = "root"}', "root"),
        ('issuer = "https://l"\nclient-id = "v"\nsession-hours = 0', "session-hours"),
        ("issuer =", "oidc.toml"),
        ('issuer = "https://[l"\nclient-id = "v"', "oidc.toml: 'https://[l' is not the address"),
    ],
)
def test_wrong_settings_are_said(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "oidc.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_oidc(path)
    assert words in caught.value.line()
