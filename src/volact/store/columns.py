"""The columns that are derived from a server's report: of its row, and of its current state.

Lists, filters and digests are answered from these columns alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from volact.core.cluster_causes import causes_of
from volact.core.clusters import subnet_of
from volact.core.licence_end import end_of_term
from volact.core.main_cause import cause, next_lapse
from volact.model.report import ServerReport
from volact.store.clock import end_of_day, moment
from volact.store.encoding import column, encode_text

ColumnValues = dict[str, Any]
_OVERDUE = "renewal-overdue"
_TIME = 32  # characters of a time


def name_column(name: str) -> str:
    """A server's name as it is kept."""
    return column(name) or ""


def row_columns(report: ServerReport) -> ColumnValues:
    """The columns of a row beside its keys, its time and the report itself."""
    return {
        "address": column(report.address) or "",
        "verdict": report.verdict,
        "cause": column(cause(report)) or "",
        "changed": report.changed,
        "error_kind": report.error.kind if report.error else None,
        "provider": column(report.provider),
        "release": column(report.os.release),
        "edition": column(report.os.edition),
        "status": column(report.license.status),
        "channel": column(report.license.channel),
        "partial_key": column(report.license.partial_key),
        "expires": _expires(report),
        "kms_host": column(report.license.kms_host),
        "findings": encode_text([f"{each.severity}:{each.id}" for each in report.findings]),
    }


def newest_columns(report: ServerReport) -> ColumnValues:
    """A server's current state by its newest row."""
    causes = [(each.id, each.detail, each.sentence) for each in causes_of(report)]
    lapsing = next_lapse(report)
    return {
        "address": column(report.address) or "",
        "verdict": report.verdict,
        "error_kind": report.error.kind if report.error else None,
        "cause": column(cause(report)) or "",
        "causes": encode_text(causes) if causes else None,
        "subnet": subnet_of(report),
        "lapses": end_of_day(lapsing.accepted.until) if lapsing and lapsing.accepted else None,
        "lapse_cause": lapsing.id if lapsing else "",
    }


def examined_columns(report: ServerReport | None) -> ColumnValues:
    """The columns of the newest examination; ``None`` for a server that was never examined."""
    license = report.license if report else None
    term, ends = end_of_term(license)
    return {
        "release": column(report.os.release) if report else None,
        "kms_host": column(license.kms_host) if license else None,
        "status": column(license.status) if license else None,
        "term": term,
        "expires": _expires(report) if report else None,
        "ends": _sortable(ends) if ends else None,
        "overdue": any(each.id == _OVERDUE for each in report.findings) if report else False,
        "cmid": column(license.cmid) if license else None,
    }


def tags_column(tags: tuple[str, ...]) -> str:
    """Tags as one text, each between line ends, so that one is found as a part of it."""
    lines = (column(" ".join(tag.split())) for tag in tags)
    return "".join(f"\n{line}" for line in lines) + "\n" if tags else ""


def _expires(report: ServerReport) -> str | None:
    return (column(report.license.expires) or "")[:_TIME] or None


def _sortable(when: datetime) -> str:
    try:
        return moment(when)
    except OverflowError:  # outside of the range of UTC by a few hours
        return moment(when.replace(tzinfo=UTC))
