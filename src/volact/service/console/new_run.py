"""A new run: its form, and the plan out of which servers are chosen."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import chain
from typing import Any, get_args

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from volact.client.wire import RunSpec, Verb
from volact.core.consent import ASKING_STEPS
from volact.core.context import Policy
from volact.core.steps import BY_NAME
from volact.errors import InputError
from volact.model.text import say
from volact.queries.runs import StepsQuery
from volact.queries.servers import RunServersQuery
from volact.report.words import is_access_list, label, value
from volact.service.access import Permission
from volact.service.caller import Asked, parts_of, scopes_of, seen_inventories, within
from volact.service.console.changing import done_once
from volact.service.console.page import Form, HtmlPage, RefusedForm, form_of, page
from volact.service.console.planned import plan_groups
from volact.service.console.runs import known_run
from volact.service.console.servers import one_page
from volact.service.console.typed_words import words_of
from volact.service.run_bounds import check_bounds

_RUN = {"permission": Permission.RUN}


@get("/runs/new", opt=_RUN, sync_to_thread=True)
def new_run(request: Asked) -> HtmlPage:
    """The form, filled from the address."""
    asked = request.query_params
    draft = Form({key: asked.getall(key) for key in asked})
    return _form(request, draft)


def _form(request: Asked, draft: Form, refused: RefusedForm | None = None) -> HtmlPage:
    return page(
        request,
        "new_run.html.j2",
        refused=refused,
        draft=draft,
        verb=draft.text("verb") or "check",
        inventories=inventory_names(request),
        consents=[(step, BY_NAME[step].label if step in BY_NAME else "") for step in ASKING_STEPS],
    )


def inventory_names(request: Asked) -> list[tuple[str, int]]:
    """The inventories, and how many servers each has for the caller."""
    return [(info.name, info.servers) for info in seen_inventories(request)]


@post("/runs/new", opt=_RUN)
async def submit(request: Asked) -> Response[Any]:
    """Submit it; the form again, with the reason, where it cannot be."""
    form = await form_of(request)
    return await done_once(
        request,
        form,
        lambda: _submitted(request, spec_of(form)),
        lambda refused: _form(request, form, refused),
    )


async def _submitted(request: Asked, spec: RunSpec) -> str:
    made = await parts_of(request).runs.submit(spec, request.user)
    return f"/runs/{made.id}"


def spec_of(form: Form) -> RunSpec:
    """What the form asks for; ``InputError`` for a word that is none."""
    verbs: dict[str, Verb] = {str(verb): verb for verb in get_args(Verb)}
    if form.text("verb") not in verbs:
        raise InputError(say("choose what to do"))
    unknown = {*form.all("consent")} - {*ASKING_STEPS}
    if unknown:
        raise InputError(say("there is no step {name}", name=sorted(unknown)[0]))
    defaults = RunSpec(verb="check", inventory="")
    spec = RunSpec(
        verb=verbs[form.text("verb")],
        inventory=form.text("inventory"),
        targets=words_of(form.text("targets")),
        limit=words_of(form.text("limit")),
        policy=Policy(
            replace_key=bool(form.text("replace_key")),
            override_entitlement=form.text("override_entitlement"),
            consent=frozenset(form.all("consent")),
        ),
        canary=form.text("canary"),
        max_failures=form.text("max_failures"),
        pace=form.text("pace"),
        deadline_s=_number(form.text("deadline_s"), defaults.deadline_s),
        undo=form.text("undo"),
        only=tuple(form.all("only")),
    )
    check_bounds(spec)
    return spec


def _number(text: str, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError as error:
        raise InputError(say("{text} is no number", text=text)) from error


@get("/runs/{run:str}/plan", opt={"permission": Permission.READ}, sync_to_thread=True)
def plan(request: Asked, run: FromPath[str]) -> HtmlPage:
    """What would change, by servers that get the same steps."""
    return _plan(request, run)


def _plan(request: Asked, run: str, refused: RefusedForm | None = None) -> HtmlPage:
    parts, typed = parts_of(request), refused and refused.form
    info, stored = known_run(request, run)
    if stored is None:
        raise NotFoundException()
    rows = RunServersQuery(run=run, filter=within(request)).reports(parts.store)
    groups, not_planned = plan_groups(rows)
    return page(
        request,
        "plan.html.j2",
        refused=refused,
        typed_rules=typed,
        chosen=frozenset(typed.all("only") if typed else chain(*(one.names for one in groups))),
        id=run,
        info=info,
        stored=stored,
        groups=groups,
        not_planned=not_planned,
    )


@post("/runs/{run:str}/plan", opt=_RUN)
async def apply_plan(request: Asked, run: FromPath[str]) -> Response[Any]:
    """Activate the chosen servers, as the plan was made."""
    info, _ = await asyncio.to_thread(known_run, request, run)
    form = await form_of(request)
    if info is None:
        raise NotFoundException()
    return await done_once(
        request,
        form,
        lambda: _submitted(request, _chosen(form, info.spec)),
        lambda refused: _plan(request, run, refused),
    )


def _chosen(form: Form, planned: RunSpec) -> RunSpec:
    if not form.all("only"):
        raise InputError(say("no server is chosen"))
    return msgspec.structs.replace(
        planned,
        verb="activate",
        targets=(),
        limit=(),
        only=tuple(form.all("only")),
        canary=form.text("canary"),
        max_failures=form.text("max_failures"),
    )


@get("/runs/{run:str}/undo", opt={"permission": Permission.READ}, sync_to_thread=True)
def changes(request: Asked, run: FromPath[str]) -> HtmlPage:
    """Every change of a run with the value before, and what puts the values back."""
    info, stored = known_run(request, run)
    query = StepsQuery(run=run, scopes=scopes_of(request))
    found = one_page(request, partial(query.page, parts_of(request).store))
    return page(
        request,
        "changes.html.j2",
        id=run,
        info=info,
        stored=stored,
        steps=[(step, _values(step.before), _values(step.after)) for step in found.items],
        inventories=inventory_names(request),
        next=found.next,
    )


def _values(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (label(key), value(key, item)) for key, item in found.items() if not is_access_list(item)
    ]


HANDLERS = (new_run, submit, plan, apply_plan, changes)
