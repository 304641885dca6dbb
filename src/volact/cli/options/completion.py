"""Shell completion: words that an inventory, the store or volact's own tables know.

A mistake in the line, an inventory or a store completes nothing and prints nothing.
No cloud's API is called and no program of an inventory is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from volact.core.consent import ASKING_STEPS
from volact.errors import VolactError
from volact.knowledge.load import provider_names
from volact.model.text import say

if TYPE_CHECKING:
    from volact.store import Store

_RUNS = 50


def completing(words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """The completion by some words, which are asked for when it is."""

    def complete(incomplete: str) -> list[str]:
        return _beginning(incomplete, words())

    return complete


complete_provider = completing(provider_names)
complete_step = completing(lambda: ASKING_STEPS)


def complete_finding(incomplete: str) -> list[str]:
    """Ids of findings."""
    from volact.core.findings import BY_ID  # noqa: PLC0415 - all rules, for completion alone

    return _beginning(incomplete, BY_ID)


def complete_target(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names and tags of the inventory; without one, the schemes of addresses."""
    from volact.inventory import read_inventory  # noqa: PLC0415 - for completion alone
    from volact.inventory.target import SCHEMES  # noqa: PLC0415

    file = str(ctx.params.get("inventory") or "")
    if not file:
        return _beginning(incomplete, [s if s == "local" else f"{s}://" for s in SCHEMES])
    with suppress(VolactError):
        servers = read_inventory(file).servers
        return _beginning(incomplete, (word for s in servers for word in (s.name, *s.tags)))
    return []


def complete_server(ctx: typer.Context, incomplete: str) -> list[str]:
    """Servers of the store."""
    from volact.queries.servers import NamesQuery  # noqa: PLC0415 - for completion alone

    with suppress(VolactError), _store_of(ctx) as store:
        return _beginning(incomplete, NamesQuery().ask(store))
    return []


def complete_run(ctx: typer.Context, incomplete: str) -> list[str]:
    """The newest runs of the store."""
    from volact.queries.pages import PageRequest  # noqa: PLC0415 - for completion alone
    from volact.queries.runs import RunsQuery  # noqa: PLC0415

    with suppress(VolactError), _store_of(ctx) as store:
        runs = RunsQuery().page(store, PageRequest(limit=_RUNS)).items
        return _beginning(incomplete, ["last", *(run.id for run in runs)])
    return []


def complete_run_then_server(ctx: typer.Context, incomplete: str) -> list[str]:
    """A run, and after it servers."""
    return (complete_server if ctx.params.get("targets") else complete_run)(ctx, incomplete)


def _store_of(ctx: typer.Context) -> Store:
    """The store that the line means, for a ``with`` block."""
    from volact.store import open_store  # noqa: PLC0415 - for completion alone

    store = open_store(str(ctx.params.get("store") or "") or None, create=False)
    if store is None:
        raise VolactError(say("there is no store"))
    return store


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete)]
