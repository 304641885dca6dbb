"""Strategies that build whole plausible servers, of every release.

Plausible means: what belongs together comes together.  A stopped or blocked
licensing service leaves its facts unreadable, both measures of the clock show
the same clock, a product without a setting of its own shows the server's.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from servers import (
    ACCESS_DENIED,
    CONNECTED,
    DENIED_SDDL,
    HEALTHY_SDDL,
    KMS,
    KMS1,
    OTHER_KMS,
    REFUSED,
    RELEASES,
    TIMEOUT,
    UNRESOLVED,
    product,
    server,
    unreadable,
)

from volact.core.consent import ASKING_STEPS
from volact.core.context import Context
from volact.model.profile import Image

Raw = dict[str, Any]

IMAGES = {
    "img-imported": Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT"),
    "img-own": Image(license="BYOL"),
}
POLICIES = st.fixed_dictionaries(
    {
        "replace_key": st.booleans(),
        "override_entitlement": st.sampled_from(["", "", "ticket 4711"]),
        "consent": st.frozensets(st.sampled_from(ASKING_STEPS)),
    }
)

_HOUR, _DAY = 3600, 86_400
# Well away from the thresholds, so that both measures of the clock agree.
_SKEWS = st.sampled_from([0, 0, 0, 60, -900, 2 * _HOUR, 5 * _HOUR, -5 * _HOUR, 3 * _DAY, -3 * _DAY])
_HOSTS = st.sampled_from([KMS, KMS1, KMS1.upper() + ".", OTHER_KMS, None, "203.0.113.9"])
_PORTS = st.sampled_from([1688, 1688, 1688, 1668, 1689])
_REACH = st.sampled_from([CONNECTED, CONNECTED, CONNECTED, UNRESOLVED, REFUSED, TIMEOUT, 0])
_CHANNELS = st.sampled_from(
    ["VOLUME_KMSCLIENT"] * 6
    + [
        "VOLUME_MAK",
        "RETAIL",
        "VIRTUAL_MACHINE_ACTIVATION",
        "OEM_SLP",
        "TIMEBASED_EVAL",
        "TIMEBASED_SUB",
        "VOLUME_KMS_2019_C",
    ]
)
HEALTHY_RIGHTS: Raw = {
    "profiles": ["S-1-5-18", "S-1-5-19", "S-1-5-20"],
    "profile_key": "D:(A;;0xf003f;;;S-1-5-20)",
    "hive": "D:(A;;0xf003f;;;S-1-5-20)",
    "enum_root": "D:(A;;0xf003f;;;S-1-5-18)",
    "plugplay": "D:(A;;CCLCSWLOCRRC;;;SU)",
    "dcom": None,
}
OPEN_FIREWALL: Raw = {"service": "Running", "blocking": [], "block": [], "allow": []}
BLOCK_1688 = "v2.10|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=1688|Name=x|"
FAILED_REQUEST = ["2026-01-31T07:00:00Z", ["0x800706BA", "0x0", f"{KMS}:1688"]]
_TIME_SERVICE = st.sampled_from(
    [["Running", "Auto"], ["Running", "Auto"], ["Stopped", "Manual"], ["Stopped", "Disabled"], None]
)
_IMAGE_IDS = st.sampled_from(
    ["img-6fp83vpb", "img-6fp83vpb", "img-imported", "img-own", "img-new", None]
)


@st.composite
def servers(draw: st.DrawFn) -> Raw:
    """One server with up to a handful of faults."""
    release = draw(st.sampled_from(list(RELEASES)))
    raw = server(
        release,
        licensed=draw(st.booleans()),
        kms=draw(_HOSTS),
        port=draw(_PORTS),
        role=draw(st.sampled_from([2, 2, 2, 3, 4, 5])),
        skew_s=draw(_SKEWS),
        sku=draw(st.sampled_from([8, 8, 8, 7, 12, 79, 160, 4, 407])),
        services__W32Time=draw(_TIME_SERVICE),
        reach={f"{KMS}:1688": draw(_REACH), f"{KMS1}:1688": draw(_REACH)},
        elevated=draw(st.sampled_from([True] * 9 + [False])),
        policy_len=draw(st.sampled_from([56184] * 5 + [1960])),
    )
    raw["metadata"]["image-id"] = draw(_IMAGE_IDS)
    raw["products"] = draw(_products(raw, release))
    if any("VOLUME_KMS_" in keyed["Description"] for keyed in raw["products"]):
        raw["licensing"]["is_kms_host"] = 1
    _time(draw, raw)
    _policy(draw, raw)
    _notification(draw, raw, release)
    _licensing_service(draw, raw, release)
    _network(draw, raw)
    _store(draw, raw)
    _left_over(draw, raw)
    _rare(draw, raw, release)
    return raw


@st.composite
def _products(draw: st.DrawFn, raw: Raw, release: str) -> list[Raw]:
    """None, one or several keyed products, and add-ons."""
    base = raw["products"][0]
    keyed = [_keyed(draw, base, release)] if draw(st.integers(0, 9)) else []
    if keyed and draw(st.integers(0, 5)) == 0:
        second = product(release, licensed=draw(st.booleans()), partial="J464C", ID="second")
        keyed.append({**base, **{key: second[key] for key in ("ID", "LicenseStatus")}})
    if draw(st.integers(0, 3)) == 0:
        addon = {**base, "ID": "addon", "LicenseIsAddon": True, "LicenseStatus": 0}
        keyed.insert(0, {**addon, "Description": "Windows ESU, VOLUME_MAK channel"})
    return keyed


def _keyed(draw: st.DrawFn, base: Raw, release: str) -> Raw:
    channel = draw(_CHANNELS)
    changes: Raw = {"Description": f"Windows(R) Operating System, {channel} channel"}
    if channel != "VOLUME_KMSCLIENT" and "ProductKeyChannel" in base:
        changes["ProductKeyChannel"] = {"VOLUME_MAK": "Volume:MAK"}.get(channel, "Retail")
    if base["LicenseStatus"] == 1:
        changes["GracePeriodRemaining"] = draw(st.sampled_from([255_000, 200_000, 20_000]))
    if release not in ("2008", "2008 R2") and draw(st.integers(0, 9)) == 0:
        changes["VLActivationType"] = 1
    if release != "2008" and draw(st.integers(0, 9)) == 0:
        changes["TokenActivationILVID"] = draw(st.sampled_from([1, 0xFFFFFFFF]))
    if release != "2008":
        changes |= draw(_own_host(base))
    return {**base, **changes}


@st.composite
def _own_host(draw: st.DrawFn, base: Raw) -> Raw:
    """A host of the product's own, or one that DNS discovered, or neither."""
    which = draw(st.sampled_from(["none", "none", "none", "own", "discovered"]))
    host = draw(st.sampled_from([KMS, OTHER_KMS]))
    if which == "own":
        return {"KeyManagementServiceMachine": host, "KeyManagementServicePort": 1688}
    if which == "discovered" and "KeyManagementServiceMachine" not in base:
        return {
            "DiscoveredKeyManagementServiceMachineName": host,
            "DiscoveredKeyManagementServiceMachinePort": 1688,
        }
    return {}


