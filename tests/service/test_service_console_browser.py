"""The console alive in a real Chromium: keys, progress, without script, phones, both schemes."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest
import sqlalchemy as sa
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from service_fleet import (
    NOW,
    Control,
    SignedIn,
    add_inventory,
    add_run,
    fill,
    opened,
    person,
    put_parts,
)

from volact.client.wire import NewUser
from volact.service.application import application
from volact.service.database.tables import RUNS
from volact.service.database.transaction import transaction
from volact.service.identity import users
from volact.service.identity.audit import changing
from volact.store.store import Store

expect.set_options(timeout=60_000)
pytestmark = pytest.mark.xdist_group("browser")

PAGES = [
    "/", "/servers", "/servers?verdict=failed", "/servers/web-02", "/servers/db-01", "/runs",
    "/runs/svc1", "/runs/svc2", "/runs/bb22", "/runs/bb22/undo", "/runs/aa11/plan", "/runs/new",
    "/findings", "/findings?code=0xC004F074", "/inventories", "/inventories/fleet.toml",
    "/schedules", "/reports?run=bb22", "/users", "/audit?check=1", "/health", "/account",
    "/account/password", "/servers/nothing",
]  # fmt: skip
# The schemes differ in colours alone, so in the second only the rules about them are asked.
SCHEMES: dict[Literal["light", "dark"], dict[str, list[str]]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}


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


@pytest.fixture(scope="module")
def actor(store: Store) -> SignedIn:
    with changing(store, NOW, person()) as change:
        user = users.add(change, NewUser(name="ana", role="administrator"))
    return SignedIn(msgspec.structs.replace(person(), user=user.id))


@pytest.fixture(scope="module")
def control(store: Store) -> Control:
    return Control(store)


@pytest.fixture(scope="module")
def address(store: Store, actor: SignedIn, control: Control) -> Iterator[str]:
    """The whole application with its headers, on a port of its own."""
    app = application(put_parts(store, actor, control))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("needs a browser (Debian: chromium)")
    assert found, "no browser: CI has the package chromium"
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield made
        made.close()


def tab(browser: Browser, address: str, **given: Any) -> Page:
    context = browser.new_context(base_url=address, **given)
    context.set_default_timeout(60_000)
    return context.new_page()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    made = tab(browser, address)
    yield made
    made.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible_in_both_schemes_and_fits_a_phone(
    browser: Browser, address: str, width: int
) -> None:
    made = tab(browser, address, viewport={"width": width, "height": 800})
    wrong: list[str] = []
    made.on("console", lambda line: wrong.append(f"{made.url}: {line.text}")
            if "status of 404" not in line.text else None)  # fmt: skip
    for path in PAGES:
        made.goto(path)
        beyond = made.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        wrong += [f"{path}: {beyond} pixels too wide"] if beyond > 0 else []
        made.evaluate(Axe().axe_script)
        for scheme, options in SCHEMES.items():
            made.emulate_media(color_scheme=scheme)
            found = made.evaluate("given => axe.run(given).then(got => got.violations)", options)
            wrong += [f"{path}: {scheme}: {each['id']}: {each['nodes'][0]['html']}"
                      for each in found]  # fmt: skip
    made.context.close()
    assert wrong == []


def test_the_console_asks_for_nothing_from_outside(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    page.goto("/runs/svc1")
    assert len(asked) > 2
    assert [url for url in asked if not url.startswith(f"{address}/")] == []


def test_the_keyboard_goes_everywhere(page: Page) -> None:
    page.clock.set_fixed_time(NOW)  # the second key after "g" is in time, however late it comes
    page.goto("/servers")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="<b>&x", exact=True)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="app-01", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/servers/app-01")  # loaded, so that keys are heard
    expect(page.get_by_role("heading", name="app-01")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/servers")
    expect(page.get_by_role("heading", name="Servers")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("web-*")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 servers")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"


def test_a_chosen_filter_asks_by_itself(page: Page) -> None:
    page.goto("/servers")
    page.get_by_label("Verdict").select_option("failed")
    expect(page.get_by_text("1 server")).to_be_visible()
    expect(page).to_have_url(re.compile("verdict=failed"))
    assert page.locator("tbody th a[href^='/servers/']").all_text_contents() == ["app-01"]


def test_a_form_that_changes_something_waits_for_its_button(page: Page) -> None:
    page.goto("/users")
    page.get_by_label("Name").fill("olga")
    page.get_by_label("Role").select_option("operator")
    page.get_by_label("Scopes").fill("tag:web")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="olga")).to_be_visible()
    assert page.get_by_label("Scopes").input_value() == "tag:web"


def test_a_form_that_is_on_its_way_is_not_sent_again(page: Page) -> None:
    """Until the page is shown again, as after Back."""
    page.goto("/runs/new")
    stopped = page.evaluate("""() => {
        const form = document.querySelector("form[action='/runs/new']"), stopped = [];
        document.addEventListener("submit", (event) => {
            stopped.push(event.defaultPrevented);
            event.preventDefault();
        });
        form.requestSubmit();
        form.requestSubmit();
        dispatchEvent(new Event("pageshow"));
        form.requestSubmit();
        return stopped;
    }""")
    assert stopped == [False, True, False]


def test_a_form_whose_sending_was_stopped_can_be_sent_again(page: Page) -> None:
    """Browsers tell a page nothing of their Stop; the time is the page's, not the machine's."""
    page.clock.install()
    page.goto("/runs/new")
    send = """() => {
        const form = document.querySelector("form[action='/runs/new']"), sent = [];
        const stop = (event) => {
            sent.push(!event.defaultPrevented);
            event.preventDefault();
        };
        document.addEventListener("submit", stop);
        form.requestSubmit();
        form.requestSubmit();
        document.removeEventListener("submit", stop);
        return sent;
    }"""
    assert page.evaluate(send) == [True, False]
    page.clock.fast_forward(10_000)
    assert page.evaluate(send) == [True, False]


def test_what_is_typed_on_a_server_is_copied(browser: Browser, address: str) -> None:
    made = tab(browser, address, permissions=["clipboard-read", "clipboard-write"])
    made.clock.install(time=NOW)
    made.goto("/servers/app-01")
    made.clock.pause_at(NOW + timedelta(days=1))  # the word is there for a moment only
    code = made.locator(".next code").first
    made.locator(".next .copy").first.click()
    expect(made.get_by_text("Copied", exact=True)).to_be_visible()
    assert made.evaluate("navigator.clipboard.readText()") == code.text_content()
    made.context.close()


def test_a_run_is_seen_going_on_and_ending(page: Page, store: Store) -> None:
    add_run(store, "live", "running")
    page.goto("/runs/live")
    expect(page.get_by_text("3 of 6 servers done")).to_be_visible()
    change(store, done=5, counts='{"healthy":4,"failed":1}')
    expect(page.get_by_text("5 of 6 servers done")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    change(store, done=6, counts='{"healthy":5,"failed":1}', state="done")
    expect(page.locator(".state")).to_have_text("done")
    expect(page.get_by_role("button", name="Retry what is not healthy")).to_be_visible()
    assert page.get_by_role("button", name="Pause").count() == 0


def change(store: Store, run: str = "live", **values: Any) -> None:
    with transaction(store) as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == run).values(values))


def test_a_run_is_seen_going_on_after_its_stream_was_refused(page: Page, store: Store) -> None:
    """As a proxy does while the service starts anew."""
    add_run(store, "refused", "running")
    answers = iter([502])

    def refuse_once(route: Route) -> None:
        status = next(answers, 0)
        if status:
            route.fulfill(status=status)
        else:
            route.continue_()

    page.route("**/runs/refused/events*", refuse_once)
    page.goto("/runs/refused")
    expect(page.get_by_text("3 of 6 servers done")).to_be_visible()
    change(store, "refused", done=4)
    expect(page.get_by_text("4 of 6 servers done")).to_be_visible()


@pytest.mark.parametrize(
    ("away", "back"),
    [
        ("dispatchEvent(new Event('pagehide'))", "dispatchEvent(new Event('pageshow'))"),
        tuple(
            f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});"
            "document.dispatchEvent(new Event('visibilitychange'))"
            for hidden in ("true", "false")
        ),
    ],
    ids=["left", "hidden"],
)
def test_a_page_that_is_not_seen_holds_no_stream(
    page: Page, store: Store, request: pytest.FixtureRequest, away: str, back: str
) -> None:
    """A page that comes back, also out of the browser's cache, goes on."""
    run = request.node.callspec.id
    add_run(store, run, "running")
    page.goto(f"/runs/{run}")
    with page.expect_event("requestfailed", lambda asked: "/events" in asked.url):
        page.evaluate(away)
    change(store, run, done=5)
    page.evaluate(back)
    expect(page.get_by_text("5 of 6 servers done")).to_be_visible()


def test_everything_can_be_read_without_javascript(
    browser: Browser, address: str, control: Control
) -> None:
    made = tab(browser, address, java_script_enabled=False)
    for path in PAGES:
        made.goto(path)
        expect(made.locator("h1")).to_be_visible()
        expect(made.locator(".js").first).not_to_be_visible()
    made.goto("/servers")
    made.get_by_label("Verdict").select_option("failed")
    made.get_by_role("button", name="Show").click()
    expect(made.get_by_text("1 server")).to_be_visible()
    made.goto("/runs/svc1")
    made.get_by_role("button", name="Pause").click()
    expect(made).to_have_url(f"{address}/runs/svc1")
    assert control.asked == [("pause", "svc1")]
    made.context.close()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/link?key=x"])
def test_the_sign_in_pages_are_accessible(
    browser: Browser, address: str, actor: SignedIn, path: str
) -> None:
    user, actor.actor = actor.actor, None
    try:
        made = tab(browser, address, color_scheme="dark", viewport={"width": 390, "height": 800})
        made.goto(path)
        assert Axe().run(made).violations_count == 0
        made.context.close()
    finally:
        actor.actor = user
