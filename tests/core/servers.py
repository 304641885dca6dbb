"""Readable test servers: the answer a healthy server gives, and changes to it.

    server("2016")                                   licensed, nothing wrong
    server("2019", licensed=False, kms="kms.other")  never activated, wrong host
    server("2022", services__sppsvc=["Stopped", "Disabled"])

The values are in the agent's own encoding (docs/agent-protocol.md).  A change
is named ``group__key``; ``unreadable(code)`` stands for "could not be asked",
``MISSING`` takes a key away ("was never asked").
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from volact.core.context import Context, Policy
from volact.core.facts import read_facts
from volact.knowledge.load import knowledge_for
from volact.model.facts import Clock, Facts
from volact.model.profile import Image

NOW = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
NOW_S = NOW.timestamp()
CLOCK = Clock(NOW_S - 0.2, NOW_S + 0.3)

KMS, KMS1 = "kms.tencentyun.com", "kms1.tencentyun.com"
OTHER_KMS = "kms.elsewhere.example"
WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
PRODUCT_ID = "21c56779-b449-4d20-adfc-eece0e1ad74b"
PUBLIC_IMAGE = "img-6fp83vpb"

ACCESS_DENIED = 0x80070005
UNKNOWN_PROPERTY = 0x80041017
CONNECTED = 0x80072F78
UNRESOLVED = 0x80072EE7
REFUSED = 0x80072EFD
TIMEOUT = 0x80072EE2

HEALTHY_SDDL = (
    "D:PAI(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"
    "(A;;0x1200a9;;;BA)(A;;0x1200a9;;;SY)(A;;0x1200a9;;;BU)(A;;0x1200a9;;;AC)"
)
DENIED_SDDL = HEALTHY_SDDL.replace("D:PAI", "D:PAI(D;;FX;;;NS)")

RELEASES: dict[str, tuple[int, str]] = {
    "2008": (6002, "6.0.6002"),
    "2008 R2": (7601, "6.1.7601"),
    "2012": (9200, "6.2.9200"),
    "2012 R2": (9600, "6.3.9600"),
    "2016": (14393, "10.0.14393"),
    "2019": (17763, "10.0.17763"),
    "2022": (20348, "10.0.20348"),
    "2025": (26100, "10.0.26100"),
}
DATACENTER_KEYS = {
    "2008": "TCBY3",
    "2008 R2": "7M648",
    "2012": "8W83P",
    "2012 R2": "Q3VJ9",
    "2016": "8XDDG",
    "2019": "63DFG",
    "2022": "6VM33",
    "2025": "YP6DF",
}
EDITIONS = {
    7: "ServerStandard",
    8: "ServerDatacenter",
    79: "ServerStandardEval",
    80: "ServerDatacenterEval",
    159: "ServerDatacenterEval",
    160: "ServerStandardEval",
}


class _Missing:
    """Marks a key to take away."""


MISSING = _Missing()


def unreadable(code: int = ACCESS_DENIED) -> dict[str, int]:
    """A fact whose question failed."""
    return {"!": code}


def server(
    release: str = "2016",
    *,
    licensed: bool = True,
    kms: str | None = "",
    port: int = 1688,
    role: int = 2,
    skew_s: float = 0,
    sku: int = 8,
    **changes: Any,
) -> dict[str, Any]:
    """A server's facts in the agent's encoding.

    ``kms``: "" is the provider's preferred host, ``None`` is not set.
    """
    build, version = RELEASES[release]
    host = (KMS1 if release == "2016" else KMS) if kms == "" else kms
    facts: dict[str, Any] = {
        "os": _os(build, version, sku, role),
        "time": _time(skew_s) | ({"triggers": None} if release == "2008" else {}),
        "licensing": _licensing(release, host, port),
        "registry": _registry(host, port),
        "products": [product(release, licensed=licensed, kms=host, port=port)],
        "services": _services(release),
        "binary": _binary(release),
        "reach": {f"{KMS}:1688": CONNECTED, f"{KMS1}:1688": CONNECTED},
        "events": {"12288": None, "12289": None, "8198": None},
        "metadata": {
            "instance-id": "ins-12345678",
            "image-id": PUBLIC_IMAGE,
            "region": "ap-guangzhou",
        },
        "dns": ["183.60.83.19", "183.60.82.98"],
        "routes": [
            ["0.0.0.0", "0.0.0.0", "10.0.0.1"],
            ["169.254.0.0", "255.255.128.0", "10.0.0.1"],
        ],
        "policy_len": 56184,
        "wsh": {"machine": None, "user": None, "winsafer": None},
        "elevated": True,
        "restart": None,
    }
    return changed(facts, changes)


def changed(facts: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of the facts with ``group__key`` (or ``group``) set or taken away."""
    copy = deepcopy(facts)
    for path, value in changes.items():
        *groups, key = path.split("__")
        place = copy
        for group in groups:
            place = place[group]
        if value is MISSING:
            place.pop(key, None)
        else:
            place[key] = deepcopy(value)
    return copy


