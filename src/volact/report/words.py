"""The words for verdicts, findings, evidence and steps, in the reader's language.

Text from values; every string that comes out is safe for a terminal.
Which servers are put together is in ``group.py``, what to do next in
``next_step.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from volact.core.assessment.licence import STATUS_NAMES
from volact.core.main_cause import lead
from volact.core.steps import BY_NAME
from volact.model.finding import Finding
from volact.model.report import ErrorRow, ServerReport, Summary, Verdict, count_of
from volact.model.text import Text, count, listed, ready, say
from volact.report.labels import LABELS, VALUES
from volact.report.terminal_safe import plain
from volact.words import decimal, tr

# The order of lists: what failed comes first, what never had its turn last.
WORST_FIRST: tuple[Verdict, ...] = ("failed", "unreachable", "attention", "healthy", "not-started")
# The order of counts.
COUNTED: tuple[Verdict, ...] = ("healthy", "attention", "failed", "unreachable", "not-started")

VERDICTS: dict[Verdict, Text] = {
    "not-started": say("not started"),
    "unreachable": say("unreachable"),
    "failed": say("failed"),
    "attention": say("attention"),
    "healthy": say("healthy"),
}

MEANS: dict[Verdict, Text] = {
    "not-started": say("the run did not start them"),
    "unreachable": say("could not be examined"),
    "failed": say("repair ran, verification failed"),
    "attention": say("examined; something is wrong or was not allowed"),
    "healthy": say("activated, no problems"),
}

ERROR_TITLES: dict[str, Text] = {
    "auth": say("Login refused"),
    "connect": say("No connection"),
    "timeout": say("No answer in time"),
    "host-key": say("Unknown host key or certificate"),
    "host-key-changed": say("Changed host key"),
    "protocol": say("Invalid answer"),
    "agent": say("The agent could not run"),
    "busy": say("Another run is changing the server"),
    "not-begun": say("Not started"),
}

ERROR_NAMES: dict[str, Text] = {
    "auth": say("login refused"),
    "connect": say("no connection"),
    "timeout": say("no answer in time"),
    "host-key": say("unknown host key or certificate"),
    "host-key-changed": say("changed host key"),
    "protocol": say("invalid answer"),
    "agent": say("agent could not run"),
    "busy": say("another run is active"),
    "not-begun": say("not started"),
}

SEVERITIES: dict[str, Text] = {
    "accepted": say("accepted finding"),
    "error": say("error"),
    "warning": say("warning"),
    "info": say("info"),
}


def explained(meaning: Text | str) -> str:
    """A finding's meaning is a sentence of volact, a code's comes from the data files."""
    if isinstance(meaning, Text):
        return tr(meaning)
    return tr(say("{sentence}.", sentence=ready(meaning.rstrip("."))))


def meaning_of(verdict: Verdict, *, accepted: bool) -> Text:
    """``MEANS``, where some of the healthy servers are so by accepted findings."""
    if verdict == "healthy" and accepted:
        return say("activated or accepted, no other problems")
    return MEANS[verdict]


def cause_title(server: ServerReport) -> str:
    """The sentence that heads a server's group: never empty."""
    if server.error is not None:
        return ERROR_TITLES[server.error.kind]
    first = lead(server)
    return first.summary if first else server.reason or MEANS[server.verdict]


def verdict_counts(summary: Summary) -> list[Text]:
    """``38 healthy``, ``2 failed``: what there is none of is left out."""
    return [
        say("{n} {verdict}", n=number, verdict=VERDICTS[verdict])
        for verdict in COUNTED
        if (number := count_of(summary, verdict))
    ]


def servers_counted(summary: Summary) -> Text:
    """How many servers there are, and how many of each verdict."""
    counts = verdict_counts(summary)
    return count(
        summary.servers,
        "{n} server: {counts}",
        "{n} servers: {counts}",
        counts=listed(counts) if counts else say("nothing to do"),
    )


def error_words(error: ErrorRow) -> Text:
    """Why a server could not be examined."""
    return say("{title}: {message}", title=ERROR_TITLES[error.kind], message=error.message)


def accepted_words(finding: Finding) -> str:
    """Why a finding is accepted and until when; empty where neither is said, or it is not."""
    if not finding.accepted:
        return ""
    until = finding.accepted.until
    said = [finding.accepted.reason, tr(say("until {date}", date=until)) if until else ""]
    return plain("; ".join(word for word in said if word))


