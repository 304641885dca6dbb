"""Which servers are meant: filters as values, and their conditions in SQL.

The values of one field are alternatives; different fields must all hold.  An empty field
does not filter.  Globs of names are spelt for each database, and match as
``fnmatch.fnmatchcase`` does: the whole name, heeding the case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.errors import ErrorKind
from volact.model.report import Verdict
from volact.store.clock import moment
from volact.store.tables import FINDINGS, ROWS, SERVERS, begins

_AT_ONCE = 10_000  # names in one condition
# Stands for ``now`` in a statement that is made once.
NOW: sa.BindParameter[str] = sa.bindparam("now", type_=sa.String)
Moment = str | sa.BindParameter[str]


class ServerFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the servers.

    ``names`` are names or globs (``web-*``; ``!web-*``: all but these), ``provider`` is
    a cloud or a part of one (``ovh`` includes ``ovh/dedicated``), ``findings`` are ids of
    findings of the newest examination, ``causes`` are of those for which a server is not
    healthy the main ones (a finding's id, ``error:KIND``), ``run`` is the id of the run that
    has a server's newest row.
    ``scopes`` are alternatives of ``tag:NAME`` and ``provider:NAME`` to which a user is
    confined; none of them means no server, ``None`` the whole fleet.
    Times are compared with when a licence ends (``ends_…``), the newest examination
    (``examined_…``) and the newest row (``seen_…``); from is included, before is not.

    ``ServerFilter(names=("web-*",), verdicts=("failed", "attention"), provider="aws")``
    """

    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    findings: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    errors: tuple[ErrorKind, ...] = ()
    provider: str = ""
    kms_hosts: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    ends_from: datetime | None = None
    ends_before: datetime | None = None
    overdue: bool | None = None
    examined_from: datetime | None = None
    examined_before: datetime | None = None
    seen_from: datetime | None = None
    seen_before: datetime | None = None
    run: str = ""
    scopes: tuple[str, ...] | None = None


def of_servers(
    filter: ServerFilter, now: datetime | sa.BindParameter[str], dialect: str
) -> list[sa.ColumnElement[bool]]:
    """The conditions of a ``filter`` on the current state of servers, as of ``now``.

    ``dialect`` is the name of the database's SQL: "sqlite" or "postgresql".
    """
    at = moment(now) if isinstance(now, datetime) else now
    found = [*_common(filter, SERVERS, dialect)]
    if filter.verdicts:
        found.append(sa.or_(*(_verdict(word, at, dialect) for word in filter.verdicts)))
    if filter.causes:
        found.append(cause_now(at).in_(filter.causes))
    if filter.tags:
        found.append(_tagged(filter.tags, dialect))
    if filter.scopes is not None:
        found.append(_within(filter.scopes, dialect))
    if filter.overdue is not None:
        found.append(SERVERS.c.overdue.is_(filter.overdue))
    if filter.run:
        found.append(SERVERS.c.last_run == filter.run)
    for column, since, before in (
        (SERVERS.c.ends, filter.ends_from, filter.ends_before),
        (SERVERS.c.examined_at, filter.examined_from, filter.examined_before),
        (SERVERS.c.last_seen, filter.seen_from, filter.seen_before),
    ):
        found += _between(column, since, before)
    return found


def of_rows(filter: ServerFilter, dialect: str) -> list[sa.ColumnElement[bool]]:
    """The conditions on the rows of runs: ``seen_…`` is when a row was finished.

    Verdicts are those of the row.  What only a current state has does not filter:
    ``ends_…``, ``examined_…``, ``overdue``.
    """
    found = [*_common(filter, ROWS, dialect)]
    if filter.verdicts:
        found.append(ROWS.c.verdict.in_(filter.verdicts))
    if filter.causes:
        found += [ROWS.c.verdict != "healthy", ROWS.c.cause.in_(filter.causes)]
    meant = [_tagged(filter.tags, dialect)] if filter.tags else []
    meant += [] if filter.scopes is None else [_within(filter.scopes, dialect)]
    if meant:
        found.append(ROWS.c.server.in_(sa.select(SERVERS.c.name).where(*meant)))
    if filter.run:
        found.append(ROWS.c.run == filter.run)
    found += _between(ROWS.c.at, filter.seen_from, filter.seen_before)
    return found


