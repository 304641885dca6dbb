"""Schedules, what policy allows, and saved views."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

from litestar import Response, get, post
from litestar.params import FromPath

from volact.client.wire import ScheduleDraft, ScheduleInfo, Verb, ViewDraft, Weekday
from volact.core.consent import ASKING_STEPS
from volact.errors import InputError
from volact.model.error_text import error_text
from volact.model.text import say
from volact.service.access import Permission
from volact.service.caller import Asked, parts_of, schedule_of, seen_schedules
from volact.service.console.changing import (
    change,
    changed,
    check_mark,
    checked,
    locked,
    mark_of,
    saved,
)
from volact.service.console.new_run import inventory_names
from volact.service.console.once import once
from volact.service.console.page import Form, HtmlPage, RefusedForm, form_of, go_to, page
from volact.service.console.policy_form import policy_fields, policy_of
from volact.service.console.schedule_form import NEW, draft_of, shown
from volact.service.console.servers import Search, servers_page
from volact.service.database.tables import POLICIES, SCHEDULES
from volact.service.identity.audit import Change
from volact.service.policies import POLICY_TYPES
from volact.service.policy_store import decided, read_policy, write_policy
from volact.service.schedules import store as schedules_store
from volact.service.views import delete_view, list_views, save_view

_READ = {"permission": Permission.READ}
_OWN = {"permission": Permission.SIGNED_IN}
_CONFIGURE = {"permission": Permission.CONFIGURE}
_VERBS: tuple[Verb, ...] = ("check", "plan", "activate")


@get("/schedules", opt=_READ, sync_to_thread=True)
def schedules(request: Asked) -> HtmlPage:
    """All schedules, when each starts next, and the form for another."""
    return _schedules(request)


def _schedules(
    request: Asked, refused: RefusedForm | None = None, policy: str = "", typed: Form | None = None
) -> HtmlPage:
    """The page; ``policy`` and ``typed`` are of the form of a policy that was refused."""
    store = parts_of(request).store
    policies = {name: read_policy(store, kind) for name, kind in POLICY_TYPES.items()}
    return _page(
        request,
        "schedules.html.j2",
        refused,
        draft=(refused and not policy and refused.form) or NEW,
        schedule=None,
        schedules=seen_schedules(request),
        adding=bool(refused and not policy),
        policies={
            name: (mark_of(stored), policy_fields(name, stored, typed if name == policy else None))
            for name, stored in policies.items()
        },
        refused_policy=policy,
    )


@get("/schedules/{id:str}", opt=_READ, sync_to_thread=True)
def schedule(request: Asked, id: FromPath[str]) -> HtmlPage:
    """One schedule in its form."""
    return _schedule(request, id)


def _schedule(request: Asked, id: str, refused: RefusedForm | None = None) -> HtmlPage:
    found = schedule_of(request, id)
    return _page(
        request,
        "schedule.html.j2",
        refused,
        draft=(refused and refused.form) or shown(found),
        schedule=found,
        mark=mark_of(_saved_part(found)),
        simple=len(found.spec.windows) < 2 and len(found.spec.blackouts) < 2,
    )


def _saved_part(found: ScheduleInfo) -> ScheduleDraft:
    """What its form saves; a schedule also changes by its runs."""
    return ScheduleDraft(name=found.name, spec=found.spec, enabled=found.enabled)


def _page(request: Asked, template: str, refused: RefusedForm | None, **values: Any) -> HtmlPage:
    return page(
        request,
        template,
        refused=refused,
        verbs=_VERBS,
        days=get_args(Weekday),
        consents=ASKING_STEPS,
        inventories=inventory_names(request),
        views=list_views(parts_of(request).store, request.user),
        **values,
    )


@post("/schedules", opt=_CONFIGURE)
async def add_schedule(request: Asked) -> Response[Any]:
    """A new schedule."""

    def work(change: Change, form: Form) -> str:
        schedules_store.save_schedule(change, draft_of(form))
        return "/schedules"

    return await saved(request, work, lambda refused: _schedules(request, refused))


@post("/schedules/{id:str}", opt=_CONFIGURE)
async def alter_schedule(request: Asked, id: FromPath[str]) -> Response[Any]:
    """Another version of a schedule."""
    await asyncio.to_thread(schedule_of, request, id)

    def work(change: Change, form: Form) -> str:
        row = locked(change, SCHEDULES, SCHEDULES.c.id == id)
        if row is None:
            raise schedules_store.no_schedule()
        stored = schedules_store.info_of(row)
        check_mark(form, _saved_part(stored))
        schedules_store.save_schedule(change, draft_of(form, stored), id)
        return "/schedules"

    return await saved(request, work, lambda refused: _schedule(request, id, refused))


@post("/schedules/{id:str}/delete", opt=_CONFIGURE)
async def delete_schedule(request: Asked, id: FromPath[str]) -> Response[Any]:
    """Remove a schedule."""
    await changed(request, lambda change, _: schedules_store.delete_schedule(change, id))
    return go_to("/schedules")


@post("/policies/{name:str}", opt=_CONFIGURE)
async def alter_policy(request: Asked, name: FromPath[str]) -> Response[Any]:
    """What administrators decide for all."""
    kind = POLICY_TYPES.get(name)
    if kind is None:
        raise InputError(say("there is no such policy"))

    def work(change: Change, form: Form) -> str:
        locked(change, POLICIES, POLICIES.c.name == name)
        stored = decided(change.connection, kind)
        check_mark(form, stored)
        write_policy(change, policy_of(form, stored))
        return "/schedules"

    def again(refused: RefusedForm) -> HtmlPage:
        return _schedules(request, refused, name, refused.form)

    return await saved(request, work, again)


@post("/views", opt=_OWN)
async def add_view(request: Asked) -> Response[Any]:
    """Keep a search under a name."""
    parts, form = parts_of(request), await form_of(request)
    search = Search(**{field: form.text(field) for field in Search.__struct_fields__})

    def save(change: Change) -> str:
        values = {"name": form.text("name"), "shared": bool(form.text("shared"))}
        draft = checked(ViewDraft, {**values, "filter": search.filter(parts)})
        return f"/servers?view={save_view(change, draft).id}"

    try:
        return go_to((await once(request, form, lambda: change(request, save)))[0])
    except InputError as error:
        return await servers_page(
            request, search, RefusedForm(problem=error_text(error), form=form)
        )


@post("/views/{id:str}/delete", opt=_OWN)
async def remove_view(request: Asked, id: FromPath[str]) -> Response[Any]:
    """Delete a view."""
    await changed(request, lambda change, _: delete_view(change, id))
    return go_to("/servers")


HANDLERS = (
    schedules, schedule, add_schedule, alter_schedule, delete_schedule, alter_policy,
    add_view, remove_view,
)  # fmt: skip