def accepted_ids(server: ServerReport) -> list[str]:
    """The findings of a server that the operator accepts."""
    return [finding.id for finding in server.findings if finding.accepted]


# Licence states where they stand alone.
STATUS = {**STATUS_NAMES, "notification": say("unlicensed (notification mode)")}
# What the step's own words say already.
_STEP_KEYS = {"do", "because", "builds", "if_failed", "unless_failed", "unproven"}
# What is not worth a word.
NOTHING: tuple[object, ...] = (None, "", [], {}, ())
_HRESULT_KEYS = ("hresult", "reason", "code")
# SDDL, or the first bytes of a security descriptor.
_ACCESS_LIST = re.compile(r"[OGDS]:[^\\]*\([A-Z]+;|0100[0-9A-Fa-f]{36}")


def duration(seconds: float) -> str:
    """Seconds in words."""
    size = abs(seconds)
    sign = "-" if seconds < 0 else ""
    if size >= 86400:
        return tr(say("{n} d", n=sign + _tenths(size / 86400)))
    if size >= 3600:
        return tr(say("{n} h", n=sign + _tenths(size / 3600)))
    if size >= 60:
        return tr(say("{n} min", n=sign + _tenths(size / 60)))
    return tr(say("{n} s", n=sign + (f"{size:.0f}" if size >= 10 else _tenths(size))))


def _tenths(number: float) -> str:
    return decimal(f"{number:.1f}".removesuffix(".0"))


def days_left(expires: str | None, now: str) -> float | None:
    """Days from ``now`` to ``expires``, both ISO 8601; ``None`` when not known."""
    if not expires or not now:
        return None
    try:
        ends, at = datetime.fromisoformat(expires), datetime.fromisoformat(now)
        return (ends - at).total_seconds() / 86400
    except (ValueError, TypeError):  # not a time, or one with and one without a zone
        return None


def value(key: str, item: Any) -> str:
    """One JSON value for a person."""
    if item is None:
        return tr(say("unknown"))
    if isinstance(item, bool):
        return tr(say("yes")) if item else tr(say("no"))
    if isinstance(item, (int, float)):
        return _number(key, item)
    if isinstance(item, str):
        words = STATUS_NAMES if key == "status" else VALUES
        return plain(tr(words.get(item, item))) if item else tr(say("(empty)"))
    return _several(key, item)


def _several(key: str, item: Any) -> str:
    if isinstance(item, (list, tuple)):
        return tr(listed(("", ""))).join(value(key, part) for part in item) or tr(say("(none)"))
    if isinstance(item, Mapping):
        if key in _HRESULT_KEYS:  # a code for each of several things
            codes = (titled(label(k), value(key, v)) for k, v in item.items())
            return "{" + phrases(codes) + "}"
        return "{" + pairs(item) + "}"
    return plain(str(item))


def _number(key: str, item: float) -> str:
    is_code = isinstance(item, int) and 0 < item <= 0xFFFFFFFF
    if is_code and (item >= 0x80000000 or (key in _HRESULT_KEYS and item > 0xFFFF)):
        return f"0x{item:08X}"
    if key.endswith("_s"):
        return duration(item)
    if key.endswith("_min"):
        return duration(item * 60)
    return str(item)


def label(key: str) -> str:
    """A JSON key for a person."""
    if key in LABELS:
        return tr(LABELS[key])
    name = re.sub(r"(?<=.)_(s|ms|min)$", "", key)
    return plain(name.replace("_", " "))


def is_access_list(item: object) -> bool:
    """Whether a value is permissions as Windows writes them, which take half a screen."""
    return isinstance(item, str) and _ACCESS_LIST.match(item) is not None


def readable(items: Mapping[str, Any], *, everything: bool = False) -> dict[str, Any]:
    """What is known; access lists only with ``everything``: the sentence says what is wrong."""
    known = {key: item for key, item in items.items() if item not in NOTHING}
    return {key: item for key, item in known.items() if everything or not is_access_list(item)}


def pairs(items: Mapping[str, Any]) -> str:
    """Evidence as ``skew: 5 h, current: kms.example:1688``."""
    return phrases(titled(label(key), value(key, item)) for key, item in items.items())


def phrases(said: Iterable[str]) -> str:
    """What a line says one beside the other, without what is empty; no list of like things."""
    comma = tr(say("{first}, {then}", first="", then=""))
    return comma.join(word for word in said if word)