def _time(draw: st.DrawFn, raw: Raw) -> None:
    time = raw["time"]
    time["type"] = draw(st.sampled_from(["NTP", "NTP", "NoSync", "NT5DS"]))
    time["peers"] = draw(
        st.sampled_from(["time.windows.com,0x9", "ntpupdate.tencentyun.com,0x8", "", None])
    )
    time["client"] = draw(st.sampled_from([1, 1, 1, 0]))
    time["pos"] = time["neg"] = draw(st.sampled_from([54_000, 54_000, 0xFFFFFFFF, None]))


def _policy(draw: st.DrawFn, raw: Raw) -> None:
    """Group policy over the KMS host or the time, now and then."""
    if draw(st.integers(0, 7)) == 0:
        host = draw(st.sampled_from([KMS, OTHER_KMS]))
        raw["registry"] |= {"policy_machine": host, "policy_port": "1688"}
    if draw(st.integers(0, 7)) == 0:
        kind = draw(st.sampled_from(["NoSync", "NTP", "NT5DS"]))
        peers = draw(st.sampled_from(["10.0.0.9,0x8", "10.0.0.9,0x8", ""]))
        raw["time"] |= {"policy_type": kind, "policy_peers": peers, "policy_pos": 3600}
    if draw(st.integers(0, 7)) == 0:
        raw["time"]["policy_client"] = draw(st.sampled_from([0, 1]))


def _notification(draw: st.DrawFn, raw: Raw, release: str) -> None:
    name = {"2008": "SLUINotify", "2008 R2": "sppuinotify"}.get(release)
    if name:
        raw["services"][name] = draw(
            st.sampled_from([["Running", "Auto"], ["Stopped", "Manual"], ["Stopped", "Disabled"]])
        )


