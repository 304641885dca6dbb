"""What judging and planning are given beside the facts of one server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from volact.model.profile import Image, Knowledge, Profile


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the person allows in this run.

    ``override_entitlement`` is the reason they gave, ``""`` when they did not.
    ``consent`` names the kinds of steps they agreed to (``core.consent``).
    """

    replace_key: bool = False
    override_entitlement: str = ""
    consent: frozenset[str] = frozenset()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Knowledge, permission, what the operator knows of images, and the time.

    ``image`` and ``license`` are what the cloud's own API says of this very
    server: its image's id and its kind of licence; ``""`` when it was not asked.
    ``clouds`` are all profiles there are, to say whose a foreign KMS host is.
    """

    knowledge: Knowledge
    policy: Policy = Policy()
    images: Mapping[str, Image] = {}
    image: str = ""
    license: str = ""
    clouds: tuple[Profile, ...] = ()
    now: datetime
