"""Which servers a command line means, and which of them the inventory skips."""

from __future__ import annotations

from volact.cli.failure import tell
from volact.cli.options.servers import SourceOptions
from volact.inventory import Inventory, addressed, choose, without_skipped
from volact.model.server import Server
from volact.model.text import count, listed, raw, say

_NAMED = 5  # servers that a note names


def servers_of(
    options: SourceOptions, inventory: Inventory, *, skipped: bool = False
) -> tuple[Server, ...]:
    """The servers that targets and limits mean; a bare address is one of SSH.

    Those that the inventory skips are left out with a note, unless ``skipped`` is set; one
    that is named itself is an ``InputError``.
    """
    targets = []
    for word in options.targets:
        target = addressed(inventory, word)
        if target != word:
            tell(say("{word} is taken as {address}", word=word, address=target))
        targets.append(target)
    meant = choose(inventory, targets, options.limits)
    if skipped or not any(server.skip for server in meant):
        return meant
    left, out = without_skipped(inventory, meant, (*options.targets, *options.limit))
    names = [*(raw(server.name) for server in out[:_NAMED]), *(["…"] if out[_NAMED:] else [])]
    tell(
        count(
            len(out),
            "{n} server is skipped by the inventory: {names}",
            "{n} servers are skipped by the inventory: {names}",
            names=listed(names),
        )
    )
    return left
