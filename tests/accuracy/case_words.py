"""The words of case files and what they stand for in a server's answer.

Tables only, and the reading of durations and hosts; put together in
``case_server``.
"""

from __future__ import annotations

import re
from typing import Any

from servers import CONNECTED, DENIED_SDDL, HEALTHY_SDDL, REFUSED, TIMEOUT, UNRESOLVED

# Release -> build and version.  Those that ``servers.RELEASES`` does not have
# answer like the one next to them.
BUILDS: dict[str, tuple[int, str, str]] = {
    "2008": (6002, "6.0.6002", "2008"),
    "2008 R2": (7601, "6.1.7601", "2008 R2"),
    "2012": (9200, "6.2.9200", "2012"),
    "2012 R2": (9600, "6.3.9600", "2012 R2"),
    "2016": (14393, "10.0.14393", "2016"),
    "1709": (16299, "10.0.16299", "2016"),
    "1803": (17134, "10.0.17134", "2019"),
    "1809": (17763, "10.0.17763", "2019"),
    "2019": (17763, "10.0.17763", "2019"),
    "1903": (18362, "10.0.18362", "2019"),
    "1909": (18363, "10.0.18363", "2019"),
    "2004": (19041, "10.0.19041", "2019"),
    "20H2": (19042, "10.0.19042", "2019"),
    "2022": (20348, "10.0.20348", "2022"),
    "23H2": (25398, "10.0.25398", "2022"),
    "2025": (26100, "10.0.26100", "2025"),
}

# Edition -> OperatingSystemSKU of the full and the core installation (winnt.h),
# and EditionID.
EDITIONS: dict[str, tuple[int, int, str]] = {
    "Standard": (7, 13, "ServerStandard"),
    "Datacenter": (8, 12, "ServerDatacenter"),
    "Enterprise": (10, 14, "ServerEnterprise"),
    "Itanium": (15, 15, "ServerEnterpriseIA64"),
    "Web": (17, 29, "ServerWeb"),
    "HPC": (18, 18, "ServerHPC"),
    "Storage Standard": (21, 21, "ServerStorageStandard"),
    "Standard without Hyper-V": (36, 40, "ServerStandardV"),
    "Datacenter without Hyper-V": (37, 39, "ServerDatacenterV"),
    "Enterprise without Hyper-V": (38, 41, "ServerEnterpriseV"),
    "Hyper-V Server": (42, 42, "ServerHyperCore"),
    "Essentials": (50, 50, "ServerSolution"),
    "MultiPoint Standard": (76, 76, "ServerMultiPointStandard"),
    "MultiPoint Premium": (77, 77, "ServerMultiPointPremium"),
    "Standard Evaluation": (79, 160, "ServerStandardEval"),
    "Datacenter Evaluation": (80, 159, "ServerDatacenterEval"),
    "Storage Evaluation": (95, 95, "ServerStorageWorkgroupEval"),
    "SAC Datacenter": (145, 145, "ServerDatacenterACor"),
    "SAC Standard": (146, 146, "ServerStandardACor"),
    "Azure Edition": (407, 408, "ServerTurbine"),
    "Windows 10 Enterprise": (4, 4, "Enterprise"),
    "Windows 11 Pro": (48, 48, "Professional"),
}

# Language -> OSLanguage and a caption with its letters.
LANGUAGES: dict[str, tuple[int, str]] = {
    "en": (1033, "Microsoft Windows Server"),
    "zh": (2052, "Microsoft Windows Server 数据中心版"),
    "id": (1057, "Microsoft Windows Server edisi Pusat Data"),
    "ja": (1041, "Microsoft Windows Server データセンター"),
    "de": (1031, "Microsoft Windows Server Datacenter für Unternehmen"),
    "pt": (1046, "Microsoft Windows Server edição Datacenter"),
    "ko": (1042, "Microsoft Windows Server 데이터센터"),
    "ru": (1049, "Microsoft Windows Server выпуск Datacenter"),
    "fr": (1036, "Microsoft Windows Server édition Datacenter"),
}

ROLES = {"workgroup": 2, "member": 3, "controller": 5}

