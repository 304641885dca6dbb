"""The console's pages: what each shows, to whom, in which language, and how it is guarded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient
from msgspec.structs import replace
from sent_form import SentForm, filled
from service_fleet import (
    NOW,
    TAGS,
    Control,
    add_inventory,
    add_run,
    console,
    fill,
    opened,
    person,
)
from store_samples import WRONG_HOST, end, keep, row, silent, store_writer

from volact.client.wire import NewUser, Role, RunSpec, RunState, ViewDraft
from volact.core.context import Policy
from volact.errors import InputError
from volact.fleet import Rate
from volact.model.error_text import error_text
from volact.queries.filters import ServerFilter
from volact.service.access import GRANTS, Permission
from volact.service.console.typed_words import words_of
from volact.service.console.words import detail_words
from volact.service.database.tables import RUNS
from volact.service.engine.control import EngineControl
from volact.service.engine.plan import rules_of
from volact.service.identity import sessions, users
from volact.service.identity.audit import changing, lines
from volact.service.policies import ApprovalPolicy, NotificationPolicy, RepairPolicy, check_policy
from volact.service.policy_store import read_policy
from volact.service.schedules.store import list_schedules
from volact.service.views import save_view
from volact.store.clock import moment
from volact.store.store import Store
from volact.store.tables import RUNS as STORED_RUNS
from volact.words import speaking, tr

pytestmark = pytest.mark.xdist_group("console")  # the store that is shown is filled once
PAGES = [
    "/", "/servers", "/servers?verdict=failed&search=app", "/servers/app-01", "/runs",
    "/runs/bb22", "/findings", "/findings?code=0xC004F074",
    "/findings?code=kms-host-set-by-policy", "/runs/svc1", "/runs/svc2", "/runs/bb22/undo",
    "/runs/aa11/plan", "/health", "/account", "/inventories", "/inventories/fleet.toml",
    "/schedules", "/reports", "/reports?run=bb22",
]  # fmt: skip
ADMINISTERED = ["/users", "/audit", "/audit?check=1", "/audit/export"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    file = tmp_path_factory.mktemp("console") / "volact.db"
    with opened(file) as made:
        fill(str(file))
        add_inventory(made)
        add_run(made, "svc1", "running", canary="2")
        add_run(made, "svc2", "awaiting-approval")
        add_run(made, "aa11", "done", verb="plan")
        yield made


def get(store: Store, path: str, **given: Any) -> str:
    with TestClient(console(store, person(**given))) as http:
        answer = http.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return answer.text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_has_no_script_or_style_of_its_own(store: Store, path: str) -> None:
    html = get(store, path, role="viewer")
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    assert "<style" not in html
    assert " style=" not in html
    assert "<script>" not in html
    assert " on" + "click=" not in html
    assert "<b>&x" not in html


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["id", "zh-CN"])
def test_a_page_speaks_the_users_language(store: Store, path: str, language: str) -> None:
    html = get(store, path, language=language)
    assert f'<html lang="{language}">' in html
    assert ">Servers<" not in html


@pytest.mark.parametrize(
    ("language", "day"), [("en", "Monday"), ("id", "Senin"), ("zh-CN", "星期一")]
)
def test_weekdays_are_in_the_users_language(store: Store, language: str, day: str) -> None:
    assert f'value="mon"> {day}</label>' in get(store, "/schedules", language=language)


def test_the_browsers_language_is_taken_where_the_user_chose_none(store: Store) -> None:
    with TestClient(console(store, person())) as http:
        for header, language in (
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
            ("fr, id;q=0.5, en;q=0.4", "id"),
            ("fr;q=x, *", "en"),
            ("", "en"),
        ):
            html = http.get("/servers", headers={"accept-language": header}).text
            assert f'<html lang="{language}">' in html


def test_the_fleet_names_what_is_wrong_first(store: Store) -> None:
    html = get(store, "/")
    assert "4 servers are not healthy" in html
    assert html.index("4 servers are not healthy") < html.index("Causes") < html.index("Trend")
    assert 'href="/servers?verdict=failed"' in html


def test_the_fleet_says_when_licences_end_in_the_words_of_volact_status(store: Store) -> None:
    html = get(store, "/")
    assert [words for words in ("under 7 days", "7 to 30 days") if words not in html] == []


def test_a_run_shows_its_waves_and_which_is_at_work(store: Store) -> None:
    html = get(store, "/runs/svc1", role="viewer")
    waves = html.partition('<ol class="waves"')[2].partition("</ol>")[0]
    canaries, others = waves.split("<li")[1:]
    for wave, words in (
        (canaries, ("Canaries", "done", "2 of 2 servers done", "2 healthy")),
        (others, ("All others", "at work", "1 of 4 servers done", "1 failed")),
    ):
        assert [word for word in words if word not in wave] == []
    assert 'class="waves"' not in get(store, "/runs/svc2", role="viewer")
    assert "Not finished yet" in html  # svc1 has three servers left, and no more
    assert '<a href="/servers/s5">s5</a>' in html


def test_the_fleet_leads_to_runs_that_wait_those_for_approval_first(store: Store) -> None:
    html = get(store, "/", role="viewer")
    assert html.index('href="/runs/svc2"') < html.index('href="/runs/svc1"')
    assert "awaits approval" in html


def test_a_run_that_ended_early_is_listed_for_a_day(tmp_path: Path) -> None:
    with opened(tmp_path / "volact.db") as store:
        fill(str(tmp_path / "volact.db"))
        add_run(store, "svc1", "refused")  # the store has no row of it
        add_run(store, "bb22", "stopped")
        add_run(store, "old1", "failed")
        day_ago = sa.update(RUNS).where(RUNS.c.id == "old1")
        day_ago = day_ago.values(requested=moment(NOW - timedelta(days=1)))
        store.change(lambda it: it.execute(day_ago))
        html = get(store, "/runs", role="viewer")
        early = html.partition("Ended early in the last day")[2].partition("</section>")[0]
        assert [word for word in ("/runs/svc1", "refused", "stopped") if word not in early] == []
        assert html.count('href="/runs/bb22"') == 1
        assert "old1" not in html
        assert 'href="/runs/svc1"' not in get(store, "/")  # nothing of it is left to do


def test_an_error_of_volact_leads_to_its_line_in_the_log(store: Store) -> None:
    class Broken(Control):
        async def submit(self, *_: Any, **__: Any) -> Any:
            raise ZeroDivisionError

    form = {"verb": "check", "inventory": "fleet.toml"}
    with signed_in(store, control=Broken(store)) as http:
        answer = http.post("/runs/new", data=form)
        assert answer.status_code == 500
        assert f"<code>request={answer.headers['x-request-id']}</code>" in answer.text
        assert "<code>request=" not in http.get("/runs/nothing").text


def test_an_empty_store_says_what_to_do_first(tmp_path: Path) -> None:
    with opened(tmp_path / "empty.db") as empty:
        assert 'href="/runs/new"' in get(empty, "/", role="operator")
        assert 'href="/runs/new"' not in get(empty, "/", role="viewer")
        assert "A run needs an inventory" in get(empty, "/runs/new", role="operator")
        for path in ("/servers", "/runs", "/findings", "/health", "/inventories", "/schedules"):
            assert "<h1>" in get(empty, path, role="viewer")


def test_a_fleet_that_is_examined_for_the_first_time_leads_to_the_run(tmp_path: Path) -> None:
    with opened(tmp_path / "first.db") as first:
        add_run(first, "svc1", "running")
        html = get(first, "/", role="viewer")
        assert 'href="/runs/svc1"' in html
        assert "uploads an inventory" not in html


def test_a_page_that_shows_a_state_that_has_passed_is_told_at_once(store: Store) -> None:
    with TestClient(console(store, person())) as http:
        text = http.get("/runs/svc1/events?state=queued").text
        assert [line for line in text.splitlines() if line] == ["event: end", "data: running"]
    assert 'data-events="/runs/svc1/events?state=running"' in get(store, "/runs/svc1")


def test_who_approves_a_run_sees_what_it_may_do(tmp_path: Path) -> None:
    with opened(tmp_path / "asked.db") as asked:
        policy = Policy(consent=frozenset({"add-route"}), replace_key=True)
        add_run(asked, "svc1", "awaiting-approval", only=("web-01", "db-01"), policy=policy)
        html = get(asked, "/runs/svc1", role="approver")
    for word in ("web-01", "db-01", "add-route", "replace-key"):
        assert f">{word}<" in html


def test_an_inventory_links_to_servers_that_were_examined(tmp_path: Path) -> None:
    one = INVENTORY.replace(b"web-1", b"web-02")
    with opened(tmp_path / "volact.db") as store, signed_in(store, "administrator") as http:
        fill(str(tmp_path / "volact.db"))
        known = http.post("/inventories", files={"file": ("known.toml", one)}).text
        new = http.post("/inventories", files={"file": ("new.toml", INVENTORY)}).text
    assert ('href="/servers/web-02"' in known, "never examined" in known) == (True, False)
    assert ('href="/servers/web-1"' in new, "never examined" in new) == (False, True)


def test_a_server_shows_evidence_what_to_type_facts_and_each_change(store: Store) -> None:
    html = get(store, "/servers/web-02")
    assert "sync-clock" in html
    assert "5 h" in html  # the value before
    assert "<code>14393</code>" in html  # a fact
    assert "A group policy sets the KMS host" in get(store, "/servers/db-01")
    assert "\\u" not in html


def test_scopes_hide_servers_and_what_is_counted(store: Store) -> None:
    with TestClient(console(store, person("viewer", "tag:web"))) as http:
        html = http.get("/servers").text
        assert "web-01" in html
        assert "db-01" not in html
        assert http.get("/servers/db-01").status_code == 404
        assert http.get("/servers/web-01").status_code == 200
        run = http.get("/runs/bb22").text
        assert "web-01" in run
        assert "db-01" not in run
        assert "app-01" not in run
        assert "2 healthy" in http.get("/runs").text
        assert "db-01" not in http.get("/").text
        assert "kms-host-set-by-policy</a><small>" not in http.get("/findings").text
    with TestClient(console(store, person("viewer", "tag:none"))) as http:
        assert http.get("/runs/bb22").status_code == 404


def test_pages_of_the_list_follow_each_other(store: Store) -> None:
    html = get(store, "/servers?search=web-*")
    assert "db-01" not in html
    assert "2 servers" in html
    assert "No matching servers." in get(store, "/servers?search=nothing")


def test_a_choice_lists_as_many_servers_as_it_says(store: Store) -> None:
    options = re.search(r'<select name="cause">(.*?)</select>', get(store, "/servers"))
    offered = re.findall(r'value="([^"]+)">[^<]*\((\d+)\)', options[1] if options else "")
    assert offered
    links = re.findall(r'/servers\?(finding=[^"]+)">(\d+)<', get(store, "/findings"))
    assert links
    for query, servers in [*((f"cause={word}", n) for word, n in offered), *links]:
        html = get(store, f"/servers?{query}")
        assert html.count("<tr data-line>") == int(servers), query


def test_a_pace_is_given_and_shown_as_what_it_is(tmp_path: Path) -> None:
    with opened(tmp_path / "volact.db") as made:
        add_inventory(made)
        add_run(made, "svc9", "running", pace="200/h")
        for path in ("/runs/new", "/schedules"):
            field = re.search(r'<label>([^<]*) <input name="pace"[^>]*>', get(made, path))
            assert field is not None, path
            assert field[1] == "Pace"
            example = re.search('placeholder="([^"]+)"', field[0])
            assert example is not None, path
            assert Rate.parse(example[1]).seconds == 60
        assert "<dt>Pace<dd>200/h" in get(made, "/runs/svc9")


def test_a_card_promises_no_other_number_than_its_list_has(tmp_path: Path) -> None:
    names = [f"s{at:02}" for at in range(9)]
    warned = replace(WRONG_HOST, severity="warning")
    with opened(tmp_path / "volact.db") as made:
        rows = [row(name, "failed", findings=(WRONG_HOST,)) for name in names]
        silents = [silent(f"u{at}") for at in range(9)]
        keep(str(made.address.file), "aa11", *rows, row("web", findings=(warned,)), *silents)
        links = re.findall(r'href="/servers\?([^"]+)">([^<]+)</a></p></article>', get(made, "/"))
        assert links == [
            ("cause=error%3Aconnect", "Servers with this cause"),
            ("finding=kms-host-wrong", "Servers with this finding"),
        ]
        listed = [get(made, f"/servers?{query}").count("<tr data-line>") for query, _ in links]
        assert listed == [9, 10]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/servers/nothing", 404),
        ("/runs/nothing", 404),
        ("/runs/bb", 404),
        ("/servers?verdict=nothing", 400),
        ("/servers?cursor=nothing", 400),
        ("/servers?ends_from=x", 400),
        ("/servers?cause=error:nothing", 400),
        ("/runs?cursor=nothing", 400),
        ("/servers/web-01?cursor=nothing", 400),
        ("/assets/console.css", 404),
        ("/findings?code=nothing-at-all", 404),
    ],
)
def test_what_does_not_exist_is_a_page_that_says_so(store: Store, path: str, status: int) -> None:
    with TestClient(console(store, person())) as http:
        answer = http.get(path)
        assert answer.status_code == status
        assert "<h1>" in answer.text


def test_who_is_not_signed_in_goes_to_the_sign_in_page(store: Store) -> None:
    with TestClient(console(store, None)) as http:
        answer = http.get("/servers?verdict=failed", follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/sign-in?next=%2Fservers%3Fverdict%3Dfailed"


def test_files_are_kept_for_ever_under_the_name_of_their_content(store: Store) -> None:
    html = get(store, "/")
    with TestClient(console(store, None)) as http:
        for kind in ("css", "js"):
            path = html.split(f'.{kind}"')[0].rpartition('"')[2] + f".{kind}"
            answer = http.get(path)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]


def signed_in(store: Store, role: Role = "operator", control: Any = None) -> TestClient[Any]:
    return TestClient(console(store, person(role), control))


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "administrator"])
def test_navigation_shows_what_the_role_may_do(store: Store, role: Role) -> None:
    allowed = Permission.ADMINISTER in GRANTS[role]
    html = get(store, "/", role=role)
    with signed_in(store, role) as http:
        for path in ADMINISTERED:
            assert http.get(path).status_code == (200 if allowed else 403)
    assert ('href="/users"' in html) is allowed
    assert ('href="/runs/new"' in html) is (Permission.RUN in GRANTS[role])


def test_a_new_run_is_what_the_form_asks_for(tmp_path: Path) -> None:
    with opened(tmp_path / "volact.db") as store:
        add_inventory(store)
        control = Control(store)
        form = {
            "verb": "activate", "inventory": "fleet.toml", "limit": "web-*, !web-09",
            "targets": "web db", "canary": "3", "max_failures": "5%",
            "consent": ["rearm"], "replace_key": "1",
        }  # fmt: skip
        with signed_in(store, control=control) as http:
            assert "fleet.toml" in http.get("/runs/new?limit=web-01").text
            linked = http.get("/runs/new?targets=web+db&limit=prod").text  # by a plan
            assert 'name="targets" value="web db"' in linked
            answer = http.post("/runs/new", data=form, follow_redirects=False)
            assert answer.headers["location"] == "/runs/svc1"
            for wrong in (
                {"verb": "nothing"}, {"consent": "nothing"}, {"deadline_s": "x"},
                {"deadline_s": "0"}, {"deadline_s": "nan"},
            ):  # fmt: skip
                again = http.post("/runs/new", data={**form, **wrong})
                assert again.status_code == 400
                assert 'role="alert"' in again.text
                assert 'value="web-*, !web-09"' in again.text  # what was typed stays
    (_, spec), *more = control.asked
    assert not more
    assert (spec.verb, spec.targets) == ("activate", ("web", "db"))
    assert spec.limit == ("web-*", "!web-09")
    assert (spec.canary, spec.max_failures) == ("3", "5%")
    assert spec.policy == Policy(replace_key=True, consent=frozenset({"rearm"}))


@pytest.mark.parametrize("action", ["pause", "resume", "cancel", "retry"])
def test_a_run_is_steered_by_buttons(store: Store, action: str) -> None:
    control = Control(store)
    with signed_in(store, control=control) as http:
        answer = http.post(f"/runs/svc1/{action}", follow_redirects=False)
        assert answer.headers["location"] == "/runs/svc1"
        assert http.post(f"/runs/nothing/{action}").status_code == 404
    assert control.asked == [({"retry": "retry_failed"}.get(action, action), "svc1")]
    with signed_in(store, "viewer", control) as http:
        assert http.post(f"/runs/svc1/{action}").status_code == 403


def test_steering_a_run_needs_all_of_its_servers(tmp_path: Path) -> None:
    with opened(tmp_path / "volact.db") as store:
        fill(str(tmp_path / "volact.db"))
        add_run(store, "bb22", "running")
        control, someone = Control(store), person("operator", "tag:web")
        with TestClient(console(store, someone, control)) as http:
            html = http.get("/runs/bb22").text
            assert http.post("/runs/bb22/pause").status_code == 403
            http.post("/runs/bb22/retry", follow_redirects=False)
    assert "web-02" in html
    assert "/runs/bb22/pause" not in html
    assert control.asked == [("retry_failed", "bb22")]


@pytest.mark.parametrize(
    ("action", "state"), [("pause", "running"), ("resume", "paused"), ("cancel", "queued")]
)
def test_the_audit_names_who_steers(tmp_path: Path, action: str, state: RunState) -> None:
    with opened(tmp_path / "volact.db") as store:
        add_run(store, "svc1", state)
        runs = EngineControl(store, lambda: NOW)
        with signed_in(store, control=runs) as http:
            http.post(f"/runs/svc1/{action}", follow_redirects=False)
        assert [line.user for line in store.ask(lines)] == ["Ana"]


def test_a_refused_request_is_said_on_the_page_of_the_run(store: Store) -> None:
    with signed_in(store, control=Control(store, "the run is over")) as http:
        answer = http.post("/runs/svc1/pause")
        assert answer.status_code == 409
        assert "the run is over" in answer.text


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh-CN", "运行 svc1 的状态为 完成"), ("id", "eksekusi svc1 berstatus selesai")],
)
def test_a_state_is_said_in_the_users_language(tmp_path: Path, language: str, said: str) -> None:
    with opened(tmp_path / "volact.db") as store:
        add_run(store, "svc1", "done")
        runs = EngineControl(store, lambda: NOW)
        with TestClient(console(store, person(language=language), runs)) as http:
            assert said in http.post("/runs/svc1/pause").text


@pytest.mark.parametrize("language", ["id", "zh-CN"])
def test_what_cannot_be_explained_is_said_in_the_users_language(
    store: Store, language: str
) -> None:
    with TestClient(console(store, person(language=language))) as http:
        html = http.get("/findings?code=nothing-at-all").text
    problem = re.search('<p class="remark stop">([^<]+)</p>', html)
    assert problem is not None
    assert "such as" not in problem[1]


@pytest.mark.parametrize("language", ["id", "zh-CN"])
def test_why_a_rule_cannot_be_read_is_said_in_the_users_language(language: str) -> None:
    with pytest.raises(InputError) as pace:
        rules_of(RunSpec(verb="check", inventory="x", pace="30"))
    with pytest.raises(InputError) as share:
        check_policy(RepairPolicy(max_failures="many"))
    with speaking(language):
        for error in (pace, share):
            assert " is " not in tr(error_text(error.value))


def test_a_second_person_approves_with_the_reason_of_a_refusal(store: Store) -> None:
    control = Control(store)
    with signed_in(store, "approver", control) as http:
        html = http.get("/runs/svc2").text
        assert "/runs/svc2/approve" in html
        assert "before you approve" in html
        assert "/runs/svc2/cancel" not in html
        http.post("/runs/svc2/approve", follow_redirects=False)
        http.post("/runs/svc2/refuse", data={"reason": "not tonight"}, follow_redirects=False)
    assert control.asked == [("approve", "svc2"), ("refuse", "svc2", "not tonight")]
    with signed_in(store, "operator", control) as http:
        html = http.get("/runs/svc2").text
        assert "/runs/svc2/approve" not in html
        assert "Another person has to approve" in html


def test_an_approver_sees_what_would_change(tmp_path: Path) -> None:
    url = str(tmp_path / "volact.db")
    with opened(tmp_path / "volact.db") as store:
        writer = store_writer(url, "aa11", "plan", tags=TAGS)
        for name in ("web-01", "web-02", "db-01"):
            writer.row(row(name, "attention", plan=({"do": "activate", "because": ()},)))
        writer.finish(end("aa11", servers=3, attention=3))
        add_run(store, "svc1", "awaiting-approval", only=("web-01", "db-01"))
        html = get(store, "/runs/svc1", role="approver")
        assert [words for words in ("What would change", "activate Windows", "2 servers")
                if words not in html] == []  # fmt: skip
        assert "web-02" not in html
        assert "activate Windows" not in get(store, "/runs/svc1", role="operator")
        add_run(store, "aa11", "awaiting-approval", only=("web-01", "db-01"))
        assert "activate Windows" in get(store, "/runs/aa11", role="approver")
        # db-01 is none of theirs, so neither is the approval.
        html = get(store, "/runs/aa11", role="approver", scopes="tag:web")
        assert "activate Windows" not in html


def test_a_plan_groups_servers_by_their_steps_and_activates_the_chosen(store: Store) -> None:
    control = Control(store)
    with signed_in(store, control=control) as http:
        html = http.get("/runs/aa11/plan").text
        assert "--replace-key" in html  # not planned without consent
        assert http.post("/runs/aa11/plan", data={"canary": "1"}).status_code == 400
        chosen = {"only": ["app-01", "web-02"], "canary": "1", "max_failures": "10%"}
        answer = http.post("/runs/aa11/plan", data=chosen, follow_redirects=False)
        assert answer.status_code == 303
    ((_, spec),) = control.asked
    assert (spec.verb, spec.only, spec.canary) == ("activate", ("app-01", "web-02"), "1")


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        ("viewer", ["viewer"]),
        ("operator", ["viewer", "operator"]),
        ("administrator", ["viewer", "operator", "approver", "administrator"]),
    ],
)
def test_a_token_is_offered_the_roles_that_its_owner_may_give(
    store: Store, role: Role, offered: list[str]
) -> None:
    form = get(store, "/account", role=role).partition('action="/account/tokens"')[2]
    assert re.findall(r'<option value="(\w+)"', form) == offered


def test_the_audit_shows_what_was_asked_without_what_is_empty() -> None:
    spec = {"verb": "activate", "canary": "", "limit": ["web"], "policy": {"consent": []}}
    told = detail_words({"spec": spec, "waits": False, "scopes": None})
    assert told == [
        ("verb", "activate"), ("limit", '["web"]'), ("waits", "false"), ("scopes", "null"),
    ]  # fmt: skip


def test_an_account_has_tokens_sessions_and_a_language(tmp_path: Path) -> None:
    with opened(tmp_path / "volact.db") as store, signed_in(store, "administrator") as http:
        http.post("/users", data={"name": "bo", "role": "operator", "scopes": "tag:web"})
        users = http.get("/users").text
        path = users.split('href="/users/')[1].split('"')[0]
        assert "tag:web" in http.get(f"/users/{path}").text
        link = http.post(f"/users/{path}/link").text
        assert "/sign-in/link?key=" in link
        assert "/sign-in/link?key=" not in http.get(f"/users/{path}").text
        assert http.post("/users", data={"name": "x y", "role": "viewer"}).status_code == 400
        changed = {"role": "viewer", "disabled": "1"}
        http.post(f"/users/{path}", data=filled(http, f"/users/{path}") | changed)
        assert "disabled" in http.get("/users").text
        audit = http.get("/audit?check=1").text
        assert "The chain is whole" in audit
        assert "user.added" in audit
        assert "link.made" in http.get("/audit/export").text.splitlines()[1]
        http.post(f"/users/{path}/remove")
        assert f"/users/{path}" not in http.get("/users").text


def test_sessions_are_told_apart_by_the_end_of_the_browsers_name(tmp_path: Path) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0"
    with opened(tmp_path / "volact.db") as store:
        with changing(store, NOW, person()) as change:
            ana = users.add(change, NewUser(name="ana", role="viewer"))
            sessions.begin(change, ana, agent)
        with TestClient(console(store, replace(person(), user=ana.id))) as http:
            assert agent in http.get("/account").text


INVENTORY = b"""[[server]]
name = "web-1"
address = "ssh://10.0.0.1"
tags = ["web"]
"""


def test_an_inventory_is_uploaded_with_what_is_wrong_in_it(tmp_path: Path) -> None:
    with opened(tmp_path / "volact.db") as store, signed_in(store, "administrator") as http:
        page = http.post("/inventories", files={"file": ("fleet.toml", INVENTORY)}).text
        assert "web-1" in page
        assert "Wrong in it" not in page
        assert "saved by Ana" in http.get("/inventories/fleet.toml").text
        wrong = INVENTORY.replace(b"address", b"adress")
        page = http.post("/inventories", files={"file": ("fleet.toml", wrong)}).text
        assert "Wrong in it" in page
        assert "adress" in page
        secret = INVENTORY + b'password = "letmein"\n'
        refused = http.post("/inventories", files={"file": ("fleet.toml", secret)})
        assert refused.status_code == 400
        assert "letmein" not in refused.text
        page = http.post("/inventories", data={
            "name": "fleet.toml", "named": "fleet.toml", "text": INVENTORY.decode()
        }).text  # fmt: skip
        assert "Wrong in it" not in page
        for name in ("../x", "", "x y"):
            answer = http.post("/inventories/from", data={"name": name, "source": "tencent:x"})
            assert answer.status_code == 400
        http.post("/inventories/fleet.toml/delete")
        assert http.get("/inventories/fleet.toml").status_code == 404


def test_a_schedule_is_kept_as_its_form_says(tmp_path: Path) -> None:
    form = {
        "name": "nightly", "verb": "check", "inventory": "fleet.toml", "cron": "30 2 * * *",
        "zone": "Asia/Jakarta", "begin": "01:00", "end": "05:00", "days": ["mon", "tue"],
        "first": "2026-12-24", "last": "2026-12-26", "jitter": "15m", "enabled": "1",
    }  # fmt: skip
    with opened(tmp_path / "volact.db") as store, signed_in(store, "administrator") as http:
        add_inventory(store)
        assert "nightly" in http.post("/schedules", data=form).text
        (kept,) = list_schedules(store)
        assert (kept.spec.cron, kept.spec.zone, kept.enabled) == (
            "30 2 * * *",
            "Asia/Jakarta",
            True,
        )
        assert [(it.begin, it.end, it.days) for it in kept.spec.windows] == [
            ("01:00", "05:00", ("mon", "tue"))
        ]
        assert kept.spec.blackouts[0].last.isoformat() == "2026-12-26"
        page = http.get(f"/schedules/{kept.id}").text
        assert 'value="30 2 * * *"' in page
        assert 'value="mon" checked' in page
        assert http.post("/schedules", data={**form, "cron": "x"}).status_code == 400
        changed = filled(http, f"/schedules/{kept.id}") | {"enabled": "", "every": "6h", "cron": ""}
        http.post(f"/schedules/{kept.id}", data=changed)
        (kept,) = list_schedules(store)
        assert (kept.spec.every, kept.enabled) == ("6h", False)
        http.post(f"/schedules/{kept.id}/delete")
        assert list_schedules(store) == []


def test_policies_are_decided_by_administrators(tmp_path: Path) -> None:
    with opened(tmp_path / "volact.db") as store:
        with signed_in(store, "administrator") as http:

            def decide(name: str, **values: str) -> int:
                action = f"/policies/{name}"
                form = filled(http, "/schedules", action) | values
                return http.post(action, data=form).status_code

            decide("approvals", verbs="activate undo", tags="prod", most_servers="10")
            decide("notifications", channels="HOOK", expiring="7d")
            assert decide("repairs", consents="nothing") == 400
            assert http.post("/policies/nothing").status_code == 400
        kept = read_policy(store, ApprovalPolicy)
        assert kept == ApprovalPolicy(verbs=("activate", "undo"), tags=("prod",), most_servers=10)
        assert read_policy(store, NotificationPolicy).channels[0].variable == "HOOK"
        with signed_in(store, "operator") as http:
            assert "readonly" in http.get("/schedules").text
            assert http.post("/policies/approvals").status_code == 403


def test_a_search_is_kept_as_a_view(store: Store) -> None:
    with signed_in(store) as http:
        page = http.post("/views", data={"name": "bad web", "verdict": "failed"}).text
        assert "app-01" in page
        assert "web-01" not in page
        path = page.split('action="/views/')[1].split('"')[0]
        assert "bad web" not in http.post(f"/views/{path}").text


def test_a_view_stays_chosen_when_it_is_sorted_or_narrowed(store: Store) -> None:
    with signed_in(store) as http:
        page = http.post("/views", data={"name": "all web", "search": "web-*"}).text
        path = page.split('action="/views/')[1].split('"')[0].removesuffix("/delete")
        form = SentForm(page, "/servers").fields
        assert form["view"] == [path]
        assert "search" not in form  # the view says it
        for changed in ({"order": "ends"}, {"order": "seen"}, {"verdict": "healthy"}):
            html = http.get("/servers", params={**form, **changed}).text
            assert ("web-01" in html, "db-01" in html) == (True, False), changed
        narrowed = http.get("/servers", params={"view": path, "verdict": "failed"}).text
        assert "No matching servers." in narrowed
        wider = http.get("/servers", params={"view": path, "search": "db-*"}).text
        assert ("web-01" in wider, "db-01" in wider) == (True, False)
        http.post(f"/views/{path}/delete")
        assert http.get("/servers", params={"view": path}).status_code == 404


def test_pages_of_a_view_keep_its_order(tmp_path: Path) -> None:
    with opened(tmp_path / "volact.db") as store:
        writer = store_writer(str(tmp_path / "volact.db"), "aa11")
        for n in range(51):
            writer.row(row(f"web-{n:02}"))
        writer.finish(end("aa11", servers=51, healthy=51))
        with signed_in(store) as http:
            page = http.post("/views", data={"name": "all web", "search": "web-*"}).text
            view = page.split('name="view" value="')[1].split('"')[0]
            html = http.get("/servers", params={"view": view, "order": "seen"}).text
            following = unescape(html.split('rel="next" href="')[1].split('"')[0])
            assert {f"view={view}", "order=seen"} <= {*following[1:].split("&")}
            assert len(re.findall("<tr data-line>", http.get(f"/servers{following}").text)) == 1


def test_the_view_of_another_is_not_found(store: Store) -> None:
    other = replace(person(), user="2")
    with changing(store, NOW, other) as change:
        theirs = save_view(change, ViewDraft(name="theirs", filter=ServerFilter())).id
    with signed_in(store) as http:
        assert http.get(f"/servers?view={theirs}").status_code == 404


def test_a_name_with_a_slash_or_a_blank_has_a_page_and_is_checked_again(tmp_path: Path) -> None:
    names = ("prod/web 01", "a~1b")
    with opened(tmp_path / "volact.db") as store:
        writer = store_writer(str(tmp_path / "volact.db"), "aa11")
        for name in names:
            writer.row(row(name))
        writer.finish(end("aa11", servers=2, healthy=2))
        add_inventory(store)
        with signed_in(store) as http:
            paths = re.findall(r'<tr data-line><th scope="row"><a href="([^"]*)"',
                               http.get("/servers").text)  # fmt: skip
            assert paths == ["/servers/a~01b", "/servers/prod~1web%2001"]
            html = http.get(paths[1]).text
            assert "<h1>prod/web 01</h1>" in html
            assert "<h1>a~1b</h1>" in http.get(paths[0]).text
            again = unescape(html.split('href="/runs/new?limit=')[1].split('"')[0])
            form = SentForm(http.get(f"/runs/new?limit={again}").text, "/runs/new").fields
            assert words_of(form["limit"][0]) == ("prod/web 01",)


def test_a_run_of_others_shows_no_words_about_their_servers(tmp_path: Path) -> None:
    note = sa.update(STORED_RUNS).values(note="it failed: db-01")
    with opened(tmp_path / "volact.db") as store:
        writer = store_writer(str(tmp_path / "volact.db"), "aa11", "activate", tags=TAGS)
        for name in ("web-01", "db-01"):
            writer.row(row(name))
        writer.finish(end("aa11", servers=2, healthy=2))
        store.change(lambda connection: connection.execute(note))
        add_run(store, "aa11", "done", only=("web-01", "db-01"), limit=("db-01",))
        assert "it failed: db-01" in get(store, "/runs/aa11")
        html = get(store, "/runs/aa11", role="operator", scopes="tag:web")
        assert "web-01" in html
        assert "db-01" not in html


def test_the_inventories_of_a_form_count_the_servers_of_the_caller(tmp_path: Path) -> None:
    web = "[[server]]\nname='web-01'\naddress='ssh://web'\ntags=['web']\n"
    text = f"{web}[[server]]\nname='db-01'\naddress='ssh://db'\n"
    with opened(tmp_path / "volact.db") as store:
        with TestClient(console(store, person())) as http:
            http.post("/inventories", data={"name": "two", "text": text, "named": "two.toml"})
        assert "two (2)" in get(store, "/runs/new")
        assert "two (1)" in get(store, "/runs/new", role="operator", scopes="tag:web")
