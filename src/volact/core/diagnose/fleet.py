"""Findings that only show across many servers."""

from __future__ import annotations

from collections.abc import Mapping

from volact.core.diagnose.case import warning
from volact.core.shell import SLMGR
from volact.model.fact import value_of
from volact.model.facts import Facts
from volact.model.finding import Finding
from volact.model.text import count, listed, say


def duplicate_cmids(fleet: Mapping[str, Facts]) -> dict[str, Finding]:
    """``duplicate-cmid`` for every server that shares its client machine ID.

    A KMS host counts machine IDs: clones that share one count once.
    """
    by_id: dict[str, list[str]] = {}
    for name, facts in fleet.items():
        cmid = value_of(facts.licensing.cmid)
        if cmid:
            by_id.setdefault(cmid.lower(), []).append(name)
    return {
        name: _finding(cmid, name, names)
        for cmid, names in by_id.items()
        if len(names) > 1
        for name in names
    }


def _finding(cmid: str, name: str, names: list[str]) -> Finding:
    others = sorted(other for other in names if other != name)
    return warning(
        "duplicate-cmid",
        count(
            len(others),
            "The client machine ID is shared with {n} other server ({names}).",
            "The client machine ID is shared with {n} other servers ({names}).",
            names=listed(others[:5]),
        ),
        {"cmid": cmid, "servers": others},
        remedy=say(
            "The image was not generalised. A provider's KMS host does not mind; for one of "
            "your own: read the remaining rearm count, then on the server: {command}, "
            "restart, activate.",
            command=f"{SLMGR} -rearm",
        ),
    )
