"""``volact prune``: take old runs out of the store."""

from __future__ import annotations

import sys

import msgspec

from volact.cli.options.store_reports import PruneOptions
from volact.core.span import parse_span
from volact.errors import InputError
from volact.model.text import Text, say
from volact.store import Pruned, open_store
from volact.words import tr


def prune(options: PruneOptions) -> int:
    """Delete old runs; keeps each server's newest row."""
    if not options.older_than:
        raise InputError(
            say("give the minimum age of the runs to prune"), say("for example: --older-than 90d")
        )
    age = parse_span(options.older_than, "--older-than")
    store = open_store(options.store or None, create=False)
    if store is None:
        raise InputError(say("there is no store yet"), say("check and activate create one"))
    with store:
        pruned = store.prune(age, keep=options.keep, dry_run=options.dry_run)
    _write(options, pruned)
    return 0


def _write(options: PruneOptions, pruned: Pruned) -> None:
    if options.output == "json":
        fields = {"dry_run": options.dry_run, **msgspec.to_builtins(pruned)}
        sys.stdout.write(msgspec.json.encode(fields).decode() + "\n")
        return
    sys.stdout.write(f"{tr(_sentence(pruned, dry_run=options.dry_run))}\n")


def _sentence(pruned: Pruned, *, dry_run: bool) -> Text:
    numbers = {
        "rows": pruned.rows,
        "runs": pruned.runs,
        "thinned": pruned.thinned,
        "left": pruned.kept_runs,
    }
    if dry_run:
        return say(
            "rows to delete: {rows}; runs to delete: {runs}; runs kept for a server's newest "
            "row: {thinned}; runs left: {left}",
            **numbers,
        )
    return say(
        "rows deleted: {rows}; runs deleted: {runs}; runs kept for a server's newest row: "
        "{thinned}; runs left: {left}",
        **numbers,
    )
