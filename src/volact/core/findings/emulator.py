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
from volact.core.assessment.kms_setting import KmsSetting
from volact.core.assessment.licence import FULL_TERM_MIN
from volact.core.consent import MOVE_KMS, allow, repair_with
from volact.core.findings.kind import FindingKind, Found, Place, error
from volact.core.findings.kms_setting import kms_host_wrong, overrides
from volact.model.fact import Fact, Known, Unreadable, value_of
from volact.model.profile import HostPort
from volact.model.text import Text, joined, say, typed

# Names under which emulators install themselves as services; asked for in facts.js.
ODD_SERVICES = ("Service KMSELDI", "KMService", "KMSEmulator", "vlmcsd")
# Libraries and programs that change the answers of a KMS host on the server that asks.
_HOOKS = ("SppExtComObjHook", "SppExtComObjPatcher", "SECOH-QAD")
# Twice the longest term that a KMS host or Active Directory gives.
_IMPOSSIBLE_MIN = 2 * FULL_TERM_MIN


def _emulator_suspected(a: Assessment) -> Found | None:
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
    remedy = _replaced(a)
    if "hooks" in evidence:
        remedy = say(
            "Find out what was installed, and remove it and what it set in the registry: {keys}. "
            "Until then an activation of this server proves nothing, and volact tries none.",
            keys=joined(key for key, _ in _hooks(a)),
        )
        return error(summary, evidence, repair="manual", remedy=remedy)
    if (by_hand := _left_settings(a)) is not None:
        return error(summary, evidence, repair="manual", remedy=by_hand)
    # Where only a service is odd, there is nothing to set or to activate.
    honest = "hosts" in evidence or "ends" in evidence or not a.licence.all_licensed
    repair = repair_with(MOVE_KMS, a.ctx) if honest else "manual"
    return error(summary, evidence, repair=repair, remedy=remedy)


def _replaced(a: Assessment) -> Text:
    """What takes an emulator's place."""
    option = allow(MOVE_KMS)
    if a.ctx.knowledge.profile.own_hosts:
        return say(
            "Find out what was installed, and remove it. Then activate at a genuine KMS host; "
            "volact sets the one named with --kms-host with {option}.",
            option=option,
        )
    return say(
        "Find out what was installed, and remove it. Then activate at a genuine KMS host; volact "
        "sets the provider's with {option}.",
        option=option,
    )


EMULATOR_SUSPECTED = FindingKind(
    id="emulator-suspected",
    rule=_emulator_suspected,
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


def _left_settings(a: Assessment) -> Text | None:
    """What to do by hand about settings that volact changes with no option; ``None``: none.

    Group policy, what it overrides, what a product's right host overrides, and what is
    the domain's own.
    """
    if isinstance(a.kms.policy, Unreadable) or not any(_own_hosts(a)):
        return None
    if _names_itself(a, a.kms.policy):
        return say(
            "Find out what was installed, and remove it. volact does not override group policy: "
            "set the policy to a genuine KMS host, then on the server: {command}",
            command=typed("gpupdate /force"),
        )
    left = list(_unchanged(a))
    if not left:
        return None
    return say(
        "Find out what was installed, and remove it. volact does not change {settings} here; on "
        "the server: {commands}",
        settings=joined(dict.fromkeys(setting for setting, _ in left)),
        commands=typed(*(command for _, command in left)),
    )


def _unchanged(a: Assessment) -> Iterator[tuple[Text, str]]:
    """The settings with an own host that no other finding repairs, and what clears each."""
    # A key that no KMS host activates is replaced first; then the setting is repaired.
    final = a.kms.applies or a.licence.all_licensed or not a.kms.accepted
    if final and _names_itself(a, a.kms.service) and kms_host_wrong(a) is None:
        yield say("the server-wide KMS host"), a.console.clear_kms_host()
    repaired = [value_of(product.facts.id) for product, _ in overrides(a)]
    for product in a.licence.clients:
        id = value_of(product.facts.id)
        if id and id not in repaired and _names_itself(a, product.own_kms):
            yield say("a product's own KMS host"), a.console.clear_kms_host(id)


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
        if isinstance(setting, Known) and _names_itself(a, setting):
            yield str(setting.value.host)


def _names_itself(a: Assessment, setting: Fact[KmsSetting]) -> bool:
    """Whether a setting names this server, which is not known as a KMS host of a cloud."""
    if not isinstance(setting, Known):
        return False
    host = setting.value.host
    known = a.kms.is_the_providers(host) or owners(host, a.ctx.clouds)
    return not known and _is_own(a, host)


def _is_own(a: Assessment, host: HostPort) -> bool:
    name = plain_name(host.host)
    own = value_of(a.facts.os.name)
    if name in {"localhost", plain_name(own or "localhost"), *(value_of(a.facts.addresses) or ())}:
        return True
    address = address_of(name)
    return address is not None and (
        address.is_loopback or address.is_link_local or address.is_unspecified
    )
