"""Servers that fail alike are put together by what they have in common."""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from volact.core.clusters import DIMENSIONS, Clusters, subnet_of
from volact.model.finding import Finding
from volact.model.report import Cluster, ErrorRow, LicenseRow, OsRow, ServerReport

HOST = "kms.tencentyun.com:1688"


def row(
    name: str,
    *findings: Finding,
    subnet: str = "10.1.1",
    release: str = "2019",
    host: str = HOST,
    **changes: Any,
) -> ServerReport:
    number = int(name.rpartition("-")[2]) % 250 + 1
    return ServerReport(
        **{
            "name": name,
            "address": f"ssh://{name}",
            "provider": "tencent",
            "verdict": "attention" if findings else "healthy",
            "os": OsRow(release=release),
            "license": LicenseRow(kms_host=host, cmid=f"id-{name}"),
            "findings": findings,
            "addresses": (f"{subnet}.{number}",),
            **changes,
        }
    )


def error(id: str, summary: str = "Something.", **evidence: Any) -> Finding:
    return Finding(id=id, severity="error", summary=summary, evidence=evidence)


REFUSED = error("kms-unreachable", why="refused", hosts={HOST: "refused"})
NOT_LICENSED = error("not-licensed", code="0x800706BA")


def fleet(bad: int, well: int, *findings: Finding, **where: Any) -> list[ServerReport]:
    """Servers that fail at one place, and well ones elsewhere."""
    failing = [row(f"bad-{number}", *findings, **where) for number in range(bad)]
    return failing + [row(f"well-{number}", subnet="10.9.9") for number in range(well)]


def one(rows: list[ServerReport]) -> Cluster:
    (cluster,) = Clusters(rows).clusters()
    return cluster


def test_a_subnet_whose_servers_are_refused() -> None:
    rows = fleet(37, 60, REFUSED, NOT_LICENSED, subnet="10.1.2")
    rows += [row(f"other-{number}", subnet="10.1.2") for number in range(3)]
    cluster = one(rows)
    assert cluster.summary == "37 of 40 servers in 10.1.2.0/24: TCP 1688 refused"
    assert (cluster.cause, cluster.detail) == ("kms-unreachable", "TCP 1688 refused")
    assert (cluster.servers, cluster.of, cluster.where) == (37, 40, {"subnet": "10.1.2.0/24"})
    assert cluster.names == ("bad-0", "bad-1", "bad-2", "bad-3", "bad-4")


def test_what_an_error_brings_about_is_no_cause() -> None:
    found = Clusters(fleet(5, 10, NOT_LICENSED, REFUSED)).clusters()
    assert [cluster.cause for cluster in found] == ["kms-unreachable"]
    alone = Clusters(fleet(5, 10, NOT_LICENSED)).clusters()
    assert [cluster.cause for cluster in alone] == ["not-licensed"]


def test_a_release_that_fails_everywhere() -> None:
    stopped = error("spp-notification-stopped", "The notification service is stopped.")
    rows = [row(f"old-{n}", stopped, subnet=f"10.1.{n}", release="2008 R2") for n in range(6)] + [
        row(f"new-{n}", subnet=f"10.1.{n}") for n in range(20)
    ]
    cluster = one(rows)
    assert cluster.where == {"release": "2008 R2"}
    assert cluster.summary == (
        "6 servers with release 2008 R2: The notification service is stopped."
    )


def test_a_kms_host_that_fails_all_its_servers() -> None:
    rows = [row(f"a-{n}", REFUSED, subnet=f"10.{n}.1", host="kms.old:1688") for n in range(8)]
    rows += [row(f"b-{n}", subnet=f"10.{n}.1") for n in range(30)]
    assert one(rows).where == {"kms_host": "kms.old:1688"}


def test_what_fails_everywhere_is_one_cluster_without_a_place() -> None:
    rows = [row(f"s-{n}", REFUSED, subnet=f"10.1.{n % 5}") for n in range(50)]
    cluster = one(rows)
    assert (cluster.servers, cluster.of, cluster.where) == (50, 50, {})
    assert cluster.summary == "50 servers: TCP 1688 refused"


def test_the_rest_of_a_cause_stays_together() -> None:
    rows = fleet(10, 100, REFUSED, subnet="10.1.2")
    rows += [row(f"far-{n}", REFUSED, subnet=f"10.2.{n}") for n in range(4)]
    rows += [row(f"near-{n}", subnet=f"10.2.{n % 4}") for n in range(12)]
    found = Clusters(rows).clusters()
    assert [(cluster.servers, cluster.where) for cluster in found] == [
        (10, {"subnet": "10.1.2.0/24"}),
        (4, {}),
    ]


def test_two_servers_are_no_cluster() -> None:
    assert Clusters(fleet(2, 10, REFUSED)).clusters() == ()


