"""What the verbs that read the store share: their options, what is read, how it is written.

Each verb is in ``verbs/``; the questions are in ``volact.queries``, the reports in
``volact.report.store_reports``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import msgspec

from volact import __version__
from volact.cli.console import columns_of, use_stdout, wants_colour, write_answer
from volact.cli.options.store_reports import FleetReportOptions, StoreReportOptions
from volact.errors import InputError
from volact.knowledge.load import load_profile
from volact.model.text import Text, count, say
from volact.queries.filters import ServerFilter
from volact.queries.pages import Reader
from volact.queries.servers import NamesQuery
from volact.report.store_reports.store_text import AskedStore, StoreText
from volact.report.terminal_safe import plain
from volact.store import Pruned, Store, open_store
from volact.store.address import chosen
from volact.store.store import StoreSnapshot
from volact.store.values import Forgotten
from volact.words import tr


@contextmanager
def remembered(options: StoreReportOptions) -> Iterator[StoreSnapshot | None]:
    """One moment of the store, to be read inside a block; ``None`` if there is none yet."""
    store = open_store(options.store or None, create=False)
    if store is None:
        yield None
        return
    with store, store.snapshot() as moment:
        yield moment


def existing_store(url: str) -> Store:
    """The store, for a verb that makes none; ``InputError`` where there is none yet."""
    store = open_store(url or None, create=False)
    if store is None:
        raise InputError(nothing_yet(url))
    return store


def write_deleted(
    deleted: Pruned | Forgotten, sentence: Text, *, output: str, dry_run: bool
) -> None:
    """What was deleted, or would be, as a sentence or as JSON."""
    fields = {"dry_run": dry_run, **msgspec.to_builtins(deleted)}
    write_answer(output, fields, lambda: f"{plain(tr(sentence))}\n")


def nothing_yet(url: str) -> Text:
    """The sentence for an empty or missing store, with the command that fills it."""
    address = chosen(url)
    if address is None:
        return say("there is no store: VOLACT_STORE is none (name one with --store)")
    command = f"volact check -i fleet.toml{AskedStore(store=url).option}"
    return say(
        "the store {store} is empty (to fill it: {command})",
        store=address.shown,
        command=command,
    )


def known_names(
    limits: Iterable[str], is_known: Callable[[str], bool], known: Callable[[], Sequence[str]]
) -> tuple[str, ...]:
    """The names and globs of ``--limit``; ``InputError`` for one that matches no server.

    Whether a word does is asked of ``is_known``; all names, for the error, of ``known``.
    """
    # An empty word is one that matches none: it must not mean every server.
    words = [word for limit in limits for word in limit.strip(",").split(",")]
    for word in words:
        meant = word.removeprefix("!")
        if not meant or not is_known(meant):
            raise no_server(meant, known())
    return tuple(words)


def stored_names(store: Reader, limits: Iterable[str]) -> tuple[str, ...]:
    """``known_names`` of a store."""
    return known_names(
        limits,
        lambda word: bool(NamesQuery(word=word).ask(store, limit=1)),
        lambda: NamesQuery().ask(store),
    )


def no_server(word: str, known: Sequence[str]) -> InputError:
    """The error for an unknown server, with similar names."""
    near = get_close_matches(word, known, 3, 0.5)
    message = say("no server {name} in the store", name=word or "''")
    if near:
        return InputError(message, say("did you mean {names}?", names=", ".join(near)))
    if known:
        stored = count(
            len(known),
            "{n} server is stored: volact status",
            "{n} servers are stored: volact status",
        )
        return InputError(message, stored)
    return InputError(message, say("the store has no servers yet"))


def filter_of(store: Reader | None, options: FleetReportOptions) -> ServerFilter:
    """The filter that the options describe; ``InputError`` for an unknown server or cloud."""
    if options.provider:
        load_profile(options.provider)
    names = stored_names(store, options.limit) if store is not None else ()
    return ServerFilter(names=names, provider=options.provider)


def the_moment() -> datetime:
    """Now, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def head(command: str, now: datetime) -> dict[str, Any]:
    """The first keys of every document."""
    return {"volact": __version__, "command": command, "now": f"{now:%Y-%m-%dT%H:%M:%SZ}"}


def paper(options: StoreReportOptions, now: datetime, service: str = "") -> StoreText:
    """Standard output for text; the next commands ask what was asked, a service where it was."""
    out = use_stdout("text")
    return StoreText(
        out,
        now,
        columns=columns_of(out),
        colour=wants_colour(out),
        asked=AskedStore(store=options.store, service=service),
    )
