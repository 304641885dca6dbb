"""A MAK or retail key, which Microsoft activates online: why that failed.

Whether the key is of the right channel is the topic of ``channel``.
"""

from __future__ import annotations

from typing import Literal

from volact.core.assessment import Assessment
from volact.core.assessment.licence import ProductState
from volact.core.codes import hex_code
from volact.core.findings.channel import OWN_KEYS
from volact.core.findings.kind import Found, Place, error, evidence_field, reported
from volact.model.fact import value_of
from volact.model.text import Text, say, typed

Why = Literal[
    "blocked", "used-up", "refused", "hardware", "name", "no-path", "proxy", "tls", "service"
]

_WHY: dict[int, Why] = {
    **dict.fromkeys((0xC004C003, 0xC004C017, 0xC004C060, 0xC004F051), "blocked"),
    **dict.fromkeys((0xC004C008, 0xC004C020, 0xC004C021), "used-up"),
    **dict.fromkeys((0xC004C001, 0xC004C004, 0xC004C00D, 0xC004C016), "refused"),
    **dict.fromkeys((0xC004F00F, 0xC004F211), "hardware"),
    **dict.fromkeys((0x80072EE7, 0x80072AF9, 0x80072AFC), "name"),
    **dict.fromkeys((0x80072EE2, 0x80072EFD, 0x80072EFE, 0x80072EFF, 0x8007274C), "no-path"),
    **dict.fromkeys((0x80190197, 0x80072F76, 0x80072F78, 0x8004FE33), "proxy"),
    **dict.fromkeys((0x80072F8F, 0x80072F7D, 0x80072F06, 0x80072F0D), "tls"),
    **dict.fromkeys((0xC004B100, 0xC004FC03), "service"),
}
_PATHS: dict[str, Why] = {
    "name": "name",
    **dict.fromkeys(("filtered", "refused", "local"), "no-path"),
}
_REASONS: dict[Why, Text] = {
    "blocked": say("Microsoft has blocked the key"),
    "used-up": say("no activations are left for the key"),
    "refused": say("Microsoft does not activate the key online"),
    "hardware": say("its activation was bound to other hardware"),
    "name": say("the name of its activation service does not resolve"),
    "no-path": say("its activation service does not answer this server"),
    "proxy": say("the proxy of WinHTTP does not let the request through"),
    "tls": say("the TLS connection was not trusted"),
    "service": say("its activation service could not do it"),
}
_PATH = say(
    "Let the server reach Microsoft's activation service by TCP 443 and 80, directly or by the "
    "proxy of WinHTTP, without a login (to see it: {command}). Windows uses no user's proxy.",
    command=typed("netsh winhttp show proxy"),
)
_REMEDIES: dict[Why, Text] = {
    "blocked": say("Microsoft has blocked this key: use another key that you own."),
    "used-up": say(
        "No activations are left for this key: ask Microsoft's Volume Licensing Service Center "
        "for more, or use another key that you own."
    ),
    "refused": say("Microsoft does not activate this key online: use another key that you own."),
    "hardware": say(
        "The licence must cover this machine: a MAK has one activation less then, a retail key "
        "moves only as its terms say, and activation by telephone ({command}) is there, too.",
        command=typed("slui 4"),
    ),
    "name": _PATH,
    "no-path": _PATH,
    "proxy": _PATH,
    "tls": say(
        "Correct the clock, install current root certificates, and exempt Microsoft's activation "
        "service from TLS inspection."
    ),
    "service": say(
        "Try again later; if it stays, activate by telephone ({command}).", command=typed("slui 4")
    ),
}


def _online_activation_failed(a: Assessment) -> Found | None:
    product = next((p for p in a.licence.unlicensed if p.channel in ("mak", "retail")), None)
    if product is None or a.licence.in_use or a.licence.is_kms_host:
        return None
    proxy = value_of(a.facts.online.proxy)
    told = (a.attempts.code, product.reason)
    code = next((code for code in told if code in _WHY), None)
    path = _PATHS.get(value_of(a.facts.online.outcome) or "")
    why = _WHY[code] if code is not None else path
    if why is None:
        return None
    if why in ("name", "no-path") and proxy:
        why = "proxy"
    return error(
        _summary(a, product, why, code),
        {
            "code": None if code is None else hex_code(code),
            "why": why,
            "proxy": proxy,
            "reach": value_of(a.facts.online.outcome),
            "channel": product.channel,
            "partial_key": product.partial_key,
        },
        remedy=say(
            "{remedy} Then on the server: {command}. Where a volume licence covers it, a KMS "
            "client key needs no access to Microsoft.",
            remedy=_REMEDIES[why],
            command=typed(a.console.activate()),
        ),
    )


def _summary(a: Assessment, product: ProductState, why: Why, code: int | None) -> Text:
    key, reason = OWN_KEYS[product.channel], _REASONS[why]
    if code is None:
        return say(
            "Windows has {key}, which Microsoft activates online: {why}.", key=key, why=reason
        )
    if why == "hardware":
        return say("Windows has {key}; {why} ({code}).", key=key, why=reason, code=hex_code(code))
    return say(
        "Windows has {key}, which Microsoft activates online, and that failed: {why} ({code}).",
        key=key,
        why=reason,
        code=hex_code(code),
    )


ONLINE_ACTIVATION_FAILED = reported(
    id="online-activation-failed",
    rule=_online_activation_failed,
    place=Place.KEY,
    severities=("error",),
    meaning=say("A MAK or retail key could not be activated at Microsoft."),
    action=say("Reports why: blocked, used up, or no way to Microsoft."),
    blocks="nothing",
    detail=evidence_field("why"),
)
