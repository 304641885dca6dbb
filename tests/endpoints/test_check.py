"""DNS servers, and all endpoints of a provider side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, get_args

import dns.message
import dns.rcode
import dns.rrset
import evil_endpoints
import pytest
from virtual_time import pass_time

from volact.endpoints import dns as dns_probe
from volact.endpoints import kms, ntp
from volact.endpoints.check import Endpoints, check_endpoints
from volact.endpoints.dns import DnsWord, probe_dns
from volact.endpoints.kms import KmsHealth, KmsWord
from volact.endpoints.ntp import NtpHealth, NtpWord
from volact.model.profile import HostPort, KmsRule, Profile

Reply = Callable[[dns.message.Message], bytes | None]


class NameServer(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        reply = self._reply(dns.message.from_wire(data))
        if reply is not None:
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def serving(reply: Reply) -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NameServer(reply), local_addr=("127.0.0.1", 0)
    )
    yield int(transport.get_extra_info("sockname")[1])
    transport.close()


def knows(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query)
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "169.254.0.55"))
    return response.to_wire()


def says(code: dns.rcode.Rcode) -> Reply:
    def reply(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(code)
        return response.to_wire()

    return reply


def silent(_query: dns.message.Message) -> None:
    """No answer comes, and the time for it is over."""
    pass_time(60.0)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (knows, "ok"),
        (says(dns.rcode.NXDOMAIN), "no-such-name"),
        (says(dns.rcode.NOERROR), "no-such-name"),
        (says(dns.rcode.REFUSED), "refused"),
        (says(dns.rcode.SERVFAIL), "bad-answer"),
        (silent, "timeout"),
    ],
)
async def test_a_dns_server_is_asked_directly(reply: Reply, word: str) -> None:
    async with serving(reply) as port:
        health = await probe_dns("127.0.0.1", "kms.example.test", port, 60.0)
    assert health.word == word
    assert health.addresses == (("169.254.0.55",) if word == "ok" else ())


@pytest.mark.parametrize("name", ["a..b", "x" * 70])
async def test_a_name_that_is_none(name: str) -> None:
    assert (await probe_dns("127.0.0.1", name, 1, 60.0)).word == "bad-answer"


async def test_a_profile_is_checked_in_its_order() -> None:
    hosts = (HostPort("b.invalid"), HostPort("a.invalid"))
    profile = Profile(
        name="x",
        title="X",
        releases=("2019",),
        kms=(KmsRule(releases=("*",), hosts=hosts),),
        ntp=("t.invalid",),
    )
    found = await check_endpoints(profile.all_kms_hosts(), profile.ntp, profile.dns, timeout_s=60.0)
    assert [health.host for health in found.kms] == ["b.invalid:1688", "a.invalid:1688"]
    assert [health.host for health in found.ntp] == ["t.invalid"]
    assert {health.word for health in found.kms} == {"name-unresolved"}
    assert not found.ok


async def test_of_thousands_of_addresses_a_few_are_kept() -> None:
    def reply(query: dns.message.Message) -> bytes:
        return next(evil_endpoints.DNS["compressed"](query.to_wire()))

    async with serving(reply) as port:
        found = await probe_dns("127.0.0.1", "kms.example.test", port, 60.0)
    assert (found.word, len(found.addresses)) == ("ok", 64)


async def test_dns_servers_are_not_asked_for_an_address() -> None:
    found = await check_endpoints([HostPort("127.0.0.1", 1)], dns=["127.0.0.1"], timeout_s=0.3)
    assert found.dns == ()


def test_every_outcome_has_its_sentence() -> None:
    for says, words in ((kms.SAYS, KmsWord), (ntp.SAYS, NtpWord), (dns_probe.SAYS, DnsWord)):
        assert says.keys() == {*get_args(words)}


def test_one_good_time_server_is_enough_and_every_kms_host_counts() -> None:
    good, bad = KmsHealth(host="a", word="ok"), KmsHealth(host="b", word="refused")
    silent, clock = NtpHealth(host="t", word="timeout"), NtpHealth(host="u", word="ok")
    assert Endpoints(kms=(good,), ntp=(silent, clock)).ok
    assert not Endpoints(kms=(good, bad), ntp=(clock,)).ok
    assert not Endpoints(kms=(good,), ntp=(silent,)).ok
