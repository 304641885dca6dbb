"""The JSON Schema of the store verbs' documents, made from the types themselves.

``docs/schema/memory.json`` is this, written by ``python -m volact.report.store_reports.schema``;
a test fails when it is no longer current.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from volact.report.store_reports.documents import (
    DiffDocument,
    ExpiringDocument,
    HistoryDocument,
    RunsDocument,
    StatusDocument,
)

DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "status": StatusDocument,
    "expiring": ExpiringDocument,
    "runs": RunsDocument,
    "diff": DiffDocument,
    "history": HistoryDocument,
}


def memory_schema() -> dict[str, Any]:
    """The schema of ``--output json``; ``command`` names which of the documents it is."""
    made, parts = msgspec.json.schema_components(DOCUMENTS.values(), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "volact status, expiring, runs, diff and history",
        "anyOf": list(made),
        "$defs": parts,
    }


def schema_text() -> str:
    """The schema as the file in docs/schema has it."""
    return json.dumps(memory_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
