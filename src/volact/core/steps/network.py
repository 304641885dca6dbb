"""Steps that add name servers and routes."""

from __future__ import annotations

from typing import Literal

from volact.core.steps.kind import Stage, StepKind, StepParams, undo_kind
from volact.model.text import say


class AddDns(StepParams, frozen=True, kw_only=True):
    """The name servers to ask too, before or behind those that are set."""

    servers: tuple[str, ...]
    position: Literal["first", "last"]


class AddRoute(StepParams, frozen=True, kw_only=True):
    """An IPv4 route that is to exist."""

    destination: str
    mask: str
    gateway: str


class RestoreDns(StepParams, frozen=True, kw_only=True):
    """The name servers of one adapter to put back; ``None``: those of DHCP."""

    adapter: str
    expect: tuple[tuple[str, ...], ...]
    servers: tuple[str, ...] | None


class RemoveRoute(StepParams, frozen=True, kw_only=True):
    """The IPv4 route that is to go."""

    destination: str
    mask: str
    gateway: str


ADD_DNS = StepKind(
    name="add-dns",
    params=AddDns,
    stage=Stage.NAME_SERVERS,
    label=say("adds the provider's DNS servers"),
    needs_consent=True,
    alone=False,
    activation_needs_it=True,
    changes_licence=False,
    activates=False,
    agent_parts=("network", "network_steps"),
)

ADD_ROUTE = StepKind(
    name="add-route",
    params=AddRoute,
    stage=Stage.ROUTE,
    label=say("adds the route to the provider's services"),
    needs_consent=True,
    alone=False,
    activation_needs_it=True,
    changes_licence=False,
    activates=False,
    agent_parts=("network", "network_steps"),
)

RESTORE_DNS = undo_kind(
    name="restore-dns",
    params=RestoreDns,
    needs_consent=False,
    agent_parts=("network", "back_network"),
)

REMOVE_ROUTE = undo_kind(
    name="remove-route",
    params=RemoveRoute,
    needs_consent=False,
    agent_parts=("network", "back_network"),
)
