"""The text report of one server.

Verdict, cause, evidence, what was done, and what is left for a person to do, each thing
with its exact command.  Several servers are a table (``text_table``); the words are those of
``words.py``, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from volact.core.main_cause import lead
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.text import Text, count, listed, say
from volact.report.base import Invocation
from volact.report.next_step import (
    CONSENT_ASKED,
    after_error,
    command_for,
    consent,
    failed_code,
    with_consent,
)
from volact.report.repairs import consent_first, naming, repairs
from volact.report.step_lines import Command, lines_of
from volact.report.terminal_safe import pad, plain, width
from volact.report.words import (
    SEVERITIES,
    VERDICTS,
    accepted_ids,
    accepted_words,
    cause_title,
    changes,
    days_left,
    error_words,
    label,
    license_words,
    note_words,
    os_words,
    outcome_words,
    phrases,
    readable,
    refusal_lines,
    step_line,
    titled,
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
    return count(
        round(left),
        "Windows is activated by {host}, for another {n} day.",
        "Windows is activated by {host}, for another {n} days.",
        host=host,
    )


def _cause(server: ServerReport) -> list[str]:
    if server.error is not None:
        return [plain(tr(error_words(server.error)))]
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
        return [plain(titled(label(key), value(key, each).strip("{}"))) for each in item]
    return [plain(titled(label(key), value(key, item)))]


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
    return [line] if (line := plain(phrases(said))) else []


def _also(finding: Finding) -> str:
    what = f"{tr(finding.summary)} [{finding.id}]"
    if why := accepted_words(finding):
        what = tr(say("{meaning} ({detail})", meaning=what, detail=why))
    return plain(titled(tr(SEVERITIES[finding.severity]), what))


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
    return plain(titled(str(result.get("do", "?")), phrases(said)))


def todo(server: ServerReport, how: Invocation) -> list[str]:
    """The paragraphs, in the order in which things are to be done."""
    if server.error is not None:
        return list(lines_of(after_error([server], how)))
    wanted = consent(server)
    refused = server.results or (how.by_hand and consent_first(server))
    mendable = [] if refused else _mendable(server)
    left = [*_steps(server), *_by_hand(server, mendable)]
    if how.by_hand and mendable:
        naming_it, options = naming(server, how)
        left += [
            tr(say("To see what to type on the server:")),
            command_for("commands", [server], naming_it, options),
        ]
    elif (mendable or wanted) and not how.by_hand:
        left += _with_volact(server, how, wanted, mendable)
    if code := failed_code(server):
        left += [tr(say("The code means:")), Command(f"volact explain {code}")]
    if not server.findings and server.verdict == "attention" and server.provider is None:
        named = command_for(how.command, [server], how, ("--provider NAME",))
        left += [tr(say("Name the server's cloud; volact providers lists them:")), named]
    return left or [tr(say("Nothing."))]


def _mendable(server: ServerReport) -> list[Finding]:
    """What volact repairs when it is allowed: what its plan is for, or would be."""
    planned = {str(id) for step in server.plan for id in step.get("because", ())}
    refused = _refused(server)
    return [
        finding
        for finding in server.findings
        if finding.id in planned or (not refused and repairs(server, finding))
    ]


def _refused(server: ServerReport) -> bool:
    """Whether volact would do nothing, and no consent and no repair by hand changes that."""
    decided = bool(server.refusals or server.reason) and not server.plan
    manual = any(f.severity == "error" and f.repair == "manual" for f in server.findings)
    return decided and not manual and not consent(server)


def _steps(server: ServerReport) -> list[str]:
    if server.results or not server.plan:
        return []
    lines = [plain(f"{at}. {step_line(step)}") for at, step in enumerate(server.plan, 1)]
    return [tr(say("volact would do this:")), *lines]


def _by_hand(server: ServerReport, mendable: list[Finding]) -> list[str]:
    """The remedies of what volact does not repair; of several each names its finding."""
    waits = bool(consent_first(server))  # to do the rest by hand needs that word too
    left = [
        finding
        for finding in server.findings
        if finding.remedy
        and (finding.severity in ("error", "warning") or finding is lead(server))
        and finding not in mendable
        and not (waits and finding.repair == "automatic")
    ]
    if len(left) == 1 and not mendable:
        return list(lines_of(left[0].remedy))
    return [line for finding in left for line in _headed(finding)]


def _with_volact(
    server: ServerReport, how: Invocation, wanted: tuple[str, ...], mendable: list[Finding]
) -> list[str]:
    """The command by which volact does it, and what to type for the same by hand."""
    if wanted:
        return [tr(CONSENT_ASKED), *with_consent([server], how, wanted)]
    how, options = naming(server, how)
    options += consent_first(server)
    command = command_for("activate", [server], how, options)
    what = listed(finding.id for finding in mendable)
    first = any(f.severity == "error" and f not in mendable for f in server.findings)
    typed = command_for("plan", [server], how, (*options, "--format commands"))
    return [
        plain(tr(say("After that, volact repairs {what}:", what=what)))
        if first
        else plain(tr(say("volact repairs {what}:", what=what))),
        command,
        tr(say("To see what to type on the server instead:")),
        typed,
    ]


def _headed(finding: Finding) -> list[str]:
    first, *more = lines_of(finding.remedy)
    return [plain(f"[{finding.id}] {first}"), *more]
