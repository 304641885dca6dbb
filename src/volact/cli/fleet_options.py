"""Fleet options as values: servers, transports, job, and what reports repeat of the options.

All input errors are found here, before a server is contacted.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from volact import __version__
from volact.bounded.files import own_path
from volact.cli.failure import tell
from volact.cli.options.servers import ConnectOptions, ServerOptions, SourceOptions
from volact.cli.selection import (
    account_words,
    cloud_inventory,
    refuse_leftovers,
    servers_of,
    source_words,
    with_account,
)
from volact.core.accept import is_over
from volact.core.consent import ASKING_STEPS
from volact.core.context import Policy
from volact.errors import InputError
from volact.fleet.prepare import (
    check_accounts,
    check_commands,
    check_servers,
    parse_kms_hosts,
    whoami,
)
from volact.inventory import (
    Inventory,
    Secrets,
    load_inventory,
    with_credential,
    with_route,
)
from volact.inventory.expect import acceptances
from volact.knowledge.load import knowledge_with, load_profile
from volact.model.finding import Acceptance
from volact.model.server import Server
from volact.model.text import say, suggestion
from volact.pipeline import Job, Mode, Retry
from volact.report.base import Invocation
from volact.store.address import chosen
from volact.transports.base import Opener
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact.typed import quoted


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """The servers of a run, how they are reached, and the job for each."""

    servers: tuple[Server, ...]
    opener: Opener
    job: Job
    how: Invocation


def fleet_of(options: ConnectOptions, mode: Mode, policy: Policy | None = None) -> Fleet:
    """Make the run that the options describe; ``InputError`` for the first mistake."""
    inventory = inventory_of(options)
    if options.provider:
        load_profile(options.provider)
    servers = _servers(options, inventory)
    known_hosts = own_path(options.known_hosts) if options.known_hosts else None
    if known_hosts is not None:
        _require_file(known_hosts)
    ssh = SshOptions(
        host_keys=options.host_key_policy,
        known_hosts=known_hosts,
        connect_s=options.connect_timeout,
    )
    job = Job(
        mode=mode,
        provider=options.provider,
        policy=policy or Policy(),
        images=inventory.images,
        deadline_s=options.deadline,
        knowledge=knowledge_with(parse_kms_hosts(options.kms_host, "--kms-host")),
        ignored=parse_ignored(options.ignore) if isinstance(options, ServerOptions) else (),
    )
    opener = make_opener(Secrets(held=inventory.held), ssh)
    how = _how(options, job, servers)
    job = msgspec.structs.replace(
        job, run=how.run, who=whoami(), retry=Retry(times=options.retries)
    )
    return Fleet(servers=servers, opener=opener, job=job, how=how)


def inventory_of(options: SourceOptions) -> Inventory:
    """The inventory of a file or a cloud's list; empty if the targets are addresses."""
    refuse_leftovers(options)
    inventory = Inventory()
    if options.from_:
        inventory = cloud_inventory(options)
    elif options.inventory:
        inventory = load_inventory(options.inventory)
    for note in inventory.notes:
        tell(note)
    return inventory


def files_read(options: ServerOptions) -> tuple[str, ...]:
    """The files of the options that a run reads, and its store."""
    store = None if options.no_store else chosen(options.store)
    credentials = (text for name, text in options.accounts.items() if name.endswith("-credentials"))
    named = (options.inventory, options.known_hosts, options.ssh_config, *options.key_file)
    return (*named, *credentials, str(store.file) if store and store.file else "")


def _servers(options: ConnectOptions, inventory: Inventory) -> tuple[Server, ...]:
    keys = tuple(options.key_file)
    named = servers_of(options, inventory)
    if not options.allow_commands:
        check_commands(inventory, named)
    chosen = tuple(
        with_credential(
            with_route(with_account(options, server), jump=options.jump, config=options.ssh_config),
            user=options.user,
            password_env=options.password_env,
            key_files=keys,
        )
        for server in named
    )
    named_by = {options.password_env: "--password-env", **dict.fromkeys(keys, "--key-file")}
    named_by[str(own_path(options.ssh_config))] = "--ssh-config"
    check_servers(msgspec.structs.replace(inventory, options=named_by), chosen)
    check_accounts(inventory, chosen)
    return chosen


