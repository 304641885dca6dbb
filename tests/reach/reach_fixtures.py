"""The network world, one for each process that runs tests.

Where a package or root is missing these tests are skipped and name it; in CI that is
a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from network_world import NetworkWorld, impacket_server, missing, network_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkWorld]:
    """Real servers and a firewall, in a namespace."""
    absent = missing()
    if absent:
        if os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)
    with network_world(tmp_path_factory.mktemp("samba")) as made:
        yield made


@pytest.fixture
def impacket() -> Iterator[str]:
    """impacket's server: it takes one connection."""
    with impacket_server() as address:
        yield address
