"""What a step is: typed parameters, and the one declaration of everything about their kind.

The kinds themselves are declared in the modules beside this one, by topic; the
registry of all of them is ``volact.core.steps``.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Generic, TypeVar

import msgspec

from volact.model.text import Text


class StepParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The parameters of one kind of step, as docs/agent-protocol.md lists them.

    A field that has its default is not sent; a field whose default must be told
    from "not there" has ``UNSET`` as its default.
    """


P = TypeVar("P", bound=StepParams)


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


class Stage(IntEnum):
    """The safe order of a plan: services, program, network, clock, key, KMS host, activation.

    Enabling a service comes before the rights of its program, starting it after.
    Steps of one stage keep the order of the registry.
    """

    LAST_RESORT = auto()
    ENABLE_SERVICE = auto()
    DEBUGGER = auto()
    PROGRAM_RIGHTS = auto()
    TIME_TRIGGER = auto()
    START_SERVICE = auto()
    ROUTE = auto()
    NAME_SERVERS = auto()
    CLOCK_LIMITS = auto()
    TIME_SOURCE = auto()
    CLOCK = auto()
    KEY = auto()
    KMS_HOST = auto()
    PRODUCT_KMS_HOST = auto()
    RESTART_SERVICE = auto()
    ACTIVATION = auto()
    REFRESH = auto()
    UNDO = auto()  # only ``core.undo`` plans these, in the order of the settings


class StepKind(msgspec.Struct, Generic[P], frozen=True, kw_only=True, eq=False):
    """Everything about one kind of step, in one declaration.

    No field has a default: a part that is left out is an error of mypy and of
    the import.

    - ``name``: ``do`` in the request, the store and the JSON document
    - ``params``: the struct of its parameters; one kind has one struct
    - ``stage``: its place in the order of a plan
    - ``label``: what it does, in a person's words; ``None`` shows the name
    - ``needs_consent``: planned only with ``--allow NAME``
    - ``alone``: a last resort, never in one plan with other steps
    - ``activation_needs_it``: after its failure, activation could only fail
    - ``changes_licence``: sets keys or KMS hosts
    - ``activates``: asks a KMS host for an activation
    - ``agent_parts``: the parts of ``agent/source`` that it runs, beside ``steps``
    """

    name: str
    params: type[P]
    stage: Stage
    label: Text | None
    needs_consent: bool
    alone: bool
    activation_needs_it: bool
    changes_licence: bool
    activates: bool
    agent_parts: tuple[str, ...]


def undo_kind(
    *, name: str, params: type[P], needs_consent: bool, agent_parts: tuple[str, ...]
) -> StepKind[P]:
    """A kind of step that only an undo plans."""
    return StepKind(
        name=name,
        params=params,
        stage=Stage.UNDO,
        label=None,
        needs_consent=needs_consent,
        alone=False,
        activation_needs_it=False,
        changes_licence=False,
        activates=False,
        agent_parts=("put_back", *agent_parts),
    )
