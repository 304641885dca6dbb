"""A page: template, navigation, and what templates may ask."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from jinja2 import Environment
from litestar import Response
from litestar.response import Redirect
from markupsafe import Markup, escape

from volact.core.licence_end import days_until
from volact.model.text import Text, say
from volact.report.store_reports.store_text import ago
from volact.report.templating import environment
from volact.report.terminal_safe import plain
from volact.report.words import COUNTED, ERROR_NAMES, SEVERITIES, VERDICTS, duration
from volact.service.access import Actor, Permission
from volact.service.caller import Asked, parts_of
from volact.service.console import words
from volact.service.console.assets import address
from volact.service.console.typed_words import typed
from volact.service.run_states import STATES

HtmlPage = Response[str]


class MenuEntry(msgspec.Struct, frozen=True):
    """One line of the navigation."""

    path: str
    name: Text
    permission: Permission = Permission.READ
    key: str = ""  # typed after g


MENU: tuple[tuple[Text, tuple[MenuEntry, ...]], ...] = (
    (
        say("Servers"),
        (
            MenuEntry("/", say("Fleet"), key="f"),
            MenuEntry("/servers", say("Servers"), key="s"),
            MenuEntry("/runs", say("Runs"), key="r"),
            MenuEntry("/reports", say("Reports"), key="d"),
        ),
    ),
    (
        say("Work"),
        (
            MenuEntry("/inventories", say("Inventories"), key="i"),
            MenuEntry("/schedules", say("Schedules and policy"), key="p"),
        ),
    ),
    (
        say("Knowledge"),
        (MenuEntry("/findings", say("Findings and codes"), key="c"),),
    ),
    (
        say("Service"),
        (
            MenuEntry("/users", say("Users"), Permission.ADMINISTER, "u"),
            MenuEntry("/audit", say("Audit"), Permission.ADMINISTER, "a"),
            MenuEntry("/health", say("Health"), key="h"),
        ),
    ),
)


class Form:
    """What a form sent."""

    def __init__(self, values: Mapping[str, Sequence[Any]]) -> None:
        self._values = values

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [item for item in self._values.get(name, ()) if isinstance(item, str)]

    def text(self, name: str) -> str:
        """The one value of a field; empty where it was not sent."""
        return next((item.strip() for item in self.all(name)), "")

    @property
    def fields(self) -> dict[str, list[str]]:
        """Every value of every field."""
        return {name: self.all(name) for name in sorted(self._values)}

    def differs(self, shown: Form, *names: str) -> bool:
        """Whether fields are not as they were shown: on one line, nothing hidden."""
        return any(_sent(self.all(name)) != _sent(shown.all(name)) for name in names)


def _sent(values: list[str]) -> list[str]:
    return sorted(plain(value).strip() for value in values if value.strip())


class RefusedForm(msgspec.Struct, frozen=True, kw_only=True):
    """Why a form changed nothing; ``form`` is what was typed, ``None``: what is stored counts."""

    problem: Text
    code: int = 400
    form: Form | None = None


async def form_of(request: Asked) -> Form:
    """The form that came with a request."""
    sent = await request.form()
    return Form({name: sent.getall(name) for name in sent})


def page(
    request: Asked,
    template: str,
    *,
    code: int = 200,
    refused: RefusedForm | None = None,
    **values: Any,
) -> HtmlPage:
    """A template as the answer, in the language that was set for the request.

    ``refused`` is the page's form that was sent and changed nothing.
    """
    values = {"problem": refused and refused.problem} | values
    return Response(
        fragment(request, template, **values),
        media_type="text/html",
        status_code=refused.code if refused else code,
        headers={"cache-control": "no-store"},
    )


def fragment(request: Asked, template: str, **values: Any) -> str:
    """A template as HTML."""
    actor: Actor | None = request.scope.get("user")
    html = (
        _environment()
        .get_template(template)
        .render(
            actor=actor,
            menu=_menu(actor),
            place=request.scope["path"],
            first=not request.query_params.get("cursor"),
            now=parts_of(request).now(),
            **values,
        )
    )
    return html.encode("utf-8", "replace").decode()


def go_to(path: str) -> Redirect:
    """After a form: the page that shows what came of it."""
    return Redirect(path, status_code=303)


def _menu(actor: Actor | None) -> list[tuple[Text, list[MenuEntry]]]:
    """What the caller's role may see; enforcement is the routes'."""
    if actor is None:
        return []
    shown = [(name, [one for one in places if actor.may(one.permission)]) for name, places in MENU]
    return [(name, places) for name, places in shown if places]


def moment(text: str | None) -> str:
    """A stored time to the minute, UTC."""
    return f"{text[:16].replace('T', ' ')} UTC" if text else ""


def _may(actor: Actor | None, permission: str) -> bool:
    return actor is not None and actor.may(Permission(permission))


@cache
def _environment() -> Environment:
    made = environment("volact.service.console", "volact.report")
    made.globals.update(
        asset=address,
        ago=lambda text, now: ago(_iso(text), now),
        days=lambda text, now: days_until(_iso(text), now),
        duration=duration,
        may=_may,
        moment=lambda text: moment(_iso(text)),
        counted=COUNTED,
        counts=words.counts,
        cause_words=words.cause_words,
        days_words=words.days_words,
        detail_words=words.detail_words,
        error_names=ERROR_NAMES,
        lines_kept=escape,  # of a text of many lines
        once_field=_once_field,
        policy_titles=words.POLICIES,
        query=lambda **given: _query(given),
        role_name=words.ROLES.__getitem__,
        day_name=words.DAYS.__getitem__,
        server_path=server_path,
        typed=typed,
        severities=SEVERITIES,
        states=STATES,
        active_states=words.ACTIVE,
        verdict_words=words.verdict_words,
        verdicts=VERDICTS,
        wave_states=words.WAVES,
    )
    return made


def _once_field() -> Markup:
    """What a form has of its own each time that it is shown: ``once`` does it once."""
    return Markup('<input type="hidden" name="once" value="{}">').format(secrets.token_urlsafe(16))


def _iso(value: str | datetime | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value


def server_path(name: str) -> str:
    """The address of a server's page; a slash is written as in the API."""
    return f"/servers/{quote(name.replace('~', '~0').replace('/', '~1'), safe='')}"


def _query(given: dict[str, Any]) -> str:
    """A query string; what is empty is left out."""
    return urlencode({key: value for key, value in given.items() if value}, doseq=True)
