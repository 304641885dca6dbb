"""The published client keys as Microsoft prints them, apart from volact's own copy.

``published_keys.tsv`` is a second transcription of "Key Management Services
(KMS) client activation and product keys" (2024-10-01), so that a key that is
wrong in ``volact.knowledge`` cannot also be wrong here.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple


class PublishedKey(NamedTuple):
    """One row of the table."""

    release: str
    edition: str
    builds: tuple[int, ...]
    skus: tuple[int, ...]
    key: str


@cache
def published_keys() -> tuple[PublishedKey, ...]:
    """All rows."""
    path = Path(__file__).with_name("published_keys.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            PublishedKey(
                row["release"],
                row["edition"],
                tuple(int(build) for build in row["builds"].split()),
                tuple(int(sku) for sku in row["skus"].split()),
                row["key"],
            )
            for row in csv.DictReader(file, delimiter="\t")
        )


def key_for(build: int, sku: int) -> str:
    """The key of a build and edition number, ``""`` where none is published."""
    found = (row.key for row in published_keys() if build in row.builds and sku in row.skus)
    return next(found, "")