def test_healthy_servers_with_warnings_are_none() -> None:
    late = Finding(id="renewal-overdue", severity="warning", summary="Late.")
    rows = [row(f"s-{n}", late, verdict="healthy") for n in range(9)]
    assert Clusters(rows).clusters() == ()


def test_servers_that_could_not_be_examined() -> None:
    lost = ErrorRow(kind="timeout", message="no answer")
    rows = [
        row(f"s-{n}", verdict="unreachable", error=lost, addresses=(), address=f"ssh://10.5.5.{n}")
        for n in range(1, 5)
    ]
    cluster = one(rows + fleet(0, 20))
    assert cluster.cause == "error:timeout"
    assert cluster.summary == "4 servers in 10.5.5.0/24: No answer in time."


def test_details_are_told_apart() -> None:
    skewed = [error("clock-skew", f"Off by {s}.", skew_s=s) for s in (18_000, 18_200, -18_000)]
    rows = [row(f"s-{n}", skewed[n % 3], subnet=f"10.1.{n}") for n in range(12)]
    found = Clusters(rows).clusters()
    assert {(cluster.detail, cluster.servers) for cluster in found} == {
        ("5 h ahead", 8),
        ("5 h behind", 4),
    }
    assert "(5 h ahead)" in found[0].summary


def test_machine_ids_that_are_shared() -> None:
    rows = [
        row(f"s-{n}", license=LicenseRow(cmid="AB" if n < 3 else f"id-{n}")) for n in range(9)
    ] + [row("s-99", license=LicenseRow(cmid="ab"))]
    cluster = one(rows)
    assert (cluster.cause, cluster.detail, cluster.servers) == ("duplicate-cmid", "ab", 4)
    assert cluster.names == ("s-0", "s-1", "s-2", "s-99")


def test_a_server_that_is_listed_twice_does_not_share_its_machine_id() -> None:
    def twice(name: str, own: str = "10.1.2.3") -> ServerReport:
        return row(name, license=LicenseRow(cmid="AB"), addresses=(own, "fe80::1"))

    assert Clusters([twice("s-1"), twice("s-2")]).clusters() == ()
    cluster = one([twice("s-1"), twice("s-2"), twice("s-3", "10.1.2.4")])
    assert (cluster.servers, cluster.names) == (2, ("s-1", "s-3"))


def test_the_network_of_a_server() -> None:
    def of(address: str, *own: str) -> str:
        return subnet_of(row("s-1", address=address, addresses=own))

    assert of("ssh://web-01:22", "10.1.2.3", "fe80::1") == "10.1.2.0/24"
    assert of("ssh://10.7.8.9:22") == "10.7.8.0/24"
    assert of("ssh://[2001:db8:1:2::5]:22") == "2001:db8:1:2::/64"
    assert of("ssh://127.0.0.1:2201") == ""
    assert of("ssh://web-01") == ""
    assert of("local", "2001:db8:1:2:3::5") == "2001:db8:1:2::/64"


def test_memory_does_not_grow_with_the_servers() -> None:
    clusters = Clusters()
    for number in range(3_000):
        clusters.add(row(f"s-{number}", REFUSED, subnet=f"10.0.{number % 8}"))
    counted = next(iter(clusters._causes.values()))
    assert len(counted.by_traits) == len(clusters._population) == 8
    assert sum(len(bucket.names) for bucket in counted.by_traits.values()) <= 40
    assert sys.getsizeof(clusters._population) < 10_000


SOME = [REFUSED, NOT_LICENSED, error("key-missing")]
rows = st.lists(
    st.builds(
        lambda number, findings, subnet, release, host: row(
            f"s-{number}", *findings, subnet=subnet, release=release, host=host
        ),
        st.integers(0, 99),
        st.lists(st.sampled_from(SOME), max_size=2, unique_by=lambda f: f.id),
        st.sampled_from(["10.1.1", "10.1.2", "10.1.3"]),
        st.sampled_from(["2016", "2019"]),
        st.sampled_from([HOST, "other:1688"]),
    ),
    max_size=40,
)


@given(rows)
def test_every_cluster_is_true(servers: list[ServerReport]) -> None:
    """Its counts can be counted again, and no server is in two clusters of a cause."""
    found = Clusters(servers).clusters()
    for cluster in found:
        alike = [server for server in servers if _fits(server, cluster)]
        assert cluster.of == len(alike) or cluster.cause == "duplicate-cmid"
        assert cluster.servers <= cluster.of
        assert set(cluster.where) <= set(DIMENSIONS)
    for cause in {cluster.cause for cluster in found} - {"duplicate-cmid"}:
        having = [s for s in servers if cause in {finding.id for finding in s.findings}]
        assert sum(c.servers for c in found if c.cause == cause) <= len(having)


def _fits(server: ServerReport, cluster: Cluster) -> bool:
    own = {
        "subnet": subnet_of(server),
        "kms_host": server.license.kms_host,
        "release": server.os.release,
        "provider": server.provider,
    }
    return all(own[name] == value for name, value in cluster.where.items())