def _licensing_service(draw: st.DrawFn, raw: Raw, release: str) -> None:
    """Down, and then silent; or blocked while it still runs."""
    name = "slsvc" if release == "2008" else "sppsvc"
    fault = draw(
        st.sampled_from(["none"] * 6 + ["disabled", "denied", "debugger", "missing", "silent"])
    )
    raw["binary"]["sddl"] = DENIED_SDDL if fault == "denied" else HEALTHY_SDDL
    if fault == "debugger":
        raw["binary"]["debugger"] = "C:\\tools\\nothing.exe"
    if fault == "missing":
        raw["binary"]["exists"] = False
    running = fault in ("denied", "disabled", "debugger") and draw(st.booleans())
    start = "Disabled" if fault == "disabled" else "Auto"
    raw["services"][name] = ["Running" if running else "Stopped", start]
    if fault != "none" and not running:
        raw["products"] = unreadable(ACCESS_DENIED)
        raw["licensing"] = unreadable(ACCESS_DENIED)


def _network(draw: st.DrawFn, raw: Raw) -> None:
    """Foreign name servers and no name that resolves, or no route and silence."""
    fault = draw(st.sampled_from(["none", "none", "dns", "route"]))
    if fault == "dns":
        raw["dns"] = draw(st.sampled_from([["8.8.8.8"], [], ["10.0.0.2", "8.8.8.8"]]))
        raw["reach"] = dict.fromkeys(raw["reach"], UNRESOLVED)
    if fault == "route":
        raw["routes"] = draw(st.sampled_from([[["0.0.0.0", "0.0.0.0", "10.0.0.1"]], []]))
        raw["reach"] = dict.fromkeys(raw["reach"], TIMEOUT)


def _store(draw: st.DrawFn, raw: Raw) -> None:
    """A licence store that is marked damaged, with or without an earlier one next to it."""
    if not isinstance(raw["products"], list) or draw(st.integers(0, 5)):
        return
    for keyed in raw["products"]:
        if keyed["LicenseStatus"] != 1:
            keyed["LicenseStatusReason"] = 0xC004E015
    raw["store"] = {
        "path": "C:\\Windows\\System32\\spp\\store\\2.0",
        "tokens": draw(st.sampled_from([4096, None])),
        "spare": draw(st.booleans()),
        "free_mb": 20_000,
        "sddl": HEALTHY_SDDL,
    }


def _left_over(draw: st.DrawFn, raw: Raw) -> None:
    """What an earlier run has left, and what starts and stops Windows Time."""
    raw["restart"] = draw(st.sampled_from([None] * 9 + ["rearm"]))
    raw["time"]["saved"] = draw(st.sampled_from([None, None, "54000 -"]))
    raw["time"]["triggers"] = draw(st.sampled_from([None, "3/1 3/2", "2/1 2/2"]))


def _rare(draw: st.DrawFn, raw: Raw, release: str) -> None:
    """Lost rights, the server's own firewall, a forced way to activate, an odd release."""
    if draw(st.integers(0, 5)) == 0:
        lost = draw(st.sampled_from([{}, {"plugplay": "D:(A;;CC;;;SY)"}, {"hive": "D:"}]))
        raw["rights"] = {**HEALTHY_RIGHTS, **lost}
    if draw(st.integers(0, 5)) == 0:
        app = draw(st.sampled_from(["", "App=C:\\Windows\\system32\\sppsvc.exe|"]))
        raw["firewall"] = {**OPEN_FIREWALL, "block": [f"{BLOCK_1688}{app}"]}
        raw["events"]["12288"] = draw(st.sampled_from([None, FAILED_REQUEST]))
    if release not in ("2008", "2008 R2") and isinstance(raw["products"], list):
        for keyed in raw["products"]:
            keyed["VLActivationTypeEnabled"] = draw(st.sampled_from([0] * 8 + [1, 2, 3]))
    if draw(st.integers(0, 9)) == 0:
        raw["os"]["build"] = 25398
    raw["time"]["rtu"] = draw(st.sampled_from([None, None, 1]))


def with_images(ctx: Context) -> Context:
    """The context of an operator who knows the two images that are not covered."""
    return Context(knowledge=ctx.knowledge, policy=ctx.policy, images=IMAGES, now=ctx.now)
