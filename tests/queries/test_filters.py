"""Filters: which servers each means, in every question and alike in both databases."""

from __future__ import annotations

import inspect
import pkgutil
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from importlib import import_module
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from store_samples import OVERDUE, WRONG_HOST

import volact.queries
from volact.model.report import Summary
from volact.queries.choices import ChoicesQuery, RunCountsQuery
from volact.queries.expiring import ExpiringQuery
from volact.queries.filters import ServerFilter, named
from volact.queries.pages import PageRequest
from volact.queries.servers import RunServersQuery, ServerQuery, ServersQuery
from volact.queries.status import StatusQuery
from volact.store.store import Store

pytestmark = pytest.mark.xdist_group("queries")  # the stores that are only read are filled once
NOW = datetime(2027, 1, 1, tzinfo=UTC)
FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["DB-01", "db-01", "web-01", "web-02", "web-03", "x[1]"]),
    ({"names": ("web-0[!1]", "db-01")}, ["db-01", "web-02", "web-03"]),
    ({"names": ("x[[]1]",)}, ["x[1]"]),
    ({"names": ("?????1",)}, ["web-01"]),
    ({"names": ("[dx]*",)}, ["db-01", "x[1]"]),
    ({"names": ("!web-*",)}, ["DB-01", "db-01", "x[1]"]),
    ({"names": ("web-*", "!web-02")}, ["web-01", "web-03"]),
    ({"names": ("!x*", "!web-0?", "!DB-01")}, ["db-01"]),
    ({"tags": ("web",)}, ["web-01"]),
    ({"tags": ("web server", "prod")}, ["db-01", "web-01"]),
    ({"tags": ("WEB",)}, []),
    ({"verdicts": ("unreachable", "failed")}, ["DB-01", "web-01"]),
    ({"verdicts": ("attention",)}, ["web-02"]),  # its licence has run out since
    ({"verdicts": ("healthy",)}, ["db-01", "web-03", "x[1]"]),
    ({"findings": ("kms-host-wrong",)}, ["DB-01", "web-01"]),  # found when it was examined
    ({"causes": ("kms-host-wrong",)}, ["DB-01"]),  # web-01 could not be asked since
    ({"causes": ("error:connect", "not-licensed")}, ["web-01", "web-02"]),
    ({"causes": ("renewal-overdue",)}, []),  # healthy all the same
    ({"errors": ("connect",)}, ["web-01"]),
    ({"provider": "tencent"}, ["DB-01", "db-01", "web-01", "web-02", "web-03"]),
    ({"provider": "tencent/finance"}, ["db-01"]),
    ({"provider": "TENCENT"}, []),
    ({"kms_hosts": ("other:1688",)}, ["web-03"]),
    ({"releases": ("2016",), "names": ("w*",)}, ["web-01", "web-02", "web-03"]),
    ({"statuses": ("notification",)}, []),
    ({"ends_from": NOW, "ends_before": NOW + timedelta(days=40)}, ["web-03"]),
    ({"overdue": True}, ["web-03"]),
    ({"scopes": ()}, []),
    ({"scopes": ("tag:prod", "provider:aws")}, ["web-01", "x[1]"]),
    ({"scopes": ("tag:prod",), "names": ("x*",)}, []),
    ({"scopes": ("provider:tencent",), "tags": ("web",)}, ["web-01"]),
    ({"scopes": ("provider:TENCENT",)}, []),
    ({"run": "aa11"}, []),
    ({"seen_before": NOW - timedelta(days=36500)}, []),
    ({"seen_from": NOW - timedelta(days=36500), "names": ("x*",)}, ["x[1]"]),
    ({"examined_before": NOW - timedelta(days=36500)}, []),
    ({"examined_from": NOW - timedelta(days=36500), "names": ("DB*",)}, ["DB-01"]),
]
FOUND = {"DB-01": WRONG_HOST.id, "web-01": WRONG_HOST.id, "web-03": OVERDUE.id}


def ordered(store: Store, filter: ServerFilter) -> list[str]:
    """The names, where each order has each server once."""
    queries = [ServersQuery(now=NOW, filter=filter, order=order) for order in ("name", "seen")]
    (found, same) = (sorted(one.name for one in query.stream(store)) for query in queries)
    assert found == same
    return found


def paged(query: Any, store: Store) -> list[str]:
    return [one.name for one in query.page(store, PageRequest()).items]


def stated(store: Store, filter: ServerFilter) -> int:
    found = StatusQuery(now=NOW, filter=filter).ask(store)
    for parts in (found.endings, found.providers, found.releases, found.kms_hosts, found.ages):
        assert sum(part.servers for part in parts) == found.summary.servers
    return found.summary.servers


def expiring(store: Store, filter: ServerFilter) -> int:
    query = ExpiringQuery(now=NOW, within=timedelta(days=30), filter=filter)
    return sum(msgspec.structs.astuple(query.ask(store).summary))


def chosen(store: Store, filter: ServerFilter) -> int:
    found = ChoicesQuery(now=NOW, filter=filter).ask(store).verdicts
    return sum(servers for _, servers in found)


def single(store: Store, filter: ServerFilter) -> list[str]:
    queries = [ServerQuery(name=name, now=NOW, filter=filter) for name in FILTERS[0][1]]
    return [found.name for found in (query.ask(store) for query in queries) if found]


