"""Servers that fail for one cause and have something in common: counted while a run streams.

``Clusters`` is fed a server's row at a time, or counts of servers and the causes of
some; it keeps counts and a few names, never rows.  What a server's causes are is in
``cluster_causes``.

A value of a dimension (a subnet, a KMS host, a release, a provider) is worth
naming when at least half of the servers that have it fail for the cause, and
clearly more often than servers do on the whole.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from volact.core.cluster_causes import Cause, causes_of
from volact.model.report import Cluster, ServerReport
from volact.model.text import Text, count, raw, say

LEAST = 3  # fewer servers are no cluster
_NAMES = 5
# More kinds of servers than this are told apart no further: memory stays flat.
_MOST_KINDS = 20_000
_MOST_MACHINE_IDS = 100_000

# The dimensions, the most telling first.
DIMENSIONS = ("subnet", "kms_host", "release", "provider")
Kind = tuple[str, str, str, str]  # a server's value of each


class _Bucket(msgspec.Struct):
    """Servers of one kind with one cause."""

    servers: int = 0
    names: list[str] = []

    def add(self, name: str) -> None:
        self.servers += 1
        if len(self.names) < _NAMES:
            self.names.append(name)


class _Told(msgspec.Struct):
    """One cause over all kinds, and the sentence its servers share, if they do."""

    sentence: str
    shared: bool = True
    kinds: dict[Kind, _Bucket] = {}


class Clusters:
    """The clusters of a run; feed it every server, healthy ones too."""

    def __init__(self, servers: Iterable[ServerReport] = ()) -> None:
        self._population: Counter[Kind] = Counter()
        self._sizes: tuple[Counter[str], ...] = tuple(Counter() for _ in DIMENSIONS)
        self._causes: dict[tuple[str, str], _Told] = {}
        self._machine_ids: dict[str, _Bucket] = {}
        for server in servers:
            self.add(server)

    def add(self, server: ServerReport) -> None:
        """Count one server."""
        kind = (
            subnet_of(server),
            server.license.kms_host or "",
            server.os.release or "",
            server.provider or "",
        )
        self.add_servers(kind, 1)
        self.add_causes(server.name, kind, causes_of(server))
        self.add_machine_id(server.name, server.license.cmid)

    def add_servers(self, kind: Kind, number: int) -> None:
        """Count servers of one kind, whatever their state; before their causes."""
        kind = self._bounded(kind)
        self._population[kind] += number
        for sizes, value in zip(self._sizes, kind, strict=True):
            sizes[value] += number

    def add_causes(self, name: str, kind: Kind, causes: Iterable[Cause]) -> None:
        """Count why one server is not healthy."""
        kind = self._bounded(kind)
        for cause in causes:
            told = self._causes.setdefault((cause.id, cause.detail), _Told(cause.sentence))
            told.shared = told.shared and told.sentence == cause.sentence
            told.kinds.setdefault(kind, _Bucket()).add(name)

    def add_machine_id(self, name: str, cmid: str | None) -> None:
        """Count one server's client machine ID."""
        cmid = (cmid or "").lower()
        if cmid and (cmid in self._machine_ids or len(self._machine_ids) < _MOST_MACHINE_IDS):
            self._machine_ids.setdefault(cmid, _Bucket()).add(name)

    def clusters(self) -> tuple[Cluster, ...]:
        """What was found, the largest first."""
        found = [
            cluster
            for (id, detail), told in self._causes.items()
            for cluster in self._of_cause(Cause(id, detail, told.sentence), told)
        ]
        found += self._duplicates()
        return tuple(sorted(found, key=lambda cluster: (-cluster.servers, cluster.cause)))

    def _bounded(self, kind: Kind) -> Kind:
        if kind in self._population or len(self._population) < _MOST_KINDS:
            return kind
        return ("", "", *kind[2:])

    def _of_cause(self, cause: Cause, told: _Told) -> Iterator[Cluster]:
        """The servers of a cause, those with a place or kind of their own apart."""
        left = dict(told.kinds)
        rate = _total(left) / self._population.total()
        for at, name in enumerate(DIMENSIONS):
            for value, inside in _by_value(left, at).items():
                if value and self._telling(at, value, _total(inside), rate):
                    yield self._cluster(cause, told, inside, {name: value})
                    left = {kind: bucket for kind, bucket in left.items() if kind not in inside}
        if _total(left) >= LEAST:
            yield self._cluster(cause, told, left, {})

    def _telling(self, at: int, value: str, failing: int, rate: float) -> bool:
        """Whether this value says something of the cause."""
        share = failing / self._sizes[at][value]
        return failing >= LEAST and share >= 0.5 and share >= 1.5 * rate and self._varies(at)

    def _varies(self, at: int) -> bool:
        """Whether servers differ in this at all."""
        return len(self._sizes[at].keys() - {""}) > 1

    def _marks(self, at: int, value: str) -> bool:
        """Whether having this value is something particular in this run."""
        return value != "" and 2 * self._sizes[at][value] <= self._population.total()

    def _count(self, where: dict[int, str]) -> int:
        """How many servers of the run have these values."""
        return sum(
            number
            for kind, number in self._population.items()
            if all(kind[at] == value for at, value in where.items())
        )

    def _cluster(
        self, cause: Cause, told: _Told, kinds: dict[Kind, _Bucket], where: dict[str, str]
    ) -> Cluster:
        """One cluster, with everything else that all its servers have and others have not."""
        for at, name in enumerate(DIMENSIONS):
            values = {kind[at] for kind in kinds}
            if name not in where and len(values) == 1 and self._marks(at, next(iter(values))):
                where = {**where, name: values.pop()}
        number = _total(kinds)
        of = self._count({DIMENSIONS.index(name): value for name, value in where.items()})
        what = cause.words or (told.sentence if told.shared and told.sentence else cause.meaning)
        names = [name for bucket in kinds.values() for name in bucket.names][:_NAMES]
        return Cluster(
            cause=cause.id,
            detail=cause.detail,
            summary=_summary(number, of, where, what),
            servers=number,
            of=of,
            where=where,
            names=tuple(names),
        )

    def _duplicates(self) -> Iterator[Cluster]:
        """Servers that share a client machine ID."""
        for cmid, bucket in self._machine_ids.items():
            if bucket.servers > 1:
                yield Cluster(
                    cause="duplicate-cmid",
                    detail=cmid,
                    summary=count(
                        bucket.servers,
                        "{n} server has the client machine ID {cmid}.",
                        "{n} servers share the client machine ID {cmid}.",
                        cmid=cmid,
                    ),
                    servers=bucket.servers,
                    of=bucket.servers,
                    names=tuple(bucket.names),
                )


