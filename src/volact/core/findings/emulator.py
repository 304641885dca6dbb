"""Signs of a KMS emulator or of a forged licence.

A sign is no proof: a tunnel may end at the server itself.  So such a server is
left alone as a whole until the operator agrees to ``--allow move-kms``.  Then only
honest repairs follow: the provider's own KMS host and a genuine activation.
Services, tasks and files of an emulator are never touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from volact.core.assessment import Assessment
from volact.core.assessment.hosts import address_of, owners, plain_name
from volact.core.assessment.licence import FULL_TERM_MIN
from volact.core.consent import MOVE_KMS, allow, repair_with
from volact.core.findings.kind import FindingKind, Found, Place, error
from volact.model.fact import Known, value_of
from volact.model.profile import HostPort
from volact.model.text import Text, joined, say

# Names under which emulators install themselves as services; asked for in facts.js.
ODD_SERVICES = ("Service KMSELDI", "KMService", "KMSEmulator", "vlmcsd")
# Libraries and programs that change the answers of a KMS host on the server that asks.
_HOOKS = ("SppExtComObjHook", "SppExtComObjPatcher", "SECOH-QAD")
# Twice the longest term that a KMS host or Active Directory gives.
_IMPOSSIBLE_MIN = 2 * FULL_TERM_MIN


def emulator_suspected(a: Assessment) -> Found | None:
    """A KMS host that is this server itself, a term beyond all terms, an emulator's service.

    Or a library that is loaded into the programs that ask: while it is there, an activation
    proves nothing, so none is tried, with no option either.
    """
    signs, evidence = _signs(a)
    if not signs:
        return None
    summary = say(
        "There are signs of a KMS emulator or a forged licence: {signs}.", signs=joined(signs)
    )
    remedy = say(
        "Find out what was installed, and remove it. Then activate at a genuine KMS host; volact "
        "sets the provider's with {option}.",
        option=allow(MOVE_KMS),
    )
    if "hooks" in evidence:
        remedy = say(
            "Find out what was installed, and remove it and what it set in the registry: {keys}. "
            "Until then an activation of this server proves nothing, and volact tries none.",
            keys=joined(key for key, _ in _hooks(a)),
        )
        return error(summary, evidence, repair="manual", remedy=remedy)
    # Where only a service is odd, there is nothing to set or to activate.
    honest = "hosts" in evidence or "ends" in evidence or not a.licence.all_licensed
    repair = repair_with(MOVE_KMS, a.ctx) if honest else "manual"
    return error(summary, evidence, repair=repair, remedy=remedy)


EMULATOR_SUSPECTED = FindingKind(
    id="emulator-suspected",
    rule=emulator_suspected,
    place=Place.ENTITLEMENT,
    severities=("error",),
    meaning=say("There are signs of a KMS emulator or a forged licence."),
    action=say(
        "Changes nothing on such a server; with --allow move-kms only sets the provider's KMS "
        "host and activates there. It never removes software."
    ),
    blocks="everything",
    calls_for="work",
    consent=allow(MOVE_KMS),
    repair_steps=None,
    detail=None,
)


def _signs(a: Assessment) -> tuple[tuple[Text, ...], dict[str, Any]]:
    hosts = tuple(dict.fromkeys(_own_hosts(a)))
    forged = [p for p in a.licence.clients if p.licensed and p.left_min > _IMPOSSIBLE_MIN]
    services = [name for name in ODD_SERVICES if isinstance(a.facts.services.get(name), Known)]
    signs: list[Text] = []
    if hosts:
        signs.append(
            say("the KMS host {host} is this server itself or its own link", host=hosts[0])
        )
    if forged:
        ends = forged[0].ends(a.ctx.now)
        signs.append(
            say("the licence ends on {date}, and KMS licenses for 180 days", date=ends[:10])
            if ends
            else say("the licence ends beyond every date, and KMS licenses for 180 days")
        )
    if services:
        signs.append(say("the service {name} is one of an emulator", name=services[0]))
    hooks = [value for _, value in _hooks(a)]
    if hooks:
        signs.append(
            say("{library} is set for a licensing program and can forge answers", library=hooks[0])
        )
    found = {
        "hooks": hooks,
        "hosts": hosts,
        "ends": [p.ends(a.ctx.now) for p in forged],
        "services": services,
    }
    return tuple(signs), {name: values for name, values in found.items() if values}


def _hooks(a: Assessment) -> Iterator[tuple[str, str]]:
    """Values of Image File Execution Options by which answers can be forged, by their names."""
    for image in a.service.images:
        if image.verifier:
            yield f"{image.program}\\VerifierDlls", image.verifier
        debugger = image.debugger or ""
        if any(name.lower() in debugger.lower() for name in _HOOKS):
            yield f"{image.program}\\Debugger", debugger


def _own_hosts(a: Assessment) -> Iterator[str]:
    """KMS hosts that no network reaches: this server itself, or its own link."""
    if a.licence.is_kms_host or a.licence.undetermined:
        return
    layers = [
        a.kms.policy,
        a.kms.service,
        *(f for p in a.licence.clients for f in (p.own_kms, p.kms)),
    ]
    for setting in layers:
        if not isinstance(setting, Known):
            continue
        host = setting.value.host
        known = a.kms.is_the_providers(host) or owners(host, a.ctx.clouds)
        if not known and _is_own(a, host):
            yield str(host)


def _is_own(a: Assessment, host: HostPort) -> bool:
    name = plain_name(host.host)
    own = value_of(a.facts.os.name)
    if name in {"localhost", plain_name(own or "localhost"), *(value_of(a.facts.addresses) or ())}:
        return True
    address = address_of(name)
    return address is not None and (
        address.is_loopback or address.is_link_local or address.is_unspecified
    )