def on_a_page(store: Store, filter: ServerFilter) -> list[str]:
    return paged(ServersQuery(now=NOW, filter=filter), store)


def counted(store: Store, filter: ServerFilter) -> int:
    return ServersQuery(now=NOW, filter=filter).count(store)


def in_rows(store: Store, filter: ServerFilter) -> list[str]:
    return [one.name for one in StatusQuery(now=NOW, filter=filter).rows(store)]


# Every question about the current state of servers, and what it says of those that are meant.
OF_SERVERS: dict[tuple[type, str], Callable[[Store, ServerFilter], Sequence[str] | int]] = {
    (ServersQuery, "stream"): ordered,
    (ServersQuery, "page"): on_a_page,
    (ServersQuery, "count"): counted,
    (StatusQuery, "ask"): stated,
    (StatusQuery, "rows"): in_rows,
    (ExpiringQuery, "ask"): expiring,
    (ChoicesQuery, "ask"): chosen,
    (ServerQuery, "ask"): single,
}
OF_ROWS = {(RunServersQuery, "page"), (RunServersQuery, "reports"), (RunCountsQuery, "ask")}


@pytest.mark.parametrize(("given", "found"), FILTERS)
def test_a_filter_means_the_same_servers_in_every_question(
    filled: Store, given: dict[str, Any], found: list[str]
) -> None:
    filter = ServerFilter(**given)
    for (query, method), ask in OF_SERVERS.items():
        told = ask(filled, filter)
        assert told == (len(found) if isinstance(told, int) else found), (
            f"{query.__name__}.{method}"
        )
    counts = ServersQuery(now=NOW, filter=filter).findings(filled)
    expected = Counter(FOUND[name] for name in found if name in FOUND)
    assert {one.finding: one.servers for one in counts} == expected


def test_each_value_is_offered_with_as_many_servers_as_it_means(filled: Store) -> None:
    choices = ChoicesQuery(now=NOW).ask(filled)
    for name, values in msgspec.structs.asdict(choices).items():
        field = name if name != "providers" else "provider"
        for value, servers in values:
            given: dict[str, Any] = {field: (value,) if field == name else value}
            filter = ServerFilter(**given)
            named = [one.name for one in ServersQuery(now=NOW, filter=filter).stream(filled)]
            parts = [other for other, _ in choices.providers if other.startswith(f"{value}/")]
            assert len(named) == servers + len(parts) * (field == "provider"), (name, value)
    assert dict(choices.causes) == {"error:connect": 1, "not-licensed": 1, "kms-host-wrong": 1}


@pytest.mark.parametrize("run", ["aa11", "bb22"])
def test_a_filter_means_the_same_rows_in_every_question(filled: Store, run: str) -> None:
    for given, _ in FILTERS:
        query = RunServersQuery(run=run, filter=ServerFilter(**given))
        found = paged(query, filled)
        assert [report.name for report in query.reports(filled)] == found, given
        summary = RunCountsQuery(runs=(run,), filter=query.filter).ask(filled).get(run, Summary())
        assert summary.servers == len(found), given


def test_every_filter_and_every_question_is_here() -> None:
    """Which are there is read from the code."""
    assert {name for given, _ in FILTERS for name in given} == {*ServerFilter.__struct_fields__}
    questions: set[tuple[type, str]] = set()
    for module in pkgutil.iter_modules(volact.queries.__path__, "volact.queries."):
        for kind in vars(import_module(module.name)).values():
            if "filter" in getattr(kind, "__struct_fields__", ()):
                questions |= {
                    (kind, name)
                    for name, method in inspect.getmembers(kind, inspect.isfunction)
                    if "reader" in inspect.signature(method).parameters
                }
    assert questions == {*OF_SERVERS, *OF_ROWS, (ServersQuery, "findings")}


_GLOBS = r"""
* web-* [a-z]* [!w]* ?b-01 x[[]* x[1] a.b [] [!] [[] []] [!]] []-a] [!]-a] [a []a [!a [a-] [-a]
[!-] [--9] [9-5] [!9-5] web-[9-5] [9-5a] [a9-5] [!a9-5] [9-5-] [a-c-e] [a-c9-5x-z] a[9-5]* [^] [!^]
[^a] [a^] [^-a] [!^-a] [^-^] []^] [!]^] [\] [w-^\] [[-\] [[:alpha:]] [[.a.]] [é-שx] [+--] [!!] [*?]
[&-~|]
"""
_SIGNS = "abcdewxyz0123456789[]!^-\\_&|~.,*?+:\néש日"
_NAMES = "web-1 WEB-01 a]b a.b axb db-01 x[1] x1 [] [!] []a [a [!a [^] a] :] é1"


def test_globs_mean_what_they_mean_elsewhere(filled: Store) -> None:
    names = ["", "a\nb", *_SIGNS, *_NAMES.split()]

    def matching(connection: sa.Connection, glob: str) -> list[str]:
        tests = [named(sa.literal(name), [glob], connection.dialect.name) for name in names]
        query = sa.select(*(test.label(f"of_{at}") for at, test in enumerate(tests)))
        row = connection.execute(query).one()
        return [name for name, found in zip(names, row, strict=True) if found]

    for glob in _GLOBS.split():
        expected = [name for name in names if fnmatchcase(name, glob)]
        assert filled.ask(partial(matching, glob=glob)) == expected, glob
