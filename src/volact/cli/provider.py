"""The provider of a verb that cannot do without one."""

from __future__ import annotations

from volact.errors import InputError
from volact.knowledge.load import load_profile, profile_names
from volact.model.profile import Profile


def required_profile(name: str) -> Profile:
    """The profile named, or the only one there is."""
    names = profile_names()
    if not name and len(names) != 1:
        raise InputError("no provider is named", f"--provider {' | '.join(names)}")
    return load_profile(name or names[0])
