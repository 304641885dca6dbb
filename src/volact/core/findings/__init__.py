"""The registry of all kinds of findings, and the rules applied to one server.

A finding is declared beside its rule, in the module of its topic; its place
among the findings of a server is its ``place``.  Here a new topic gets its line
in ``TOPICS``, a new finding of a topic nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from volact.core.accept import accept
from volact.core.assessment import Assessment
from volact.core.findings import (
    attempts,
    azure,
    channel,
    clock,
    directory,
    edition,
    emulator,
    entitlement,
    firewall,
    fleet,
    foreign,
    hardware_clock,
    key,
    kms_answer,
    kms_host,
    kms_policy,
    kms_setting,
    license,
    network,
    online,
    other_keys,
    program,
    reach,
    rights,
    services,
    session,
    store,
    term,
    time_service,
    unknown,
)
from volact.core.findings.kept_licence import left_to_a_person
from volact.core.findings.kind import FindingKind
from volact.model.finding import Finding

# Within one place, findings come in this order of topics.
TOPICS = (
    session,
    edition,
    azure,
    entitlement,
    emulator,
    rights,
    services,
    program,
    clock,
    hardware_clock,
    time_service,
    key,
    channel,
    online,
    kms_policy,
    kms_setting,
    kms_host,
    kms_answer,
    directory,
    firewall,
    reach,
    network,
    store,
    license,
    foreign,
    attempts,
    term,
    other_keys,
    unknown,
    fleet,
)


def _declared() -> Iterator[FindingKind]:
    for topic in TOPICS:
        yield from (value for value in vars(topic).values() if isinstance(value, FindingKind))


# Topic by topic, as rules are applied; and the cause before what it brings about.
_BY_TOPIC: tuple[FindingKind, ...] = tuple(dict.fromkeys(_declared()))
KINDS = tuple(sorted(_BY_TOPIC, key=lambda kind: kind.place))
BY_ID: dict[str, FindingKind] = {kind.id: kind for kind in KINDS}
if len(BY_ID) != len(KINDS):
    raise ImportError("two kinds of findings share an id")

_SEVERITIES = {"error": 0, "warning": 1, "info": 2, "accepted": 3}


def diagnose(a: Assessment, kinds: Iterable[FindingKind] = _BY_TOPIC) -> tuple[Finding, ...]:
    """What is wrong or notable on a server.

    A rule that raises costs only its own finding: ``rule-failed`` names it.

    Args:
        a: the server as it was assessed.
        kinds: whose rules are applied.

    Returns:
        The findings, errors first, every id once; those that the operator accepts are
        marked so, and last.
    """
    placed: list[tuple[FindingKind, Finding]] = []
    failed: dict[str, str] = {}
    for kind in kinds:
        try:
            if kind.rule is not None and (one := kind.rule(a)) is not None:
                placed.append((kind, kind.finding(one)))
        except Exception as error:  # any error: the other rules go on
            failed[kind.id] = type(error).__name__
    placed.sort(key=lambda one: one[0].place)
    found = [finding for _, finding in left_to_a_person(placed, a)]
    if failed:
        found.append(unknown.rules_failed(failed))
    marked = accept(found, a.ctx.expected, a.ctx.now)
    wrong = [finding for finding in marked if finding.severity in ("error", "warning")]
    if [finding.id for finding in wrong] == [license.NOT_LICENSED.id]:
        marked = tuple(license.alone(one) if one in wrong else one for one in marked)
    return tuple(sorted(marked, key=lambda finding: _SEVERITIES[finding.severity]))
