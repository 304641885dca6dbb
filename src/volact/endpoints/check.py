"""All services of a provider at once, each with its own timeout."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from volact.core.assessment.hosts import address_of
from volact.endpoints.dns import DnsHealth, probe_dns
from volact.endpoints.kms import KmsHealth, probe_kms
from volact.endpoints.ntp import NtpHealth, probe_ntp
from volact.model.profile import HostPort


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """The health of each service, in the order of the request."""

    kms: tuple[KmsHealth, ...] = ()
    ntp: tuple[NtpHealth, ...] = ()
    dns: tuple[DnsHealth, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every KMS host and at least one time server is in order.

        DNS servers do not count: this machine need not use them.
        """
        good_time = not self.ntp or any(server.word == "ok" for server in self.ntp)
        return good_time and all(host.word == "ok" for host in self.kms)


async def check_endpoints(
    kms: Sequence[HostPort] = (),
    ntp: Sequence[str] = (),
    dns: Sequence[str] = (),
    *,
    timeout_s: float = 3.0,
) -> Endpoints:
    """Probe all services at once; every DNS server is asked for the first KMS name.

    Args:
        kms: KMS hosts.
        ntp: names or addresses of time servers.
        dns: addresses of DNS servers.
        timeout_s: for each question; a KMS host is asked three (resolve, connect, bind).
    """
    name = next((host.host for host in kms if address_of(host.host) is None), "")
    hosts, times, names = await asyncio.gather(
        asyncio.gather(*(probe_kms(host, timeout_s) for host in kms)),
        asyncio.gather(*(probe_ntp(host, timeout_s=timeout_s) for host in ntp)),
        asyncio.gather(*(probe_dns(server, name, timeout_s=timeout_s) for server in dns if name)),
    )
    return Endpoints(kms=tuple(hosts), ntp=tuple(times), dns=tuple(names))