def named(
    column: sa.ColumnElement[str], words: Iterable[str], dialect: str
) -> sa.ColumnElement[bool]:
    """Whether ``column`` has one of ``words``, names and globs, in a database's ``dialect``.

    ``!`` before a word takes away what it means; without any other word it is all names.
    """
    words = [*words]
    away = [word[1:] for word in words if word.startswith("!")]
    meant = [word for word in words if not word.startswith("!")]
    found = _one_of(column, meant, dialect) if meant else sa.true()
    return sa.and_(found, sa.not_(_one_of(column, away, dialect))) if away else found


def _one_of(
    column: sa.ColumnElement[str], words: list[str], dialect: str
) -> sa.ColumnElement[bool]:
    exact = sorted({word for word in words if not is_glob(word)})
    some = [column.in_(exact[at : at + _AT_ONCE]) for at in range(0, len(exact), _AT_ONCE)]
    globs = [word for word in words if is_glob(word)]
    if dialect == "sqlite":
        return sa.or_(*some, *(column.bool_op("GLOB")(as_sqlite(glob)) for glob in globs))
    return sa.or_(*some, *(column.bool_op("~")(as_postgresql(glob)) for glob in globs))


def expired(at: Moment) -> sa.ColumnElement[bool]:
    """Whether a licence has run out at a moment."""
    return sa.and_(SERVERS.c.term == "ends", SERVERS.c.ends <= at)


def verdict_now(at: Moment) -> sa.ColumnElement[str]:
    """A server's verdict, unless its licence or an acceptance has run out since."""
    gone = sa.and_(SERVERS.c.verdict == "healthy", _over(at))
    return sa.case((gone, "attention"), else_=SERVERS.c.verdict)


def cause_now(at: Moment) -> sa.ColumnElement[str]:
    """Why a server is not healthy at a moment, as ``status_row`` tells it; else empty."""
    return sa.case(
        (SERVERS.c.verdict != "healthy", SERVERS.c.cause),
        (expired(at), "not-licensed"),
        (SERVERS.c.lapses < at, SERVERS.c.lapse_cause),
        else_="",
    )


def _over(at: Moment) -> sa.ColumnElement[bool]:
    """Whether what made a server healthy has run out at a moment."""
    return sa.or_(expired(at), SERVERS.c.lapses < at)


def _common(
    filter: ServerFilter, table: sa.Table, dialect: str
) -> Iterator[sa.ColumnElement[bool]]:
    current = table is SERVERS
    name = SERVERS.c.name if current else ROWS.c.server
    run = SERVERS.c.examined_run if current else ROWS.c.run
    if filter.names:
        yield named(name, filter.names, dialect)
    for column, values in (
        (table.c.error_kind, filter.errors),
        (table.c.kms_host, filter.kms_hosts),
        (table.c.release, filter.releases),
        (table.c.status, filter.statuses),
    ):
        if values:
            yield column.in_(values)
    if filter.provider:
        yield _provided(table, filter.provider)
    if filter.findings:
        one = FINDINGS.alias()  # the question itself may be one about findings
        yield sa.exists().where(
            one.c.finding.in_(filter.findings), one.c.run == run, one.c.server == name
        )


def _provided(table: sa.Table, provider: str) -> sa.ColumnElement[bool]:
    """A provider, or a part of it."""
    return sa.or_(table.c.provider == provider, begins(table.c.provider, f"{provider}/"))


def _within(scopes: tuple[str, ...], dialect: str) -> sa.ColumnElement[bool]:
    """The servers of any of these scopes, by what is known of them now."""
    parts = [scope.partition(":") for scope in scopes]
    some = [_tagged((value,), dialect) for kind, _, value in parts if kind == "tag"]
    some += [_provided(SERVERS, value) for kind, _, value in parts if kind == "provider"]
    return sa.or_(sa.false(), *some)