# Key -> token of Description, ProductKeyChannel ("" where none is known).
KEYS: dict[str, tuple[str, str]] = {
    "client": ("VOLUME_KMSCLIENT", "Volume:GVLK"),
    "retail": ("RETAIL", "Retail"),
    "mak": ("VOLUME_MAK", "Volume:MAK"),
    "kms-host": ("VOLUME_KMS_2019_C", "Volume:CSVLK"),
    "oem-slp": ("OEM_SLP", "OEM:SLP"),
    "oem-coa": ("OEM_COA_NSLP", "OEM:NONSLP"),
    "oem-dm": ("OEM_DM", "OEM:DM"),
    "avma": ("VIRTUAL_MACHINE_ACTIVATION", ""),
    "evaluation": ("TIMEBASED_EVAL", "Retail:TB:Eval"),
}
# The last five characters of a key that is no published client key.
OWN_KEY = "3V66T"

# Status -> LicenseStatus, LicenseStatusReason, minutes left of a KMS client.
STATUSES: dict[str, tuple[int, int, int]] = {
    "unlicensed": (0, 0xC004F034, 0),
    "licensed": (1, 0x4004F040, 255_000),
    "initial grace": (2, 0x4004F00C, 43_000),
    "out-of-tolerance grace": (3, 0x4004F00D, 40_000),
    "non-genuine grace": (4, 0x4004F065, 40_000),
    "notification": (5, 0xC004F056, 0),
    "extended grace": (6, 0x4004FC06, 40_000),
}

REACH = {
    "connected": CONNECTED,
    "http": 0,
    "reset": 0x80072746,
    "unresolved": UNRESOLVED,
    "refused": REFUSED,
    "timeout": TIMEOUT,
}

# What is wrong with the licensing program -> its part of the ``binary`` facts.
PROGRAMS: dict[str, dict[str, Any]] = {
    "normal": {},
    "denied": {"sddl": DENIED_SDDL},
    "denied to everyone": {"sddl": DENIED_SDDL.replace(";;;NS)", ";;;WD)")},
    "denied to users": {"sddl": DENIED_SDDL.replace(";;;NS)", ";;;BU)")},
    "no account may execute": {"sddl": "D:PAI(A;;FR;;;BA)(A;;FR;;;SY)(A;;FR;;;BU)"},
    "allowed before denied": {
        "sddl": HEALTHY_SDDL.replace("D:PAI", "D:PAI(A;;FX;;;NS)(D;;FX;;;NS)")
    },
    "write denied": {"sddl": HEALTHY_SDDL.replace("D:PAI", "D:PAI(D;;FW;;;NS)")},
    "denied to people": {"sddl": HEALTHY_SDDL.replace("D:PAI", "D:PAI(D;;FX;;;IU)")},
    "not understood": {"sddl": "D:PAI(XA;;FX;;;NS;(WIN://SYSAPPID))"},
    "debugger": {"debugger": "C:\\tools\\nothing.exe"},
    "missing": {"exists": False, "sddl": {"!": 0x80070002}},
}

# Images of the operator's table, by the word that a case uses.
# What the metadata services of other clouds than Tencent's say; what is not here is absent.
METADATA = {"environment": "AzurePublicCloud", "public-ip": "20.0.0.4"}

IMAGES: dict[str, dict[str, str]] = {
    "imported": {"type": "PRIVATE_IMAGE", "source": "EXTERNAL_IMPORT", "license": "TencentCloud"},
    "custom": {"type": "PRIVATE_IMAGE", "source": "CREATE_IMAGE", "license": "TencentCloud"},
    "shared": {"type": "SHARED_IMAGE"},
    "byol": {"type": "PRIVATE_IMAGE", "source": "EXTERNAL_IMPORT", "license": "BYOL"},
}

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_PART = re.compile(r"(\d+) (s|min|h|d)")


def seconds(text: str) -> int:
    """``"3 h 59 min"`` as seconds."""
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        raise ValueError(f"{text!r} is no duration like '5 h' or '3 h 59 min'")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def offset_s(text: str) -> int:
    """``"right"``, ``"5 h ahead"`` or ``"3 d behind"`` as seconds ahead of the truth."""
    if text == "right":
        return 0
    length, _, word = text.rpartition(" ")
    if word not in ("ahead", "behind"):
        raise ValueError(f"{text!r} is neither 'right' nor '... ahead' nor '... behind'")
    return seconds(length) * (1 if word == "ahead" else -1)


def host_port(text: str) -> tuple[str, int | None]:
    """A host and, where one is given, its port; IPv6 with a port is in brackets."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest else None
    if text.count(":") > 1:
        return text, None
    host, colon, port = text.partition(":")
    return host, int(port) if colon else None
