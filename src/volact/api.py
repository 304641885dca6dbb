"""volact from Python: ``check``, ``plan`` and ``activate``, which yield rows.

Import from ``volact``.  What is done to servers is what the command line does; reports, the
store and questions to the operator are the command line's.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing

import msgspec

from volact.core.context import Policy
from volact.errors import InputError
from volact.fleet import (
    Canary,
    Control,
    Rate,
    Share,
    apply_fleet,
    needs_all_servers,
    needs_plans_first,
    plan_fleet,
    planned_together,
    run_fleet,
)
from volact.fleet.option_values import check_secrets, check_values, wrong_type
from volact.fleet.prepare import (
    check_accounts,
    check_commands,
    check_servers,
    parse_kms_hosts,
    whoami,
)
from volact.fleet.runs import Rows
from volact.inventory import (
    Inventory,
    Secret,
    Secrets,
    addressed,
    choose,
    load_inventory,
    parse_address,
    parse_target,
    with_credential,
    without_skipped,
)
from volact.knowledge.load import knowledge_with, load_profile
from volact.model.report import ServerReport
from volact.model.server import Address, Server, require_secrecy
from volact.model.text import say
from volact.pipeline import Job, Mode, Outcome, Retry
from volact.transports.base import Opener
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions

__all__ = [
    "Address",
    "Canary",
    "Control",
    "InputError",
    "Inventory",
    "Options",
    "Policy",
    "Rate",
    "Secret",
    "Server",
    "ServerReport",
    "Share",
    "SshOptions",
    "activate",
    "check",
    "load_inventory",
    "plan",
]

Servers = Inventory | str | Server | Iterable[str | Server]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How servers are reached and what may be done; defaults as on the command line.

    Attributes:
        limit: only these servers: names, tags, globs; ``!NAME`` leaves out.
        user: for the login, where neither the address nor the inventory names one.
        password: of every server, or by a server's name; rules over what the inventory names.
        key_files: private keys for the login; rule over those of the inventory.
        provider: whose servers they are; ``""``: as the inventory or the server says.
        kms_hosts: ``HOST[:PORT]``, instead of the provider's KMS hosts.
        policy: consent to steps that ``activate`` does not take by itself.
        ssh: host keys and time limit of the login.
        control: concurrency, rate, canaries, stop rules, events that stop the run.
        retries: of transient errors.
        deadline_s: time limit of one server.
        allow_commands: run the programs that a CSV or Ansible inventory names.
    """

    limit: tuple[str, ...] = ()
    user: str = ""
    password: Secret | Mapping[str, Secret] | None = None
    key_files: tuple[str, ...] = ()
    provider: str = ""
    kms_hosts: tuple[str, ...] = ()
    policy: Policy = Policy()
    ssh: SshOptions = SshOptions()
    control: Control = Control()
    retries: int = 2
    deadline_s: float = 120.0
    allow_commands: bool = False


class _Run(msgspec.Struct, frozen=True):
    inventory: Inventory
    servers: tuple[Server, ...]
    opener: Opener
    job: Job
    control: Control


_DEFAULT = Options()


def check(servers: Servers, options: Options = _DEFAULT) -> Rows:
    """Examine servers; change nothing.

    Args:
        servers: addresses (``ssh://user@host``), ``Server`` values, or an inventory.
        options: how they are reached.

    Yields:
        One row for each server as it finishes.  Errors of a server are in its row.

    Raises:
        InputError: at once, for what is wrong before a server is contacted; with the first
            row for a cloud's account, whose SDK is loaded in a thread.

    Example::

        async for row in volact.check(["ssh://Administrator@10.0.0.5"]):
            print(row.name, row.verdict)
    """
    run = _prepare(servers, options, "check")
    return _rows(run, run_fleet(run.servers, run.opener, run.job, run.control))


def plan(servers: Servers, options: Options = _DEFAULT) -> Rows:
    """Examine servers and plan; change nothing.  The steps are in ``row.plan``.

    Arguments, rows and errors as for ``check``.
    """
    run = _prepare(servers, options, "plan")
    return _rows(run, _reports(_outcomes(run)))


