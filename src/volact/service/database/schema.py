"""The version of the service's tables; they have a chain of migrations of their own."""

from __future__ import annotations

from pathlib import Path

from volact.store.schema import Schema

SERVICE = Schema("0001", Path(__file__).parent / "migrations", "service_version")
