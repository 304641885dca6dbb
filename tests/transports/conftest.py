"""Servers of this folder's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ssh_host import Host


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    home = tmp_path / "home"
    (home / "AppData/Local/Temp").mkdir(parents=True)
    (home / "C:/Windows/Temp").mkdir(parents=True)
    host = Host(home)
    await host.start_server()
    yield host
    await host.stop()


@pytest.fixture
def known(host: Host, tmp_path: Path) -> Path:
    """A known_hosts file with the server's key."""
    return host.known_hosts(tmp_path / "known_hosts")
