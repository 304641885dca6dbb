"""The JSON Schemas of docs/schema, made from the types themselves.

``python tests/report/schemas.py`` writes them; a test fails when one is no longer current.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import msgspec

from volact.model.report import Cluster, RunReport, Summary
from volact.queries.values import (
    Age,
    ChangeRow,
    DiffSummary,
    Ends,
    ExpiringRow,
    ExpiringSummary,
    FindingCount,
    Group,
    LookRow,
    Stale,
    StatusRow,
)
from volact.store.values import RunRow

FOLDER = Path(__file__).parents[2] / "docs" / "schema"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class RunsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact runs``, the newest first."""

    volact: str
    command: Literal["runs"]
    now: str
    runs: tuple[RunRow, ...]


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact status``."""

    volact: str
    command: Literal["status"]
    now: str
    servers: tuple[StatusRow, ...]
    summary: Summary
    expired_since: int  # of them: examined as healthy, and the licence has run out since
    endings: tuple[Ends, ...]
    providers: tuple[Group, ...]
    releases: tuple[Group, ...]
    kms_hosts: tuple[Group, ...]
    clusters: tuple[Cluster, ...]
    ages: tuple[Age, ...]
    stale: Stale
    accepted: tuple[FindingCount, ...]
    last_run: RunRow | None


class HistoryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact history SERVER``, the newest examination first."""

    volact: str
    command: Literal["history"]
    now: str
    server: str
    looks: tuple[LookRow, ...]


class DiffDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact diff RUN RUN``; servers that are the same are only counted."""

    volact: str
    command: Literal["diff"]
    now: str
    before: RunRow
    after: RunRow
    servers: tuple[ChangeRow, ...]
    summary: DiffSummary


class ExpiringDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``volact expiring``, the earliest end first."""

    volact: str
    command: Literal["expiring"]
    now: str
    within_days: float
    servers: tuple[ExpiringRow, ...]
    unknown: tuple[ExpiringRow, ...]
    summary: ExpiringSummary


# A contract, like ``model.report``: changing a name is a change of contract (CHANGELOG.md).
DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "status": StatusDocument,
    "expiring": ExpiringDocument,
    "runs": RunsDocument,
    "diff": DiffDocument,
    "history": HistoryDocument,
}


def report_schema() -> dict[str, Any]:
    """The schema of ``--output json``."""
    return {**msgspec.json.schema(RunReport), "$schema": DIALECT, "title": "volact report"}


def memory_schema() -> dict[str, Any]:
    """That of the verbs that read the store; ``command`` names which of the documents it is."""
    made, parts = msgspec.json.schema_components(DOCUMENTS.values(), ref_template="#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "title": "volact status, expiring, runs, diff and history",
        "anyOf": list(made),
        "$defs": parts,
    }


SCHEMAS = {"report.json": report_schema, "memory.json": memory_schema}


def schema_text(name: str) -> str:
    """A schema as its file in docs/schema has it."""
    return json.dumps(SCHEMAS[name](), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def written_schema(name: str) -> str:
    """A schema as it is in docs/schema."""
    return (FOLDER / name).read_text("utf-8")


if __name__ == "__main__":
    for file in SCHEMAS:
        (FOLDER / file).write_text(schema_text(file), "utf-8")
