"""Two runs side by side: which servers changed, and how.

The database leaves out the servers of which both rows are alike; only the others are
compared by the rules of ``core.change``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.core.change import CHANGE_KINDS, ChangeKind, ServerChange, Snapshot, compare
from volact.queries.filters import named, names_within
from volact.queries.pages import Reader
from volact.queries.values import ChangeRow, Diff, DiffSummary
from volact.store.tables import ROWS

_AT_ONCE = 500
_COMPARED = (
    "address", "verdict", "provider", "release", "edition", "status", "channel", "partial_key",
    "kms_host", "error_kind", "findings",
)  # fmt: skip
_TAKEN = (*_COMPARED, "expires")
_BEFORE, _AFTER = ROWS.alias("before"), ROWS.alias("after")


class DiffQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from one run to another; only on some servers, where names are given.

    ``before`` and ``after`` are whole ids of runs, ``names`` are names or globs, ``scopes``
    as in ``ServerFilter``.

    ``DiffQuery(before="5f3c…", after="77aa…", names=("web-*",)).ask(store).summary.worse``
    """

    before: str
    after: str
    names: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None

    def ask(self, reader: Reader) -> Diff:
        """The servers that differ, the most pressing first, and the counts of all."""
        return reader.ask(self._ask)

    def _ask(self, connection: sa.Connection) -> Diff:
        dialect = connection.dialect.name
        both = sa.and_(
            _AFTER.c.run == self.after, _AFTER.c.server == _BEFORE.c.server, _examined(_AFTER)
        )
        meant = [_BEFORE.c.run == self.before, _examined(_BEFORE), *self._named(_BEFORE, dialect)]
        pairs = sa.select(sa.func.count()).select_from(_BEFORE.join(_AFTER, both)).where(*meant)
        unlike = (
            sa.select(*_columns(_BEFORE), *_columns(_AFTER))
            .select_from(_BEFORE.outerjoin(_AFTER, both))
            .where(*meant, sa.or_(_AFTER.c.server.is_(None), *_differences()))
        )
        there = sa.select(_BEFORE.c.server).where(_BEFORE.c.run == self.before, _examined(_BEFORE))
        nothing: list[sa.ColumnElement[Any]] = [sa.null() for _ in _columns(_BEFORE)]
        new = sa.select(*nothing, *_columns(_AFTER)).where(
            _AFTER.c.run == self.after,
            _examined(_AFTER),
            *self._named(_AFTER, dialect),
            _AFTER.c.server.not_in(there),
        )
        found = [*_changes(connection, unlike), *_changes(connection, new)]
        return _digest(found, connection.execute(pairs).scalar_one())

    def _named(self, rows: sa.FromClause, dialect: str) -> list[sa.ColumnElement[bool]]:
        found = [named(rows.c.server, self.names, dialect)] if self.names else []
        if self.scopes is not None:
            found.append(rows.c.server.in_(names_within(self.scopes, dialect)))
        return found


def _columns(rows: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    return [rows.c.server, *(rows.c[name] for name in _TAKEN)]


def _examined(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether the run came to the server: a turn that never came is no row."""
    return rows.c.error_kind.is_distinct_from("not-begun")


def _differences() -> Iterator[sa.ColumnElement[bool]]:
    for name in _COMPARED:
        yield _BEFORE.c[name].is_distinct_from(_AFTER.c[name])


def _changes(
    connection: sa.Connection, query: sa.Select[Any]
) -> Iterator[tuple[str, ServerChange]]:
    size = len(_TAKEN) + 1
    for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        was, is_ = _snapshot(row[1:size]), _snapshot(row[size + 1 :])
        yield row[0] or row[size], compare(was, is_)


def _snapshot(row: Any) -> Snapshot | None:
    values = dict(zip(_TAKEN, row, strict=True))
    if values["verdict"] is None:
        return None
    found = msgspec.json.decode(values.pop("findings"), type=list[str])
    error = values.pop("error_kind")
    if values["verdict"] == "unreachable":
        seen = {name: values[name] for name in ("address", "verdict", "provider")}
        return Snapshot(**seen, error=error)
    return Snapshot(
        **values,
        errors=_ids(found, "error"),
        warnings=_ids(found, "warning"),
        notes=_ids(found, "info"),
        accepted=_ids(found, "accepted"),
        error=error,
    )


def _ids(found: list[str], severity: str) -> tuple[str, ...]:
    ids = (each.partition(":")[2] for each in found if each.startswith(f"{severity}:"))
    return tuple(dict.fromkeys(ids))


def _digest(found: list[tuple[str, ServerChange]], pairs: int) -> Diff:
    kinds: Counter[ChangeKind] = Counter(change.kind for _, change in found)
    appeared: Counter[str] = Counter(id for _, change in found for id in change.appeared)
    resolved: Counter[str] = Counter(id for _, change in found for id in change.resolved)
    differ = sum(1 for _, change in found if change.before and change.after)
    kinds["same"] += pairs - differ  # left out by the database
    rows = [
        ChangeRow(name=name, **msgspec.structs.asdict(change))
        for name, change in found
        if change.kind != "same"
    ]
    rows.sort(key=lambda row: (CHANGE_KINDS.index(row.kind), row.name))
    summary = DiffSummary(
        **{kind: kinds[kind] for kind in CHANGE_KINDS},
        appeared=_ranked(appeared),
        resolved=_ranked(resolved),
    )
    return Diff(tuple(rows), summary)


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
