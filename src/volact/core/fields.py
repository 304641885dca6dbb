"""Which facts each group of an answer holds, and how each is read.

The names are those of docs/agent-protocol.md; a test holds them together with
the fields of ``volact.model.facts``.
"""

from __future__ import annotations

from typing import Any

from volact.core.scalars import Read, boolean, integer, moment, path, text, texts, token

Fields = dict[str, Read[Any]]


def _all(read: Read[Any], names: str) -> Fields:
    return dict.fromkeys(names.split(), read)


GROUPS: dict[str, Fields] = {
    "os": {
        **_all(text, "caption version edition install domain name bios maker model asset"),
        **_all(integer, "build sku language role"),
    },
    "time": {
        **_all(moment, "utc ref ref_at"),
        **_all(integer, "bias rtu pos neg client seed vmic policy_pos policy_neg"),
        **_all(text, "zone type peers policy_type policy_peers triggers saved"),
    },
    "licensing": {
        **_all(text, "machine lookup_domain cmid version"),
        **_all(integer, "port rearm is_kms_host"),
        "caching": boolean,
    },
    "registry": _all(
        text, "machine port policy_machine policy_port discovered_name discovered_port"
    ),
    "binary": {"path": path, **_all(text, "sddl debugger"), "exists": boolean},
    "rights": {**_all(text, "profile_key hive enum_root plugplay dcom"), "profiles": texts},
    "store": {"path": path, "sddl": text, **_all(integer, "tokens free_mb"), "spare": boolean},
    "firewall": {"service": text, "active": integer, **_all(texts, "blocking block allow")},
    "ground": {**_all(text, "wsh engine process system acp oem"), "replacement": integer},
    "online": _all(text, "proxy outcome"),
    "wsh": {**_all(integer, "machine user winsafer"), **_all(boolean, "vbscript slmgr")},
}

# WMI property -> field of Product and its reader.  Any other goes to ``other``.
PRODUCT_FIELDS: dict[str, tuple[str, Read[Any]]] = {
    "ID": ("id", token),
    "Name": ("name", text),
    "Description": ("description", text),
    "PartialProductKey": ("partial_key", text),
    "LicenseIsAddon": ("addon", boolean),
    "LicenseStatus": ("status", integer),
    "LicenseStatusReason": ("reason", integer),
    "GracePeriodRemaining": ("grace_min", integer),
    "ProductKeyChannel": ("channel", text),
    "KeyManagementServiceMachine": ("kms_machine", text),
    "KeyManagementServicePort": ("kms_port", integer),
    "DiscoveredKeyManagementServiceMachineName": ("discovered_name", text),
    "DiscoveredKeyManagementServiceMachinePort": ("discovered_port", integer),
    "DiscoveredKeyManagementServiceMachineIpAddress": ("discovered_ip", text),
    "KeyManagementServiceLookupDomain": ("lookup_domain", text),
    "IsKeyManagementServiceMachine": ("is_kms_host", integer),
    "VLActivationType": ("vl_type", integer),
    "VLActivationTypeEnabled": ("vl_enabled", integer),
}
