"""``--store`` and ``--no-store``, in every verb alike."""

from __future__ import annotations

from typing import Annotated

import typer

StoreUrl = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        help="What volact remembers: a file or postgresql://…, instead of your own store.",
    ),
]
NoStore = Annotated[bool, typer.Option("--no-store", help="Keep nothing of this run.")]
