"""Options of the verbs that serve: the service with its users, and tools for language models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import typer

from volact.cli.options.language import Lang
from volact.cli.options.shared import StoreUrl, TableOrJson

Database = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        help="Database: a file or postgresql://…; default: the user's own store.",
    ),
]


Log = Annotated[
    Literal["text", "json"],
    typer.Option("--log", metavar="FORMAT", help="Log on standard error: text or json."),
]


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Serve console and API for a team.

    Listens on 127.0.0.1 unless told otherwise. Where there is no administrator yet, one is made
    and a link is printed that signs in once.
    """

    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Address to listen on.")] = (
        "127.0.0.1:8088"
    )
    database: Database = ""
    tls_certificate: Annotated[
        str, typer.Option(metavar="FILE", help="Certificate chain, PEM; with --tls-key.")
    ] = ""
    tls_key: Annotated[str, typer.Option(metavar="FILE", help="Its key, PEM.")] = ""
    public_url: Annotated[
        str, typer.Option(metavar="URL", help="Address that users type, behind a proxy.")
    ] = ""
    trust_proxy: Annotated[
        list[str],
        typer.Option(
            metavar="ADDRESS",
            help="Proxy, or network of proxies, whose forwarded headers are used. Repeatable.",
        ),
    ] = field(default_factory=list)
    workers: Annotated[
        int, typer.Option(min=0, max=64, metavar="N", help="Worker processes to start beside it.")
    ] = 1
    oidc: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            envvar="VOLACT_OIDC",
            help="Settings of an OpenID Connect provider, TOML.",
        ),
    ] = ""
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Serve a simulated fleet with a database of its own."),
    ] = False
    log: Log = "text"
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Work on the runs of the service, on this or another machine.

    Any number of workers share a database. One that ends, or is killed, loses nothing: others go
    on with what it had under way. Ctrl-C or SIGTERM finishes the servers under way first.
    """

    database: Database = ""
    label: Annotated[
        list[str],
        typer.Option(
            metavar="LABEL",
            help="Also take servers whose inventory has this for worker. Repeatable.",
        ),
    ] = field(default_factory=list)
    while_stdin: Annotated[
        bool, typer.Option("--while-stdin", help="Stop when standard input ends.")
    ] = False
    log: Log = "text"
    lang: Lang = ""


UserName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user.")]


@dataclass(frozen=True, kw_only=True)
class UserOptions:
    """What every verb about users takes."""

    database: Database = ""
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class UserLinkOptions(UserOptions):
    """Print a link that signs a user in once, within a day, to set a new password."""

    name: UserName
    public_url: Annotated[
        str, typer.Option(metavar="URL", help="Address that users type; the link begins with it.")
    ] = "http://127.0.0.1:8088"


@dataclass(frozen=True, kw_only=True)
class UserAddOptions(UserLinkOptions):
    """Add a user and print a link that signs in once, within a day."""

    role: Annotated[
        Literal["viewer", "operator", "approver", "administrator"],
        typer.Option(help="What the user may do."),
    ] = "viewer"
    scope: Annotated[
        list[str],
        typer.Option(
            metavar="SCOPE",
            help="Part of the fleet: tag:NAME or provider:NAME; default: all. Repeatable.",
        ),
    ] = field(default_factory=list)
    email: Annotated[str, typer.Option(metavar="ADDRESS", help="E-mail address.")] = ""


@dataclass(frozen=True, kw_only=True)
class UserListOptions(UserOptions):
    """List the users."""

    output: TableOrJson = "text"


@dataclass(frozen=True, kw_only=True)
class UserDisableOptions(UserOptions):
    """Sign a user out and refuse sign-ins and tokens; --undo allows them again."""

    name: UserName
    undo: Annotated[bool, typer.Option("--undo", help="Allow the user again.")] = False


@dataclass(frozen=True, kw_only=True)
class AuditOptions(UserOptions):
    """Check the chain of the audit, or export it as JSON Lines.

    Exit code 3 when a line was changed or is missing.
    """

    export: Annotated[bool, typer.Option("--export", help="Write every line.")] = False


@dataclass(frozen=True, kw_only=True)
class McpOptions:
    """Serve read-only tools for a language model (MCP).

    The tools explain codes and findings and read the store. With an inventory one more
    examines its servers and plans. None of them changes a server.
    """

    inventory: Annotated[
        str,
        typer.Option(
            "--inventory", "-i", metavar="FILE", help="Offer plans for servers of this inventory."
        ),
    ] = ""
    store: StoreUrl = ""
    lang: Lang = ""
