"""The servers of the HTML page, prepared: a line each, and what its details hold.

Pure, as ``html_view`` is: ready words out, no markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from volact.core.main_cause import cause
from volact.model.finding import Finding
from volact.model.report import ServerReport, Verdict
from volact.model.text import count, listed, say
from volact.report.base import Invocation
from volact.report.next_step import next_step
from volact.report.run_counts import causes
from volact.report.step_lines import Lines, lines_of
from volact.report.words import (
    ERROR_NAMES,
    SEVERITIES,
    VERDICTS,
    accepted_ids,
    accepted_words,
    days_left,
    label,
    note_words,
    os_words,
    outcome_words,
    readable,
    refusal_lines,
    status_words,
    step_words,
    titled,
    value,
)
from volact.words import decimal, tr


class PageLine(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, step or result in a server's details."""

    tone: str
    name: str
    text: str
    pairs: tuple[tuple[str, str], ...] = ()
    note: Lines = ()


class PageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One server."""

    anchor: str
    verdict: Verdict
    word: str
    name: str
    address: str
    os: str
    license: str
    days: float | None
    kms_host: str
    cause: str
    provider: str
    release: str
    tokens: str  # what it can be filtered by, see ``tokens``
    error: str
    findings: tuple[PageLine, ...]
    resolved: tuple[str, ...]
    refusals: tuple[str, ...]
    reason: str
    done_title: str
    done: tuple[PageLine, ...]
    facts: tuple[tuple[str, str], ...]
    next: Lines


def row(server: ServerReport, anchor: str, how: Invocation, now: str) -> PageRow:
    """One server's line and details."""
    title, done = _done(server)
    why = cause(server).removeprefix("error:")
    status = server.license.status or ""
    return PageRow(
        anchor=anchor,
        verdict=server.verdict,
        word=tr(VERDICTS[server.verdict]),
        name=server.name,
        address=server.address,
        os=os_words(server),
        license=status_words(status),
        days=days_left(server.license.expires, now),
        kms_host=server.license.kms_host or "",
        cause=why or _without_cause(server),
        provider=server.provider or "",
        release=server.os.release or "",
        tokens=" ".join(tokens(server)),
        error=_lost(server),
        findings=tuple(_finding_line(finding) for finding in server.findings),
        resolved=server.resolved,
        refusals=tuple(refusal_lines(server)),
        reason=tr(server.reason),
        done_title=title,
        done=done,
        facts=_facts(server),
        next=_unsaid(next_step([server], how), server),
    )


def _without_cause(server: ServerReport) -> str:
    if server.changed:
        return tr(say("repaired"))
    return tr(SEVERITIES["accepted"]) if accepted_ids(server) else ""


def tokens(server: ServerReport) -> list[str]:
    """The words by which the page filters: what was found, and why it was not examined.

    What the bars do not count, as ``accepted:clock-skew``, is no part of what one of them shows.
    """
    counted = causes(server)
    found = [
        finding.id if finding.id in counted else f"{finding.severity}:{finding.id}"
        for finding in server.findings
    ]
    return [f"error:{server.error.kind}", *found] if server.error else found


def _unsaid(step: Lines, server: ServerReport) -> Lines:
    """The next step, unless a finding beside it names it already."""
    return () if step in {lines_of(finding.remedy) for finding in server.findings} else step


def _lost(server: ServerReport) -> str:
    if server.error is None:
        return ""
    return titled(tr(ERROR_NAMES[server.error.kind]), tr(server.error.message))


def _finding_line(finding: Finding) -> PageLine:
    return PageLine(
        tone=finding.severity,
        name=finding.id,
        text=tr(finding.summary),
        pairs=tuple(
            (label(key), value(key, item)) for key, item in readable(finding.evidence).items()
        ),
        note=_accepted_note(finding) or lines_of(finding.remedy),
    )


def _accepted_note(finding: Finding) -> Lines:
    if not finding.accepted:
        return ()
    why = accepted_words(finding)
    return (tr(say("accepted: {what}", what=why)) if why else tr(SEVERITIES["accepted"]),)


def _done(server: ServerReport) -> tuple[str, tuple[PageLine, ...]]:
    """What was done, or else what is planned."""
    if server.results:
        return tr(say("Steps done")), tuple(_result(result) for result in server.results)
    steps = tuple(_planned(step) for step in server.plan)
    return (tr(say("Planned steps")) if steps else "", steps)


def _planned(step: Mapping[str, Any]) -> PageLine:
    because = [str(word) for word in step.get("because", ())]
    note = (tr(say("because of {what}", what=listed(because))),) if because else ()
    return PageLine(tone="plan", name=str(step.get("do", "?")), text=step_words(step), note=note)


def _result(result: Mapping[str, Any]) -> PageLine:
    tone = "failed" if not result.get("ok") else "changed" if result.get("changed") else "same"
    word, code = outcome_words(result), result.get("hresult")
    return PageLine(
        tone=tone,
        name=str(result.get("do", "?")),
        text=f"{word} {value('hresult', code)}" if code else word,
        pairs=_before_after(result.get("before") or {}, result.get("after") or {}),
        note=(note_words(result),) if result.get("note") else (),
    )


def _before_after(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    keys = dict.fromkeys([*before, *after])
    return tuple((label(key), _change(key, before, after)) for key in keys)


def _change(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    was = value(key, before[key]) if key in before else ""
    now = value(key, after[key]) if key in after else ""
    return f"{was} → {now}" if was and now and was != now else now or was


def _facts(server: ServerReport) -> tuple[tuple[str, str], ...]:
    took = count(
        server.executions,
        "{seconds} s, {n} execution on the server",
        "{seconds} s, {n} executions on the server",
        seconds=decimal(f"{server.elapsed_s:.1f}"),
    )
    known = {
        say("provider"): server.provider,
        say("release"): server.os.release,
        say("build"): server.os.build,
        say("edition"): server.os.edition,
        say("language"): server.os.language,
        say("channel"): server.license.channel,
        say("key ends in"): server.license.partial_key,
        say("KMS host"): server.license.kms_host,
        say("expires"): server.license.expires,
        say("client machine ID"): server.license.cmid,
        say("time taken"): tr(took),
    }
    return tuple((tr(name), str(item)) for name, item in known.items() if item not in (None, ""))
