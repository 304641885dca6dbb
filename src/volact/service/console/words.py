"""Words that several pages share."""

from __future__ import annotations

from volact.client.wire import Role
from volact.model.report import Summary, count_of
from volact.model.text import Text, count, listed, say
from volact.queries.values import StatusRow
from volact.report.words import COUNTED, ERROR_NAMES, VERDICTS
from volact.words import tr

ROLES: dict[Role, Text] = {
    "viewer": say("viewer"),
    "operator": say("operator"),
    "approver": say("approver"),
    "administrator": say("administrator"),
}
_ENDINGS: dict[str, Text] = {
    "expired": say("expired"),
    "never": say("never ends"),
    "unlicensed": say("not licensed"),
}


def days_words(row: StatusRow) -> str:
    """What is left of a licence; empty where that is not known."""
    if row.ending in _ENDINGS:
        return tr(_ENDINGS[row.ending])
    if row.days_left is None:
        return ""
    return tr(count(round(row.days_left), "{n} day left", "{n} days left"))


def counts(summary: Summary) -> str:
    """``38 healthy, 2 failed``: what there is none of is left out."""
    some = [
        say("{n} {verdict}", n=servers, verdict=VERDICTS[word])
        for word in COUNTED
        if (servers := count_of(summary, word))
    ]
    return tr(listed(some)) if some else ""


def verdict_words() -> dict[str, str]:
    """The verdicts in the reader's language."""
    return {str(word): tr(text) for word, text in VERDICTS.items()}


def cause_words() -> dict[str, str]:
    """The causes that are no findings."""
    return {f"error:{kind}": tr(text) for kind, text in ERROR_NAMES.items()}
