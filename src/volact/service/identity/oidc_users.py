"""The user of a provider's claims: made at the first sign-in, with the role of its groups."""

from __future__ import annotations

from typing import Any

from volact.client.wire import NewUser, Role, UserChange, UserInfo
from volact.errors import InputError
from volact.model.text import raw, say
from volact.service.database.tables import USERS
from volact.service.identity.audit import Change
from volact.service.identity.oidc import OidcSettings
from volact.service.identity.users import add, alter, known_name, row_of, user_info


def role_of(settings: OidcSettings, claims: dict[str, Any], held: Role | None = None) -> Role:
    """The role that a user's groups give; ``InputError`` for none.

    ``held`` is the role of a known user, which groups that cannot be asked do not change.
    """
    groups = claims.get(settings.groups_claim)
    if groups is None and settings.roles:
        return _role_without_groups(settings, claims, held)
    named = [groups] if isinstance(groups, str) else groups or ()
    role = next((role for group, role in settings.roles.items() if group in named), None)
    role = role or settings.default_role
    if role is None:
        raise InputError(
            say("none of your groups may use this service"), say("ask an administrator")
        )
    return role


def _role_without_groups(settings: OidcSettings, claims: dict[str, Any], held: Role | None) -> Role:
    """The role of a user whose groups the provider does not name."""
    if _are_too_many(settings, claims):
        if held is None:
            raise InputError(
                say("you are in more groups than the identity provider names"),
                say("ask an administrator to let it name fewer groups, or roles"),
            )
        return held
    # Entra ID leaves the claim out for a user in no group, so it may be a no, which lets in, with
    # least, who is unknown; but it is none that takes a role away.
    if settings.default_role is not None and held in (None, settings.default_role):
        return settings.default_role
    raise InputError(
        say("the identity provider did not say which groups you are in"),
        say(
            "ask an administrator: its answer has no claim {name}",
            name=raw(repr(settings.groups_claim)),
        ),
    )


def _are_too_many(settings: OidcSettings, claims: dict[str, Any]) -> bool:
    """Whether the groups are elsewhere: Entra ID names 200 at most in a token.

    https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    """
    elsewhere = claims.get("_claim_names") or {}
    return settings.groups_claim in elsewhere or (
        settings.groups_claim == "groups" and bool(claims.get("hasgroups"))
    )


def signed_in(change: Change, settings: OidcSettings, claims: dict[str, Any]) -> UserInfo:
    """The user of the claims, made at the first sign-in; the role follows the groups.

    A local user of the same name stays another: ``InputError``.
    """
    subject = f"{claims['iss']} {claims['sub']}"
    row = row_of(change.connection, USERS.c.subject == subject)
    if row is None:
        role = role_of(settings, claims)
        name = str(claims.get(settings.name_claim) or claims.get("email") or claims["sub"])
        email = str(claims.get("email") or "")[:200]
        return add(change, NewUser(name=known_name(name), role=role, email=email), subject)
    user = user_info(row)
    if user.disabled:
        raise InputError(say("this user is disabled"), say("ask an administrator"))
    role = role_of(settings, claims, user.role)
    return user if user.role == role else alter(change, user.name, UserChange(role=role))
