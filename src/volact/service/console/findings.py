"""Findings and codes: how many servers have each, and what it means."""

from __future__ import annotations

from functools import cache

from litestar import get

from volact.core.explain import Explanation, explain
from volact.core.findings import BY_ID
from volact.errors import InputError
from volact.knowledge.load import load_errors
from volact.model.error_text import error_text
from volact.model.text import Text
from volact.queries.servers import ServersQuery
from volact.report.step_lines import lines_of
from volact.report.words import explained
from volact.service.access import Permission
from volact.service.caller import Asked, parts_of, within
from volact.service.console.page import HtmlPage, page

_errors = cache(load_errors)


@get("/findings", opt={"permission": Permission.READ}, sync_to_thread=True)
def findings(request: Asked) -> HtmlPage:
    """What was found on servers, and an answer to the code or the finding asked for."""
    parts, word = parts_of(request), str(request.query_params.get("code", "")).strip()[:100]
    found, problem = (None, "") if not word else _explained(word)
    counted = ServersQuery(now=parts.now(), filter=within(request)).findings(parts.store)
    seen = {one.finding for one in counted}
    return page(
        request,
        "findings.html.j2",
        word=word,
        found=found,
        meaning=found and explained(found.meaning),
        remedy=lines_of(found.remedy) if found and found.remedy else (),
        problem=problem,
        counted=[(one, BY_ID[one.finding].meaning) for one in counted if one.finding in BY_ID],
        others=[(id, kind.meaning) for id, kind in sorted(BY_ID.items()) if id not in seen],
        code=404 if problem else 200,
    )


def _explained(word: str) -> tuple[Explanation | None, Text | str]:
    try:
        return explain(word, _errors()), ""
    except InputError as error:
        return None, error_text(error)


HANDLERS = (findings,)