def subnet_of(server: ServerReport) -> str:
    """The server's network: its own address where it told one, else the one it was reached at."""
    reached = server.address.rpartition("://")[2]
    host = reached.rpartition("]")[0].removeprefix("[") or reached.partition(":")[0]
    for text in (*server.addresses, host):
        network = _network(text)
        if network:
            return network
    return ""


def _network(text: str) -> str:
    """/24 or /64; ``""`` for a name and for addresses that mean the machine itself."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if address.is_loopback or address.is_link_local:
        return ""
    return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 64}", False))


def _by_value(kinds: dict[Kind, _Bucket], at: int) -> dict[str, dict[Kind, _Bucket]]:
    """The kinds by their value of one dimension, in order."""
    found: dict[str, dict[Kind, _Bucket]] = {}
    for kind in sorted(kinds, key=lambda kind: kind[at]):
        found.setdefault(kind[at], {})[kind] = kinds[kind]
    return found


def _total(kinds: dict[Kind, _Bucket]) -> int:
    return sum(bucket.servers for bucket in kinds.values())


def _summary(number: int, of: int, where: dict[str, str], what: str) -> Text:
    who: Text = count(number, "{n} server", "{n} servers")
    if number < of:
        who = say("{n} of {of} servers", n=number, of=of)
    for name, value in where.items():
        who = say("{who} {place}", who=who, place=_place(name, value))
    return say("{who}: {what}", who=who, what=what if isinstance(what, Text) else raw(what))


def _place(name: str, value: str) -> Text:
    match name:
        case "subnet":
            return say("in {subnet}", subnet=value)
        case "kms_host":
            return say("with the KMS host {host}", host=value)
        case "release":
            return say("of release {release}", release=value)
        case _:
            return say("at {provider}", provider=value)
