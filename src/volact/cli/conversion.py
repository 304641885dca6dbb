"""Values of a command line that need no conversion, kept from Typer's.

Typer converts with pydantic, whose import is a fifth of the CPU of a start, and asks
it about every word and every default.  What is not plain, and mistakes, are Typer's.
"""

from __future__ import annotations

import math
import re
from typing import Any, Literal, TypeVar, get_args, get_origin

from typer.core import TyperCommand, TyperGroup

_TYPERS = ("get_runtime_param", "type_descriptor")
C = TypeVar("C", bound=TyperCommand | TyperGroup)


class Conversion:
    """The conversion of one parameter: by Typer only where a value is not yet of its type."""

    def __init__(self, parameter: Any) -> None:
        self._typers = parameter.get_runtime_param
        self._kind = parameter.type_descriptor.annotation
        told = parameter.type_descriptor.parameter_info
        self._least = -math.inf if told.min is None else told.min
        self._most = math.inf if told.max is None else told.max

    def __call__(self) -> Conversion:
        """In the place of ``get_runtime_param``."""
        return self

    def coerce(self, value: Any, **where: Any) -> Any:
        """The value as the verb takes it."""
        if value is None and get_origin(self._kind) is not list:
            return None
        if isinstance(value, list | tuple) and get_origin(self._kind) is list:
            if all(_is(item, get_args(self._kind)[0]) for item in value):
                return list(value)
        elif _is(value, self._kind):
            return value
        elif self._kind in (int, float) and re.fullmatch("[0-9]{1,15}", str(value)):
            number = self._kind(value)
            if self._least <= number <= self._most:
                return number
        return self._typers().coerce(value, **where)


def _is(value: object, kind: Any) -> bool:
    return value in get_args(kind) if get_origin(kind) is Literal else type(value) is kind


def convert_on_need(command: C) -> C:
    """The command; its parameters load pydantic only for a value that needs it."""
    context = command.context_class(command, **command.context_settings)
    parameters: list[Any] = [*command.get_params(context)]  # with --help, which needs a context
    for parameter in parameters:
        if all(hasattr(parameter, name) for name in _TYPERS):  # another Typer may convert otherwise
            parameter.get_runtime_param = Conversion(parameter)
    return command
