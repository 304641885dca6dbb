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
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from volact.core.assessment.hosts import address_of
from volact.core.cluster_causes import Cause, causes_of
from volact.core.findings.fleet import DUPLICATE_CMID, machine_of
from volact.model.report import Cluster, ServerReport
from volact.model.text import Text, count, ready, say

LEAST = 3  # fewer servers are no cluster
_NAMES = 5
# More combinations than this are not distinguished: memory stays flat.
_MOST_TRAITS = 20_000
_MOST_MACHINE_IDS = 100_000

# The dimensions, the most informative first.
DIMENSIONS = ("subnet", "kms_host", "release", "provider")
Traits = tuple[str, str, str, str]  # a server's value of each dimension


class _Bucket(msgspec.Struct):
    """Servers with the same traits and one cause."""

    servers: int = 0
    names: list[str] = []

    def add(self, names: Sequence[str]) -> None:
        self.servers += len(names)
        self.names += names[: _NAMES - len(self.names)]


class _CauseCount(msgspec.Struct):
    """One cause over all traits, and the sentence its servers share, if they do."""

    sentence: str
    shared: bool = True
    by_traits: dict[Traits, _Bucket] = {}


class Clusters:
    """The clusters of a run; feed it every server, healthy ones too."""

    def __init__(self, servers: Iterable[ServerReport] = ()) -> None:
        self._population: Counter[Traits] = Counter()
        self._sizes: tuple[Counter[str], ...] = tuple(Counter() for _ in DIMENSIONS)
        self._causes: dict[tuple[str, str], _CauseCount] = {}
        self._machine_ids: dict[str, _Bucket] = {}
        self._machines: set[int] = set()
        for server in servers:
            self.add(server)

    def add(self, server: ServerReport) -> None:
        """Count one server."""
        traits = (
            subnet_of(server),
            server.license.kms_host or "",
            server.os.release or "",
            server.provider or "",
        )
        self.add_servers(traits, 1)
        self.add_causes((server.name,), traits, causes_of(server))
        self.add_machine_id(server.name, server.license.cmid, server.addresses)

    def add_servers(self, traits: Traits, number: int) -> None:
        """Count servers with these traits, in any state; before their causes."""
        traits = self._bounded(traits)
        self._population[traits] += number
        for sizes, value in zip(self._sizes, traits, strict=True):
            sizes[value] += number

    def add_causes(self, names: Sequence[str], traits: Traits, causes: Iterable[Cause]) -> None:
        """Count why servers are not healthy, all of them for the same causes."""
        traits = self._bounded(traits)
        for cause in causes:
            counted = self._causes.setdefault((cause.id, cause.detail), _CauseCount(cause.sentence))
            counted.shared = counted.shared and counted.sentence == cause.sentence
            counted.by_traits.setdefault(traits, _Bucket()).add(names)

    def add_machine_id(self, name: str, cmid: str | None, addresses: Collection[str] = ()) -> None:
        """Count one server's client machine ID; once where it is listed under two names."""
        cmid = (cmid or "").lower()
        machine = hash((cmid, machine_of(name, addresses)))  # a number takes little room
        known = cmid in self._machine_ids or len(self._machine_ids) < _MOST_MACHINE_IDS
        if cmid and known and machine not in self._machines:
            self._machines.add(machine)
            self._machine_ids.setdefault(cmid, _Bucket()).add((name,))

    def clusters(self) -> tuple[Cluster, ...]:
        """What was found, the largest first."""
        found = [
            cluster
            for (id, detail), counted in self._causes.items()
            for cluster in self._of_cause(Cause(id, detail, counted.sentence), counted)
        ]
        found += self._duplicates()
        return tuple(sorted(found, key=lambda cluster: (-cluster.servers, cluster.cause)))

    def _bounded(self, traits: Traits) -> Traits:
        if traits in self._population or len(self._population) < _MOST_TRAITS:
            return traits
        return ("", "", *traits[2:])

    def _of_cause(self, cause: Cause, counted: _CauseCount) -> Iterator[Cluster]:
        """The servers of a cause, those with a place or a trait of their own apart."""
        left = dict(counted.by_traits)
        rate = _total(left) / self._population.total()
        for at, name in enumerate(DIMENSIONS):
            for value, inside in _by_value(left, at).items():
                if value and self._telling(at, value, _total(inside), rate):
                    yield self._cluster(cause, counted, inside, {name: value})
                    left = {
                        traits: bucket for traits, bucket in left.items() if traits not in inside
                    }
        if _total(left) >= LEAST:
            yield self._cluster(cause, counted, left, {})

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
            for traits, number in self._population.items()
            if all(traits[at] == value for at, value in where.items())
        )

    def _cluster(
        self,
        cause: Cause,
        counted: _CauseCount,
        by_traits: dict[Traits, _Bucket],
        where: dict[str, str],
    ) -> Cluster:
        """One cluster, with everything else that all its servers have and others have not."""
        for at, name in enumerate(DIMENSIONS):
            values = {traits[at] for traits in by_traits}
            if name not in where and len(values) == 1 and self._marks(at, next(iter(values))):
                where = {**where, name: values.pop()}
        number = _total(by_traits)
        of = self._count({DIMENSIONS.index(name): value for name, value in where.items()})
        what = cause.words or (
            counted.sentence if counted.shared and counted.sentence else cause.meaning
        )
        names = [name for bucket in by_traits.values() for name in bucket.names][:_NAMES]
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
                    cause=DUPLICATE_CMID.id,
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
    """The network of the server's own address where known, else of the address used to reach it."""
    reached = server.address.rpartition("://")[2]
    host = reached.rpartition("]")[0].removeprefix("[") or reached.partition(":")[0]
    for text in (*server.addresses, host):
        network = _network(text)
        if network:
            return network
    return ""


def _network(text: str) -> str:
    """/24 or /64; ``""`` for a name and for addresses that mean the machine itself."""
    address = address_of(text)
    if address is None or address.is_loopback or address.is_link_local:
        return ""
    return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 64}", False))


def _by_value(by_traits: dict[Traits, _Bucket], at: int) -> dict[str, dict[Traits, _Bucket]]:
    """The counts by their value of one dimension, in order."""
    found: dict[str, dict[Traits, _Bucket]] = {}
    for traits in sorted(by_traits, key=lambda traits: traits[at]):
        found.setdefault(traits[at], {})[traits] = by_traits[traits]
    return found


def _total(by_traits: dict[Traits, _Bucket]) -> int:
    return sum(bucket.servers for bucket in by_traits.values())


def _summary(number: int, of: int, where: dict[str, str], what: str) -> Text:
    who: Text = count(number, "{n} server", "{n} servers")
    if number < of:
        who = say("{n} of {of} servers", n=number, of=of)
    for name, value in where.items():
        who = say("{who} {place}", who=who, place=_place(name, value))
    return say("{who}: {what}", who=who, what=ready(what))


def _place(name: str, value: str) -> Text:
    match name:
        case "subnet":
            return say("in {subnet}", subnet=value)
        case "kms_host":
            return say("with KMS host {host}", host=value)
        case "release":
            return say("with release {release}", release=value)
        case _:
            return say("at {provider}", provider=value)
