"""What the verbs that read the store share: their options, what is read, how it is written.

Each verb is in ``verbs/``; the digests are in ``volact.report.memory``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from volact import __version__
from volact.cli.console import columns_of, use_stdout, wants_colour
from volact.cli.options.memory import FleetMemoryOptions, MemoryOptions
from volact.errors import InputError
from volact.knowledge.load import load_profile
from volact.model.text import say
from volact.report.memory.paper import Paper
from volact.store import Latest, Store, open_store
from volact.store.address import chosen


@contextmanager
def remembered(options: MemoryOptions) -> Iterator[Store | None]:
    """The store, read only in what these verbs do; ``None`` where there is none yet."""
    store = open_store(options.store or None, create=False)
    if store is None:
        yield None
        return
    with store:
        yield store


def nothing_yet(options: MemoryOptions) -> str:
    """Why there is nothing to tell, and how there will be."""
    address = chosen(options.store)
    if address is None:
        return say("nothing is kept: VOLACT_STORE is none (name a store with --store)")
    command = f"volact check -i fleet.toml{store_words(options)}"
    return say(
        "nothing is remembered yet in {store} (fill it: {command})",
        store=address.shown,
        command=command,
    )


def store_words(options: MemoryOptions) -> str:
    """What the next command needs to read the same store."""
    return f" --store {shlex.quote(options.store)}" if options.store else ""


def chosen_names(store: Store, limits: Iterable[str]) -> list[str] | None:
    """The servers that names and globs mean; ``None`` for all; ``InputError`` for none."""
    words = [word for limit in limits for word in limit.split(",") if word]
    if not words:
        return None
    known, found = store.names(), set()
    for word in words:
        matched = {name for name in known if fnmatchcase(name, word)}
        if not matched:
            raise no_server(word, known)
        found |= matched
    return sorted(found)


def no_server(word: str, known: Sequence[str]) -> InputError:
    """No such server, and which are spelt alike."""
    near = get_close_matches(word, known, 3, 0.5)
    message = say("the store knows no server {name}", name=word)
    if near:
        return InputError(message, say("did you mean {names}?", names=", ".join(near)))
    if known:
        return InputError(message, say("{n} are known: volact status", n=len(known)))
    return InputError(message, say("it knows none yet"))


def fleet(store: Store, options: FleetMemoryOptions) -> Iterator[Latest]:
    """The servers that are meant, each as it was last seen, by name."""
    if options.provider:
        load_profile(options.provider)
    for latest in store.latest(chosen_names(store, options.limit)):
        if not options.provider or _is_of(latest, options.provider):
            yield latest


def _is_of(latest: Latest, provider: str) -> bool:
    """Whether the server is in this cloud, or in a part of it."""
    seen = latest.examined or latest.newest
    name = latest.newest.report.provider or seen.report.provider or ""
    return name == provider or name.startswith(f"{provider}/")


def the_moment() -> datetime:
    """Now, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def head(command: str, now: datetime) -> dict[str, Any]:
    """How every document begins."""
    return {"volact": __version__, "command": command, "now": f"{now:%Y-%m-%dT%H:%M:%SZ}"}


def paper(options: MemoryOptions, now: datetime) -> Paper:
    """Standard output for a person."""
    out = use_stdout("text")
    return Paper(
        out, now, columns=columns_of(out), colour=wants_colour(out), store=store_words(options)
    )