def names_within(scopes: tuple[str, ...], dialect: str) -> sa.Select[tuple[str]]:
    """The names of the servers of any of these scopes."""
    return sa.select(SERVERS.c.name).where(_within(scopes, dialect))


def _verdict(word: Verdict, at: Moment, dialect: str) -> sa.ColumnElement[bool]:
    """One verdict as of now, as conditions that an index answers."""
    same = SERVERS.c.verdict == word
    if word == "healthy":
        return sa.and_(same, sa.not_(sa.func.coalesce(_over(at), sa.false())))
    if word != "attention":
        return same
    if dialect == "sqlite":  # it would ask the index for all that are healthy, and sort them
        return verdict_now(at) == word
    return sa.or_(same, sa.and_(SERVERS.c.verdict == "healthy", _over(at)))


def _tagged(tags: tuple[str, ...], dialect: str) -> sa.ColumnElement[bool]:
    """A tag stands between line ends; these functions heed the case, LIKE may not."""
    place = sa.func.instr if dialect == "sqlite" else sa.func.strpos
    return sa.or_(*(place(SERVERS.c.tags, f"\n{tag}\n") > 0 for tag in tags))


def _between(
    column: sa.ColumnElement[Any], since: datetime | None, before: datetime | None
) -> Iterator[sa.ColumnElement[bool]]:
    if since is not None:
        yield column >= moment(since)
    if before is not None:
        yield column < moment(before)


_PARTS = re.compile(r"\*|\?|\[(?P<no>!?+)(?P<set>\][^\]]*|[^\]]+)\]|.", re.DOTALL)
_SIGNS = re.compile("(.)-(.)|(.)", re.DOTALL)  # of a set
_Signs = list[tuple[str, str]]  # the first and the last of each range


def is_glob(word: str) -> bool:
    """Whether a word is more than a name."""
    return any(sign in word for sign in "*?[")


def as_sqlite(glob: str) -> str:
    """The glob as SQLite's GLOB has it."""
    return "".join(
        _sqlite_set(part["no"], _signs(part["set"]))
        if part["set"]
        else "[[]"
        if part[0] == "["
        else part[0]
        for part in _PARTS.finditer(glob)
    )


def as_postgresql(glob: str) -> str:
    """The glob as a regular expression of PostgreSQL."""
    parts = (
        _postgresql_set(part["no"], _signs(part["set"]))
        if part["set"]
        else {"*": ".*", "?": "."}.get(part[0]) or re.escape(part[0])
        for part in _PARTS.finditer(glob)
    )
    return f"^(?:{''.join(parts)})$"


def _signs(inside: str) -> _Signs:
    """What a set has; a range whose end is before its beginning has nothing."""
    ranges = ((one or low, one or high) for low, high, one in _SIGNS.findall(inside))
    return [(low, high) for low, high in ranges if low <= high]


def _sqlite_set(no: str, signs: _Signs) -> str:
    """In a set ``]`` is a sign only where it is the first one, ``^`` only where it is not."""
    if not signs:
        return "?" if no else "[^\x01-\U0010ffff]"
    first = "]" if any(low == "]" for low, _ in signs) else ""
    last = "^-^" if any(low in "]^" and high >= "^" for low, high in signs) else ""
    after = (("_" if low in "]^" else low, high) for low, high in signs)
    inside = first + "".join(f"{low}-{high}" for low, high in after if low <= high) + last
    return "^" if no + inside == "^-^" else f"[{'^' if no else ''}{inside}]"


def _postgresql_set(no: str, signs: _Signs) -> str:
    if not signs:
        return "." if no else "(?!.)."
    ranges = (f"{low}-{high}" for low, high in (map(_plain, pair) for pair in signs))
    return f"[{'^' if no else ''}{''.join(ranges)}]"


def _plain(sign: str) -> str:
    return f"\\{sign}" if sign in "\\[]^-" else sign
