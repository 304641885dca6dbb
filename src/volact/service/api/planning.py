"""``/schedules``, ``/views`` and ``/policies``."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import delete, get, post, put
from litestar.params import JSONBody

from volact.client.answers import ScheduleList, ViewList
from volact.client.wire import ScheduleDraft, ScheduleInfo, ViewDraft, ViewInfo
from volact.service import views as kept
from volact.service.access import Permission
from volact.service.api.asked import Id, found
from volact.service.caller import Asked, changed, parts_of, schedule_of, seen_schedules
from volact.service.policies import (
    POLICY_TYPES,
    AnyPolicy,
    ApprovalPolicy,
    NotificationPolicy,
    RepairPolicy,
    RetentionPolicy,
)
from volact.service.policy_store import read_policy, write_policy
from volact.service.run_bounds import check_bounds
from volact.service.schedules import store as schedules

P = TypeVar("P", bound=AnyPolicy)
_READ = {"permission": Permission.READ}
_OWN = {"permission": Permission.SIGNED_IN}
_CONFIGURE = {"permission": Permission.CONFIGURE}


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that administrators have decided for all."""

    approvals: ApprovalPolicy
    repairs: RepairPolicy
    retention: RetentionPolicy
    notifications: NotificationPolicy


def _view(request: Asked, id: str) -> ViewInfo:
    return found(lambda: kept.find_view(parts_of(request).store, id, request.user))


@get("/schedules", opt=_READ, sync_to_thread=True, tags=["schedules"])
def all_schedules(request: Asked) -> ScheduleList:
    """All schedules by name, with the time of each one's next run.

    A caller with scopes sees those that may reach servers within them, without the words that
    may name others.
    """
    return ScheduleList(items=tuple(seen_schedules(request)))


@get("/schedules/{id:str}", opt=_READ, sync_to_thread=True, tags=["schedules"])
def schedule(request: Asked, id: Id) -> ScheduleInfo:
    """One schedule."""
    return schedule_of(request, id)


@post("/schedules", opt=_CONFIGURE, sync_to_thread=True, tags=["schedules"])
def add_schedule(request: Asked, data: JSONBody[ScheduleDraft]) -> ScheduleInfo:
    """Make a schedule.  Its runs are requested by the caller, with the caller's scopes."""
    check_bounds(data.spec.run)
    return changed(request, lambda change: schedules.save_schedule(change, data))


@put("/schedules/{id:str}", opt=_CONFIGURE, sync_to_thread=True, tags=["schedules"])
def save_schedule(request: Asked, id: Id, data: JSONBody[ScheduleDraft]) -> ScheduleInfo:
    """Change a schedule.  Its runs are requested by the caller from now on."""
    schedule_of(request, id)
    check_bounds(data.spec.run)
    return changed(request, lambda change: schedules.save_schedule(change, data, id))


@delete("/schedules/{id:str}", opt=_CONFIGURE, sync_to_thread=True, tags=["schedules"])
def delete_schedule(request: Asked, id: Id) -> None:
    """Delete a schedule; its runs stay."""
    schedule_of(request, id)
    changed(request, lambda change: schedules.delete_schedule(change, id))


@get("/views", opt=_READ, sync_to_thread=True, tags=["views"])
def views(request: Asked) -> ViewList:
    """The caller's own views and the shared ones, by name."""
    return ViewList(items=tuple(kept.list_views(parts_of(request).store, request.user)))


@get("/views/{id:str}", opt=_READ, sync_to_thread=True, tags=["views"])
def view(request: Asked, id: Id) -> ViewInfo:
    """One view."""
    return _view(request, id)


@post("/views", opt=_OWN, sync_to_thread=True, tags=["views"])
def add_view(request: Asked, data: JSONBody[ViewDraft]) -> ViewInfo:
    """Save a filter of servers as a view of the caller."""
    return changed(request, lambda change: kept.save_view(change, data))


@put("/views/{id:str}", opt=_OWN, sync_to_thread=True, tags=["views"])
def save_view(request: Asked, id: Id, data: JSONBody[ViewDraft]) -> ViewInfo:
    """Change a view of the caller; shared ones are an administrator's to change, too.

    What a schedule's view finds is changed only by who may change the schedule.
    """
    _view(request, id)
    return changed(request, lambda change: kept.save_view(change, data, id))


@delete("/views/{id:str}", opt=_OWN, sync_to_thread=True, tags=["views"])
def delete_view(request: Asked, id: Id) -> None:
    """Delete a view that no schedule needs."""
    _view(request, id)
    changed(request, lambda change: kept.delete_view(change, id))


@get("/policies", opt=_READ, sync_to_thread=True, tags=["policies"])
def policies(request: Asked) -> Policies:
    """What administrators have decided for all; what was never decided has its default."""
    store = parts_of(request).store
    found: Any = {name: read_policy(store, kind) for name, kind in POLICY_TYPES.items()}
    return Policies(**found)


def _decided(request: Asked, policy: P) -> P:
    changed(request, lambda change: write_policy(change, policy))
    return policy


@put("/policies/approvals", opt=_CONFIGURE, sync_to_thread=True, tags=["policies"])
def approvals(request: Asked, data: JSONBody[ApprovalPolicy]) -> ApprovalPolicy:
    """Which runs need a second person."""
    return _decided(request, data)


@put("/policies/repairs", opt=_CONFIGURE, sync_to_thread=True, tags=["policies"])
def repairs(request: Asked, data: JSONBody[RepairPolicy]) -> RepairPolicy:
    """What schedules may repair."""
    return _decided(request, data)


@put("/policies/retention", opt=_CONFIGURE, sync_to_thread=True, tags=["policies"])
def retention(request: Asked, data: JSONBody[RetentionPolicy]) -> RetentionPolicy:
    """How long things are kept."""
    return _decided(request, data)


@put("/policies/notifications", opt=_CONFIGURE, sync_to_thread=True, tags=["policies"])
def notifications(request: Asked, data: JSONBody[NotificationPolicy]) -> NotificationPolicy:
    """Who is told of changes that runs by schedule find."""
    return _decided(request, data)


HANDLERS = [
    all_schedules, schedule, add_schedule, save_schedule, delete_schedule,
    views, view, add_view, save_view, delete_view,
    policies, approvals, repairs, retention, notifications,
]  # fmt: skip