def product(
    release: str = "2016",
    *,
    licensed: bool = True,
    kms: str | None = KMS,
    port: int = 1688,
    partial: str = "",
    channel: str = "VOLUME_KMSCLIENT",
    **changes: Any,
) -> dict[str, Any]:
    """One Windows product with a key, as WMI names its properties."""
    found: dict[str, Any] = {
        "ID": PRODUCT_ID,
        "Name": "Windows(R), ServerDatacenter edition",
        "Description": f"Windows(R) Operating System, {channel} channel",
        "ApplicationID": WINDOWS,
        "PartialProductKey": partial or DATACENTER_KEYS[release],
        "LicenseIsAddon": False,
        "LicenseStatus": 1 if licensed else 5,
        "LicenseStatusReason": 0x4004F040 if licensed else 0xC004F056,
        "GracePeriodRemaining": 255_000 if licensed else 0,
    }
    if release == "2008":
        found["!"] = [
            UNKNOWN_PROPERTY,
            "KeyManagementServiceMachine KeyManagementServicePort "
            "DiscoveredKeyManagementServiceMachineName ProductKeyChannel VLActivationType",
        ]
    else:
        found |= {"KeyManagementServicePort": port if kms else 0, "VLRenewalInterval": 10_080}
        if kms:
            found["KeyManagementServiceMachine"] = kms
    if release not in ("2008", "2008 R2", "2012"):
        found["ProductKeyChannel"] = "Volume:GVLK" if "KMSCLIENT" in channel else channel.title()
    return {**found, **changes}


def facts_of(raw: dict[str, Any], clock: Clock | None = CLOCK) -> Facts:
    """The same server as ``volact.core`` sees it."""
    return read_facts(raw, clock)


def context(
    provider: str = "tencent", images: dict[str, Image] | None = None, **policy: Any
) -> Context:
    """What judging is given; ``policy`` as the fields of ``Policy``."""
    return Context(
        knowledge=knowledge_for(provider), policy=Policy(**policy), images=images or {}, now=NOW
    )


def _os(build: int, version: str, sku: int, role: int) -> dict[str, Any]:
    return {
        "caption": "Microsoft Windows Server",
        "version": version,
        "build": build,
        "sku": sku,
        "edition": EDITIONS.get(sku, "ServerDatacenter"),
        "install": "Server",
        "language": 1033,
        "role": role,
        "domain": "WORKGROUP",
        "name": "WEB-01",
        "bios": "SeaBIOS",
        "maker": "Tencent Cloud",
        "model": "CVM",
    }


def _time(skew_s: float) -> dict[str, Any]:
    now_ms = int(NOW_S * 1000)
    return {
        "utc": now_ms + int(skew_s * 1000),
        "bias": 480,
        "zone": "China Standard Time",
        "rtu": None,
        "type": "NTP",
        "peers": "time.windows.com,0x9",
        "pos": 54000,
        "neg": 54000,
        "client": 1,
        "seed": 1,
        "policy_type": None,
        "policy_peers": None,
        "policy_pos": None,
        "policy_neg": None,
        "policy_client": None,
        "triggers": "3/1 3/2",
        "saved": None,
        "ref": now_ms,
        "ref_at": now_ms + int(skew_s * 1000),
    }


def _licensing(release: str, host: str | None, port: int) -> dict[str, Any]:
    old = unreadable(UNKNOWN_PROPERTY)
    on_2008 = release == "2008"
    return {
        "machine": host,
        "port": old if on_2008 else (port if host else 0),
        "lookup_domain": old if release in ("2008", "2008 R2") else None,
        "caching": old if on_2008 else True,
        "cmid": "9f7b1c55-2a5a-4b7e-9d3e-0c6f3a1b2c4d",
        "version": RELEASES[release][1],
        "rearm": old if on_2008 else 3,
        "is_kms_host": 0,
    }


def _registry(host: str | None, port: int) -> dict[str, Any]:
    return {
        "machine": host,
        "port": str(port) if host else None,
        "policy_machine": None,
        "policy_port": None,
        "discovered_name": None,
        "discovered_port": None,
    }


def _services(release: str) -> dict[str, Any]:
    old = release == "2008"
    return {
        "sppsvc": None if old else ["Stopped", "Auto"],
        "slsvc": ["Running", "Auto"] if old else None,
        "sppuinotify": ["Running", "Manual"] if release == "2008 R2" else None,
        "SLUINotify": ["Running", "Auto"] if old else None,
        "W32Time": ["Running", "Auto"],
        "Winmgmt": ["Running", "Auto"],
        "RpcSs": ["Running", "Auto"],
        "Schedule": ["Running", "Auto"],
        "EventSystem": ["Running", "Auto"],
        "PlugPlay": ["Running", "Auto" if release.startswith("2008") else "Manual"],
    }


def _binary(release: str) -> dict[str, Any]:
    program = "slsvc.exe" if release == "2008" else "sppsvc.exe"
    return {
        "path": f"C:\\Windows\\System32\\{program}",
        "exists": True,
        "sddl": HEALTHY_SDDL,
        "debugger": None,
        "verifier": None,
        "kms_debugger": None,
        "kms_verifier": None,
    }