def output_file(to: str, former: str) -> Path:
    """The file of ``--to``, or of ``-o`` as it once was, with a note."""
    if former:
        tell(say("-o FILE is now --to FILE; in every other verb -o is the output format"))
    return Path(former or to)


def _require_file(path: Path) -> None:
    if not path.exists() or path.is_dir():
        raise InputError(
            say("is a directory") if path.is_dir() else say("no such file"),
            say("give the file with the host keys that you trust"),
            where=str(path),
        )


def consent_of(steps: list[str]) -> frozenset[str]:
    """``--allow`` as a value; ``InputError`` for a step that needs no consent or does not exist."""
    for step in steps:
        if step not in ASKING_STEPS:
            raise InputError(
                say("--allow {step}: no such step", step=step), suggestion(step, ASKING_STEPS)
            )
    return frozenset(steps)


def parse_ignored(words: list[str]) -> tuple[Acceptance, ...]:
    """``--ignore`` as values, with a warning for one that is over."""
    try:
        ignored = acceptances(words)
    except InputError as error:
        raise InputError(error.what, error.hint, where="--ignore") from error
    for each in ignored:
        if is_over(each, datetime.now(UTC)):
            tell(
                say(
                    "--ignore {finding} is without effect: its last day, {date}, has passed",
                    finding=each.finding,
                    date=str(each.until),
                )
            )
    return ignored


def _how(options: ConnectOptions, job: Job, servers: tuple[Server, ...]) -> Invocation:
    return Invocation(
        volact=__version__,
        command=job.mode,
        run=secrets.token_hex(8),
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        selector=_words([("-i", options.inventory), *source_words(options)]),
        login=_login(options),
        targets=target_words(options),
        consent=consent_words(job.policy),
        deadline_s=options.deadline,
        typed={str(server.address): _typed(server) for server in servers if server.address.user},
    )


def target_words(options: ConnectOptions) -> str:
    """Which servers were meant, as it can be typed again."""
    limits = _words([("--limit", name) for name in options.limits])
    return " ".join([*map(quoted, options.targets), *([limits] if limits else [])])


def _typed(server: Server) -> str:
    scheme, _, place = str(server.address).partition("://")
    return f"{scheme}://{server.address.user}@{place}"


def consent_words(policy: Policy) -> tuple[str, ...]:
    """The operator's consent, as options of ``activate``."""
    reason = policy.override_entitlement
    return (
        *(["--replace-key"] if policy.replace_key else []),
        *([f"--override-entitlement {quoted(reason)}"] if reason else []),
        *(f"--allow {step}" for step in sorted(policy.consent)),
    )


def _login(options: ConnectOptions) -> str:
    """The options that the next command needs again."""
    patience = options.connect_timeout
    policy = "" if options.host_key_policy == "strict" else options.host_key_policy
    named = [
        ("--provider", options.provider),
        *(("--kms-host", host) for host in options.kms_host),
        ("--user", options.user),
        *(("--key-file", path) for path in options.key_file),
        ("--password-env", options.password_env),
        ("--known-hosts", options.known_hosts),
        ("--host-key-policy", policy),
        ("--jump", options.jump),
        ("--ssh-config", options.ssh_config),
        ("--connect-timeout", f"{patience:g}" if patience != 15.0 else ""),
        *(("--ignore", word) for word in getattr(options, "ignore", ())),
        ("--store", options.store if isinstance(options, ServerOptions) else ""),
        *account_words(options),
    ]
    words = _words(named)
    no_store = isinstance(options, ServerOptions) and options.no_store
    flags = {"--allow-commands": options.allow_commands, "--no-store": no_store}
    return " ".join([*([words] if words else []), *(name for name, on in flags.items() if on)])


def _words(named: list[tuple[str, str]]) -> str:
    return " ".join(f"{name} {quoted(value)}" for name, value in named if value)
