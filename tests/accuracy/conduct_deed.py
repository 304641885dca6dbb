"""What a rule of conduct is asked about: a plan, and everything that it may rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from volact.core.context import Policy
from volact.model.facts import Clock
from volact.model.profile import Image, Profile
from volact.model.step import Step


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, and everything that it may rest on.

    ``errors`` are the error findings that really stand (expected and found).
    """

    raw: Mapping[str, Any]
    clock: Clock
    steps: tuple[Step, ...]
    profile: Profile
    images: Mapping[str, Image] = {}
    policy: Policy = Policy()
    errors: frozenset[str] = frozenset()

    def steps_of(self, *kinds: str) -> list[Step]:
        """The steps of these kinds."""
        return [step for step in self.steps if step.do in kinds]


Rule = Callable[[Deed], Iterator[str]]