def activate(servers: Servers, options: Options = _DEFAULT) -> Rows:
    """Repair, activate and verify servers, without a question: the call is the consent.

    Arguments, rows and errors as for ``check``.  ``options.policy`` consents to more steps.
    """
    run = _prepare(servers, options, "activate")
    if needs_plans_first(run.job, run.control):
        return _rows(run, _plan_first(run))
    return _rows(run, run_fleet(run.servers, run.opener, run.job, run.control))


async def _rows(run: _Run, rows: Rows) -> Rows:
    async with aclosing(rows):
        await asyncio.to_thread(check_accounts, run.inventory, run.servers)
        async for row in rows:
            yield row


async def _plan_first(run: _Run) -> Rows:
    control, begun = run.control, asyncio.get_running_loop().time()
    examining = msgspec.structs.replace(run, control=control.without_rollout())
    async with aclosing(_outcomes(examining)) as outcomes:
        planned = [outcome async for outcome in outcomes]
    for outcome in planned:
        if not outcome.pending:
            yield outcome.report
    pending = [outcome for outcome in planned if outcome.pending]
    if control.run_s is not None:
        left = control.run_s - (asyncio.get_running_loop().time() - begun)
        control = msgspec.structs.replace(control, run_s=max(0.0, left))
    async with aclosing(apply_fleet(pending, run.opener, run.job, control)) as rows:
        async for row in rows:
            yield row


async def _reports(outcomes: AsyncGenerator[Outcome, None]) -> Rows:
    async with aclosing(outcomes):
        async for outcome in outcomes:
            yield outcome.report


def _outcomes(run: _Run) -> AsyncGenerator[Outcome, None]:
    outcomes = plan_fleet(run.servers, run.opener, run.job, run.control)
    return planned_together(outcomes) if needs_all_servers(run.job) else outcomes


def _prepare(servers: Servers, options: Options, mode: Mode) -> _Run:
    check_values(options, Options)
    check_secrets(options.password, Secret)
    if options.provider:
        load_profile(options.provider)
    inventory = _inventory(servers)
    _check_named(options, inventory)
    meant, _ = without_skipped(inventory, choose(inventory, (), options.limit), options.limit)
    if not options.allow_commands:
        check_commands(inventory, meant)
    held = _held(options, meant)
    chosen = tuple(
        with_credential(
            one,
            user=options.user,
            password_held=one.name if one.name in held else "",
            key_files=options.key_files,
        )
        for one in meant
    )
    inventory = msgspec.structs.replace(inventory, held={**inventory.held, **held})
    check_servers(inventory, chosen)
    job = Job(
        mode=mode,
        provider=options.provider,
        policy=options.policy,
        images=inventory.images,
        deadline_s=options.deadline_s,
        knowledge=knowledge_with(parse_kms_hosts(options.kms_hosts, "kms_hosts")),
        run=secrets.token_hex(8),
        who=whoami(),
        retry=Retry(times=options.retries),
    )
    opener = make_opener(Secrets(held=inventory.held), options.ssh)
    control = options.control if mode == "activate" else options.control.without_rollout()
    return _Run(inventory, chosen, opener, job, control)


def _inventory(servers: Servers) -> Inventory:
    if isinstance(servers, Inventory):
        return servers
    several = (servers,) if isinstance(servers, str | Server) else servers
    if not isinstance(several, Iterable):
        raise wrong_type("servers", servers, "Inventory")
    return Inventory(servers=tuple(map(_server, several)))


def _server(word: str | Server) -> Server:
    if not isinstance(word, str | Server):
        raise wrong_type("servers", word, "Server")
    return parse_target(addressed(Inventory(), word)) if isinstance(word, str) else _checked(word)


def _checked(server: Server) -> Server:
    """The server; ``InputError`` for one that no inventory could hold."""
    check_values(server, Server, "servers")
    text = str(server.address)
    if parse_address(text) != msgspec.structs.replace(server.address, user=None):
        raise InputError(say("{text} is not an address", text=repr(text)), where="servers")
    return require_secrecy(server)


def _check_named(options: Options, inventory: Inventory) -> None:
    names = {server.name for server in inventory.servers}
    given = options.password if isinstance(options.password, Mapping) else {}
    for name in given:
        if name not in names:
            raise InputError(say("password: no such server: {name}", name=name))


def _held(options: Options, servers: Iterable[Server]) -> Mapping[str, Secret]:
    """The passwords that were given, by the server's name."""
    if isinstance(options.password, Secret):
        return {server.name: options.password for server in servers}
    return options.password or {}
