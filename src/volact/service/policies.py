"""What administrators decide for all: approvals, repairs by schedule, retention, messages.

Structs and pure rules; the table and the job of retention live in ``policy_store`` and
``retention``.  A channel is a reference to a variable that holds its URL, never the URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec.structs import replace

from volact.client.wire import RunSpec, Verb
from volact.core.consent import ASKING_STEPS
from volact.core.context import Policy
from volact.core.span import parse_span
from volact.errors import InputError
from volact.model.server import Server
from volact.model.text import Text, count, listed, say
from volact.service.engine.plan import rules_of

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]  # a LIMIT of either database
Variable = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


class ApprovalPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs need a second person, who is never the one who asked for them.

    Attributes:
        verbs: runs of other verbs never need one.
        tags: a run that has a server with one of these needs one.
        providers: the same of providers; ``ovh`` includes ``ovh/dedicated``.  A server whose
            provider is not known may be one of these.
        most_servers: how many servers a run may have without; ``None``: any number.
        consents: a run that allows one of these needs one: names of ``--allow``,
            ``replace-key``, ``override-entitlement``.
    """

    verbs: tuple[Verb, ...] = ("activate", "undo")
    tags: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    most_servers: Count | None = None
    consents: tuple[str, ...] = ()


class RepairPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What schedules may repair, as options of ``watch --repair``.

    Attributes:
        allowed: ``False``: schedules check and repair nothing.
        consents: what a schedule may ask for: names of ``--allow``, ``replace-key``.
        canary: ``--canary`` of a schedule that names none.
        max_failures: ``--max-failures`` of a schedule that names none.
        needs_approval: whether every repair waits for a person, besides the approvals' policy.
    """

    allowed: bool = False
    consents: tuple[str, ...] = ()
    canary: str = "1"
    max_failures: str = "10%"
    needs_approval: bool = False


class RetentionPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long things are kept: ``180d``; ``""``: for ever.  The audit is always kept.

    Attributes:
        runs: runs and their rows; each server's newest row and examination stay.
        least_runs: the newest runs, which stay at any age.
        facts: raw facts of runs, without the newest of each server.
    """

    runs: str = ""
    least_runs: Count = 10
    facts: str = ""


class NotificationChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One recipient of messages; ``variable`` is the name of the variable with its URL."""

    variable: Variable


class NotificationPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told of changes that runs by schedule find.

    ``expiring``: a licence that ends within this time is a change.
    """

    channels: Annotated[tuple[NotificationChannel, ...], msgspec.Meta(max_length=20)] = ()
    expiring: str = "14d"


AnyPolicy = ApprovalPolicy | RepairPolicy | RetentionPolicy | NotificationPolicy
POLICY_TYPES: dict[str, type[AnyPolicy]] = {
    "approvals": ApprovalPolicy,
    "repairs": RepairPolicy,
    "retention": RetentionPolicy,
    "notifications": NotificationPolicy,
}
_NO_OVERRIDE = say("no schedule overrides an entitlement: that is for a person")
_CONSENTS = frozenset({*ASKING_STEPS, "replace-key", "override-entitlement"})


def check_policy(policy: AnyPolicy) -> None:
    """``InputError`` with one line for a value that its type cannot refuse."""
    if isinstance(policy, ApprovalPolicy | RepairPolicy):
        unknown = sorted({*policy.consents} - _CONSENTS)
        if unknown:
            raise InputError(
                say("consents: {words}: not known", words=listed(unknown)),
                say("write some of {words}", words=listed(sorted(_CONSENTS))),
            )
    if isinstance(policy, RepairPolicy):
        if "override-entitlement" in policy.consents:
            raise InputError(_NO_OVERRIDE)
        canary, most = policy.canary, policy.max_failures
        rules_of(RunSpec(verb="activate", inventory="", canary=canary, max_failures=most))
    if isinstance(policy, RetentionPolicy):
        for name in ("runs", "facts"):
            if getattr(policy, name):
                parse_span(getattr(policy, name), name)
    if isinstance(policy, NotificationPolicy):
        parse_span(policy.expiring, "expiring")


def approval_reason(
    policy: ApprovalPolicy, spec: RunSpec, servers: Sequence[Server]
) -> Text | None:
    """Why a run needs a second person; ``None`` if it does not."""
    if spec.verb not in policy.verbs:
        return None
    if policy.most_servers is not None and len(servers) > policy.most_servers:
        return count(policy.most_servers, "more than {n} server", "more than {n} servers")
    asked = sorted(consents_of(spec.policy) & {*policy.consents})
    if asked:
        return say("it allows {what}", what=listed(asked))
    return _reason_of_servers(policy, servers)


def _reason_of_servers(policy: ApprovalPolicy, servers: Sequence[Server]) -> Text | None:
    for server in servers:
        if tagged := [tag for tag in policy.tags if tag in server.tags]:
            return say("it has servers with the tag {tag}", tag=tagged[0])
        for provider in policy.providers:
            if f"{server.provider}/".startswith(f"{provider}/"):
                return say("it has servers of {provider}", provider=provider)
    unknown = (server.name for server in servers if policy.providers and not server.provider)
    if name := next(unknown, ""):
        return say(
            "it has servers whose provider is not known, such as {name}; check them, "
            "or name it in the inventory",
            name=name,
        )
    return None


def consents_of(policy: Policy) -> set[str]:
    """What a run allows, in the words of a policy."""
    found = {*policy.consent}
    if policy.replace_key:
        found.add("replace-key")
    if policy.override_entitlement:
        found.add("override-entitlement")
    return found


def check_scheduled(spec: RunSpec) -> None:
    """``InputError`` for a run that no policy lets a schedule start."""
    if spec.verb == "undo":
        raise InputError(say("an undo is not for schedules"))
    if spec.verb == "activate" and spec.policy.override_entitlement:
        raise InputError(_NO_OVERRIDE)


def scheduled_run(policy: RepairPolicy, spec: RunSpec) -> RunSpec:
    """The run that a schedule starts; ``InputError`` for one that the policy does not allow."""
    check_scheduled(spec)
    if spec.verb != "activate":
        return spec
    if not policy.allowed:
        raise InputError(
            say("schedules may not repair"), say("an administrator allows it in the policy")
        )
    beyond = sorted(consents_of(spec.policy) - {*policy.consents})
    if beyond:
        raise InputError(say("schedules may not allow {what}", what=listed(beyond)))
    return replace(
        spec,
        canary=spec.canary or policy.canary,
        max_failures=spec.max_failures or policy.max_failures,
    )
