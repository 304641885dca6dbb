"""``volact prune``: take old runs out of the store."""

from __future__ import annotations

from volact.cli.options.store_reports import PruneOptions
from volact.cli.store_reports import existing_store, write_deleted
from volact.core.span import parse_span
from volact.errors import InputError
from volact.model.text import Text, say
from volact.store import Pruned


def prune(options: PruneOptions) -> int:
    """Delete old runs; keeps each server's newest row."""
    if not options.older_than:
        raise InputError(
            say("give the minimum age of the runs to prune"), say("for example: --older-than 90d")
        )
    age = parse_span(options.older_than, "--older-than")
    with existing_store(options.store) as store:
        pruned = store.prune(age, keep=options.keep, dry_run=options.dry_run)
    sentence = _sentence(pruned, dry_run=options.dry_run)
    write_deleted(pruned, sentence, output=options.output, dry_run=options.dry_run)
    return 0


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
