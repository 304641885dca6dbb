"""The input of diagnosis and planning beside the facts of one server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from volact.model.finding import Acceptance
from volact.model.profile import Image, Knowledge, Profile


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator allows in this run.

    ``override_entitlement`` is the reason given, ``""`` when there is none.
    ``consent`` names the kinds of steps that are agreed to (``core.consent``).
    """

    replace_key: bool = False
    override_entitlement: str = ""
    consent: frozenset[str] = frozenset()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Knowledge, permission, what the operator knows of images, and the time.

    ``image`` and ``license`` are what the cloud's own API reports of this very
    server: its image's id and its kind of licence; ``""`` when it was not asked.
    ``expected`` are the findings that the operator accepts on this server, the first first.
    ``clouds`` are all profiles there are, to name the owner of a foreign KMS host.
    """

    knowledge: Knowledge
    policy: Policy = Policy()
    images: Mapping[str, Image] = {}
    image: str = ""
    license: str = ""
    expected: tuple[Acceptance, ...] = ()
    clouds: tuple[Profile, ...] = ()
    now: datetime
