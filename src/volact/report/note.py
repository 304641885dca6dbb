"""The text report of one server.

Verdict, cause, evidence, what was done, what is left to do and the exact
command.  Several servers are a table (``text_table``); the words are those of
``words.py``, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from volact.core.main_cause import lead
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.text import Text, listed, say
from volact.report.base import Invocation
from volact.report.step_lines import Command
from volact.report.terminal_safe import pad, plain, width
from volact.report.todo import todo
from volact.report.words import (
    ERROR_TITLES,
    SEVERITIES,
    VERDICTS,
    accepted_ids,
    accepted_words,
    cause_title,
    changes,
    days_left,
    label,
    license_words,
    note_words,
    os_words,
    outcome_words,
    readable,
    refusal_lines,
    value,
)
from volact.report.wrap import wrapped
from volact.words import tr

Paint = Callable[[str, str], str]  # text and the name of a colour
NotePart = tuple[Text, list[str]]  # a heading of the left column, and its paragraphs


def note(
    server: ServerReport, how: Invocation, now: str, *, columns: int, paint: Paint
) -> Iterator[str]:
    """The lines of the whole note."""
    parts = [part for part in _parts(server, how, now) if part[1]]
    margin = max(width(tr(heading)) for heading, _ in parts) + 2
    about = [plain(server.address), os_words(server), plain(server.provider or "")]
    yield f"{paint(plain(server.name), 'bold')}  {' | '.join(word for word in about if word)}"
    yield ""
    for heading, paragraphs in parts:
        first = paint(pad(tr(heading), margin), server.verdict if heading == "Verdict" else "dim")
        for paragraph in paragraphs:
            for line in _fitted(paragraph, columns - margin):
                yield f"{first}{line}".rstrip()
                first = " " * margin


def _fitted(paragraph: str, columns: int) -> list[str]:
    """A paragraph's lines; a command stays whole."""
    if isinstance(paragraph, Command):
        return [f"  {paragraph}"]
    return wrapped(paragraph, columns, hang=3 if paragraph[:1].isdecimal() else 0)


def _parts(server: ServerReport, how: Invocation, now: str) -> Iterator[NotePart]:
    yield say("Verdict"), [_verdict(server, now)]
    yield say("Cause"), _cause(server)
    yield say("Evidence"), _evidence(server)
    yield say("Licence"), _licence(server, now)
    yield (
        say("Also"),
        [_also(finding) for finding in server.findings if finding is not lead(server)],
    )
    yield say("Not done"), _not_done(server)
    yield say("Done"), _done(server, how)
    yield say("Repaired"), [plain(tr(listed(server.resolved)))] if server.resolved else []
    yield say("To do"), todo(server, how)


def _verdict(server: ServerReport, now: str) -> str:
    word = tr(VERDICTS[server.verdict]).upper()
    return plain(tr(say("{verdict}: {means}", verdict=word, means=_means(server, now))))


def _means(server: ServerReport, now: str) -> Text:
    """How it stands with Windows, in one sentence."""
    status = server.license.status
    match server.verdict:
        case "unreachable":
            return say("the server could not be examined.")
        case "failed":
            return say("the repair ran, but verification failed.")
        case "healthy" if status == "licensed" or not accepted_ids(server):
            return _activated(server, now)
        case "healthy":
            return say("Windows is not activated, which is accepted.")
    if status == "licensed":
        return say("Windows is activated, but there is a problem.")
    return (
        say("Windows is not activated.")
        if status
        else say("it is not known whether Windows is activated.")
    )


def _activated(server: ServerReport, now: str) -> Text:
    left, host = days_left(server.license.expires, now), server.license.kms_host or ""
    if left is None or not host or "KMSCLIENT" not in (server.license.channel or ""):
        return say("Windows is activated.")
    days = f"{left:.0f}"
    return say("Windows is activated by {host}, for another {days} days.", host=host, days=days)


def _cause(server: ServerReport) -> list[str]:
    if server.error is not None:
        title = ERROR_TITLES[server.error.kind]
        return [plain(tr(say("{title}: {message}", title=title, message=server.error.message)))]
    first = lead(server)
    if first is None:
        return [] if server.verdict == "healthy" else [plain(tr(cause_title(server)))]
    return [plain(f"{tr(first.summary)} [{first.id}]")]


def _evidence(server: ServerReport) -> list[str]:
    """What the cause rests on, one thing a line; what is not known has no line."""
    first = lead(server)
    told = readable(first.evidence) if first is not None else {}
    return [line for key, item in told.items() for line in _seen(key, item)]


def _seen(key: str, item: Any) -> Iterable[str]:
    """Several things of a kind get a line each."""
    if isinstance(item, (list, tuple)) and any(isinstance(each, Mapping) for each in item):
        return [plain(f"{label(key)}: {value(key, each).strip('{}')}") for each in item]
    return [plain(f"{label(key)}: {value(key, item)}")]


def _licence(server: ServerReport, now: str) -> list[str]:
    """State, key and host in one line; nothing where nothing is known."""
    licence = server.license
    host = licence.kms_host
    said = [
        license_words(server, now),
        plain(licence.channel or ""),
        tr(say("key ends in {partial}", partial=licence.partial_key))
        if licence.partial_key
        else "",
        tr(say("KMS host {host}", host=host)) if host else "",
    ]
    return [line] if (line := plain(", ".join(word for word in said if word))) else []


def _also(finding: Finding) -> str:
    severity = tr(SEVERITIES[finding.severity])
    why = accepted_words(finding)
    return plain(f"{severity}: {tr(finding.summary)} [{finding.id}]{f' ({why})' if why else ''}")


def _done(server: ServerReport, how: Invocation) -> list[str]:
    """Every step with what it changed, or that nothing was done."""
    if server.results:
        return [applied(result) for result in server.results]
    if how.command != "activate":
        return [tr(say("Nothing was changed: this was a check."))]
    why = server.reason if server.error is None and server.reason not in _summaries(server) else ""
    return [plain(tr(say("Nothing was changed. {why}", why=why))).rstrip()]


def _not_done(server: ServerReport) -> list[str]:
    """Refusals that the findings do not explain already."""
    said = {plain(tr(summary)) for summary in (*_summaries(server), server.reason)}
    return [line for line in refusal_lines(server) if line not in said]


def _summaries(server: ServerReport) -> list[str]:
    return [finding.summary for finding in server.findings]


def applied(result: Mapping[str, Any], arrow: str = "→") -> str:
    """One step: its outcome, what it changed, its code and its own remark."""
    said = [outcome_words(result)]
    said += [f"{label(key)} {was} {arrow} {is_}" for key, was, is_ in changes(result)]
    if result.get("hresult"):
        said.append(value("hresult", result["hresult"]))
    if result.get("note"):
        said.append(note_words(result))
    return plain(f"{result.get('do', '?')}: {', '.join(said)}")
