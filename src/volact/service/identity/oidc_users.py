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


def role_of(settings: OidcSettings, claims: dict[str, Any]) -> Role:
    """The role that a user's groups give; ``InputError`` for none."""
    groups = claims.get(settings.groups_claim)
    named = [groups] if isinstance(groups, str) else groups or ()
    found = next((role for group, role in settings.roles.items() if group in named), None)
    role = found or settings.default_role
    if role is not None:
        return role
    if groups is None:
        claim = raw(repr(settings.groups_claim))
        raise InputError(
            say("the identity provider did not say which groups you are in"),
            say("ask an administrator: its answer has no claim {name}", name=claim),
        )
    raise InputError(say("none of your groups may use this service"), say("ask an administrator"))


def signed_in(change: Change, settings: OidcSettings, claims: dict[str, Any]) -> UserInfo:
    """The user of the claims, made at the first sign-in; the role follows the groups.

    A local user of the same name stays another: ``InputError``.
    """
    subject = f"{claims['iss']} {claims['sub']}"
    role = role_of(settings, claims)
    row = row_of(change.connection, USERS.c.subject == subject)
    if row is None:
        name = str(claims.get(settings.name_claim) or claims.get("email") or claims["sub"])
        email = str(claims.get("email") or "")[:200]
        return add(change, NewUser(name=known_name(name), role=role, email=email), subject)
    user = user_info(row)
    if user.disabled:
        raise InputError(say("this user is disabled"), say("ask an administrator"))
    return user if user.role == role else alter(change, user.name, UserChange(role=role))
