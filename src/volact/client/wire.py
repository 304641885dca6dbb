"""What the API takes and answers, as structs: one for the service and for its clients.

Structs that the JSON document, the store's reports and the queries have already are used
as they are.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from volact.core.context import Policy
from volact.model.bounds import told
from volact.queries.filters import ServerFilter

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
        targets: names, tags and globs of the inventory, as on the command line; empty: all.
        limit: the same, as ``--limit`` takes them: narrows the targets; empty: all of them.
        policy: consent to steps that ``activate`` does not take by itself.
        canary: as ``--canary``: ``N|%[:FAILURES]``.
        max_failures: as ``--max-failures``: ``N|%``.
        pace: as ``--pace``: ``N/s``, ``N/m`` or ``N/h`` servers started; ``""``: no limit.
        kms_concurrency: activations at a time at one KMS host, over all workers; up to 2000.
        concurrency: servers at a time on one worker, at most; above 50 they follow its load.
            0: as many as it has room for; up to 2000.
        deadline_s: time limit of one server, 1 to 3600.
        retries: of transient errors, up to 20.
        undo: for ``undo``: the run whose changes are undone.
        only: for ``activate`` after a plan: names of the servers that were chosen.
    """

    verb: Verb
    inventory: str
    targets: tuple[str, ...] = ()
    limit: tuple[str, ...] = ()
    policy: Policy = Policy()
    canary: str = ""
    max_failures: str = ""
    pace: str = ""
    kms_concurrency: Annotated[int, told("kms_concurrency", ge=1)] = 50
    concurrency: Annotated[int, told("concurrency", ge=0)] = 0
    deadline_s: Annotated[float, told("deadline_s")] = 120.0
    retries: Annotated[int, told("retries")] = 2
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


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ClockTime = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class MaintenanceWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Hours in which runs may start, in the schedule's time zone: ``22:00`` to ``06:00``.

    ``days`` are those on which it begins, none: every day.  One that ends when it begins
    lasts a whole day.
    """

    begin: ClockTime
    end: ClockTime
    days: tuple[Weekday, ...] = ()


class Blackout(msgspec.Struct, frozen=True, kw_only=True):
    """Dates on which no run starts, both included, in the schedule's time zone."""

    first: date
    last: date


class ScheduleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which run is started when.

    Attributes:
        run: what is started; a repair is held to the policy on repairs.
        view: id of a saved view: only servers that it has when the run starts.
        cron: five fields (``30 2 * * 1-5``), or ``every`` instead: ``6h``.
        zone: time zone of cron, windows and blackouts, such as ``Europe/Paris``.
        windows: empty: any time.
        blackouts: nothing starts on these dates.
        jitter: runs start up to this much later: ``15m``.
    """

    run: RunSpec
    view: str = ""
    cron: Annotated[str, msgspec.Meta(max_length=255)] = ""
    every: Annotated[str, msgspec.Meta(max_length=32)] = ""
    zone: Annotated[str, msgspec.Meta(max_length=64)] = "UTC"
    windows: Annotated[tuple[MaintenanceWindow, ...], msgspec.Meta(max_length=50)] = ()
    blackouts: Annotated[tuple[Blackout, ...], msgspec.Meta(max_length=500)] = ()
    jitter: Annotated[str, msgspec.Meta(max_length=32)] = ""


class ScheduleDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as it is saved."""

    name: Name
    spec: ScheduleSpec
    enabled: bool = True


class ScheduleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule of the service.

    Attributes:
        next: when it starts its next run.
        note: why it did not start its last run.
        failing: it could not; ``False`` with a note: its view had no server.
    """

    id: str
    name: str
    spec: ScheduleSpec
    enabled: bool
    next: datetime | None = None
    last: datetime | None = None
    last_run: str = ""
    note: str = ""
    failing: bool = False
    owner: str = ""
    updated: datetime


class ViewDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view as it is saved.  A shared one is seen by all users."""

    name: Name
    filter: ServerFilter
    shared: bool = False


class ViewInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view: a filter of servers with a name."""

    id: str
    name: str
    filter: ServerFilter
    shared: bool
    owner: str
    created: datetime


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as ``application/problem+json`` (RFC 9457).  ``hint`` says what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    hint: str = ""


class UserInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A user.  ``scopes``: words as ``tag:web``; ``None``: the whole fleet."""

    id: str
    name: str
    email: str = ""
    role: Role
    scopes: tuple[str, ...] | None = None
    language: str = ""
    disabled: bool = False
    password: bool = False  # whether one is set
    oidc: bool = False  # whether the identity provider signs this user in
    created: datetime
    signed_in: datetime | None = None


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be added; the first sign-in is by a one-time link or by OIDC."""

    name: str
    role: Role
    scopes: tuple[str, ...] | None = None
    email: str = ""
    language: str = ""


class UserChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    role: Role | msgspec.UnsetType = msgspec.UNSET
    scopes: tuple[str, ...] | msgspec.UnsetType | None = msgspec.UNSET
    email: str | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in browser.  ``agent`` is what it calls itself."""

    id: str
    user: str
    via: str = "session"
    created: datetime
    seen: datetime
    expires: datetime
    address: str = ""
    agent: str = ""
    current: bool = False


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An API token without its key, which was shown once."""

    id: str
    user: str
    name: str
    role: Role
    scopes: tuple[str, ...] | None = None
    created: datetime
    expires: datetime
    used: datetime | None = None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token to be made; it may do no more than its owner."""

    name: str
    role: Role = "viewer"
    scopes: tuple[str, ...] | None = None
    days: int = 90


class WorkerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A process that works on runs, and the labels of the servers that it takes."""

    id: str
    host: str
    labels: tuple[str, ...] = ()
    started: datetime
    seen: datetime


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the audit.  ``hash`` covers it and the line before."""

    position: int
    at: datetime
    user: str
    via: str
    address: str
    action: str
    object: str
    detail: dict[str, Any]
    approved_by: str
    hash: str


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The audit's chain, followed.  ``broken_at``: the first line that does not fit; 0: none."""

    lines: int
    head: str
    broken_at: int
