"""Who may do what: roles, permissions, scopes.  Pure; one table for pages and API.

How an actor proves who it is lives in ``identity/``.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

import msgspec

from volact.client.wire import Role

Via = Literal["session", "token", "link", "schedule", "system"]


class Permission(Enum):
    """What a route asks of its caller.  A route that names none is refused."""

    PUBLIC = "public"  # without sign-in: health, sign-in itself, style sheets
    SIGNED_IN = "signed-in"  # the caller's own sessions, tokens, language
    READ = "read"  # servers, findings, runs, reports
    RUN = "run"  # check, plan, activate, undo, stop, resume
    APPROVE = "approve"  # agree to or refuse another person's run
    CONFIGURE = "configure"  # inventories, schedules, policy
    ADMINISTER = "administer"  # users, tokens of others, audit, retention


_ALWAYS = frozenset({Permission.PUBLIC, Permission.SIGNED_IN, Permission.READ})
GRANTS: dict[Role, frozenset[Permission]] = {
    "viewer": _ALWAYS,
    "operator": _ALWAYS | {Permission.RUN},
    "approver": _ALWAYS | {Permission.APPROVE},
    "administrator": frozenset(Permission),
}
# What holds for the whole service: scopes could be taken off by it.
_WHOLE = frozenset({Permission.CONFIGURE, Permission.ADMINISTER})


class Scope(msgspec.Struct, frozen=True):
    """A part of the fleet: ``tag:web`` or ``provider:NAME``."""

    kind: Literal["tag", "provider"]
    value: str

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read the written form; ``ValueError`` for another."""
        kind, colon, value = text.partition(":")
        if not colon or not value or kind not in ("tag", "provider"):
            raise ValueError(f"{text!r} is no scope: write tag:NAME or provider:NAME")
        return cls("tag" if kind == "tag" else "provider", value)

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """The caller of a request.

    ``scopes`` are alternatives: an empty tuple reaches no server, ``None`` the whole fleet.
    """

    user: str  # id
    name: str
    role: Role
    scopes: tuple[Scope, ...] | None = None
    via: Via = "session"
    address: str = ""
    session: str = ""  # id of the session or token
    language: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether the role grants it, and the scopes leave it."""
        whole = self.scopes is None or permission not in _WHOLE
        return whole and permission in GRANTS[self.role]


def narrowed(
    owner: tuple[Scope, ...] | None, token: tuple[Scope, ...] | None
) -> tuple[Scope, ...] | None:
    """The scopes of a token: never more than its owner's."""
    if owner is None or token is None:
        return token if owner is None else owner
    return tuple(scope for scope in token if scope in owner)


def capped_role(owner: Role, token: Role) -> Role:
    """The role of a token: never more than its owner's; ``viewer`` where neither has the other."""
    if GRANTS[token] <= GRANTS[owner]:
        return token
    return owner if GRANTS[owner] <= GRANTS[token] else "viewer"
