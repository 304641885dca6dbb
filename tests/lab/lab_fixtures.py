"""Surroundings for simulated servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from lab_world import Place, place

from volact_lab.listening import Port
from volact_lab.windows.machine import Machine


@pytest.fixture
async def here() -> AsyncIterator[Place]:
    """The provider's KMS hosts, time and metadata, and a way to build servers."""
    found = await place()
    yield found
    await found.surroundings.stop()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nothing listens, and nothing else will."""
    port = Port()
    yield port.number
    port.release()


@pytest.fixture
def machine(here: Place) -> Machine:
    """A healthy server of 2016."""
    return here.machine()
