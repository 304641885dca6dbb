"""The KMS host that a plan's activation goes to, and the slot that is held there.

How many slots a host has is ``volact.fleet``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from volact.core.assessment import Assessment
from volact.core.steps.activation import ACTIVATE
from volact.core.steps.kms_hosts import SetKmsHost
from volact.core.steps.wire import from_wire
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
    if not any(step.do == ACTIVATE.name for step in plan.steps):
        return None
    steps = (from_wire(step).params for step in plan.steps)
    wanted = [params.hosts for params in steps if isinstance(params, SetKmsHost) and params.hosts]
    if wanted:
        return _first_reached(wanted[-1], a)
    product = a.licence.main
    setting = value_of(product.kms) if product is not None else None
    return "" if setting is None else str(setting.host).lower()


def _first_reached(hosts: tuple[str, ...], a: Assessment) -> str:
    reached = (host for host in hosts if a.kms.reach_of(HostPort.parse(host)) == "yes")
    return next(reached, hosts[0]).lower()
