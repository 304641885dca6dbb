"""``python -m volact_lab``: a lab without the rest of the command line."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from volact.errors import InputError, VolactError
from volact_lab.lab import Lab
from volact_lab.scenario import scenario_names
from volact_lab.scenarios import DEFAULT
from volact_lab.serve import serve


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m volact_lab", description=__doc__)
    parser.add_argument("--servers", type=int, default=60, metavar="N")
    parser.add_argument("--scenario", default=DEFAULT, help=", ".join(scenario_names()))
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--inventory-out", type=Path, default=Path("lab.toml"), metavar="FILE")
    parser.add_argument("--ready-file", type=Path, metavar="FILE")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    lab = Lab(options.scenario, options.servers, options.seed)
    await serve(lab, options.inventory_out, ready=options.ready_file, stop=stop)


def main() -> int:
    """Serve until interrupted; 2 for wrong usage."""
    logging.basicConfig(level=logging.ERROR, format="lab: %(message)s")
    options = _parser().parse_args()
    try:
        asyncio.run(_serve(options))
    except VolactError as error:
        sys.stderr.write(f"{error.line()}\n")
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
