"""What is not known: facts that could not be read, rules that failed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from volact.core.assessment import Assessment
from volact.core.assessment.attempts import windows_event
from volact.core.assessment.licence import TIMED_OUT
from volact.core.assessment.service import unread_hooks
from volact.core.codes import hex_code, named
from volact.core.findings.kind import Found, Place, error, reported, warning
from volact.model.fact import ABSENT, NOT_ASKED, Fact, Unreadable, is_unreadable
from volact.model.facts import Product
from volact.model.finding import Finding
from volact.model.text import count, listed, raw, say

_FAILED = say(
    "volact plans no step on a value that it could not read. Look the code up with "
    "volact explain, correct the cause and check again."
)
_TOO_LATE = say(
    "The time of the check was over before this was asked. Check again with a longer {option}.",
    option=raw("--deadline"),
)


def _fact_unreadable(a: Assessment) -> Found | None:
    if a.system.script_host_off:
        return None  # then nothing could be read, and the cause is known
    licence = _licence(a)
    if licence and _explained(a):
        licence = {}
    facts = {**licence, **_others(a)}
    if not facts:
        return None
    make = error if licence else warning
    code = next((failed.hresult for failed in facts.values() if failed.hresult), None)
    what = listed(facts)
    errors = a.ctx.knowledge.errors
    return make(
        say("Could not read {what}: {code}.", what=what, code=named(code, errors))
        if code
        else say("Could not read {what}.", what=what),
        {name: hex_code(f.hresult) if f.hresult else "not asked" for name, f in facts.items()},
        remedy=_TOO_LATE if code == TIMED_OUT else _FAILED,
    )


FACT_UNREADABLE = reported(
    id="fact-unreadable",
    rule=_fact_unreadable,
    place=Place.UNKNOWN,
    severities=("error", "warning"),
    meaning=say("A value that a decision depends on could not be read."),
    action=say("Plans no step that depends on it."),
    blocks="nothing",
    detail=None,
)


def rules_failed(failed: Mapping[str, str]) -> Finding:
    """``rule-failed`` for the findings whose rules raised, each with the type of its error."""
    rule, error_type = next(iter(failed.items()))
    return RULE_FAILED.finding(
        warning(
            count(
                len(failed),
                "{n} rule of volact failed on this server ({rule}: {error}).",
                "{n} rules of volact failed on this server, {rule} first ({error}).",
                rule=rule,
                error=error_type,
            ),
            {"rules": dict(failed)},
            remedy=say(
                "What it would have found is not known. Report this line as a bug of volact; "
                "until it is fixed, volact changes nothing on this server."
            ),
        )
    )


RULE_FAILED = reported(
    id="rule-failed",
    rule=None,
    place=Place.UNKNOWN,
    severities=("warning",),
    meaning=say("A rule of volact failed on the answer of this server: a bug of volact."),
    action=say("Applies all other rules and changes nothing on the server."),
    blocks="everything",
    detail=None,
)


def _licence(a: Assessment) -> dict[str, Unreadable]:
    """The facts that show whether Windows is licensed, where they are missing."""
    facts = a.facts
    if isinstance(facts.products, Unreadable):
        return {"products": facts.products}
    unread = {
        f"products[{index}].status": product.facts.status
        for index, product in enumerate(a.licence.subjects)
        if isinstance(product.facts.status, Unreadable)
    }
    if a.licence.undetermined:
        unread["products"] = Unreadable()
    return unread


def _explained(a: Assessment) -> bool:
    """Whether another finding already explains why licensing is silent; what answered is not."""
    if not is_unreadable(a.facts.products):
        return False
    blocked = a.service.obstacle is not None or bool(a.lost_rights)
    return blocked or a.service.held_down or a.service.stopped


def _others(a: Assessment) -> dict[str, Unreadable]:
    """Further facts that a plan rests on."""
    facts = a.facts
    service = a.system.licensing_service
    asked = {
        "os.build": facts.os.build,
        "os.sku": facts.os.sku,
        "os.role": facts.os.role,
        "binary.debugger": facts.binary.debugger,
        "kms.policy": a.kms.policy,
        "kms.service": a.kms.service,
        f"services.{service}": facts.services.get(service, NOT_ASKED),
    }
    unread = {name: fact for name, fact in asked.items() if isinstance(fact, Unreadable)}
    unread |= {name: Unreadable() for name in ("os.build", "os.sku") if asked[name] == ABSENT}
    unread |= unread_hooks(facts.binary)
    if a.licence.all_licensed:
        unread |= _last_activation(a)
    if a.licence.all_licensed and not a.kms.by_dns:
        unread |= _host_in_use(a)
    if a.clock.skew_s is None:
        unread["time.utc"] = Unreadable()
    hosts = a.kms.accepted
    if hosts and all(a.kms.reach_of(host) == "unknown" for host in hosts):
        unread["reach"] = Unreadable()
    return unread


def _last_activation(a: Assessment) -> dict[str, Unreadable]:
    """What hides by what a client was activated last: a KMS host, Active Directory, a token."""
    hidden = {
        "products.VLActivationType": any(p.by_directory is None for p in a.licence.clients),
        "products.TokenActivationILVID": any(p.by_token is None for p in a.licence.clients),
    }
    return next(({name: Unreadable()} for name, missing in hidden.items() if missing), {})


def _host_in_use(a: Assessment) -> dict[str, Unreadable]:
    """What hides by which KMS host a client is licensed; group policy and service are named."""
    hidden = next((p for p in a.licence.clients if is_unreadable(p.kms)), None)
    if hidden is None or is_unreadable(a.kms.policy):
        return {}
    if is_unreadable(hidden.own_kms):
        return _first_unread(_own_layer(hidden.facts))
    if is_unreadable(a.kms.service):
        return {}
    events = {f"events.{id}": windows_event(a.facts, id) for id in ("12288", "12289")}
    return _first_unread(_discovered_layer(a, hidden.facts) | events)


def _own_layer(product: Product) -> dict[str, Fact[Any]]:
    return {
        "products.KeyManagementServiceMachine": product.kms_machine,
        "products.KeyManagementServicePort": product.kms_port,
    }


def _discovered_layer(a: Assessment, product: Product) -> dict[str, Fact[Any]]:
    if a.system.family == "2008":
        registry = a.facts.registry
        return {
            "registry.discovered_name": registry.discovered_name,
            "registry.discovered_port": registry.discovered_port,
        }
    return {
        "products.DiscoveredKeyManagementServiceMachineName": product.discovered_name,
        "products.DiscoveredKeyManagementServiceMachinePort": product.discovered_port,
    }


def _first_unread(facts: dict[str, Fact[Any]]) -> dict[str, Unreadable]:
    unread = ((name, fact) for name, fact in facts.items() if isinstance(fact, Unreadable))
    return dict(islice(unread, 1))
