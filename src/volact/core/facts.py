"""The agent's answer, as ``volact.model.facts``.

Unknown keys are skipped: a newer agent may report more.  A value of the wrong
type is an ``AnswerError``: such an answer cannot be trusted.  The names of
groups and fields are those of docs/agent-protocol.md.  How one value is read is
in ``scalars``; no judgement here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from volact.core.scalars import (
    Read,
    boolean,
    integer,
    moment,
    path,
    scalar,
    text,
    texts,
    token,
    wrong_type,
)
from volact.model.fact import ABSENT, NOT_ASKED, Fact, Known, Unreadable
from volact.model.facts import Adapter, Clock, Event, Facts, Product, ReachTry, Route, ServiceFact

T = TypeVar("T")

FieldReaders = dict[str, Read[Any]]

# By the annotations of ``model.facts``.
_READERS: FieldReaders = {
    "Fact[str]": text,
    "Fact[int]": integer,
    "Fact[bool]": boolean,
    "Fact[tuple[str, ...]]": texts,
}
# Fields that are more than a text or a number.
_STRICTER: dict[tuple[str, str], Read[Any]] = {
    ("time", "utc"): moment,
    ("time", "ref"): moment,
    ("time", "ref_at"): moment,
    ("binary", "path"): path,
    ("store", "path"): path,
}
_STRUCTS = {
    name: type(value)
    for name, value in msgspec.structs.asdict(Facts()).items()
    if isinstance(value, msgspec.Struct) and value is not NOT_ASKED
}
GROUPS: dict[str, FieldReaders] = {
    group: {
        field: _STRICTER.get((group, field)) or _READERS[kind]
        for field, kind in struct.__annotations__.items()
    }
    for group, struct in _STRUCTS.items()
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


def read_facts(raw: Mapping[str, Any], clock: Clock | None) -> Facts:
    """Every fact of an answer by itself: known, absent or unreadable."""
    groups: dict[str, Any] = {
        name: struct(**_group(raw, name)) for name, struct in _STRUCTS.items()
    }
    return Facts(
        **groups,
        products=_fact("products", raw, "products", _products),
        services=_table(raw, "services", _service),
        reach=_table(raw, "reach", integer),
        reached=_table(raw, "reached", _reach_try),
        events=_table(raw, "events", _event),
        metadata=_table(raw, "metadata", text),
        resolved=_table(raw, "resolved", texts),
        addresses=_fact("addresses", raw, "addresses", texts),
        dns=_fact("dns", raw, "dns", texts),
        adapters=_table(raw, "adapters", _adapter),
        routes=_fact("routes", raw, "routes", _routes),
        routes6=_fact("routes6", raw, "routes6", _routes),
        policy_len=_fact("policy_len", raw, "policy_len", integer),
        checks=_table(raw, "checks", scalar),
        blocked=_fact("blocked", raw, "blocked", texts),
        elevated=_fact("elevated", raw, "elevated", boolean),
        restart=_fact("restart", raw, "restart", text),
        clock=clock,
    )


def _group(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The fields of one group; a group that is unreadable makes all of them so."""
    content = raw.get(name, NOT_ASKED)
    fields = GROUPS[name]
    if content is NOT_ASKED:
        return {}
    if content is None:
        return dict.fromkeys(fields, ABSENT)
    if (failed := _unreadable(name, content)) is not None:
        return dict.fromkeys(fields, failed)
    if not isinstance(content, dict):
        raise wrong_type(name, "an object", content)
    return {field: _fact(f"{name}.{field}", content, field, read) for field, read in fields.items()}


def _table(raw: Mapping[str, Any], name: str, read: Read[T]) -> dict[str, Fact[T]]:
    """A group whose keys are data: services, hosts, events, metadata."""
    content = raw.get(name)
    if content is None or _unreadable(name, content) is not None:
        return {}  # a name that is not there was never asked: unreadable
    if not isinstance(content, dict):
        raise wrong_type(name, "an object", content)
    return {key: _fact(f"{name}.{key}", content, key, read) for key in content}


