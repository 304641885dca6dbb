"""``volact providers``: the known clouds, with sources."""

from __future__ import annotations

import sys

from volact.cli.console import columns_of, table, write_answer
from volact.cli.options.tools import ProvidersOptions
from volact.cli.providers import provider_text
from volact.knowledge.check import check_profiles
from volact.knowledge.load import load_profile, profile_names
from volact.model.profile import Profile
from volact.model.text import count, say
from volact.words import tr


def providers(options: ProvidersOptions) -> int:
    """List the known clouds, show one, or check their files."""
    name = options.name
    if name == "check":
        return _check(options.output)
    found = [load_profile(each) for each in (profile_names() if name is None else [name])]
    if name is None:
        write_answer(options.output, found, lambda: _list(found))
        return 0
    columns = columns_of(sys.stdout) if sys.stdout.isatty() else sys.maxsize
    write_answer(options.output, found[0], lambda: provider_text(found[0], columns))
    return 0


def _check(output: str) -> int:
    problems = check_profiles()
    words = say("no mistakes in the provider files")
    if problems:
        words = count(
            len(problems),
            "{n} mistake in the provider files",
            "{n} mistakes in the provider files",
        )
    lines = [*(f"{item.where}: {item.key}: {item.text}" for item in problems), tr(words)]
    write_answer(output, problems, lambda: "".join(f"{line}\n" for line in lines))
    return 1 if problems else 0


def _list(profiles: list[Profile]) -> str:
    rows = [
        (
            profile.name,
            profile.title,
            tr("automatically") if profile.bios or profile.asset_tags else tr("by name"),
            ", ".join(str(host) for host in profile.all_kms_hosts()) or tr("yours, or by DNS"),
        )
        for profile in profiles
    ]
    return table((say("NAME"), say("CLOUD"), say("RECOGNISED"), say("KMS HOSTS")), rows)
