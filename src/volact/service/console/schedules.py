"""Schedules, what policy allows, and saved views."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from msgspec.structs import replace

from volact.client.wire import (
    RunSpec,
    ScheduleDraft,
    ScheduleInfo,
    ScheduleSpec,
    Verb,
    ViewDraft,
    Weekday,
)
from volact.core.consent import ASKING_STEPS
from volact.errors import InputError
from volact.model.text import say
from volact.service.access import Permission
from volact.service.caller import Asked, parts_of, schedule_of, seen_schedules
from volact.service.console.changing import change, changed, checked
from volact.service.console.new_run import inventory_names, spec_of
from volact.service.console.page import Form, HtmlPage, form_of, go_to, page
from volact.service.console.servers import Search
from volact.service.identity.audit import Change
from volact.service.policies import POLICY_TYPES
from volact.service.policy_store import read_policy, write_policy
from volact.service.schedules import store as schedules_store
from volact.service.views import delete_view, list_views, save_view

_READ = {"permission": Permission.READ}
_OWN = {"permission": Permission.SIGNED_IN}
_CONFIGURE = {"permission": Permission.CONFIGURE}
_SHOWN = ("verb", "inventory", "limit", "canary", "max_failures", "pace")
_VERBS: tuple[Verb, ...] = ("check", "plan", "activate")


@get("/schedules", opt=_READ, sync_to_thread=True)
def schedules(request: Asked) -> HtmlPage:
    """All schedules, when each starts next, and the form for another."""
    return _page(request, "schedules.html.j2", None, schedules=seen_schedules(request))


@get("/schedules/{id:str}", opt=_READ, sync_to_thread=True)
def schedule(request: Asked, id: FromPath[str]) -> HtmlPage:
    """One schedule in its form."""
    return _page(request, "schedule.html.j2", schedule_of(request, id))


def _page(request: Asked, template: str, found: ScheduleInfo | None, **values: Any) -> HtmlPage:
    store, actor = parts_of(request).store, request.user
    return page(
        request,
        template,
        schedule=found,
        simple=found is None or (len(found.spec.windows) < 2 and len(found.spec.blackouts) < 2),
        verbs=_VERBS,
        days=get_args(Weekday),
        consents=ASKING_STEPS,
        inventories=inventory_names(request),
        views=list_views(store, actor),
        policies={name: read_policy(store, kind) for name, kind in POLICY_TYPES.items()},
        **values,
    )


@post("/schedules", opt=_CONFIGURE)
async def add_schedule(request: Asked) -> Response[Any]:
    """A new schedule."""
    await changed(request, lambda change, form: schedules_store.save_schedule(change, _draft(form)))
    return go_to("/schedules")


@post("/schedules/{id:str}", opt=_CONFIGURE)
async def alter_schedule(request: Asked, id: FromPath[str]) -> Response[Any]:
    """Another version of a schedule."""
    stored = (await asyncio.to_thread(schedule_of, request, id)).spec

    def work(change: Change, form: Form) -> ScheduleInfo:
        return schedules_store.save_schedule(change, _draft(form, stored), id)

    await changed(request, work)
    return go_to("/schedules")


@post("/schedules/{id:str}/delete", opt=_CONFIGURE)
async def delete_schedule(request: Asked, id: FromPath[str]) -> Response[Any]:
    """Remove a schedule."""
    await changed(request, lambda change, _: schedules_store.delete_schedule(change, id))
    return go_to("/schedules")


def _draft(form: Form, stored: ScheduleSpec | None = None) -> ScheduleDraft:
    """The schedule of the form; what the form does not show stays as it is stored."""
    window = {"begin": form.text("begin"), "end": form.text("end"), "days": form.all("days")}
    blackout = {"first": form.text("first"), "last": form.text("last") or form.text("first")}
    spec: dict[str, Any] = {
        "run": _run(form, stored.run) if stored else spec_of(form),
        **{name: form.text(name) for name in ("view", "cron", "every", "jitter")},
        "zone": form.text("zone") or "UTC",
        "windows": [window] if window["begin"] or window["end"] else [],
        "blackouts": [blackout] if blackout["first"] else [],
    }
    if stored:
        spec["windows"] += stored.windows[1:]
        spec["blackouts"] += stored.blackouts[1:]
    enabled = bool(form.text("enabled"))
    return checked(ScheduleDraft, {"name": form.text("name"), "spec": spec, "enabled": enabled})


def _run(form: Form, stored: RunSpec) -> RunSpec:
    asked = spec_of(form)
    shown = [*_SHOWN, "targets"] if form.all("targets") else _SHOWN
    policy = replace(stored.policy, consent=asked.policy.consent)
    return replace(stored, policy=policy, **{name: getattr(asked, name) for name in shown})


@post("/policies/{name:str}", opt=_CONFIGURE)
async def alter_policy(request: Asked, name: FromPath[str]) -> Response[Any]:
    """What administrators decide for all."""
    kind = POLICY_TYPES.get(name)
    if kind is None:
        raise InputError(say("there is no such policy"))
    form, fields = await form_of(request), msgspec.structs.fields(kind)
    policy = checked(kind, {each.name: _typed(each.type, form, each.name) for each in fields})
    await change(request, lambda change: write_policy(change, policy))
    return go_to("/schedules")


def _typed(kind: Any, form: Form, name: str) -> Any:
    """A field's value out of its input: a box, words, a number or text."""
    if kind is bool:
        return bool(form.text(name))
    words = form.text(name).replace(",", " ").split()
    if name == "channels":
        return [{"variable": word} for word in words]
    if str(kind).startswith("tuple") or "tuple[" in str(kind):
        return words
    return form.text(name) if kind is str else (form.text(name) or None)


@post("/views", opt=_OWN)
async def add_view(request: Asked) -> Response[Any]:
    """Keep a search under a name."""
    parts = parts_of(request)

    def work(change: Change, form: Form) -> str:
        search = Search(**{field: form.text(field) for field in Search.__struct_fields__})
        values = {"name": form.text("name"), "shared": bool(form.text("shared"))}
        draft = checked(ViewDraft, {**values, "filter": search.filter(parts)})
        return save_view(change, draft).id

    return go_to(f"/servers?view={await changed(request, work)}")


@post("/views/{id:str}/delete", opt=_OWN)
async def remove_view(request: Asked, id: FromPath[str]) -> Response[Any]:
    """Delete a view."""
    await changed(request, lambda change, _: delete_view(change, id))
    return go_to("/servers")


HANDLERS = (
    schedules, schedule, add_schedule, alter_schedule, delete_schedule, alter_policy,
    add_view, remove_view,
)  # fmt: skip
