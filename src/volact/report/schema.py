"""The JSON Schema of the report document, made from the types themselves.

``docs/schema/report.json`` is this, written by ``python -m volact.report.schema``;
a test fails when it is no longer current.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from volact.model.report import RunReport


def report_schema() -> dict[str, Any]:
    """The schema of ``--output json``."""
    schema = msgspec.json.schema(RunReport)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "volact report"
    return schema


def schema_text() -> str:
    """The schema as the file in docs/schema has it."""
    return json.dumps(report_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
