"""The API's document, as far as a client reads it: what a service of its version knows."""

from __future__ import annotations

import msgspec

from volact.errors import InputError
from volact.model.text import say


class ApiSchema(msgspec.Struct, frozen=True):
    """A struct of the API; a union has no properties."""

    properties: dict[str, msgspec.Raw] = {}


class ApiComponents(msgspec.Struct, frozen=True):
    """All structs by name."""

    schemas: dict[str, ApiSchema]


class ApiDocument(msgspec.Struct, frozen=True):
    """The document."""

    components: ApiComponents


def require_targets(document: ApiDocument) -> None:
    """``InputError`` where a run has no targets: an older service would take the whole limit."""
    if "targets" not in document.components.schemas.get("RunSpec", ApiSchema()).properties:
        raise InputError(
            say("the service is older: it does not take both targets and --limit"),
            say("give one of them"),
        )
