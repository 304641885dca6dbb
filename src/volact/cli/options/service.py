"""Options of the verbs that run the service and keep its users."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from volact.cli.options.language import Lang

Database = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        help="Database: a file or postgresql://…; default: the user's own store.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Serve console and API, and run what they are asked for.

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
    lang: Lang = ""
