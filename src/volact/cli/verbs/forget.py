"""``volact forget``: take servers out of the store."""

from __future__ import annotations

import sys

import typer

from volact.cli.console import require_terminal
from volact.cli.options.store_reports import ForgetOptions
from volact.cli.store_reports import existing_store, stored_names, the_moment, write_deleted
from volact.core.span import parse_span
from volact.errors import InputError
from volact.model.text import Text, count, listed, say
from volact.queries.filters import ServerFilter
from volact.queries.servers import ServersQuery
from volact.report.terminal_safe import plain
from volact.store.store import Store
from volact.store.values import Forgotten
from volact.words import tr

_NAMED = 8


def forget(options: ForgetOptions) -> int:
    """Delete servers and everything about them from the store; asks first."""
    if not options.servers and not options.older_than:
        raise InputError(say("give the servers to forget, or --older-than"))
    asks = not (options.yes or options.dry_run)
    if asks:
        require_terminal(say("use --yes to delete without asking, or --dry-run to delete nothing"))
    with existing_store(options.store) as store:
        names = _meant(store, options)
        forgotten = store.forget(names, dry_run=True)
        agreed = bool(names) and (not asks or _agreed(forgotten))
        if agreed and not options.dry_run:
            forgotten = store.forget(names)
        elif not options.dry_run:
            forgotten = Forgotten(servers=())
    sentence = _sentence(forgotten, done=not options.dry_run)
    write_deleted(forgotten, sentence, output=options.output, dry_run=options.dry_run)
    return 0


def _meant(store: Store, options: ForgetOptions) -> tuple[str, ...]:
    """The servers that the names mean and that no run took for so long."""
    now = the_moment()
    before = now - parse_span(options.older_than, "--older-than") if options.older_than else None
    meant = ServerFilter(names=stored_names(store, options.servers), seen_before=before)
    return tuple(server.name for server in ServersQuery(now=now, filter=meant).stream(store))


def _agreed(forgotten: Forgotten) -> bool:
    try:
        sys.stderr.write(f"{plain(tr(_sentence(forgotten, done=False)))}\n")
        return typer.confirm(tr(say("Delete?")), default=False, err=True)
    except typer.Abort:
        sys.stderr.write("\n")
        return False


def _sentence(forgotten: Forgotten, *, done: bool) -> Text:
    names = forgotten.servers
    if not names:
        return say("no server was deleted from the store")
    servers = count(len(names), "{n} server", "{n} servers")
    more = ["…"] if len(names) > _NAMED else []
    given = {"servers": servers, "names": listed([*names[:_NAMED], *more]), "rows": forgotten.rows}
    if done:
        return say("deleted from the store: {servers} ({names}), rows: {rows}", **given)
    return say("to delete from the store: {servers} ({names}), rows: {rows}", **given)
