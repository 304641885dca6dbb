"""Options of the verbs that serve: the service with its users, and tools for language models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from volact.cli.options import shared
from volact.cli.options.language import Lang
from volact.cli.options.parameter import flag, option, repeatable


def _database() -> str:
    told = "Database: a file or postgresql://…; default: the user's own store."
    return option("", told, "URL", "--database")


def _public_url(default: str, told: str) -> str:
    return option(default, told, "URL", envvar="VOLACT_PUBLIC_URL")


def _log() -> shared.TableOrJson:
    return option("text", "Log on standard error: text or json.", "FORMAT", "--log")


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Serve console and API for a team.

    Listens on 127.0.0.1 unless told otherwise. Where there is no administrator yet, one is made
    and a link is printed that signs in once.
    """

    listen: str = option("127.0.0.1:8088", "Address to listen on.", "HOST:PORT")
    database: str = _database()
    tls_certificate: str = option("", "Certificate chain, PEM; with --tls-key.", "FILE")
    tls_key: str = option("", "Its key, PEM.", "FILE")
    public_url: str = _public_url("", "Address that users type, behind a proxy.")
    trust_proxy: list[str] = repeatable(
        "Proxy, or network of proxies, whose forwarded headers are used. Repeatable.", "ADDRESS"
    )
    workers: int = option(1, "Worker processes to start beside it.", "N", min=0, max=64)
    keep_alive: int = option(
        75, "How long a connection without a request stays open.", "SECONDS", min=1, max=3600
    )
    oidc: str = option(
        "", "Settings of an OpenID Connect provider, TOML.", "FILE", envvar="VOLACT_OIDC"
    )
    demo: bool = flag("--demo", "Serve a simulated fleet with a database of its own.")
    log: shared.TableOrJson = _log()
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Work on the runs of the service, on this or another machine.

    Any number of workers share a database. One that ends, or is killed, loses nothing: others go
    on with what it had under way. Ctrl-C or SIGTERM finishes the servers under way first.
    """

    database: str = _database()
    label: list[str] = repeatable(
        "Also take servers whose inventory has this for worker. Repeatable.", "LABEL"
    )
    while_stdin: bool = flag("--while-stdin", "Stop when standard input ends.")
    log: shared.TableOrJson = _log()
    lang: Lang = ""


UserName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user.")]


@dataclass(frozen=True, kw_only=True)
class UserOptions:
    """What every verb about users takes."""

    database: str = _database()
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class UserLinkOptions(UserOptions):
    """Print a link that signs a user in once, within a day, to set a new password."""

    name: UserName
    public_url: str = _public_url(
        "http://127.0.0.1:8088", "Address that users type; the link begins with it."
    )


@dataclass(frozen=True, kw_only=True)
class UserAddOptions(UserLinkOptions):
    """Add a user and print a link that signs in once, within a day."""

    role: Literal["viewer", "operator", "approver", "administrator"] = option(
        "viewer", "What the user may do."
    )
    scope: list[str] = repeatable(
        "Part of the fleet: tag:NAME or provider:NAME; default: all. Repeatable.", "SCOPE"
    )
    email: str = option("", "E-mail address.", "ADDRESS")


@dataclass(frozen=True, kw_only=True)
class UserListOptions(UserOptions):
    """List the users."""

    output: shared.TableOrJson = shared.output()


@dataclass(frozen=True, kw_only=True)
class UserDisableOptions(UserOptions):
    """Sign a user out and refuse sign-ins and tokens; --undo allows them again."""

    name: UserName
    undo: bool = flag("--undo", "Allow the user again.")


@dataclass(frozen=True, kw_only=True)
class AuditOptions(UserOptions):
    """Check the chain of the audit, or export it as JSON Lines.

    Exit code 3 when a line was changed or is missing.
    """

    export: bool = flag("--export", "Write every line.")


@dataclass(frozen=True, kw_only=True)
class McpOptions:
    """Serve read-only tools for a language model (MCP).

    The tools explain codes and findings and read the store. With an inventory one more
    examines its servers and plans. None of them changes a server.
    """

    inventory: str = option(
        "", "Offer plans for servers of this inventory.", "FILE", "--inventory", "-i"
    )
    store: str = shared.store()
    lang: Lang = ""
