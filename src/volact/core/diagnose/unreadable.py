"""What could not be asked, and therefore decides nothing."""

from __future__ import annotations

from volact.core.clock import skew_s
from volact.core.codes import hex_code, named
from volact.core.diagnose.binary import blocked_by
from volact.core.diagnose.case import Case, error, warning
from volact.core.diagnose.kms import licensing_held_down
from volact.core.diagnose.rights import rights_lost
from volact.core.diagnose.services import service_stopped
from volact.core.diagnose.system import wsh_disabled
from volact.core.kms import accepted_hosts, policy_setting, reach_of, service_setting
from volact.core.licensing import subjects, undetermined
from volact.core.release import licensing_service
from volact.model.fact import NOT_ASKED, Unreadable
from volact.model.finding import Finding
from volact.model.text import listed, say


def fact_unreadable(case: Case) -> Finding | None:
    """A fact that decisions rest on could not be read."""
    if wsh_disabled(case):
        return None  # then nothing could be read, and the cause is known
    licence = _licence(case)
    if licence and _explained(case):
        licence = {}
    facts = {**licence, **_others(case)}
    if not facts:
        return None
    make = error if licence else warning
    code = next((failed.hresult for failed in facts.values() if failed.hresult), None)
    what = listed(facts)
    errors = case.ctx.knowledge.errors
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


def licence_unreadable(case: Case) -> bool:
    """Whether nobody knows if Windows is licensed."""
    return bool(_licence(case))


def _licence(case: Case) -> dict[str, Unreadable]:
    """The facts that say whether Windows is licensed, where they are missing."""
    facts = case.facts
    if isinstance(facts.products, Unreadable):
        return {"products": facts.products}
    unread = {
        f"products[{index}].status": product.status
        for index, product in enumerate(subjects(facts))
        if isinstance(product.status, Unreadable)
    }
    if undetermined(facts):
        unread["products"] = Unreadable()
    return unread


def _explained(case: Case) -> bool:
    """Whether another finding already says why licensing is silent."""
    blocked = blocked_by(case.facts) is not None or rights_lost(case) is not None
    return blocked or licensing_held_down(case) or service_stopped(case) is not None


def _others(case: Case) -> dict[str, Unreadable]:
    """Further facts that a plan rests on."""
    facts = case.facts
    service = licensing_service(facts.os)
    asked = {
        "os.build": facts.os.build,
        "os.sku": facts.os.sku,
        "os.role": facts.os.role,
        "binary.debugger": facts.binary.debugger,
        "kms.policy": policy_setting(facts),
        "kms.service": service_setting(facts),
        f"services.{service}": facts.services.get(service, NOT_ASKED),
    }
    unread = {name: fact for name, fact in asked.items() if isinstance(fact, Unreadable)}
    if skew_s(facts) is None:
        unread["time.utc"] = Unreadable()
    hosts = accepted_hosts(facts, case.ctx)
    if hosts and all(reach_of(facts, host) == "unknown" for host in hosts):
        unread["reach"] = Unreadable()
    return unread
