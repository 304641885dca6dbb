"""Fixtures: a Wine behind SSH for each process that has tests of it, and hosts for it to reach.

Where Wine, sshd or root are missing these tests are skipped; in CI, or with
``VOLACT_REQUIRE_WINE=1``, that is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from loopback import Loopback
from wine_server import WineServer, new_server


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all that have the server, so that they can be chosen or left out.

    Two processes run them, half of them each, as they mostly wait: the agent alone has one
    Wine, and all that is around it another one.
    """
    for item in items:
        if "wine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.wine)
            alone = item.path.match("wine/test_agent_*.py")
            item.add_marker(pytest.mark.xdist_group("wine-agent" if alone else "wine-world"))


def _missing() -> str:
    packages = {"wine": "wine wine64", "/usr/sbin/sshd": "openssh-server", "useradd": "passwd"}
    absent = [package for tool, package in packages.items() if shutil.which(tool) is None]
    if absent:
        return f"needs the Debian package(s) {' '.join(absent)}"
    return "" if os.geteuid() == 0 else "needs root: an account is made for it"


@pytest.fixture(scope="session")
def wine() -> Iterator[WineServer]:
    """The server; ``server.run_file`` runs a script there."""
    missing = _missing()
    if missing:
        if os.environ.get("CI") == "true" or os.environ.get("VOLACT_REQUIRE_WINE") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    server = new_server()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def _leaves_no_file(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that leaves a file on the server fails, rather than one that comes after it."""
    if "wine" not in request.fixturenames:
        yield
        return
    server: WineServer = request.getfixturevalue("wine")
    before = server.in_temp()
    yield
    assert server.leftovers(before) == []


@pytest.fixture
def closed_address(closed_port: int) -> str:
    """An address at which nothing listens."""
    return f"127.0.0.1:{closed_port}"


@pytest.fixture
def loopback() -> Iterator[Callable[..., Loopback]]:
    """Opens TCP hosts on the loopback; all are closed at the end."""
    opened: list[Loopback] = []

    def open_one(kind: str, pages: dict[str, str] | None = None) -> Loopback:
        opened.append(Loopback(kind, pages or {}))
        return opened[-1]

    yield open_one
    for host in opened:
        host.close()
