"""``volact bundle``: what servers answered, as one file that can be attached to a report."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from volact.bundle.collect import FactsRecorder, bundle_of, names_of
from volact.bundle.document import encode
from volact.bundle.pseudonyms import Pseudonyms
from volact.cli.atomic_file import require_free, write_whole
from volact.cli.failure import INTERRUPTED, tell
from volact.cli.fleet_options import Fleet, fleet_of, output_file
from volact.cli.options.servers import BundleOptions
from volact.cli.rollout import control_of
from volact.cli.runtime import run_async, stop_on_signals
from volact.fleet import plan_fleet
from volact.fleet.prepare import parse_kms_hosts
from volact.knowledge.load import load_profile, profile_names
from volact.knowledge.provider_files import is_own
from volact.model.report import Summary
from volact.model.text import count, say
from volact.pipeline import NO_RECORDER, Outcome
from volact.report.run_counts import RunCounts, exit_code
from volact.words import tr


def bundle(options: BundleOptions) -> int:
    """Write what servers answered to a file, with names removed."""
    path = output_file(options.to, options.former)
    taken = say("choose another file with {option}", option="--to")
    require_free(path, taken)
    fleet = fleet_of(options, "plan")
    recorder = FactsRecorder(NO_RECORDER)
    job = msgspec.structs.replace(fleet.job, recorder=recorder)
    # What the operator accepts is no fact: a replay judges without it.
    servers = tuple(msgspec.structs.replace(server, expect=()) for server in fleet.servers)
    fleet = msgspec.structs.replace(fleet, job=job, servers=servers)
    outcomes, stopped = run_async(_examine(fleet, options))
    clouds = tuple(load_profile(name) for name in profile_names() if not is_own(name))
    names = Pseudonyms(clouds, names_of(fleet.servers))
    made = bundle_of(
        outcomes, recorder.facts, names, parse_kms_hosts(options.kms_host, "--kms-host")
    )
    write_whole(path, encode(made), taken=taken)
    _report(path, len(made.servers))
    return INTERRUPTED if stopped else _exit_code(outcomes)


async def _examine(fleet: Fleet, options: BundleOptions) -> tuple[list[Outcome], bool]:
    """Probe and plan every server, in the order of the inventory."""
    stop = asyncio.Event()
    control = msgspec.structs.replace(control_of(options), stop=stop)
    with stop_on_signals(stop):
        rows = plan_fleet(fleet.servers, fleet.opener, fleet.job, control)
        found = {outcome.server.name: outcome async for outcome in rows}
    return [found[server.name] for server in fleet.servers if server.name in found], stop.is_set()


def _report(path: Path, servers: int) -> None:
    line = say(
        "{servers} in {file}; read it before you send it: names are replaced, text that a "
        "server made up may remain",
        servers=count(servers, "{n} server", "{n} servers"),
        file=str(path),
    )
    tell(tr(line))


def _exit_code(outcomes: list[Outcome]) -> int:
    """4 if a server could not be examined; what was found is for the reader of the bundle."""
    summary: Summary = RunCounts(outcome.report for outcome in outcomes).summary()
    return exit_code(msgspec.structs.replace(summary, attention=0, failed=0))
