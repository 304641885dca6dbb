"""What protects a server: rights of keys and services, DCOM, the licence store, the firewall.

The state of a healthy server, and the names of the places.  What a right that
is lost does is in ``volact_lab.faults``.
"""

from __future__ import annotations

from volact_lab.windows import acl, files, registry
from volact_lab.windows.acl import Acl
from volact_lab.windows.files import Node
from volact_lab.windows.registry import normal, sz
from volact_lab.windows.releases import Generation, Release

PROFILES = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
NETWORK_SERVICE_PROFILE = f"{PROFILES}\\{acl.NETWORK_SERVICE}"
NETWORK_SERVICE_HIVE = f"HKU\\{acl.NETWORK_SERVICE}"
ENUM_ROOT = "HKLM\\SYSTEM\\CurrentControlSet\\Enum\\Root"
OLE = "HKLM\\SOFTWARE\\Microsoft\\Ole"
_FIREWALL = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
FIREWALL_RULES = f"{_FIREWALL}\\FirewallRules"
FIREWALL_PROFILES = tuple(
    f"{_FIREWALL}\\{name}" for name in ("DomainProfile", "StandardProfile", "PublicProfile")
)

SERVICE_SDDL = (
    "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
    "(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"
)
# Since Windows 8 sppsvc lets only the system change its configuration (DC).
LICENSING_SDDL = (
    "D:(A;;CCDCLCSWRPWPDTLOCR;;;SY)(A;;CCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
    "(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"
)
# On every release the task scheduler lets administrators read and start it, no more.
SCHEDULE_SDDL = (
    "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)(A;;CCLCSWRPWPDTLOCRRCWDWO;;;BA)"
    "(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"
)
FREE_BYTES = 21 * 1024**3

_KEY_ACL = acl.parse("D:(A;;0xf003f;;;SY)(A;;0xf003f;;;BA)(A;;0x20019;;;BU)")
_NETWORK_SERVICE_ACL = acl.parse("D:(A;;0xf003f;;;NS)(A;;0xf003f;;;SY)(A;;0xf003f;;;BA)")
_STORE_ACL = acl.parse("D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;NS)")
_RULES = {
    "CoreNet-DHCP-In": "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=68|"
    "RPort=67|App=%SystemRoot%\\system32\\svchost.exe|Svc=dhcp|Name=@FirewallAPI.dll,-25301|",
    "CoreNet-DNS-Out-UDP": "v2.10|Action=Allow|Active=TRUE|Dir=Out|Protocol=17|RPort=53|"
    "App=%SystemRoot%\\system32\\svchost.exe|Svc=dnscache|Name=@FirewallAPI.dll,-25405|",
    "SPPSVC-In-TCP": "v2.10|Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=1688|"
    "App=%SystemRoot%\\system32\\sppextcomobj.exe|Name=@FirewallAPI.dll,-28003|",
}


def registry_part(image: registry.Image) -> None:
    """The keys that a release has from its installation."""
    folders = {"18": "systemprofile", "19": "LocalService", "20": "NetworkService"}
    for last, folder in folders.items():
        key = f"{PROFILES}\\S-1-5-{last}"
        registry.put(image, key, "ProfileImagePath", sz(f"C:\\Windows\\{folder}"))
    registry.put(image, f"{NETWORK_SERVICE_HIVE}\\Environment", "TEMP", sz("%USERPROFILE%\\Temp"))
    registry.put(image, f"{ENUM_ROOT}\\VOLMGR", "Service", sz("volmgr"))
    for name, rule in _RULES.items():
        registry.put(image, FIREWALL_RULES, name, sz(rule))


def store_folder(release: Release) -> str:
    """Where a release keeps its licence store."""
    if release.generation >= Generation.SPP3:
        return "C:\\Windows\\System32\\spp\\store\\2.0"
    if release.generation is Generation.SPP2:
        return "C:\\Windows\\System32\\spp\\store"
    roaming = "C:\\Windows\\ServiceProfiles\\NetworkService\\AppData\\Roaming\\Microsoft"
    last = (
        "SoftwareLicensing" if release.generation is Generation.SL else "SoftwareProtectionPlatform"
    )
    return f"{roaming}\\{last}"


# Licence files that Windows brings, below the folder of slmgr.vbs /rilc.  One is UTF-16.
LICENCES = {
    f"{folder}\\{name}.xrm-ms": f'<?xml version="1.0"?><rg:licenseGroup name="{name}\u00ae"/>'
    for folder, name in (
        ("issuance", "client-issuance-root"),
        ("pkeyconfig", "pkeyconfig"),
        ("ppdlic", "explorer-ppdlic"),
        ("skus\\edition", "edition-Volume-GVLK-1-ul-oob-rtm"),
    )
}
TOKENS = "C:\\Windows\\System32\\spp\\tokens"


def file_part(image: files.Image, release: Release) -> None:
    """The licence store as a release has it from its installation."""
    for at, (name, text) in enumerate(LICENCES.items()):
        data = text.encode("utf-16" if at == 1 else "utf-8")
        files.add(image, Node(f"{TOKENS}\\{name}", data=data, modified=0.0))
    files.add(image, Node(f"{TOKENS}\\legacy\\readme.txt", data=b"no licence", modified=0.0))
    folder = store_folder(release)
    files.add(image, Node(folder, folder=True, dacl=_STORE_ACL, modified=0.0))
    tokens = Node(f"{folder}\\tokens.dat", data=bytes(4096), dacl=_STORE_ACL, modified=0.0)
    files.add(image, tokens)


def key_acl(path: str) -> Acl:
    """The DACL of a registry key that was never changed."""
    lower = normal(path).lower()
    for place in (NETWORK_SERVICE_PROFILE, NETWORK_SERVICE_HIVE):
        if lower.startswith(normal(place).lower()):
            return _NETWORK_SERVICE_ACL
    return _KEY_ACL
