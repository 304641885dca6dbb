"""What all servers of a lab reach: the provider's names, KMS hosts, time, metadata.

Addresses are link-local ones of the lab's own choosing, except those that the
provider documents.
"""

from __future__ import annotations

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
# Names that every DNS server knows; nothing there answers a server of the lab.
_PUBLIC = {
    "azkms.core.windows.net": "20.118.99.224",
    "kms.core.windows.net": "20.118.99.224",
    "kms.ovh.net": "198.51.100.7",
    "time.windows.com": "198.51.100.8",
}


class Surroundings:
    """The lab's own servers and the map that leads to them."""

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
        odd = {name: await host.start() for name, host in self.odd_kms.items()}
        ntp, metadata = await self.ntp.start(), await self.metadata.start()
        names = self._names()
        peers = {
            (names[host.host], host.port): Peer(by_manner=kms)
            for host in self._profile.all_kms_hosts()
        }
        peers[_NTP_ADDRESS, 123] = Peer(port=ntp)
        for address in (_METADATA_ADDRESS, _CLOUDS_METADATA_ADDRESS):
            peers[address, 80] = Peer(port=metadata)
        provider = {**_PUBLIC, **names}
        zones = dict.fromkeys(self._profile.dns, provider)
        internet = Internet(zones, _PUBLIC, peers)
        return World(internet, self._editions, self._profile, names, odd, self._patience)

    async def stop(self) -> None:
        """Stop the servers."""
        await self.kms.stop()
        for host in self.odd_kms.values():
            await host.stop()
        await self.ntp.stop()
        await self.metadata.stop()

    def _names(self) -> dict[str, str]:
        kms = {
            host.host: f"169.254.0.{_FIRST_KMS + index}"
            for index, host in enumerate(self._profile.all_kms_hosts())
        }
        ntp = dict.fromkeys(self._profile.ntp, _NTP_ADDRESS)
        metadata = urlsplit(self._profile.date_url).hostname or ""
        return {**kms, **ntp, metadata: _METADATA_ADDRESS}
