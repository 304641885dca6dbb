"""Whose turn it is at a KMS host: which one an activation goes to, and waiting for it.

Who else is waiting is ``volact.fleet``'s affair.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from volact.core.assessment import Assessment
from volact.model.fact import value_of
from volact.model.profile import HostPort
from volact.model.step import Plan

# Entered when nothing stands against one more activation at this KMS host.
Turn = Callable[[str], AbstractAsyncContextManager[None]]


def at_once(host: str) -> AbstractAsyncContextManager[None]:
    """Nobody has to wait."""
    return nullcontext()


def activation_host(plan: Plan, a: Assessment) -> str | None:
    """The KMS host that this plan's activation goes to, "" when that cannot be told.

    ``None`` for a plan that activates nothing.  A host that the plan sets is
    the first of its list that the server reached when it was looked at.
    """
    if not any(step.do == "activate" for step in plan.steps):
        return None
    wanted = [step.params.get("hosts") for step in plan.steps if step.do == "set-kms-host"]
    if wanted and isinstance(wanted[-1], list | tuple) and wanted[-1]:
        return _first_reached([str(host) for host in wanted[-1]], a)
    product = a.licence.main
    setting = value_of(product.kms) if product is not None else None
    return "" if setting is None else str(setting.host).lower()


def _first_reached(hosts: list[str], a: Assessment) -> str:
    reached = (host for host in hosts if a.kms.reach_of(HostPort.parse(host)) == "yes")
    return next(reached, hosts[0]).lower()
