"""What a case means: the facts of its server, the clocks, and what volact is given.

The facts are in the agent's own encoding (docs/agent-protocol.md), built on
the healthy server of ``tests/core/servers.py``.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
from case_file import Case
from case_words import (
    BUILDS,
    EDITIONS,
    IMAGES,
    KEYS,
    LANGUAGES,
    METADATA,
    OWN_KEY,
    PROGRAMS,
    REACH,
    ROLES,
    STATUSES,
    host_port,
    offset_s,
    seconds,
)
from published_keys import key_for
from servers import NOW, NOW_S, PUBLIC_IMAGE, server

from volact.core.context import Context, Policy
from volact.knowledge.load import knowledge_for, load_profile, profile_names
from volact.model.facts import Clock
from volact.model.profile import HostPort, Image, Knowledge, Profile

Raw = dict[str, Any]

_CMID = "9f7b1c55-2a5a-4b7e-9d3e-0c6f3a1b2c4d"


def knowledge_of(case: Case) -> Knowledge:
    """All that volact knows, with the KMS hosts that the operator named, if any."""
    known = knowledge_for(case.provider)
    if not case.kms_hosts:
        return known
    hosts = tuple(HostPort.parse(text) for text in case.kms_hosts)
    return msgspec.structs.replace(known, profile=known.profile.with_kms_hosts(hosts))


def context_of(case: Case) -> Context:
    """What the rules and the planner get besides the facts."""
    images = {f"img-{word}": fields for word, fields in IMAGES.items()} | case.images
    return Context(
        knowledge=knowledge_of(case),
        policy=Policy(
            replace_key=case.allow.replace_key,
            override_entitlement=case.allow.override_entitlement,
            consent=frozenset(case.allow.consent),
        ),
        images={name: Image(**fields) for name, fields in images.items()},
        clouds=tuple(map(load_profile, profile_names())),
        now=NOW,
    )


def clock_of(case: Case) -> Clock:
    """Between which moments of volact's own clock the server was asked.

    The server reads its clock in the middle.
    """
    own, half = offset_s(case.volact_clock), seconds(case.answer_took) / 2
    return Clock(NOW_S + own - half, NOW_S + own + half)


def facts_of(case: Case) -> Raw:
    """The server's answer."""
    build, version, like = BUILDS[case.release]
    host, port = _service_host(case)
    raw = server(
        like,
        licensed=case.status == "licensed",
        kms=host,
        port=port,
        role=ROLES[case.role],
        skew_s=offset_s(case.clock),
    )
    raw["os"] |= {"build": build, "version": version, **_edition(case)}
    raw["products"] = _products(case, raw["products"][0])
    raw["registry"] |= _policy(case)
    raw["reach"] = _reach(case)
    raw["binary"] |= PROGRAMS[case.program]
    raw["services"] |= {name: _service(value) for name, value in case.services.items()}
    raw["events"] |= {event: _event(case, event) for event in case.events}
    _provider(case, raw)
    _reference(case, raw)
    if case.licensing_fails is not None:
        raw["products"] = raw["licensing"] = {"!": case.licensing_fails}
    if case.discovered_kms and case.release == "2008":
        raw["registry"] |= _discovered(case, "discovered_name", "discovered_port", text=True)
    raw = _merged(raw, case.facts)
    return {group: raw[group] for group in case.only} if case.only else raw


def _profile(case: Case) -> Profile:
    return knowledge_of(case).profile


def _service_host(case: Case) -> tuple[str | None, int]:
    """What the whole server is set to; a port that is not given is 1688."""
    if case.kms == "none":
        return None, 0
    if case.kms == "the provider's":
        hosts = _profile(case).kms_hosts(case.release) or _profile(case).all_kms_hosts()
        return (hosts[0].host, hosts[0].port) if hosts else (None, 0)
    host, port = host_port(case.kms)
    return host, 1688 if port is None else port


def _edition(case: Case) -> Raw:
    full, core, name = EDITIONS[case.edition]
    language, caption = LANGUAGES[case.language]
    return {
        "sku": core if case.core else full,
        "edition": f"{name}Cor" if case.core and full != core else name,
        "install": "Server Core" if case.core else "Server",
        "language": language,
        "caption": caption,
        "domain": "WORKGROUP" if case.role == "workgroup" else "corp.example",
    }


def _products(case: Case, healthy: Raw) -> list[Raw]:
    """The main product, unless there is no key, and the other products."""
    others = [
        {**deepcopy(healthy), "ID": f"other-{number}", **extra}
        for number, extra in enumerate(case.also, 2)
    ]
    if case.key == "none":
        return others
    token, channel = KEYS[case.key]
    status, reason, minutes = STATUSES[case.status]
    if case.key not in ("client", "evaluation"):
        minutes = 0
    main = healthy | {
        "Description": f"Windows(R) Operating System, {token} channel",
        "PartialProductKey": _partial_key(case),
        "LicenseStatus": status,
        "LicenseStatusReason": reason,
        "GracePeriodRemaining": minutes if case.days_left is None else int(case.days_left * 1440),
    }
    if "ProductKeyChannel" in main:
        main["ProductKeyChannel"] = channel
        if not channel:
            del main["ProductKeyChannel"]
    if case.own_kms:
        main |= _own_host(case)
    if case.discovered_kms and case.release != "2008":
        prefix = "DiscoveredKeyManagementServiceMachine"
        main |= _discovered(case, f"{prefix}Name", f"{prefix}Port", text=False)
    return [_product_changes(main, case.product), *others]


