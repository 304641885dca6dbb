"""Outages of a lab: servers that go down and come back, KMS hosts that die, new host keys.

What happens to one connection is ``lab/trouble``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from volact.transports.ssh_library import asyncssh
from volact_lab.lab import Lab


@asynccontextmanager
async def down(lab: Lab) -> AsyncIterator[None]:
    """Every SSH and WinRM server is down; afterwards all are up, on the same ports."""
    await asyncio.gather(*(gate.close() for gate in lab.gates))
    try:
        yield
    finally:
        await asyncio.gather(*(gate.open() for gate in lab.gates))


@asynccontextmanager
async def without_kms(lab: Lab) -> AsyncIterator[None]:
    """Nothing answers at the provider's KMS hosts."""
    await lab.surroundings.kms.pause()
    try:
        yield
    finally:
        await lab.surroundings.kms.start()


async def change_host_key(lab: Lab, name: str) -> None:
    """A server shows a key of its own from the next connection on; needs its gate."""
    slot = lab.slots[name]
    assert slot.gate is not None, "only a server behind a gate can change its key"
    options = asyncssh.SSHServerConnectionOptions(
        lab.front.options(), server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")]
    )
    slot.gate.backend = await lab.front.listen(slot, options)


def restore_host_key(lab: Lab, name: str) -> None:
    """The server shows the key again that it had."""
    slot = lab.slots[name]
    if slot.gate is not None:
        slot.gate.backend = slot.port
