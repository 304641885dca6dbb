"""What the API takes and answers, as structs: one for the service and for its clients.

Structs that the JSON document, the store's reports and the queries have already are used
as they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from volact.core.context import Policy

Verb = Literal["check", "plan", "activate", "undo"]
Role = Literal["viewer", "operator", "approver", "administrator"]
RunState = Literal[
    "awaiting-approval",  # a second person has to agree
    "queued",
    "running",
    "paused",
    "cancelling",
    "done",
    "stopped",  # by its stop rules
    "cancelled",
    "failed",  # volact itself failed
    "refused",  # not approved
]


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is asked to do.  Nothing here is secret: credentials are references.

    Attributes:
        verb: ``plan`` examines and plans; ``activate`` repairs, activates and verifies.
        inventory: the name of an inventory of the service.
        limit: names, tags and globs of the inventory, as ``--limit`` takes them; empty: all.
        policy: consent to steps that ``activate`` does not take by itself.
        canary: as ``--canary``: ``N|%[:FAILURES]``.
        max_failures: as ``--max-failures``: ``N|%``.
        pace: servers started a minute, as ``--pace``; ``""``: no limit.
        kms_concurrency: activations at a time at one KMS host, over all workers.
        concurrency: servers at a time on one worker.
        deadline_s: time limit of one server.
        retries: of transient errors.
        undo: for ``undo``: the run whose changes are undone.
        only: for ``activate`` after a plan: names of the servers that were chosen.
    """

    verb: Verb
    inventory: str
    limit: tuple[str, ...] = ()
    policy: Policy = Policy()
    canary: str = ""
    max_failures: str = ""
    pace: str = ""
    kms_concurrency: int = 50
    concurrency: int = 50
    deadline_s: float = 120.0
    retries: int = 2
    undo: str = ""
    only: tuple[str, ...] = ()


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the service, and how far it is."""

    id: str
    state: RunState
    spec: RunSpec
    servers: int = 0
    done: int = 0
    counts: dict[str, int] = {}
    note: str = ""
    requested_by: str = ""
    approved_by: str = ""
    schedule: str = ""
    requested: datetime
    approved: datetime | None = None
    begun: datetime | None = None
    ended: datetime | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as ``application/problem+json`` (RFC 9457).  ``hint`` says what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    hint: str = ""
