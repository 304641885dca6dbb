"""``volact providers``: the known clouds, with sources."""

from __future__ import annotations

import sys

from volact.cli.console import columns_of, table, use_stdout
from volact.cli.options.tools import ProvidersOptions
from volact.cli.providers import provider_text
from volact.knowledge.check import check_profiles
from volact.knowledge.load import load_profile, profile_names
from volact.model.profile import Profile
from volact.model.text import count, say
from volact.report.json_document import encode
from volact.words import tr


def providers(options: ProvidersOptions) -> int:
    """List the known clouds, show one, or check their files."""
    name = options.name
    if name == "check":
        return _check(options.output)
    found = [load_profile(each) for each in (profile_names() if name is None else [name])]
    out = use_stdout(options.output)
    if options.output == "json":
        out.write(encode(found if name is None else found[0]) + "\n")
    else:
        columns = columns_of(out) if out.isatty() else sys.maxsize
        out.write(_list(found) if name is None else provider_text(found[0], columns))
    return 0


def _check(output: str) -> int:
    problems = check_profiles()
    out = use_stdout(output)
    if output == "json":
        out.write(encode(problems) + "\n")
    else:
        out.writelines(f"{item.where}: {item.key}: {item.text}\n" for item in problems)
        words = say("no mistakes in the provider files")
        if problems:
            words = count(
                len(problems),
                "{n} mistake in the provider files",
                "{n} mistakes in the provider files",
            )
        out.write(tr(words) + "\n")
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
