"""What differs between the releases of Windows Server that the lab knows.

Version numbers, the licensing service and its registry key, and which WMI
generation a release has.  Which class has which property is in ``wmi.schema``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Generation(IntEnum):
    """Of the licensing WMI provider."""

    SL = 0  # 2008
    SPP = 1  # 2008 R2
    SPP2 = 2  # 2012
    SPP3 = 3  # 2012 R2 and later


@dataclass(frozen=True, slots=True)
class Release:
    """One release as the lab simulates it."""

    name: str
    version: str
    generation: Generation

    @property
    def build(self) -> int:
        """The build number."""
        return int(self.version.rpartition(".")[2])

    @property
    def licensing_service(self) -> str:
        """The name of the licensing service."""
        return "slsvc" if self.generation is Generation.SL else "sppsvc"

    @property
    def licensing_program(self) -> str:
        """Where its program is."""
        return f"C:\\Windows\\system32\\{self.licensing_service}.exe"

    @property
    def licensing_key(self) -> str:
        """The registry key with the KMS settings."""
        last = "SL" if self.generation is Generation.SL else "SoftwareProtectionPlatform"
        return f"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\{last}"


RELEASES = {
    release.name: release
    for release in (
        Release("2008", "6.0.6002", Generation.SL),
        Release("2008 R2", "6.1.7601", Generation.SPP),
        Release("2012", "6.2.9200", Generation.SPP2),
        Release("2012 R2", "6.3.9600", Generation.SPP3),
        Release("2016", "10.0.14393", Generation.SPP3),
        Release("2019", "10.0.17763", Generation.SPP3),
        Release("2022", "10.0.20348", Generation.SPP3),
        Release("2025", "10.0.26100", Generation.SPP3),
    )
}
