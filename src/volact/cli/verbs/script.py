"""``volact script``: one file that activates a server without Python or network tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volact.cli.options import KmsHosts, Provider

if TYPE_CHECKING:
    from volact.model.profile import Knowledge


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("script")(script)


def script(
    provider: Provider = "",
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write it; without it the usual name."
        ),
    ] = "",
    kms_host: KmsHosts = [],  # noqa: B006 - never changed
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> int:
    """Write a self-contained activate-win.bat to run on a server by hand.

    Prints its SHA-256 as sha256sum does. The same options give the same bytes.
    """
    import hashlib

    from volact.cli.fleet_options import knowledge_with, parse_kms_hosts
    from volact.cli.provider import the_profile

    name = the_profile(provider).name
    knowledge = knowledge_with(parse_kms_hosts(kms_host))(name)
    data = _rendered(knowledge)
    path = Path(output or knowledge.profile.script_name)
    _write(path, data, force=force)
    sys.stdout.write(f"{hashlib.sha256(data).hexdigest()}  {path}\n")
    return 0


def _rendered(knowledge: Knowledge) -> bytes:
    import hashlib

    from volact import __version__
    from volact.agent.render import render
    from volact.agent.request import new_request
    from volact.core.standalone import standalone_steps

    seed = f"{__version__} {knowledge.profile}"
    request = new_request(
        "standalone",
        knowledge.profile,
        standalone_steps(knowledge),
        id=hashlib.sha256(seed.encode()).hexdigest()[:16],
    )
    return render(request, keep=True)


def _write(path: Path, data: bytes, *, force: bool) -> None:
    from volact.errors import InputError

    try:
        with path.open("wb" if force else "xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise InputError("is there already", "--force overwrites it", where=str(path)) from error
    except OSError as error:
        raise InputError(error.strerror or "cannot be written", where=str(path)) from error
