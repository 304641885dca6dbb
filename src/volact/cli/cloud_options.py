"""Options about a cloud's own API: whose account, and a list of servers from it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from volact.cli.options.servers import SourceOptions
from volact.cli.runtime import run_async
from volact.cloud.tencent.endpoint import endpoint_of
from volact.cloud.tencent.keys import check_keys
from volact.errors import InputError
from volact.inventory import Inventory
from volact.inventory.tencent import Source, list_servers, parse_filters, parse_source
from volact.model.account import Account
from volact.model.server import Server


def listed(options: SourceOptions) -> Inventory:
    """The servers that ``--from`` lists."""
    source = Source(
        regions=parse_source(options.from_),
        filters=parse_filters(options.from_filter),
        via=options.via or "tat",
        account=account_of(options),
    )
    return run_async(list_servers(source))


def refuse_leftovers(options: SourceOptions) -> None:
    """``InputError`` for options that mean nothing without ``--from``."""
    for name, value in (("--via", options.via), ("--from-filter", options.from_filter)):
        if value and not options.from_:
            raise InputError(f"{name} goes with --from", "such as --from tencent:ap-jakarta")
    if options.from_ and options.inventory:
        raise InputError("--inventory and --from are both given", "servers come from one of them")


def account_of(options: SourceOptions, beneath: Account | None = None) -> Account:
    """The account that the options name, over what an inventory says."""
    named = {
        "site": options.tencent_site,
        "endpoint": options.tencent_endpoint,
        "credentials": options.tencent_credentials,
        "profile": options.tencent_profile,
    }
    given = {name: value for name, value in named.items() if value}
    return msgspec.structs.replace(beneath or Account(), **given)


def with_account(options: SourceOptions, server: Server) -> Server:
    """The server with the account that the options name."""
    return msgspec.structs.replace(server, account=account_of(options, server.account))


def check_accounts(inventory: Inventory, servers: Iterable[Server]) -> None:
    """``InputError`` for the first account whose keys or endpoint cannot be used."""
    good: set[Account] = set()
    for server in servers:
        if server.address.scheme == "tat" and server.account not in good:
            try:
                endpoint_of(server.account, "tat")
                check_keys(server.account)
            except InputError as error:
                where = error.where or inventory.where(server)
                raise InputError(_bare(error), error.hint, where=where) from error
            good.add(server.account)


def account_words(options: SourceOptions) -> list[tuple[str, str]]:
    """The options again, for the next command."""
    return [
        ("--tencent-site", options.tencent_site or ""),
        ("--tencent-endpoint", options.tencent_endpoint),
        ("--tencent-credentials", options.tencent_credentials),
        ("--tencent-profile", options.tencent_profile),
    ]


def source_words(options: SourceOptions) -> list[tuple[str, str]]:
    """The list again, for the next command."""
    return [
        ("--from", options.from_),
        ("--via", options.via or ""),
        *(("--from-filter", word) for word in options.from_filter),
    ]


def _bare(error: InputError) -> str:
    return error.message.removeprefix(f"{error.where}: ") if error.where else error.message
