"""One server: what is wrong, what to type, its facts, its history, and every change."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from litestar import get
from litestar.params import FromPath

from volact import __version__
from volact.queries.history import HistoryQuery
from volact.queries.servers import status_row
from volact.queries.values import StepRow
from volact.report.base import Invocation
from volact.report.html_rows import row
from volact.report.words import changes, label, note_words, outcome_words
from volact.service.access import Permission
from volact.service.api.asked import plain_name
from volact.service.caller import Asked, parts_of, server_of
from volact.service.console.facts_view import fact_groups
from volact.service.console.page import HtmlPage, page
from volact.service.console.servers import one_page

_LOOKS = 20


@get("/servers/{name:str}", opt={"permission": Permission.READ}, sync_to_thread=True)
def server(request: Asked, name: FromPath[str]) -> HtmlPage:
    """What is known of it, the newest first."""
    parts, name = parts_of(request), plain_name(name)
    state = server_of(request, name)
    now = parts.now()
    history = one_page(request, partial(HistoryQuery(server=name).ask, parts.store), _LOOKS)
    raw = parts.store.facts(state.examined_run, name) if state.examined_run else None
    how = Invocation(volact=__version__, command="check", started=now.isoformat())
    return page(
        request,
        "server.html.j2",
        state=state,
        status=status_row(state, now),
        row=history.server and row(history.server, "server", how, how.started),
        looks=[(look, [*map(_change, look.steps)]) for look in history.looks],
        next=history.next,
        facts=fact_groups(raw) if raw else [],
    )


class StepChange(msgspec.Struct, frozen=True):
    """One step with what it replaced."""

    step: StepRow
    outcome: str
    note: str
    values: tuple[tuple[str, str, str], ...]  # label, before, after


def _change(step: StepRow) -> StepChange:
    result: dict[str, Any] = msgspec.to_builtins(step)
    return StepChange(
        step=step,
        outcome=outcome_words(result),
        note=note_words(result) if step.note else "",
        values=tuple((label(key), was, is_) for key, was, is_ in changes(result)),
    )


HANDLERS = (server,)
