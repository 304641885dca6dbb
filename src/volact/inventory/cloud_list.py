"""A cloud's own list of instances as an inventory.

Which instances are servers to be checked, what they are called and how they
are reached.  The calls are ``volact.cloud``'s; entitlement is judged in
``volact.core``.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgspec

from volact.cloud.account import open_account
from volact.cloud.base import (
    Account,
    ApiError,
    Cloud,
    ListedInstance,
    ListingSyntax,
    ServerList,
)
from volact.cloud.registry import clouds
from volact.errors import InputError
from volact.inventory.fields import near
from volact.inventory.listing import Inventory
from volact.model.error_text import message_text
from volact.model.server import AccountSettings, Address, Server
from volact.model.text import Text, count, say

# Schemes for servers that are reached by their private addresses instead.
DIRECT = ("ssh", "winrm")


class ListSource(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be listed, and how the servers are to be reached.

    ``via`` is a scheme of ``DIRECT``; ``""`` is the cloud's own run-command.
    """

    cloud: Cloud
    scopes: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]] = {}
    via: str = ""
    account: AccountSettings = AccountSettings()

    def __str__(self) -> str:
        return f"{self.cloud.name}:{','.join(self.scopes)}"

    @property
    def direct(self) -> bool:
        """Whether servers are reached by their private addresses."""
        return self.via in DIRECT


def parse_source(text: str) -> tuple[Cloud, tuple[str, ...]]:
    """The cloud and the scopes of ``CLOUD:SCOPE,SCOPE``; ``InputError`` for anything else."""
    name, _, rest = text.partition(":")
    cloud = next((item for item in clouds() if item.name == name and item.listing), None)
    if cloud is None or cloud.listing is None:
        raise InputError(
            say("--from {text}: cannot list {name}", text=text, name=repr(name)),
            say("write {example}", example=_forms()),
        )
    syntax = cloud.listing
    scopes = tuple(dict.fromkeys(word.strip() for word in rest.split(",") if word.strip()))
    for scope in scopes:
        if not re.fullmatch(syntax.pattern, scope):
            raise InputError(
                say(
                    "--from {text}: {name} is not a {scope}",
                    text=text,
                    name=repr(scope),
                    scope=syntax.scope,
                ),
                say("such as {example}", example=syntax.example),
            )
    if not scopes:
        raise InputError(
            say("--from {text}: names no {scope}", text=text, scope=syntax.scope),
            say("write {example}", example=_form(cloud, syntax)),
        )
    return cloud, scopes


def _forms() -> str:
    return ", ".join(_form(cloud, cloud.listing) for cloud in clouds() if cloud.listing)


def _form(cloud: Cloud, syntax: ListingSyntax) -> str:
    word = syntax.scope.upper()
    return f"{cloud.name}:{word},{word}"


