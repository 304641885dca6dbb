"""What the API answers: lists and pages, and what is more than a struct of ``wire``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from volact.client.wire import (
    AuditLine,
    Role,
    RunInfo,
    ScheduleInfo,
    SessionInfo,
    TokenInfo,
    UserInfo,
    ViewInfo,
    WorkerInfo,
)
from volact.model.report import ServerReport
from volact.queries.values import RunServer, SentStep, StatusRow
from volact.store.values import RunRow


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run is refused."""

    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class ServerItem(StatusRow, frozen=True, kw_only=True):
    """A server of a list: its current state."""

    tags: tuple[str, ...] = ()
    overdue: bool = False  # its renewal


class ServerPage(msgspec.Struct, frozen=True, kw_only=True):
    """``next`` is the cursor of the next page, ``""`` after the last; so for every page."""

    items: tuple[ServerItem, ...]
    next: str = ""


class ServerDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A server's current state, and the report of its newest examination."""

    server: ServerItem
    report: ServerReport | None = None
    report_run: str = ""  # the run that the report is of
    report_at: str = ""


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a server's newest examination.

    Each is ``{"type": "known", "value": …}``, ``{"type": "absent"}`` or
    ``{"type": "unreadable", "hresult": …}``; ``raw`` is the answer that they were read from.
    """

    run: str
    facts: dict[str, Any]
    raw: dict[str, Any]


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of the service, the newest first."""

    items: tuple[RunInfo, ...]
    next: str = ""


class RunServerPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a run, by the servers' names."""

    items: tuple[RunServer, ...]
    next: str = ""


class StepPage(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that were sent to servers, and what they answered."""

    items: tuple[SentStep, ...]
    next: str = ""


class StoredRunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Runs as the store has them, those of the command line as well; the newest first."""

    items: tuple[RunRow, ...]
    next: str = ""


WaveState = Literal["waiting", "running", "done", "halted"]


class RunWave(msgspec.Struct, frozen=True, kw_only=True):
    """Servers of a run that begin together: its canaries, or all others.

    ``waiting``: its turn has not come; ``halted``: the run does not go on with it.
    """

    canaries: bool
    state: WaveState
    servers: int
    done: int = 0
    counts: dict[str, int] = {}


class RunProgress(msgspec.Struct, frozen=True, kw_only=True):
    """An event of ``/runs/{run}/events``: where the run is, and the rows that are new.

    ``waves``: of a run with canaries.  ``missed``: rows before these were not sent to a reader
    that was too slow; ``/rows`` has them.
    """

    run: RunInfo
    rows: tuple[RunServer, ...] = ()
    waves: tuple[RunWave, ...] = ()
    missed: bool = False


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a plan, and the findings that it repairs."""

    do: str
    label: str
    because: tuple[str, ...] = ()


class PlanGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Servers with the same plan.  Without steps, ``cause`` says why there are none."""

    steps: tuple[PlanStep, ...]
    cause: str = ""
    count: int
    servers: tuple[str, ...]


class PlanGroups(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of ``plan`` would change, the largest group first."""

    items: tuple[PlanGroup, ...]
    healthy: int  # servers with nothing to change


class FilterValues(msgspec.Struct, frozen=True, kw_only=True):
    """The values that servers have, each with its number of servers, the most frequent first."""

    verdicts: dict[str, int]
    providers: dict[str, int]
    releases: dict[str, int]
    kms_hosts: dict[str, int]
    causes: dict[str, int]


class FindingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of finding, and how many servers have it now, by severity."""

    id: str
    meaning: str
    action: str
    servers: dict[str, int] = {}


class FindingList(msgspec.Struct, frozen=True, kw_only=True):
    """Every kind of finding, the most frequent first."""

    items: tuple[FindingInfo, ...]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The caller: who it is, and what it may do."""

    user: str
    name: str
    role: Role
    permissions: tuple[str, ...]
    scopes: tuple[str, ...] | None = None  # null: the whole fleet
    via: str = ""
    language: str = ""


class ScheduleList(msgspec.Struct, frozen=True, kw_only=True):
    """All schedules, by name."""

    items: tuple[ScheduleInfo, ...]


class ViewList(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's own views and the shared ones, by name."""

    items: tuple[ViewInfo, ...]


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    """All users, by name."""

    items: tuple[UserInfo, ...]


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """A user's sessions, the latest used first."""

    items: tuple[SessionInfo, ...]


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    """A user's tokens, the newest first."""

    items: tuple[TokenInfo, ...]


class MadeToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new token and its key, which is not shown again."""

    token: TokenInfo
    key: str


class SignInLink(msgspec.Struct, frozen=True, kw_only=True):
    """The address that signs a user in once."""

    url: str


class NewPassword(msgspec.Struct, frozen=True, kw_only=True):
    """A password to set: 12 to 1000 characters, 5 of them different, without the user's name."""

    password: str


class OwnChange(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller may change of their own account: the language of what they read."""

    language: Annotated[str, msgspec.Meta(max_length=35)]


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of the audit, the newest first."""

    items: tuple[AuditLine, ...]
    next: str = ""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The workers, and how many runs are in each state."""

    volact: str
    database: str
    workers: tuple[WorkerInfo, ...]
    runs: dict[str, int]