def _partial_key(case: Case) -> str:
    if case.partial_key:
        return case.partial_key
    if case.key != "client":
        return OWN_KEY
    full, core, _ = EDITIONS[case.edition]
    return key_for(BUILDS[case.release][0], core if case.core else full)[-5:] or "QQQQQ"


def _own_host(case: Case) -> Raw:
    host, port = host_port(case.own_kms)
    return {"KeyManagementServiceMachine": host, "KeyManagementServicePort": port or 0}


def _discovered(case: Case, name: str, port: str, *, text: bool) -> Raw:
    host, number = host_port(case.discovered_kms)
    number = number or 1688
    return {name: host, port: str(number) if text else number}


def _product_changes(main: Raw, changes: Raw) -> Raw:
    """WMI properties changed, taken away ("absent") or made unreadable."""
    changed = dict(main)
    for name, value in changes.items():
        if value == "absent":
            changed.pop(name, None)
        elif isinstance(value, dict):
            changed.pop(name, None)
            changed["!"] = _with_unreadable(changed.get("!", {}), name, value["!"])
        else:
            changed[name] = value
    return changed


def _with_unreadable(missing: Any, name: str, code: int) -> Raw:
    if isinstance(missing, list):
        missing = dict.fromkeys(missing[1].split(), missing[0])
    return {**missing, name: code}


def _policy(case: Case) -> Raw:
    if not case.policy_kms:
        return {}
    host, port = host_port(case.policy_kms)
    return {"policy_machine": host, "policy_port": None if port is None else str(port)}


def _reach(case: Case) -> dict[str, Any]:
    """Each host of the provider; a short name stands for the host that begins with it."""
    hosts = [str(host) for host in _profile(case).all_kms_hosts()]
    if isinstance(case.reach, str):
        return dict.fromkeys(hosts, REACH[case.reach])
    reach: dict[str, Any] = dict.fromkeys(hosts, REACH["connected"])
    for name, word in case.reach.items():
        full = next((host for host in hosts if host.split(".")[0] == name), name)
        reach[full] = word if isinstance(word, int) else REACH[word]
    return reach


def _service(value: Any) -> Any:
    """``"Stopped Disabled"``, ``"absent"``, or unreadable."""
    if not isinstance(value, str):
        return value
    return None if value == "absent" else value.split()


def _event(case: Case, event: str) -> list[Any]:
    """An event's time and its data fields, in the order that Microsoft documents."""
    said = case.events[event]
    code, flags = f"0x{said['code']:08X}", said.get("flags", 0)
    bound = said.get("bound", "0" if said["code"] or flags else "1")
    host = said.get("host", "kms.tencentyun.com:1688")
    data = {
        "12288": [code, "0x00000000", host, _CMID, "2026/01/31 06:00", "0", "5", "0"],
        "12289": [code, f"0x{flags:08X}", bound, "0", str(said.get("count", 3)), "120", "10080"],
        "8198": [f"hr={code}", "RuleId=1;Action=AutoActivate"],
    }
    return [said.get("at", "2026-01-31T06:00:00Z"), data[event]]


def _provider(case: Case, raw: Raw) -> None:
    """What the cloud itself shows: metadata, name servers, routes."""
    profile = _profile(case)
    if case.provider == "tencent":
        raw["metadata"]["image-id"] = _image_id(case.image)
        return
    raw["metadata"] = {name: METADATA.get(name) for name in profile.metadata}
    raw["dns"] = list(profile.dns) or ["10.0.0.2"]
    raw["routes"] = [["0.0.0.0", "0.0.0.0", "10.0.0.1"]]
    raw["routes"] += [
        [route.destination, route.mask, "10.0.0.1"]
        for route in profile.routes
        if ":" not in route.destination
    ]
    raw["os"] |= {"bios": "SeaBIOS", "maker": "QEMU", "model": "Standard PC"}


def _image_id(word: str) -> Any:
    special = {"public": PUBLIC_IMAGE, "none": None, "unreadable": {"!": 0x80072EE2}}
    if word in special:
        return special[word]
    return word if word.startswith("img-") else f"img-{word}"


def _reference(case: Case, raw: Raw) -> None:
    """The second clock: the Date header of the metadata service, where there is one."""
    if case.reference == "none" or not _profile(case).date_url:
        raw["time"] |= {"ref": None, "ref_at": None}
        return
    raw["time"]["ref"] = int((NOW_S + offset_s(case.reference)) * 1000)


def _merged(base: Any, changes: Raw) -> Raw:
    """The facts with further changes: "absent", "not asked", a value, or a group of them."""
    merged = dict(base) if isinstance(base, dict) and "!" not in base else {}
    for key, value in changes.items():
        if value == "not asked":
            merged.pop(key, None)
        elif isinstance(value, dict) and "!" not in value:
            merged[key] = _merged(merged.get(key), value)
        else:
            merged[key] = None if value == "absent" else value
    return merged
