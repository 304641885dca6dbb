"""The forms of policies: their fields as text, and the policy that was typed."""

from __future__ import annotations

from typing import Any

import msgspec

from volact.service.console.changing import checked
from volact.service.console.page import Form
from volact.service.console.typed_words import typed, words_of
from volact.service.console.words import policy_label
from volact.service.policies import AnyPolicy


class PolicyField(msgspec.Struct, frozen=True):
    """One field of a policy in its form."""

    name: str
    label: str
    kind: str
    value: str


def policy_fields(kind: str, policy: AnyPolicy, form: Form | None = None) -> list[PolicyField]:
    """The fields of a policy, as they were typed or as they are stored."""
    form = form or shown(policy)
    return [
        PolicyField(
            name,
            policy_label(kind, name),
            "bool" if isinstance(getattr(policy, name), bool) else "text",
            form.text(name),
        )
        for name in policy.__struct_fields__
    ]


def policy_of(form: Form, stored: AnyPolicy) -> AnyPolicy:
    """The policy of the form; what was not changed in it stays as it is stored."""
    before = shown(stored)
    values = {
        each.name: _typed(each.type, form, each.name)
        if form.differs(before, each.name)
        else getattr(stored, each.name)
        for each in msgspec.structs.fields(stored)
    }
    return checked(type(stored), values)


def shown(policy: AnyPolicy) -> Form:
    """A policy as its form shows it."""
    return Form({name: [_text(getattr(policy, name))] for name in policy.__struct_fields__})


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return typed(str(getattr(item, "variable", item)) for item in value)
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)


def _typed(kind: Any, form: Form, name: str) -> Any:
    """A field's value out of its input: a box, words, a number or text."""
    if kind is bool:
        return bool(form.text(name))
    if name == "channels":
        return [{"variable": word} for word in words_of(form.text(name))]
    if str(kind).startswith("tuple") or "tuple[" in str(kind):
        return words_of(form.text(name))
    return form.text(name) if kind is str else (form.text(name) or None)