def titled(title: str, said: str) -> str:
    """What something is called, and what it is."""
    return tr(say("{title}: {message}", title=title, message=said))


def step_line(step: Mapping[str, Any]) -> str:
    """One planned step: its name, what it does and with what."""
    name, said = plain(str(step.get("do", "?"))), step_words(step)
    return f"{name}  {said}" if said else name


def step_words(step: Mapping[str, Any]) -> str:
    """What a step does and with what."""
    shown = {k: item for k, item in step.items() if k not in _STEP_KEYS and item is not False}
    rest = readable(shown)
    # A table of published keys by build: a person needs its size.
    keys = [tr(_published(len(rest.pop("keys"))))] if "keys" in rest else []
    said = phrases(keys + [_parameter(*pair) for pair in rest.items()])
    kind = BY_NAME.get(str(step.get("do")))
    if kind is None or kind.label is None:
        return said
    return tr(say("{meaning} ({detail})", meaning=kind.label, detail=said) if said else kind.label)


def _published(keys: int) -> Text:
    return count(
        keys,
        "{n} published key, chosen by build and edition",
        "{n} published keys, chosen by build and edition",
    )


def _parameter(key: str, item: Any) -> str:
    """A parameter with its label; a flag that is set is the label alone."""
    return label(key) if item is True else titled(label(key), value(key, item))


def result_line(result: Mapping[str, Any]) -> str:
    """What one step did, with its HRESULT when it has one."""
    hresult = result.get("hresult")
    code = f" {value('hresult', hresult)}" if hresult else ""
    note = f" - {note_words(result)}" if result.get("note") else ""
    step = plain(str(result.get("do", "?")))
    return titled(step, f"{outcome_words(result)}{code}{note}")


def outcome_words(result: Mapping[str, Any]) -> str:
    """Whether a step did anything."""
    if not result.get("ok"):
        return tr(say("not done"))
    return tr(say("changed")) if result.get("changed") else tr(say("already done"))


def changes(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What a step changed, as key, before and after; only what a line has room for.

    A server reports null for what is not set; what it reports on one side only is no change.
    """
    before, after = result.get("before") or {}, result.get("after") or {}
    pairs_ = [(key, was, after[key]) for key, was in before.items() if key in after]
    return [
        (key, _set(key, was), _set(key, is_))
        for key, was, is_ in pairs_
        if was != is_
        and not is_access_list(was)
        and not is_access_list(is_)
        and not isinstance(was, Mapping)
        and not isinstance(is_, Mapping)
    ]


def _set(key: str, item: Any) -> str:
    return tr(say("(none)")) if item is None else value(key, item)


def note_words(result: Mapping[str, Any]) -> str:
    """The step's own remark."""
    return plain(tr(str(result.get("note") or "")))


def refusal_lines(server: ServerReport) -> list[str]:
    """What was not done and why, without repeating the first finding."""
    first = lead(server)
    said = first.summary if first else ""
    lines = []
    for refusal in server.refusals:
        reason = refusal.get("reason") or ""
        if reason not in (said, server.reason):
            lines.append(plain(_unsaid(reason, said)))
    return list(dict.fromkeys(lines))


def _unsaid(reason: str, said: str) -> str:
    """A reason without the finding's own sentence in it."""
    if said and isinstance(reason, Text) and reason.args.get("why") == said:
        return tr(say(reason.template, **{**reason.args, "why": ""})).strip(" :：.")
    return tr(reason)


def os_words(server: ServerReport) -> str:
    """Release and edition, as short as possible."""
    edition = (server.os.edition or "").removeprefix("Server")
    parts = [server.os.release or "", edition]
    if not any(parts) and server.os.build:
        parts = [tr(say("build {build}", build=server.os.build))]
    return plain(" ".join(part for part in parts if part))


def status_words(status: str) -> str:
    """A licence state for a person."""
    return plain(tr(STATUS.get(status, status)))


def license_words(server: ServerReport, now: str) -> str:
    """The licence state and what is left of it."""
    if not server.license.status:
        return ""
    left = days_left(server.license.expires, now)
    status = status_words(server.license.status)
    if left is None:
        return status
    if left < 0:
        return tr(say("{status}, expired", status=status))
    return tr(say("{status}, {days} d left", status=status, days=f"{left:.0f}"))
