"""Options that a program gave: values of the types that are annotated, numbers within bounds.

The command line checks what is typed; Python checks nothing by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, get_type_hints

import msgspec

from volact.core.consent import ASKING_STEPS
from volact.core.context import Policy
from volact.errors import InputError
from volact.model.text import say

_AT_LEAST = {"concurrency": 1, "processes": 1, "kms_concurrency": 1, "retries": 0}
_POSITIVE = ("deadline_s", "run_s", "connect_s")


def check_values(options: msgspec.Struct, kind: type[msgspec.Struct], name: str = "") -> None:
    """``InputError`` that names the first option whose value cannot be meant.

    Args:
        options: what was given in the place of a ``kind``.
        kind: a struct of options, perhaps with others inside.
        name: of the option that holds it, ``""`` for the outermost.
    """
    if not isinstance(options, kind):
        raise wrong_type(name or "options", options, kind.__name__)
    for field, annotated in _types_of(kind).items():
        value, place = getattr(options, field), f"{name}.{field}" if name else field
        if isinstance(annotated, type) and issubclass(annotated, msgspec.Struct):
            check_values(value, annotated, place)
        elif field != "password":  # a secret, and of a type that is checked where it is taken
            _check_type(value, annotated, place)
            _check_number(field, value, place)
    if isinstance(options, Policy):
        _check_consent(options)


def _check_type(value: Any, annotated: Any, place: str) -> None:
    try:
        msgspec.convert(value, annotated)
    except msgspec.ValidationError as error:
        raise InputError(str(error), where=place) from error


def _check_number(field: str, value: Any, place: str) -> None:
    if value is None:
        return
    least = _AT_LEAST.get(field)
    if least is not None and value < least:
        raise InputError(say("{n} is less than {least}", n=value, least=least), where=place)
    if field in _POSITIVE and not 0 < value < math.inf:
        raise InputError(say("{n} is not a number of seconds", n=str(value)), where=place)


def _check_consent(policy: Policy) -> None:
    for step in sorted(policy.consent):
        if step not in ASKING_STEPS:
            raise InputError(
                say("{step}: no such step", step=step),
                say("known: {known}", known=", ".join(ASKING_STEPS)),
                where="policy.consent",
            )


def check_secrets(password: Any, kind: type) -> None:
    """``InputError`` where a password is none of ``kind``; the value itself is not shown."""
    given = password if isinstance(password, Mapping) else {"": password}
    for value in given.values():
        if not isinstance(value, kind | None):
            raise wrong_type("password", value, kind.__name__)


def wrong_type(place: str, value: object, wanted: str) -> InputError:
    """The error for a value of a type that cannot be meant; the value is not shown."""
    got = type(value).__name__
    return InputError(say("{got} where {wanted} is needed", got=got, wanted=wanted), where=place)


@cache
def _types_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind)
