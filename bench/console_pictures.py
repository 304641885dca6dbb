"""Pictures of the console of ``volact serve --demo``, walked through as three roles.

    python bench/console_pictures.py docs/images/console     the pictures of the documentation;
                                                             (pip install pillow)
    python bench/console_pictures.py FOLDER PATH...          these pages, or all with `all`:
                                                             light and dark, wide and narrow

An administrator signs in by the link that is printed, adds an operator and a viewer, and asks
for a second person; the operator plans and activates what the plan would change; the
administrator approves; the viewer downloads the report.  What does not go like that ends it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, expect, sync_playwright

PASSWORD = "a sentence about lemons"
PATIENCE_MS = 600_000
PAGES = [
    "/sign-in", "/", "/servers", "/runs", "/runs/new", "/findings", "/inventories",
    "/inventories/demo", "/schedules", "/reports", "/users", "/audit?check=1", "/health",
    "/account", "/account/password",
]  # fmt: skip


@contextmanager
def demo() -> Iterator[str]:
    """The service; its one-time link."""
    command = [sys.executable, "-m", "volact", "serve", "--demo", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        found = (re.search(r"http\S+/sign-in/link\?key=\S+", line) for line in process.stderr)
        yield next(link.group() for link in found if link)
    finally:
        process.terminate()
        process.stderr.close()
        process.wait()


class Look(NamedTuple):
    """How a page is looked at: ``whole``, or what a screen has of it."""

    scheme: Literal["light", "dark"] = "light"
    width: int = 1280
    whole: bool = False


class Walk:
    """Browsers of the roles, and where their pictures go."""

    def __init__(self, browser: Browser, link: str) -> None:
        self.browser, self.address = browser, link.partition("/sign-in")[0]
        self.pages: dict[str, Page] = {}

    def sign_in(self, role: str, link: str) -> Page:
        """A browser whose user came by a link and set a password."""
        context = self.browser.new_context(base_url=self.address, accept_downloads=True)
        context.set_default_timeout(PATIENCE_MS)
        page = self.pages[role] = context.new_page()
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Set the password").click()
        expect(page).to_have_url(f"{self.address}/")
        return page

    def add(self, name: str, role: str) -> str:
        """The administrator adds a user; the link."""
        page = self.pages["administrator"]
        page.goto("/users")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Role").select_option(role)
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("button", name="Make a sign-in link").click()
        return page.locator(".key code").inner_text()

    def ask_for_approval(self) -> None:
        """Every activation needs a second person."""
        page = self.pages["administrator"]
        page.goto("/schedules")
        form = page.locator("form[action='/policies/approvals']")
        form.locator("[name=most_servers]").fill("0")
        form.get_by_role("button", name="Save").click()

    def wait_for_the_first_runs(self) -> None:
        """The demo checks, activates and checks again by itself."""
        page = self.pages["viewer"]
        for _ in range(int(PATIENCE_MS / 1000)):
            runs = page.request.get("/api/v1/runs").json()["items"]
            if len(runs) == 3 and all(run["ended"] for run in runs):
                return
            page.wait_for_timeout(1000)
        raise TimeoutError("the demo's own runs do not end")

    def run(self) -> tuple[str, str]:
        """A plan, what it would change, approved; the ids of both runs."""
        operator, administrator = self.pages["operator"], self.pages["administrator"]
        consents = "".join(
            f"&consent={step}" for step in ("add-dns", "add-route", "remove-debugger")
        )
        operator.goto(f"/runs/new?verb=plan&replace_key=1{consents}")
        operator.get_by_role("button", name="Start").click()
        plan = operator.url.rpartition("/")[2]
        expect(operator.locator(".state")).to_have_text("done")
        operator.get_by_role("link", name="See what would change").click()
        operator.get_by_label("Canaries").fill("")
        operator.get_by_label("Stop after failures").fill("5")
        operator.get_by_role("button", name="Activate the chosen servers").click()
        expect(operator.locator(".state")).to_have_text("awaits approval")
        assert operator.get_by_role("button", name="Approve").count() == 0
        run = operator.url.rpartition("/")[2]
        assert run != plan
        administrator.goto(f"/runs/{run}")
        administrator.get_by_role("button", name="Approve").click()
        return plan, run

    def read(self, run: str) -> None:
        """The viewer reads and downloads, and changes nothing; the audit says who did what."""
        viewer, administrator = self.pages["viewer"], self.pages["administrator"]
        viewer.goto(f"/reports?run={run}")
        with viewer.expect_download() as download:
            viewer.locator(".chosen").get_by_role("link", name="csv").click()
        lines = Path(download.value.path()).read_text("utf-8").splitlines()
        assert len(lines) > 1, lines
        for path in ("/users", "/audit", "/runs/new"):
            answer = viewer.goto(path)
            assert answer and answer.status == 403, path
        viewer.goto(f"/runs/{run}")
        assert viewer.get_by_role("button").all_text_contents() == ["Sign out"]
        administrator.goto("/audit?action=run.approved")
        expect(administrator.locator("tbody")).to_contain_text(run)

    def picture(self, role: str, path: str, to: Path, look: Look) -> None:
        """One page as a picture."""
        page = self.pages[role]
        page.emulate_media(color_scheme=look.scheme)
        page.set_viewport_size({"width": look.width, "height": 860})
        page.goto(path)
        page.screenshot(path=to, full_page=look.whole)


LOOKS = [
    Look(scheme, width, whole=True)
    for scheme in ("light", "dark") for width in (1200, 390)
]  # fmt: skip


def every(walk: Walk, out: Path, paths: list[str]) -> None:
    """Each page in both schemes, wide and narrow."""
    for path in paths:
        name = re.sub(r"\W+", "-", path).strip("-") or "fleet"
        role = "guest" if path.startswith("/sign-in") else "administrator"
        for look in LOOKS:
            walk.picture(role, path, out / f"{name}.{look.width}.{look.scheme}.png", look)


def documented(walk: Walk, out: Path, plan: str, run: str) -> None:
    """What docs/service-console.md shows."""
    asked = walk.pages["viewer"].request.get("/api/v1/servers?verdict=failed&limit=1")
    server = asked.json()["items"][0]["name"]
    for name, path, look in (
        ("fleet", "/", Look()),
        ("plan", f"/runs/{plan}/plan", Look()),
        ("server", f"/servers/{server}", Look()),
        ("run-dark", f"/runs/{run}", Look("dark")),
        ("phone-dark", "/", Look("dark", 390)),
    ):
        to = out / f"{name}.png"
        walk.picture("operator", path, to, look)
        pillow = import_module("PIL.Image")  # 64 colours do where no photograph is
        pillow.open(to).convert("RGB").quantize(64).save(to, optimize=True)


def main(folder: str, *paths: str) -> None:
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    with demo() as link, sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        walk = Walk(browser, link)
        walk.pages["guest"] = browser.new_page(base_url=walk.address)
        walk.sign_in("administrator", link)
        for name, role in (("olga", "operator"), ("vera", "viewer")):
            walk.sign_in(role, walk.add(name, role))
        walk.wait_for_the_first_runs()
        walk.ask_for_approval()
        plan, run = walk.run()
        expect(walk.pages["operator"].locator(".state")).to_have_text("done")
        walk.read(run)
        if paths:
            every(walk, out, PAGES if paths == ("all",) else [*paths])
        else:
            documented(walk, out, plan, run)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