def _fact(where: str, content: Mapping[str, Any], key: str, read: Read[T]) -> Fact[T]:
    if key not in content:
        return NOT_ASKED
    value = content[key]
    if value is None:
        return ABSENT
    failed = _unreadable(where, value)
    return failed if failed is not None else Known(read(where, value))


def _unreadable(where: str, value: Any) -> Unreadable | None:
    if not isinstance(value, dict) or "!" not in value:
        return None
    code = value["!"]
    if isinstance(code, dict | list):
        return None  # a product's list of missing properties
    return Unreadable(integer(f"{where}.!", code) & 0xFFFFFFFF)


def _products(where: str, value: Any) -> tuple[Product, ...]:
    if not isinstance(value, list):
        raise wrong_type(where, "an array", value)
    return tuple(_product(f"{where}[{index}]", item) for index, item in enumerate(value))


def _product(where: str, value: Any) -> Product:
    """One product; a property left out was null, one under ``"!"`` is unreadable."""
    if not isinstance(value, dict):
        raise wrong_type(where, "an object", value)
    missing = _missing(f"{where}.!", value.get("!", {}))
    known = {
        field: missing.get(name) or _absent_or(where, value, name, read)
        for name, (field, read) in PRODUCT_FIELDS.items()
    }
    others = {
        name: _absent_or(where, value, name, scalar)
        for name in value
        if name not in PRODUCT_FIELDS and name != "!"
    }
    unread = {name: fact for name, fact in missing.items() if name not in PRODUCT_FIELDS}
    return Product(**known, other={**others, **unread})


def _absent_or(where: str, content: Mapping[str, Any], name: str, read: Read[T]) -> Fact[T]:
    return _fact(f"{where}.{name}", content, name, read) if name in content else ABSENT


def _missing(where: str, value: Any) -> dict[str, Unreadable]:
    """Both spellings of ``"!"``: names to codes, or ``[code, "Name Name ..."]``."""
    if isinstance(value, dict):
        return {name: Unreadable(integer(where, code)) for name, code in value.items()}
    if isinstance(value, list) and len(value) == 2:
        failed = Unreadable(integer(where, value[0]))
        return dict.fromkeys(text(where, value[1]).split(), failed)
    raise wrong_type(where, "an object or [code, names]", value)


def _service(where: str, value: Any) -> ServiceFact:
    words = texts(where, value)
    if len(words) != 2:
        raise wrong_type(where, "[state, start mode]", value)
    return ServiceFact(words[0], words[1])


def _adapter(where: str, value: Any) -> Adapter:
    if not isinstance(value, list) or len(value) != 3:
        raise wrong_type(where, "[name servers, DHCP, fixed]", value)
    return Adapter(texts(where, value[0]), boolean(where, value[1]), boolean(where, value[2]))


def _event(where: str, value: Any) -> Event:
    if not isinstance(value, list) or len(value) not in (2, 3):
        raise wrong_type(where, "[time, fields, record]", value)
    return Event(text(where, value[0]), texts(where, value[1]), integer(where, (*value, 0)[2]))


def _reach_try(where: str, value: Any) -> ReachTry:
    if not isinstance(value, list) or len(value) != 2:
        raise wrong_type(where, "[outcome, ms]", value)
    ms = None if value[1] is None else integer(where, value[1])
    return ReachTry(text(where, value[0]), ms)


def _routes(where: str, value: Any) -> tuple[Route, ...]:
    if not isinstance(value, list):
        raise wrong_type(where, "an array", value)
    rows = [texts(where, row) for row in value]
    if any(len(row) != 3 for row in rows):
        raise wrong_type(where, "[destination, mask, next hop]", value)
    return tuple(Route(row[0], row[1], row[2]) for row in rows)
