"""What all servers of a lab reach: the provider's names, KMS hosts, time, metadata.

Addresses are link-local ones of the lab's own choosing, except those that the
provider documents.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from volact.model.profile import Edition, Profile
from volact_lab.hosts.kms import KmsHost
from volact_lab.hosts.metadata import Lookup, MetadataServer
from volact_lab.hosts.ntp import NtpServer
from volact_lab.windows.network import Internet, Peer
from volact_lab.windows.releases import RELEASES
from volact_lab.windows.spec import World

_METADATA_ADDRESS = "169.254.0.23"
_NTP_ADDRESS = "169.254.0.2"
_CLOUDS_METADATA_ADDRESS = "169.254.169.254"  # of AWS and Azure; no route leads there
_FIRST_KMS = 65
_LAB_MASK = "255.255.128.0"  # of the lab's own addresses
_RESOLVER = "10.0.0.2"  # where a provider documents none
# Names that every DNS server knows; nothing there answers a server of the lab.
_PUBLIC = {
    "azkms.core.windows.net": "20.118.99.224",
    "kms.core.windows.net": "20.118.99.224",
    "kms.ovh.net": "198.51.100.7",
    "time.windows.com": "198.51.100.8",
}


class Surroundings:
    """The lab's own servers and the map that leads to them, for each provider one.

    ``profile`` is that of the world that ``start`` gives.
    """

    def __init__(self, profile: Profile, editions: tuple[Edition, ...], patience: float) -> None:
        self._profile = profile
        self._editions = editions
        self._patience = patience
        self.kms = KmsHost(tuple(RELEASES))
        self.odd_kms = {
            "young": KmsHost(tuple(RELEASES), others=0),
            "late": KmsHost(tuple(RELEASES), ahead_s=-6 * 3600),
            "other": KmsHost(tuple(RELEASES), kms=False),
        }
        self.ntp = NtpServer()
        self.metadata = MetadataServer(lambda _name: None)

    async def start(self, lookup: Lookup) -> World:
        """Start the servers; the world as the simulated Windows sees it."""
        self.metadata.lookup = lookup
        kms = await self.kms.start()
        self._odd = {name: await host.start() for name, host in self.odd_kms.items()}
        self._kms, self._ntp = Peer(by_manner=kms), Peer(port=await self.ntp.start())
        self._metadata = Peer(port=await self.metadata.start())
        return self.world(self._profile)

    def world(self, profile: Profile) -> World:
        """What servers of a provider reach; the others' hosts are not there for them."""
        names = _names(profile)
        peers = {(names[host.host], host.port): self._kms for host in profile.all_kms_hosts()}
        peers |= {(names[host], 123): self._ntp for host in profile.ntp}
        services = {names[urlsplit(url).hostname or ""] for url in profile.metadata.values()}
        for address in (*services, _CLOUDS_METADATA_ADDRESS):
            peers[address, 80] = self._metadata
        dns = profile.dns or (_RESOLVER,)
        known = {**_PUBLIC, **names}
        internet = Internet(dict.fromkeys(dns, known), _PUBLIC, peers)
        return World(
            internet,
            self._editions,
            profile,
            names,
            self._odd,
            self._patience,
            dns,
            _routes(profile, services),
        )

    async def stop(self) -> None:
        """Stop the servers."""
        await self.kms.stop()
        for host in self.odd_kms.values():
            await host.stop()
        await self.ntp.stop()
        await self.metadata.stop()


def _names(profile: Profile) -> dict[str, str]:
    """The address of each name; those that a provider documents are their own."""
    addresses = {
        host.host: f"169.254.0.{_FIRST_KMS + index}"
        for index, host in enumerate(profile.all_kms_hosts())
    }
    addresses |= dict.fromkeys(profile.ntp, _NTP_ADDRESS)
    urls = (profile.date_url, *profile.metadata.values())
    addresses |= {urlsplit(url).hostname or "": _METADATA_ADDRESS for url in urls}
    return {name: name if _is_address(name) else found for name, found in addresses.items()}


def _routes(profile: Profile, services: set[str]) -> tuple[tuple[str, str], ...]:
    """The routes of IPv4 that a provider's servers have from the start."""
    documented = [(r.destination, r.mask) for r in profile.routes if ":" not in r.destination]
    own = [name for name in (*profile.ntp, *services) if name.startswith("169.254.169.")]
    lab = [] if any(mask == _LAB_MASK for _, mask in documented) else [("169.254.0.0", _LAB_MASK)]
    return (*documented, *((name, "255.255.255.255") for name in own), *lab)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
