"""``volact providers``: the clouds that volact knows, and where that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from volact.cli.language import Lang
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
            help="One cloud, or a part of it (ovh/dedicated), with sources. Or: check.",
            autocompletion=complete_provider,
        ),
    ] = "",
    output: TableOrJson = "text",
    lang: Lang = "",
) -> int:
    """List the known clouds, or show one with its sources.

    volact providers check looks for mistakes in the files behind them; exit code 1 when there
    are any.
    """
    from volact.cli.console import use_stdout
    from volact.cli.provider_view import provider_text
    from volact.knowledge.load import load_profile, profile_names
    from volact.report.json_document import encode

    if name == "check":
        return _check(output)
    found = [load_profile(name)] if name else [load_profile(each) for each in profile_names()]
    out = use_stdout(output)
    if output == "json":
        out.write(encode(found[0] if name else found) + "\n")
    else:
        out.write(provider_text(found[0]) if name else _list(found))
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
            "by itself" if profile.bios or profile.asset_tags else "by name",
            ", ".join(str(host) for host in profile.all_kms_hosts()) or "yours, or by DNS",
        )
        for profile in profiles
    ]
    return table(("NAME", "CLOUD", "RECOGNISED", "KMS HOSTS"), rows)
