"""``volact user`` and ``volact audit``: for the account that may open the service's database.

This is how an administrator who is locked out comes in again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from volact.account import NAMELESS, account_name
from volact.cli.console import table, use_stdout, write_answer
from volact.cli.failure import tell
from volact.cli.options.service import (
    AuditOptions,
    UserAddOptions,
    UserDisableOptions,
    UserLinkOptions,
    UserListOptions,
)
from volact.cli.service_database import needs_service, open_database
from volact.client.address import public_url
from volact.client.wire import NewUser, UserChange
from volact.model.text import count, say
from volact.words import tr

with needs_service():
    from volact.service.access import Actor
    from volact.service.identity import audit as chain
    from volact.service.identity import sessions, users


def add(options: UserAddOptions) -> int:
    """Add a user; prints a link."""
    new = NewUser(
        name=options.name, role=options.role, email=options.email,
        scopes=tuple(options.scope) or None,
    )  # fmt: skip
    url = public_url(options.public_url)
    with _change(options.database, create=True) as change:
        key = sessions.make_link(change, users.add(change, new))
    use_stdout("text").write(f"{sessions.link_url(url, key)}\n")
    return 0


def list_users(options: UserListOptions) -> int:
    """List the users."""
    with open_database(options.database) as store:
        found = store.ask(users.users)
    rows = [
        (
            user.name, user.role, " ".join(user.scopes or ()),
            tr(say("disabled")) if user.disabled else "",
            f"{user.signed_in:%Y-%m-%d %H:%M}" if user.signed_in else "",
        )
        for user in found
    ]  # fmt: skip
    head = ("NAME", "ROLE", "SCOPES", "STATE", "SIGNED IN")
    write_answer(options.output, found, lambda: table(head, rows))
    return 0


def link(options: UserLinkOptions) -> int:
    """Print a link that signs a user in once."""
    url = public_url(options.public_url)
    with _change(options.database) as change:
        key = sessions.make_link(change, users.find(change.connection, options.name))
    use_stdout("text").write(f"{sessions.link_url(url, key)}\n")
    return 0


def disable(options: UserDisableOptions) -> int:
    """Sign a user out and refuse sign-ins."""
    with _change(options.database) as change:
        users.alter(change, options.name, UserChange(disabled=not options.undo))
    return 0


def audit(options: AuditOptions) -> int:
    """Check or export the audit of the service."""
    with open_database(options.database) as store:
        if options.export:
            out = use_stdout("jsonl")
            for line in chain.exported(store):
                out.write(line.decode())
        check = store.ask(chain.verify)
    if check.broken_at:
        tell(say("the audit was changed at line {n}, or it is missing", n=check.broken_at))
        return 3
    if not check.lines:
        tell(say("the audit has no lines yet"))
        return 0
    tell(count(check.lines, "{n} line, complete; {head}", "{n} lines, complete; {head}",
               head=check.head))  # fmt: skip
    return 0


@contextmanager
def _change(database: str, *, create: bool = False) -> Iterator[chain.Change]:
    actor = Actor(user="", name=account_name() or NAMELESS, role="administrator", via="system")
    with (
        open_database(database, create=create) as store,
        chain.changing(store, datetime.now(UTC), actor) as change,
    ):
        yield change