def parse_filters(cloud: Cloud, words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """``NAME=VALUE,VALUE`` in the API's own words, within the API's limits."""
    syntax = cloud.listing
    assert syntax is not None, "only a cloud that can be listed is a source"
    filters: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, equals, rest = word.partition("=")
        values = tuple(value for value in rest.split(",") if value)
        if not equals or not values:
            raise InputError(
                say("--from-filter {word}: no value", word=word),
                say("write {example}", example=syntax.filter_example),
            )
        if name not in syntax.filters and not re.fullmatch(syntax.filter_pattern, name):
            known = [*syntax.filters, *filter(None, [syntax.filter_pattern_shown])]
            raise InputError(
                say("--from-filter: unknown filter {name}", name=repr(name)), near(name, known)
            )
        filters[name] = (*filters.get(name, ()), *values)
        most = syntax.filter_values
        if len(filters[name]) > most:
            raise InputError(
                say(
                    "--from-filter {name}: the API takes at most {most} values",
                    name=name,
                    most=most,
                )
            )
    most = syntax.filters_at_once
    if len(filters) > most:
        raise InputError(say("--from-filter: the API takes at most {most} filters", most=most))
    return filters


async def list_servers(
    source: ListSource,
    *,
    accounts: Callable[[Cloud, AccountSettings], Awaitable[Account]] = open_account,
) -> Inventory:
    """Every Windows instance of the scopes that the filters let through.

    A scope that cannot be listed fails the whole: part of a fleet must not
    pass for all of it.

    Args:
        source: what is to be listed.
        accounts: finds the keys of an account.

    Raises:
        InputError: the operator can correct it.
        ApiError: the API failed.
    """
    try:
        account = await accounts(source.cloud, source.account)
    except ApiError as error:
        raise _not_listed(source, message_text(error), error) from error
    work = (account.list_servers(scope).list_servers(source.filters) for scope in source.scopes)
    results = await asyncio.gather(*work, return_exceptions=True)
    listed = []
    for scope, result in zip(source.scopes, results, strict=True):
        if isinstance(result, ApiError):
            why = message_text(result)
            told = say("{scope} cannot be listed: {message}", scope=scope, message=why)
            raise _not_listed(source, told, result) from result
        if isinstance(result, BaseException):
            raise result
        listed.append(result)
    return inventory_of(source, listed)


def _not_listed(source: ListSource, told: Text, error: ApiError) -> ApiError | InputError:
    """What the operator can correct is reported as wrong input."""
    where = str(source)
    if error.again == "never":
        return InputError(told, error.hint, where=where)
    told = say("{where}: {message}", where=where, message=told)
    return ApiError(error.kind, told, error.hint, code=error.code, again=error.again)


def inventory_of(source: ListSource, listed: Sequence[ServerList]) -> Inventory:
    """The servers among what scopes have; ``InputError`` when there are none."""
    instances = _once(instance for part in listed for instance in part.instances)
    found = [instance for instance in instances if instance.is_windows and instance.exists]
    unread = [note for part in listed for note in part.unread]
    notes = [
        say(
            "{source}: {found} of {n} instances are Windows servers",
            source=str(source),
            found=len(found),
            n=len(instances),
        ),
        *unread,
    ]
    reachable = [item for item in found if not source.direct or item.private_address]
    if len(reachable) < len(found):
        notes.append(
            count(
                len(found) - len(reachable),
                "{n} has no known private address and is left out",
                "{n} have no known private address and are left out",
            )
        )
    if not reachable:
        raise _no_server(source, len(instances), len(found), unread)
    single = _single(reachable) if source.direct else reachable
    if len(single) < len(reachable):
        notes.append(_shared(len(reachable) - len(single)))
    if not single:
        raise InputError(notes[-1], where=str(source))
    used = {item.image for item in single}
    images = {name: image for part in listed for name, image in part.images.items()}
    return Inventory(
        path=str(source),
        servers=_servers(source, single),
        images={name: image for name, image in images.items() if name in used},
        notes=tuple(notes),
    )


def _once(instances: Iterable[ListedInstance]) -> list[ListedInstance]:
    """Each once, where scopes overlap; not every scope may let its private address be read."""
    places: dict[str, ListedInstance] = {}
    for item in instances:
        known = places.get(item.place.lower())
        if known is None or not known.private_address:
            places[item.place.lower()] = item
    return list(places.values())


def _single(found: Sequence[ListedInstance]) -> list[ListedInstance]:
    """Those whose address leads to no other: networks may have the same addresses."""
    taken = Counter(item.private_address for item in found)
    return [item for item in found if taken[item.private_address] == 1]


def _shared(number: int) -> Text:
    return say(
        "{n} have a private address that another one has, too, and are left out: list one network "
        "with --from and --from-filter, or leave out --via",
        n=number,
    )


def _no_server(
    source: ListSource, instances: int, windows: int, unread: Sequence[Text]
) -> InputError:
    """Why a list brings no server, and what the operator can change."""
    where = str(source)
    if windows:
        none = count(
            windows,
            "the Windows server that is listed has no private address",
            "none of the {n} Windows servers that are listed has a private address",
        )
        told = unread[0] if unread else none
        return InputError(told, say("leave out --via"), where=where)
    told = say("no Windows server is listed")
    if instances:
        told = count(
            instances,
            "no Windows server is listed: the one instance is none",
            "no Windows server is listed: none of the {n} instances is one",
        )
    if source.filters:
        return InputError(told, say("check --from-filter"), where=where)
    return InputError(told, say("check the account and what --from names"), where=where)


def _servers(source: ListSource, found: Sequence[ListedInstance]) -> tuple[Server, ...]:
    taken = Counter(word for item in found for word in {item.name, item.id})
    return tuple(_server(source, item, _name(item, taken)) for item in found)


def _name(item: ListedInstance, taken: Mapping[str, int]) -> str:
    """Its name, its id or its place: the first that no other instance has."""
    free = (word for word in (item.name, item.id) if word and taken[word] == 1)
    return next(free, item.place)


def _server(source: ListSource, item: ListedInstance, name: str) -> Server:
    if source.direct:
        address = Address(scheme=source.via, host=item.private_address)
    else:
        address = Address(scheme=source.cloud.scheme, host=item.place)
    return Server(
        name=name,
        address=address,
        provider=source.cloud.name,
        tags=item.tags,
        account=source.account,
        image=item.image,
        license=item.license,
    )
