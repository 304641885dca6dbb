"""Which provider's cloud a server runs in, by what its firmware says.

Never by its KMS host: two clouds use the same address, and a server that was
moved still has the old one.
"""

from __future__ import annotations

from collections.abc import Iterable

from volact.model.fact import value_of
from volact.model.facts import Facts
from volact.model.profile import Profile


def detect_provider(facts: Facts, profiles: Iterable[Profile]) -> str | None:
    """The one profile whose firmware words are found; ``None`` for none or several."""
    os = facts.os
    said = " ".join((value_of(fact) or "").lower() for fact in (os.bios, os.maker, os.model))
    found = [p.name for p in profiles if any(word and word in said for word in p.bios)]
    return found[0] if len(found) == 1 else None
