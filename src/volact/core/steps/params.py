"""The typed form of a step inside the core: parameters, guard and causes."""

from __future__ import annotations

from typing import TypeVar

import msgspec


class StepParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The parameters of one kind of step, as docs/agent-protocol.md lists them.

    A field that has its default is not sent; a field whose default must be distinguished
    from "absent" has ``UNSET`` as its default.
    """


P = TypeVar("P", bound=StepParams)
P_contra = TypeVar("P_contra", bound=StepParams, contravariant=True)


class Guard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a step applies at all; every kind of step may carry one.

    ``builds`` is a range of build numbers.  ``optional`` accepts that the service
    to start does not exist.  ``unless_failed`` names kinds of steps after whose
    failure this one is skipped.  ``clock_off`` asks for a clock that is off by
    more than so many seconds.
    """

    builds: tuple[int, int] | None = None
    optional: bool = False
    unless_failed: tuple[str, ...] = ()
    clock_off: int | None = None


ALWAYS = Guard()


class StepDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A step inside the core, before ``wire`` gives it the form that is sent and stored."""

    params: StepParams
    because: tuple[str, ...] = ()  # the findings that it is for
    guard: Guard = ALWAYS
