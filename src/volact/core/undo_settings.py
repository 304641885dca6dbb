"""The settings that steps change: where each stands in the facts, and its way back.

A setting is told by its key: the kind and which one of it.  Its value has the
form that ``before`` and ``after`` of the steps have (docs/agent-protocol.md).
Whether a way back is taken is ``undo``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from volact.core.assessment.system import role_of
from volact.core.befores import kms_host, start_of
from volact.model.fact import NOT_ASKED, Absent, Fact, Known, Unreadable, is_known, value_of
from volact.model.facts import Facts
from volact.model.step import Step
from volact.model.text import Text, say

Key = tuple[str, ...]
Raw = dict[str, Any]

CUT_SDDL = 1500  # where the agent cuts the text of a DACL
CUT_TEXT = 300  # and any other text
RESTORE_DEBUGGER = "restore-debugger"
_TRIGGERS = frozenset({"2/1", "2/2", "3/1", "3/2"})
_START_TYPED = {"Disabled": "disabled", "Manual": "demand", "Auto": "auto"}


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What putting one setting back takes: as it was, as it is, and all that is known of it."""

    key: Key
    before: Any
    now: Any
    raw: Raw  # ``before`` of the step as a whole
    params: Raw  # of the step that changed it


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of setting."""

    now: Callable[[Facts, Key], Fact[Any]]
    back: Callable[[Way], Step]
    same: Callable[[Any, Any], bool] = lambda one, other: bool(one == other)
    forbidden: Callable[[Facts, Way], Text | None] = lambda facts, way: None


# KMS hosts


def _kms_now(facts: Facts, key: Key) -> Fact[Any]:
    product = key[1] if len(key) > 1 else None
    found = kms_host(facts, product)
    if product is None and isinstance(found, Unreadable):
        # The service is down: what it would answer stands in the registry.
        held = msgspec.structs.replace(facts.licensing, machine=Unreadable(0x80041002))
        return kms_host(msgspec.structs.replace(facts, licensing=held), None)
    return found


def _kms_back(way: Way) -> Step:
    product = {"product": way.key[1]} if len(way.key) > 1 else {}
    params: Raw = {
        "layer": "product" if product else "service",
        **product,
        "expect": [way.now],
        "host": way.before,
    }
    if isinstance(way.raw.get("name"), str):
        params["name"] = way.raw["name"]
    set_port = int(way.before.rpartition(":")[2]) if way.before else None
    params["port"] = way.raw.get("port", set_port)
    return Step(do="restore-kms-host", params=params)


def _kms_forbidden(facts: Facts, way: Way) -> Text | None:
    policy = facts.registry.policy_machine
    if isinstance(policy, Unreadable):
        return say("whether group policy sets a KMS host cannot be read")
    if is_known(policy):
        return say("group policy sets the KMS host: it is not touched")
    ids = [value_of(product.id) for product in value_of(facts.products) or ()]
    if len(way.key) > 1 and way.key[1] not in ids:
        return say("the product that it was set for has no key any more")
    return None


# Services


def _start_now(facts: Facts, key: Key) -> Fact[Any]:
    service = facts.services.get(key[1], NOT_ASKED)
    return Known(start_of(facts, key[1])) if isinstance(service, Known) else service


def _start_back(way: Way) -> Step:
    typed = _START_TYPED[way.before]
    if way.before == "Auto":
        typed = way.params.get("was", typed)  # the fact does not tell "delayed"
    params = {"name": way.key[1], "expect": [way.now], "start": typed}
    if "delayed" in way.raw:
        params["delayed"] = way.raw["delayed"]
    return Step(do="restore-start-mode", params={**params, "was": way.params.get("start", "auto")})


def _start_forbidden(facts: Facts, way: Way) -> Text | None:
    if way.before not in _START_TYPED:
        return say("no administrator sets the start mode {mode}", mode=way.before)
    return None


# Windows Time


def _source_now(facts: Facts, key: Key) -> Fact[Any]:
    values: Raw = {}
    for name, fact in (("type", facts.time.type), ("peers", facts.time.peers)):
        if isinstance(fact, Unreadable):
            return fact
        values[name] = value_of(fact)
    return Known(values)


def _source_back(way: Way) -> Step:
    params = {"expect": [way.now], "type": way.before["type"], "peers": way.before["peers"]}
    return Step(do="restore-time-source", params=params)


def _source_forbidden(facts: Facts, way: Way) -> Text | None:
    policies = (facts.time.policy_type, facts.time.policy_peers)
    if any(is_known(fact) for fact in policies):
        return say("group policy sets the time source: it is not touched")
    if any(isinstance(fact, Unreadable) for fact in policies):
        return say("whether group policy sets the time source cannot be read")
    if len(way.before["peers"] or "") >= CUT_TEXT:
        return say("what was there before is too long to be known whole")
    return _domain_forbidden(facts, way)


def _domain_forbidden(facts: Facts, way: Way) -> Text | None:
    role = role_of(facts.os)
    if role is None:
        return say("whether the server is in a domain cannot be read")
    if role != "standalone":
        return say("a domain member takes its time from the domain: it is not touched")
    return None


def _triggers_back(way: Way) -> Step:
    params = {"expect": [way.now], "triggers": way.before}
    return Step(do="restore-time-trigger", params=params)


def _triggers_forbidden(facts: Facts, way: Way) -> Text | None:
    if not set((way.before or "").split()) <= _TRIGGERS:
        return say("what started Windows Time before is more than volact can set")
    return _domain_forbidden(facts, way)


def _limits_now(facts: Facts, key: Key) -> Fact[Any]:
    saved = facts.time.saved
    if isinstance(saved, Unreadable):
        return saved
    return Known("raised" if is_known(saved) else "as they were")


def _limits_back(way: Way) -> Step:
    return Step(do="restore-time-limits")


# The licensing program


def _sddl_back(way: Way) -> Step:
    return Step(do="restore-acl", params={"expect": [way.now], "sddl": way.before})


def _sddl_forbidden(facts: Facts, way: Way) -> Text | None:
    if not way.before or len(way.before) >= CUT_SDDL:
        return say("what was there before is too long to be known whole")
    return None


def _debugger_back(way: Way) -> Step:
    if way.before is None:
        return Step(do="remove-debugger", params={"debugger": way.now})
    return Step(do=RESTORE_DEBUGGER, params={"debugger": way.before})


# The network


def _adapter_now(facts: Facts, key: Key) -> Fact[Any]:
    adapter = facts.adapters.get(key[1], NOT_ASKED)
    if not isinstance(adapter, Known):
        return adapter
    return Known({"dns": list(adapter.value.dns), "fixed": adapter.value.fixed})


def _same_servers(one: Any, other: Any) -> bool:
    """Where DHCP's name servers hold, which ones they are is DHCP's affair."""
    if one.get("fixed") is False:
        return other.get("fixed") is False
    return bool(other.get("fixed") is not False and one.get("dns") == other.get("dns"))


def _adapter_back(way: Way) -> Step:
    servers = way.before["dns"] if way.before["fixed"] else None
    params = {"adapter": way.key[1], "expect": [way.now["dns"]], "servers": servers}
    return Step(do="restore-dns", params=params)


def _adapter_forbidden(facts: Facts, way: Way) -> Text | None:
    if not isinstance(way.before.get("fixed"), bool):
        return say("whether the name servers were DHCP's is not known")
    return None


def _route_now(facts: Facts, key: Key) -> Fact[Any]:
    if not isinstance(facts.routes, Known):
        return facts.routes
    hops = [r.next_hop for r in facts.routes.value if (r.destination, r.mask) == key[1:3]]
    return Known(" ".join(hops))


def _route_back(way: Way) -> Step:
    to = {"destination": way.key[1], "mask": way.key[2]}
    if way.before == "":
        return Step(do="remove-route", params={**to, "gateway": way.now})
    return Step(do="add-route", params={**to, "gateway": way.before})


def _route_forbidden(facts: Facts, way: Way) -> Text | None:
    if " " in (way.before or "") or " " in (way.now or ""):
        return say("there are several routes to that network")
    return None


def _binary(name: str) -> Callable[[Facts, Key], Fact[Any]]:
    def now(facts: Facts, key: Key) -> Fact[Any]:
        fact: Fact[Any] = getattr(facts.binary, name)
        return Known(None) if isinstance(fact, Absent) else fact

    return now


def _triggers_now(facts: Facts, key: Key) -> Fact[Any]:
    return facts.time.triggers


KINDS: dict[str, Kind] = {
    "kms-host": Kind(now=_kms_now, back=_kms_back, forbidden=_kms_forbidden),
    "start-mode": Kind(now=_start_now, back=_start_back, forbidden=_start_forbidden),
    "time-source": Kind(now=_source_now, back=_source_back, forbidden=_source_forbidden),
    "time-trigger": Kind(now=_triggers_now, back=_triggers_back, forbidden=_triggers_forbidden),
    "time-limits": Kind(now=_limits_now, back=_limits_back),
    "acl": Kind(now=_binary("sddl"), back=_sddl_back, forbidden=_sddl_forbidden),
    "debugger": Kind(now=_binary("debugger"), back=_debugger_back),
    "dns": Kind(
        now=_adapter_now, back=_adapter_back, same=_same_servers, forbidden=_adapter_forbidden
    ),
    "route": Kind(now=_route_now, back=_route_back, forbidden=_route_forbidden),
}


def value_now(facts: Facts, key: Key) -> tuple[bool, Any]:
    """Whether a setting can be read, and what it is; absent is ``None``."""
    fact = KINDS[key[0]].now(facts, key)
    return not isinstance(fact, Unreadable), value_of(fact)
