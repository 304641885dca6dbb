"""Bundling: outcomes of a plan, with the raw facts behind them, into one file's value.

Nothing is asked here.  Every name goes through ``pseudonyms``; what was judged is
judged once more on the facts without names, so that a bundle whose redaction
changed a verdict shows that at once.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from volact import __version__
from volact.bundle.document import Bundle, BundledInput, BundledServer, Judged
from volact.bundle.pseudonyms import Pseudonyms
from volact.core.context import Context
from volact.knowledge.provider_files import is_own
from volact.model.profile import HostPort
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.model.step import Intent
from volact.pipeline import Outcome, RunRecorder
from volact.pipeline.run_recorder import ProbeKind


class FactsRecorder:
    """A recorder that holds the newest raw facts of each server, for a bundle of them."""

    def __init__(self, inner: RunRecorder) -> None:
        self.facts: dict[str, dict[str, Any]] = {}
        self._inner = inner

    def seen(self, server: str, probe: ProbeKind, facts: dict[str, Any]) -> None:
        """Hold the facts of this probe, and pass them on."""
        self.facts[server] = facts
        self._inner.seen(server, probe, facts)

    async def sending(self, intent: Intent) -> None:
        """Pass it on."""
        await self._inner.sending(intent)

    def withdrawn(self, intent: Intent) -> None:
        """Pass it on."""
        self._inner.withdrawn(intent)


def bundle_of(
    outcomes: Iterable[Outcome],
    facts: Mapping[str, dict[str, Any]],
    pseudonyms: Pseudonyms,
    kms_hosts: tuple[HostPort, ...] = (),
) -> Bundle:
    """One bundle of all these servers, in their order.

    Args:
        outcomes: probes that were planned.
        facts: the raw facts behind them, by the server's name.
        pseudonyms: already knows the names of the inventory and of the logins.
        kms_hosts: KMS hosts that the operator named instead of the provider's.
    """
    servers = [
        _server(f"server-{number}", outcome, facts.get(outcome.server.name), pseudonyms, kms_hosts)
        for number, outcome in enumerate(outcomes, 1)
    ]
    return Bundle(volact=__version__, python=platform.python_version(), servers=tuple(servers))


def names_of(servers: Iterable[Server]) -> Iterable[str]:
    """Every name by which the inventory knows its servers and their logins."""
    for server in servers:
        yield server.name
        for address in (server.address, *(server.ssh.jump or ())):
            yield address.host
            yield from _account(address.user or "")
        yield from _account(server.credential.user)


def _account(user: str) -> Iterable[str]:
    """``CORP\\tom`` and ``tom@corp.example``: the account and its domain."""
    return re.split(r"[\\@]", user)


def judged_of(report: ServerReport) -> Judged:
    """What of a row a replay compares."""
    return Judged(
        provider=_provider(report.provider),
        verdict=report.verdict,
        findings={finding.id: finding.severity for finding in report.findings},
        plan=tuple(str(step["do"]) for step in report.plan),
        refusals=tuple(str(refusal["finding"]) for refusal in report.refusals),
        error=report.error.kind if report.error else "",
    )


def _server(
    name: str,
    outcome: Outcome,
    raw: dict[str, Any] | None,
    pseudonyms: Pseudonyms,
    kms_hosts: tuple[HostPort, ...],
) -> BundledServer:
    report, exam = outcome.report, outcome.examination
    if exam is not None and _is_own(report.provider):
        kms_hosts = kms_hosts or exam.ctx.knowledge.profile.all_kms_hosts()
    for host in kms_hosts:
        pseudonyms.learn(host.host)
    public = exam.ctx.knowledge.profile.images if exam else {}
    seen = None if raw is None or exam is None else pseudonyms.facts(raw, public)
    at = exam.ctx.now if exam else datetime.now(UTC)
    return BundledServer(
        name=name,
        transport=outcome.server.address.scheme,
        at=at.isoformat(),
        elapsed_s=report.elapsed_s,
        clock=exam.facts.clock if exam else None,
        facts=seen,
        asked=BundledInput() if exam is None else _asked(exam.ctx, outcome, pseudonyms, kms_hosts),
        judged=judged_of(report),
        message=pseudonyms.text(str(report.error.message)) if report.error else "",
    )


def _is_own(provider: str | None) -> bool:
    return is_own((provider or "").partition("/")[0])


def _provider(name: str | None) -> str | None:
    """The operator's own profile is not there where the bundle is read."""
    return "generic" if _is_own(name) else name


def _asked(
    ctx: Context, outcome: Outcome, pseudonyms: Pseudonyms, kms_hosts: tuple[HostPort, ...]
) -> BundledInput:
    profile, policy = ctx.knowledge.profile, ctx.policy

    def image(id: str) -> str:
        return id if id in profile.images else pseudonyms.text(id)

    return BundledInput(
        provider=_provider(outcome.report.provider) or "",
        kms_hosts=tuple(pseudonyms.text(str(host)) for host in kms_hosts),
        replace_key=policy.replace_key,
        override_entitlement=bool(policy.override_entitlement),
        consent=tuple(sorted(policy.consent)),
        images={image(id): value for id, value in ctx.images.items()},
        image=image(ctx.image),
        license=ctx.license,
    )
