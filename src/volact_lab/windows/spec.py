"""Which server it is: everything that is decided before it is built."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from volact.model.profile import Edition, Profile
from volact_lab.cloud import LabCloud, cloud_of
from volact_lab.windows.network import Internet

# cmd-u prints UTF-16; cmd-c is a cmd.exe that is given -c in the place of /c.
ShellName = Literal["cmd", "powershell", "bash", "msys", "cmd-u", "cmd-c"]
LOGINS = ("ssh", "winrm")
TransportName = str  # one of ``LOGINS``, or the scheme of a cloud's run-command


@dataclass(frozen=True, slots=True)
class Spec:
    """One server of a fleet."""

    name: str
    index: int
    seed: int
    release: str
    language: str
    edition: str = "Datacenter"
    core: bool = False
    user: str = "Administrator"
    domain: str = ""
    shell: ShellName = "cmd"
    key_login: bool = False  # a key file over SSH, a certificate over WinRM
    faults: tuple[str, ...] = ()
    transport: TransportName = "ssh"
    region: str = "ap-jakarta"
    forms: tuple[tuple[str, int], ...] = ()  # forms that are not left to the seed

    @property
    def cloud(self) -> LabCloud:
        """The cloud that it is in."""
        return cloud_of(self.transport)

    @property
    def by_cloud(self) -> bool:
        """Whether the cloud's own agent runs scripts on it, and no login leads to it."""
        return self.transport not in LOGINS

    @property
    def account(self) -> str:
        """The login name without its domain."""
        return self.user.rpartition("\\")[2]

    @property
    def instance_id(self) -> str:
        """What the cloud calls the server."""
        chance = random.Random(f"{self.seed}/{self.index}/instance")
        cloud = self.cloud
        letters = (chance.choice(cloud.id_letters) for _ in range(cloud.id_length))
        return cloud.id_prefix + "".join(letters)

    def variant(self, what: str, count: int = 2) -> int:
        """Which of ``count`` forms something takes here: as given, else decided by the seed."""
        said = dict(self.forms).get(what)
        if said is not None:
            return said
        return random.Random(f"{self.seed}/{self.index}/{what}").randrange(count)


@dataclass(frozen=True, slots=True)
class World:
    """What all servers share: the network, the keys, the provider."""

    internet: Internet
    editions: tuple[Edition, ...]
    profile: Profile
    addresses: Mapping[str, str]  # the lab's own: host name -> address
    # KMS hosts that are not in order: "young" has seen too few machines, the clock of
    # "late" is six hours behind, "other" is no KMS host.
    odd_kms_ports: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    patience: float = 0.05
    dns: tuple[str, ...] = ()  # the name servers that DHCP gives
    routes: tuple[tuple[str, str], ...] = ()  # destinations and masks, by the default gateway
    file_patience: float = 1.0  # the same for a file, which another program may send late
