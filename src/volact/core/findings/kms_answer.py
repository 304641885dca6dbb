"""A KMS host that takes connections and does not activate: its clock, its service.

A refusal that the host itself names is the topic of ``kms_host``.
"""

from __future__ import annotations

from datetime import timedelta

from volact.core.assessment import Assessment
from volact.core.assessment.clock import WARNING_S
from volact.core.codes import hex_code, named
from volact.core.findings.firewall import firewall_blocks_kms
from volact.core.findings.foreign import whose
from volact.core.findings.kind import Found, Place, error, evidence_field, reported, warning
from volact.core.findings.reach import needs_of
from volact.model.fact import value_of
from volact.model.profile import HostPort
from volact.model.text import Text, say, typed

_WRONG_TIME = 0xC004F06C
# DCE/RPC was not spoken there, or not for KMS.
_NOT_KMS = frozenset({0x800706B5, 0x800706F7})
_NO_ANSWER = _NOT_KMS | {
    *(0x800706BA, 0x800706BE, 0x800706BF, 0x800705B4, 0x8007274C, 0x80072746, 0xC0020017),
    *(0x8007139F, 0xC004F074),
}
# Windows that is not activated tries every two hours: an older event is not about now.
_FRESH, _JUST_NOW = timedelta(days=1), timedelta(minutes=15)


def _kms_host_clock_wrong(a: Assessment) -> Found | None:
    """The KMS host called the time wrong, and this server's clock is right."""
    host, skew = _failed_at(a), a.clock.skew_s
    if a.attempts.code != _WRONG_TIME or host is None or skew is None or abs(skew) >= WARNING_S:
        return None
    proven = _just_tried(a)
    return (error if proven else warning)(
        say(
            "The KMS host {host} called the time wrong (0xC004F06C), and this server's clock is "
            "right: the KMS host's own clock is off by more than four hours.",
            host=host,
        )
        if proven
        else say(
            "The KMS host {host} called the time wrong (0xC004F06C), and this server's clock is "
            "right now: unless it was set since, the KMS host's own clock is wrong.",
            host=host,
        ),
        {"code": hex_code(_WRONG_TIME), "host": str(host), "at": a.attempts.at, "skew_s": skew},
        remedy=say(
            "KMS administrator: compare the KMS host's clock in UTC, and correct it. On the KMS "
            "host: {command}",
            command=typed("w32tm /query /status"),
        ),
    )


KMS_HOST_CLOCK_WRONG = reported(
    id="kms-host-clock-wrong",
    rule=_kms_host_clock_wrong,
    place=Place.KMS_ANSWER,
    severities=("error", "warning"),
    meaning=say("The KMS host's own clock is wrong."),
    action=say("Tries once more, and reports it; nothing on the server corrects it."),
    blocks="nothing",
    detail=evidence_field("host"),
)


def _kms_host_silent(a: Assessment) -> Found | None:
    host, code = _failed_at(a), a.attempts.code
    if host is None or code not in _NO_ANSWER or a.kms.reach_of(host) != "yes":
        return None
    if firewall_blocks_kms(a) is not None:
        return None
    return (error if _just_tried(a) else warning)(
        say(
            "TCP connects to {host}, and the activation failed ({code}): something other than a "
            "KMS host listens there.",
            host=host,
            code=named(code, a.ctx.knowledge.errors),
        )
        if code in _NOT_KMS
        else _no_answer(a, host, code),
        {"code": hex_code(code), "host": str(host), "at": a.attempts.at},
        remedy=_silent_remedy(a, host),
    )


def _no_answer(a: Assessment, host: HostPort, code: int) -> Text:
    words = {"host": host, "code": named(code, a.ctx.knowledge.errors)}
    if whose(a, host):  # a cloud's own does not stand still unnoticed
        return say(
            "TCP connects to {host}, but the activation got no answer ({code}): most likely "
            "something in between takes the connection.",
            **words,
        )
    return say(
        "TCP connects to {host}, but the activation got no answer ({code}): the KMS service "
        "there is stopped, or something else listens.",
        **words,
    )


def _silent_remedy(a: Assessment, host: HostPort) -> Text:
    if cloud := whose(a, host):
        between = say(
            "Look for what accepts TCP {port} in place of the KMS host, which is {cloud}'s own: a "
            "firewall's rule for applications or HTTP, a proxy, a load balancer, a tunnel. Let the "
            "port through by a rule for addresses and ports.",
            port=host.port,
            cloud=cloud,
        )
        needs = needs_of(a)
        if needs is None:
            return between
        return say("{what} What the provider requires: {needs}", what=between, needs=needs)
    return say(
        "KMS administrator: the Software Protection service must run on the KMS host and "
        "listen on TCP {port}; look for a proxy or load balancer that accepts connections "
        "for it. On the KMS host: {command}",
        port=host.port,
        command=typed(f"netstat -ano -p tcp | findstr :{host.port}"),
    )


KMS_HOST_SILENT = reported(
    id="kms-host-silent",
    rule=_kms_host_silent,
    place=Place.KMS_ANSWER,
    severities=("error", "warning"),
    meaning=say("The KMS host's port takes connections, but activation gets no answer there."),
    action=say("Tries once more, and reports it."),
    blocks="nothing",
    detail=evidence_field("host"),
)


def _failed_at(a: Assessment) -> HostPort | None:
    """The host in use, where the newest attempt failed there not long ago."""
    if a.licence.is_kms_host or (a.licence.all_licensed and not _just_tried(a)):
        return None
    used = [setting.host for p in a.licence.clients if (setting := value_of(p.kms))]
    tried = a.attempts.asked
    if tried is None or not a.attempts.answer or not (_just_tried(a) or _ago(a, _FRESH)):
        return None
    return next((host for host in used if a.kms.names.same(host, tried)), None)


def _just_tried(a: Assessment) -> bool:
    """Whether an activation of this run failed, and the newest event is about it."""
    tried = [result for result in a.results if result.do == "activate"]
    return bool(tried) and not tried[-1].ok and _ago(a, _JUST_NOW)


def _ago(a: Assessment, span: timedelta) -> bool:
    """Whether the newest attempt is within that span, and not from a clock that was ahead."""
    at = a.attempts.moment
    return at is not None and -timedelta(seconds=WARNING_S) <= a.ctx.now - at <= span
