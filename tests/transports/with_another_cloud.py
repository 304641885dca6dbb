"""volact with one more folder in ``volact/cloud``: the command line, or scripts on targets.

with_another_cloud.py cli ARGUMENT ...
with_another_cloud.py run INVENTORY
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import volact.cloud


async def run(path: Path) -> None:
    """What each server of an inventory answers."""
    from volact.errors import TransportError
    from volact.inventory import Secrets, load_inventory
    from volact.transports.connect import make_opener

    opener = make_opener(Secrets())
    for server in load_inventory(path).servers:
        try:
            async with opener(server) as transport:
                raw = await transport.run(b"exit", name="volact-0", deadline_s=20)
                said = raw.stdout.decode()
        except TransportError as error:
            said = error.line()
        sys.stdout.write(f"{server.name}: {said}\n")


def main(word: str, *args: str) -> int:
    volact.cloud.__path__.append(str(Path(__file__).with_name("more_clouds")))
    if word == "run":
        asyncio.run(run(Path(args[0])))
        return 0
    from volact.cli.entry import main as volact_main

    return volact_main(list(args))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
