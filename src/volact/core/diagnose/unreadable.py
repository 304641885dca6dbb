"""What could not be asked, and therefore decides nothing."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.codes import hex_code, named
from volact.core.diagnose.case import error, warning
from volact.core.diagnose.rights import rights_lost
from volact.model.fact import NOT_ASKED, Unreadable
from volact.model.finding import Finding
from volact.model.text import listed, say


def fact_unreadable(a: Assessment) -> Finding | None:
    """A fact that decisions rest on could not be read."""
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
        "fact-unreadable",
        say("The server could not say {what}: {code}.", what=what, code=named(code, errors))
        if code
        else say("The server could not say {what}.", what=what),
        {name: hex_code(f.hresult) if f.hresult else "not asked" for name, f in facts.items()},
        remedy=say(
            "volact plans nothing on what it could not read. Look the code up with "
            "volact explain, mend the cause and look again."
        ),
    )


def _licence(a: Assessment) -> dict[str, Unreadable]:
    """The facts that say whether Windows is licensed, where they are missing."""
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
    """Whether another finding already says why licensing is silent."""
    blocked = a.service.obstacle is not None or rights_lost(a) is not None
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
    if a.clock.skew_s is None:
        unread["time.utc"] = Unreadable()
    hosts = a.kms.accepted
    if hosts and all(a.kms.reach_of(host) == "unknown" for host in hosts):
        unread["reach"] = Unreadable()
    return unread
