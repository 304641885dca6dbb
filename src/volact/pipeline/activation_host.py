"""The KMS host that a plan's activation goes to, and the slot that is held there.

How many slots a host has is ``volact.fleet``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from volact.core.assessment import Assessment
from volact.model.fact import value_of
from volact.model.profile import HostPort
from volact.model.step import Plan

# Given a KMS host, a context that is entered when one more activation may go there.
ActivationSlot = Callable[[str], AbstractAsyncContextManager[None]]


def no_limit(host: str) -> AbstractAsyncContextManager[None]:
    """A slot at once: the default where no bound is set."""
    return nullcontext()


def activation_host(plan: Plan, a: Assessment) -> str | None:
    """The KMS host of the plan's activation.

    ``""`` if it is unknown, ``None`` if the plan activates nothing.  Of the hosts that the
    plan sets it is the first that the server reached when it was examined.
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
