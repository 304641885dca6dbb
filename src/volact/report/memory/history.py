"""Every look at one server, each with what came and went since the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from volact.model.report import ServerReport
from volact.report.memory.documents import LookRow, StepRow
from volact.report.words import cause, lead
from volact.store.values import StoredRow


def history(looks: Sequence[StoredRow], commands: Mapping[str, str]) -> Iterator[LookRow]:
    """The looks, newest first as they are given; ``commands`` names each run's verb.

    A look that failed says nothing of findings: what came and went is measured
    against the last look before it that succeeded.  A row that a resumed run took
    over from an earlier one is no look: nobody asked.
    """
    looks = [look for look in looks if not look.report.carried]
    before: list[ServerReport | None] = []
    last: ServerReport | None = None
    for look in reversed(looks):
        before.append(last)
        last = look.report if _examined(look.report) else last
    for look, older in zip(looks, reversed(before), strict=True):
        yield _row(look, older, commands.get(look.run, ""))


def _row(look: StoredRow, older: ServerReport | None, command: str) -> LookRow:
    report = look.report
    seen = _examined(report)
    stands, first = _ids(report) if seen else (), lead(report)
    before = _ids(older) if older else ()
    gone = (*before, *report.resolved) if seen else ()
    return LookRow(
        at=look.at,
        run=look.run,
        command=command,
        verdict=report.verdict,
        status=report.license.status if seen else None,
        kms_host=report.license.kms_host if seen else None,
        expires=report.license.expires if seen else None,
        cause=cause(report) if report.verdict != "healthy" else "",
        said=first.summary if seen and first else "",
        came=tuple(id for id in stands if id not in before),
        went=tuple(dict.fromkeys(id for id in gone if id not in stands)),
        stands=stands,
        steps=tuple(_step(result) for result in report.results),
        refused=tuple(dict.fromkeys(str(each.get("finding", "")) for each in report.refusals)),
        error=report.error,
        elapsed_s=report.elapsed_s,
        undo=report.undo or None,
    )


def _examined(report: ServerReport) -> bool:
    return report.verdict != "unreachable"


def _ids(report: ServerReport) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.id for finding in report.findings))


def _step(result: Mapping[str, Any]) -> StepRow:
    code = result.get("hresult")
    return StepRow(
        do=str(result.get("do", "?")),
        ok=bool(result.get("ok")),
        changed=bool(result.get("changed")),
        hresult=code if isinstance(code, int) else None,
        before=dict(result.get("before") or {}),
        after=dict(result.get("after") or {}),
        note=str(result.get("note") or ""),
    )
