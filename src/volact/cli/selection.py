"""Which servers a command line means: of an inventory or a cloud's list, and by which account."""

from __future__ import annotations

import msgspec

from volact.cli.failure import tell
from volact.cli.options.servers import SourceOptions
from volact.cli.options.shared import RUN_COMMANDS
from volact.cli.runtime import run_async
from volact.cloud.base import Cloud
from volact.cloud.registry import cloud_of_scheme, clouds
from volact.errors import InputError
from volact.inventory import Inventory, addressed, choose, without_skipped
from volact.inventory.cloud_list import ListSource, list_servers, parse_filters, parse_source
from volact.model.server import AccountSettings, Server
from volact.model.text import count, listed, raw, say
from volact.typed import quoted

_NAMED = 5  # servers that a note names


def servers_of(
    options: SourceOptions, inventory: Inventory, *, skipped: bool = False
) -> tuple[Server, ...]:
    """The servers that targets and limits mean; a bare address is one of SSH.

    Those that the inventory skips are left out with a note, unless ``skipped`` is set; one
    that is named itself is an ``InputError``.
    """
    targets = []
    for word in options.targets:
        target = addressed(inventory, word)
        if target != word:
            tell(say("{word} is taken as {address}", word=word, address=target))
        targets.append(target)
    limits = [("--limit", word) for word in options.limit]
    limits += [("--exclude", word) for word in options.exclude]
    given = " ".join(f"{name} {quoted(word)}" for name, word in limits)
    meant = choose(inventory, targets, options.limits, given)
    if skipped or not any(server.skip for server in meant):
        return meant
    left, out = without_skipped(inventory, meant, (*options.targets, *options.limit))
    names = [*(raw(server.name) for server in out[:_NAMED]), *(["…"] if out[_NAMED:] else [])]
    tell(
        count(
            len(out),
            "{n} server is skipped by the inventory: {names}",
            "{n} servers are skipped by the inventory: {names}",
            names=listed(names),
        )
    )
    return left


def cloud_inventory(options: SourceOptions) -> Inventory:
    """The servers that ``--from`` lists."""
    cloud, scopes = parse_source(options.from_)
    via = options.via or cloud.scheme
    if via in RUN_COMMANDS and via != cloud.scheme:
        raise InputError(
            say("--via {via}: not for {title}", via=via, title=cloud.title),
            say("such as {example}", example=f"--via {cloud.scheme}"),
        )
    source = ListSource(
        cloud=cloud,
        scopes=scopes,
        filters=parse_filters(cloud, options.from_filter),
        via=via,
        account=account_of(options, cloud),
    )
    return run_async(list_servers(source))


def refuse_leftovers(options: SourceOptions) -> None:
    """``InputError`` for options that need ``--from``."""
    for name, value in (("--via", options.via), ("--from-filter", options.from_filter)):
        if value and not options.from_:
            raise InputError(
                say("{name} goes with --from", name=name),
                say("such as {example}", example=f"--from {_example()}"),
            )
    if options.from_ and options.inventory:
        raise InputError(say("--inventory and --from are both given"), say("give one of them"))


def account_of(
    options: SourceOptions, cloud: Cloud, beneath: AccountSettings | None = None
) -> AccountSettings:
    """The account of the options, over ``beneath``, that of the inventory."""
    given = {option.name: options.accounts.get(cloud.key(option), "") for option in cloud.options}
    account = beneath or AccountSettings()
    if not any(given.values()):
        return account
    named = {name: value for name, value in given.items() if value}
    return msgspec.structs.replace(cloud.settings_of(account), **named)


def with_account(options: SourceOptions, server: Server) -> Server:
    """The server with the account that the options name."""
    cloud = cloud_of_scheme(server.address.scheme)
    if cloud is None:
        return server
    return msgspec.structs.replace(server, account=account_of(options, cloud, server.account))


def account_words(options: SourceOptions) -> list[tuple[str, str]]:
    """The account options, for the next command."""
    return [(f"--{key}", value) for key, value in options.accounts.items()]


def source_words(options: SourceOptions) -> list[tuple[str, str]]:
    """The list options, for the next command."""
    return [
        ("--from", options.from_),
        ("--via", options.via or ""),
        *(("--from-filter", word) for word in options.from_filter),
    ]


def _example() -> str:
    return next(f"{cloud.name}:{cloud.listing.example}" for cloud in clouds() if cloud.listing)
