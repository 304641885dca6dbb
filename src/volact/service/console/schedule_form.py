"""The form of a schedule: a schedule as text, and the schedule that was typed."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from volact.client.wire import RunSpec, ScheduleDraft, ScheduleInfo
from volact.errors import InputError
from volact.model.text import say
from volact.service.console.changing import checked
from volact.service.console.new_run import spec_of
from volact.service.console.page import Form
from volact.service.console.typed_words import typed

NEW = Form({"zone": ["UTC"], "enabled": ["1"]})
_RUN = ("verb", "inventory", "targets", "limit", "canary", "max_failures", "pace")
_TIMES = ("view", "cron", "every", "jitter", "zone")
_DAY = "00:00"  # a window from here to here is a whole day


def shown(info: ScheduleInfo) -> Form:
    """A schedule as its form shows it: of several windows or blackouts, the first."""
    spec, run = info.spec, info.spec.run
    found: dict[str, list[str]] = {"name": [info.name], "enabled": ["1"] if info.enabled else []}
    found |= {name: [getattr(spec, name)] for name in _TIMES}
    found |= {name: [getattr(run, name)] for name in _RUN}
    found |= {name: [typed(getattr(run, name))] for name in ("targets", "limit")}
    found["consent"] = sorted(run.policy.consent)
    for window in spec.windows[:1]:
        found |= {"begin": [window.begin], "end": [window.end], "days": [*window.days]}
    for blackout in spec.blackouts[:1]:
        found |= {"first": [f"{blackout.first}"], "last": [f"{blackout.last}"]}
    return Form(found)


def draft_of(form: Form, stored: ScheduleInfo | None = None) -> ScheduleDraft:
    """The schedule of the form; what was not changed in it stays as it is stored."""
    before = shown(stored) if stored else Form({})
    windows: list[Any] = _window(form)
    blackouts: list[Any] = _blackout(form)
    if stored:
        old = stored.spec
        kept = not form.differs(before, "begin", "end", "days")
        windows = [*(old.windows[:1] if kept else windows), *old.windows[1:]]
        kept = not form.differs(before, "first", "last")
        blackouts = [*(old.blackouts[:1] if kept else blackouts), *old.blackouts[1:]]
    spec: dict[str, Any] = {
        "run": _run(form, before, stored.spec.run) if stored else spec_of(form),
        **{name: form.text(name) for name in _TIMES},
        "zone": form.text("zone") or "UTC",
        "windows": windows,
        "blackouts": blackouts,
    }
    enabled = bool(form.text("enabled"))
    return checked(ScheduleDraft, {"name": form.text("name"), "spec": spec, "enabled": enabled})


def _window(form: Form) -> list[dict[str, Any]]:
    """Days alone are whole days."""
    begin, end, days = form.text("begin"), form.text("end"), form.all("days")
    if bool(begin) != bool(end):
        raise InputError(
            say("a maintenance window has a time from and a time to"),
            say("write both, or neither for whole days"),
        )
    return [{"begin": begin or _DAY, "end": end or _DAY, "days": days}] if begin or days else []


def _blackout(form: Form) -> list[dict[str, Any]]:
    first, last = form.text("first"), form.text("last")
    if last and not first:
        raise InputError(say("write the first of the dates on which nothing starts, too"))
    return [{"first": first, "last": last or first}] if first else []


def _run(form: Form, before: Form, stored: RunSpec) -> RunSpec:
    asked = spec_of(form)
    other = [name for name in _RUN if form.all(name) and form.differs(before, name)]
    policy = replace(stored.policy, consent=asked.policy.consent)
    return replace(stored, policy=policy, **{name: getattr(asked, name) for name in other})
