"""``volact providers``: the clouds that volact knows, and where that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from volact.cli.options import TableOrJson, complete_provider

if TYPE_CHECKING:
    from volact.model.profile import Profile


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("providers")(providers)


def providers(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="One cloud: everything known of it, with sources. Or: check.",
            autocompletion=complete_provider,
        ),
    ] = "",
    output: TableOrJson = "text",
) -> int:
    """List the known clouds, or show one with its sources.

    volact providers check looks for mistakes in the files behind them; exit code 1 when there
    are any.
    """
    from volact.cli.console import use_stdout
    from volact.knowledge.load import load_profile, profile_names
    from volact.report.json_document import encode

    if name == "check":
        return _check(output)
    found = [load_profile(name)] if name else [load_profile(each) for each in profile_names()]
    out = use_stdout(output)
    if output == "json":
        out.write(encode(found[0] if name else found) + "\n")
    else:
        out.write(_one(found[0]) if name else _list(found))
    return 0


def _check(output: str) -> int:
    from volact.cli.console import use_stdout
    from volact.knowledge.check import check_profiles
    from volact.report.json_document import encode

    problems = check_profiles()
    out = use_stdout(output)
    if output == "json":
        out.write(encode(problems) + "\n")
    else:
        out.writelines(f"{item.where}: {item.key}: {item.text}\n" for item in problems)
        out.write(f"{len(problems)} mistakes in the provider files\n")
    return 1 if problems else 0


def _list(profiles: list[Profile]) -> str:
    from volact.cli.console import table

    rows = [
        (
            profile.name,
            profile.title,
            "by itself" if profile.bios else "by name",
            ", ".join(str(host) for host in profile.all_kms_hosts()) or "yours, or by DNS",
        )
        for profile in profiles
    ]
    return table(("NAME", "CLOUD", "RECOGNISED", "KMS HOSTS"), rows)


def _one(profile: Profile) -> str:
    title = f"{profile.name}: {profile.title}"
    lines = [title, "", "KMS hosts (the first is preferred)", *_kms(profile)]
    for title, items in _parts(profile).items():
        if items:
            lines += [title, *(f"  {item}" for item in items)]
    lines += ["", "Where this comes from"]
    lines += [f"  [{item.confidence}] {item.fact}\n      {item.text}" for item in profile.sources]
    return "".join(f"{line}\n" for line in lines)


def _kms(profile: Profile) -> list[str]:
    if not profile.kms:
        return ["  yours: name it with --kms-host, or let DNS tell"]
    other = "every release" if len(profile.kms) == 1 else "every other release"
    return [
        f"  {', '.join(other if word == '*' else word for word in rule.releases)}: "
        + ", ".join(str(host) for host in rule.hosts)
        for rule in profile.kms
    ] + [
        f"  {part.name} ({part.title}): {', '.join(str(host) for host in part.kms)}"
        for part in profile.sub_clouds
    ]


def _parts(profile: Profile) -> dict[str, list[str]]:
    return {
        "Needs": [profile.needs] if profile.needs else [],
        "Releases": [", ".join(profile.releases)],
        "Licence": [profile.entitlement.text] if profile.entitlement.text else [],
        "Time servers": [", ".join(profile.ntp)] if profile.ntp else [],
        "DNS servers": [", ".join(profile.dns)] if profile.dns else [],
        "Routes": [f"{route.destination} mask {route.mask}" for route in profile.routes],
        "Metadata": [f"{key}: {url}" for key, url in profile.metadata.items()],
        "Recognised by": [f"firmware: {', '.join(profile.bios)}"] if profile.bios else [],
        "Notes": list(profile.notes),
    }
