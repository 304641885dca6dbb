"""How long the licence lasts, and does its renewal work?"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.licence import FULL_TERM_MIN, ProductState
from volact.core.findings.clock import duration
from volact.core.findings.kind import (
    FindingKind,
    Found,
    Place,
    error,
    info,
    on_server,
    reported,
    warning,
)
from volact.model.fact import ABSENT, value_of
from volact.model.text import Text, count, raw, say, typed

DEFAULT_RENEWAL_MIN = 10_080  # 7 days
_BY_DOMAIN = say(
    "Active Directory renews this licence, and volact leaves it to the domain. Check the way to a "
    "domain controller (DNS, TCP 389, the computer's account): {command}",
    command=typed("nltest /dsgetdc:"),
)
_BY_TOKEN = say(
    "A token has given this licence, and volact activates by none: renew it with the token."
)


def _grace_ending(a: Assessment) -> Found | None:
    ending = a.renewal.ending
    if not ending:
        return None
    left = min(product.left_min for product in ending)
    by_kms = any(product.by_kms for product in ending)
    return error(
        count(
            left // 1440,
            "The licence ends in {n} day; it was last renewed {since} days ago.",
            "The licence ends in {n} days; it was last renewed {since} days ago.",
            since=(FULL_TERM_MIN - left) // 1440,
        ),
        {"left_min": left},
        repair="automatic" if by_kms else "manual",
        remedy=_renewal_remedy(a, ending),
    )


def _renewal_remedy(a: Assessment, ending: tuple[ProductState, ...]) -> Text:
    """The way by which the licence was given."""
    if all(product.by_directory for product in ending):
        return _BY_DOMAIN
    if all(product.by_kms is False for product in ending):
        return _BY_TOKEN
    return on_server(a.console.activate())


GRACE_ENDING = FindingKind(
    id="grace-ending",
    rule=_grace_ending,
    place=Place.LICENCE,
    severities=("error",),
    meaning=say("Windows is licensed, but the licence ends within 30 days."),
    action=say("Activates again, which renews the licence for 180 days."),
    blocks="nothing",
    calls_for="activation",
    consent="",
    repair_steps=None,
    detail=None,
)


def _renewal_overdue(a: Assessment) -> Found | None:
    # A token's licence is renewed with the token, not every few days.
    renewed = (p for p in a.renewal.with_term if not p.by_token)
    late = [p for p in renewed if _since_min(p) > 2 * _interval_min(p)]
    if not late:
        return None
    since = max(_since_min(product) for product in late)
    return warning(
        say(
            "The last renewal was {since} ago; one is due every {interval}.",
            since=duration(60 * since),
            interval=duration(60 * _interval_min(late[0])),
        ),
        {"since_min": since, "interval_min": _interval_min(late[0])},
        remedy=say(
            "On the server: {command}, and note the error code. If it succeeds, Windows may "
            "not have tried by itself: the scheduled task {task} and the Task Scheduler must be "
            "enabled.",
            command=typed(a.console.activate()),
            task=raw(r"\Microsoft\Windows\SoftwareProtectionPlatform\SvcRestartTask"),
        ),
    )


RENEWAL_OVERDUE = reported(
    id="renewal-overdue",
    rule=_renewal_overdue,
    place=Place.LICENCE,
    severities=("warning",),
    meaning=say("Windows is licensed, but two weekly renewals in a row did not happen."),
    action=say("Reports it; the licence is valid, so nothing changes."),
    blocks="nothing",
    detail=None,
)


def _rearm_exhausted(a: Assessment) -> Found | None:
    if value_of(a.facts.licensing.rearm) != 0:
        return None
    return info(
        say("No rearm is left, so images made from this server cannot get a new identity."),
        {"rearm": 0},
        remedy=say("Activation does not need one. Create new images from a fresh installation."),
    )


REARM_EXHAUSTED = reported(
    id="rearm-exhausted",
    rule=_rearm_exhausted,
    place=Place.LICENCE,
    severities=("info",),
    meaning=say("No rearm is left; this matters for images, not for activation."),
    action=say("Reports it."),
    blocks="nothing",
    detail=None,
)


def _since_min(product: ProductState) -> int:
    return FULL_TERM_MIN - product.left_min


def _interval_min(product: ProductState) -> int:
    interval = value_of(product.facts.other.get("VLRenewalInterval", ABSENT))
    return interval if isinstance(interval, int) and interval else DEFAULT_RENEWAL_MIN
