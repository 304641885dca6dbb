"""``volact prune``: take old runs out of the store."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from volact.cli.language import Lang
from volact.cli.options import takes
from volact.cli.store_options import StoreUrl

if TYPE_CHECKING:
    from volact.model.text import Text
    from volact.store import Pruned


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """What goes, and what stays."""

    older_than: Annotated[
        str, typer.Option(metavar="SPAN", help="Runs that began longer ago: 90d, 12w, 36h.")
    ] = ""
    keep: Annotated[
        int, typer.Option(min=0, metavar="N", help="The newest N runs stay, however old.")
    ] = 0
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go.")] = False
    output: Annotated[
        Literal["text", "json"],
        typer.Option("--output", "-o", help="What is written to standard output."),
    ] = "text"
    store: StoreUrl = ""
    lang: Lang = ""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("prune")(prune)


@takes(PruneOptions)
def prune(options: PruneOptions) -> int:
    """Take old runs out of the store; the newest row of each server stays."""
    from volact.core.span import parse_span
    from volact.errors import InputError
    from volact.model.text import say
    from volact.store import open_store

    if not options.older_than:
        raise InputError(
            say("prune needs to know which runs are old"), say("for example: --older-than 90d")
        )
    age = parse_span(options.older_than, "--older-than")
    store = open_store(options.store or None, create=False)
    if store is None:
        raise InputError(say("there is no store yet"), say("check and activate make one"))
    with store:
        pruned = store.prune(age, keep=options.keep, dry_run=options.dry_run)
    _write(options, pruned)
    return 0


def _write(options: PruneOptions, pruned: Pruned) -> None:
    from volact.words import tr

    if options.output == "json":
        import msgspec

        fields = {"dry_run": options.dry_run, **msgspec.to_builtins(pruned)}
        sys.stdout.write(msgspec.json.encode(fields).decode() + "\n")
        return
    sys.stdout.write(f"{tr(_sentence(pruned, dry_run=options.dry_run))}\n")


def _sentence(pruned: Pruned, *, dry_run: bool) -> Text:
    from volact.model.text import say

    numbers = {
        "rows": pruned.rows,
        "runs": pruned.runs,
        "thinned": pruned.thinned,
        "left": pruned.kept_runs,
    }
    if dry_run:
        return say(
            "rows that would go: {rows}; runs gone entirely: {runs}; runs that keep a server's "
            "newest row: {thinned}; runs left: {left}",
            **numbers,
        )
    return say(
        "rows gone: {rows}; runs gone entirely: {runs}; runs that keep a server's newest row: "
        "{thinned}; runs left: {left}",
        **numbers,
    )
