"""The one declaration of everything about a kind of step.

The kinds themselves are declared in the modules beside this one, by topic; the
registry of all of them is ``volact.core.steps``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum, auto
from functools import partial
from typing import Generic

import msgspec

from volact.core.assessment import Assessment
from volact.core.context import Context
from volact.core.steps.params import P, P_contra
from volact.core.steps.setting import Reading, Setting, StepValues
from volact.model.facts import Facts
from volact.model.text import Text


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
    ACTIVATION = auto()
    AFTER_ACTIVATION = auto()
    UNDO = auto()  # only ``core.undo`` plans these, in the order of the settings


_LICENCE_STAGES = (Stage.KEY, Stage.KMS_HOST, Stage.PRODUCT_KMS_HOST, Stage.AFTER_ACTIVATION)


class Changes(msgspec.Struct, Generic[P_contra], frozen=True, kw_only=True):
    """The setting that a step changes, and its place in what the step reports.

    ``answer_tells`` is false where even an answer does not show the value that was left.
    """

    setting: Setting
    read: Callable[[P_contra, StepValues], Iterator[Reading]]
    answer_tells: bool


class StepKind(msgspec.Struct, Generic[P], frozen=True, kw_only=True, eq=False):
    """Everything about one kind of step, in one declaration.

    No field has a default: a part that is left out is an error of mypy and of
    the import.

    The step itself:

    - ``name``: ``do`` in the request, the store and the JSON document
    - ``params``: the struct of its parameters; one kind has one struct
    - ``label``: what it does, in plain words; ``None`` shows the name
    - ``agent_parts``: the parts of ``agent/source`` that it runs, beside ``steps``
      and, for an undo, ``put_back``

    When it is planned:

    - ``stage``: its place in the order of a plan
    - ``needs_consent``: a plan has it only with ``--allow NAME``
    - ``activation_needs_it``: after its failure, activation could only fail
    - ``restarts``: the restarts of Windows, left to a person, that complete it

    What it does on a server with these facts:

    - ``commands``: what a person would type for it, in cmd.exe
    - ``previous``: the values that it replaces, in the form in which the agent
      reports them as ``before`` (docs/agent-protocol.md)
    - ``promise``: the facts once it is done; the tests of the planner's laws and
      the outlook of an undo use it, no report of what happened does

    How it is undone (docs/undo.md):

    - ``changes``: the setting that it changes, ``None``: none that can be put back
    - ``stays``: why what it did stays, from what was there before; ``None``:
      nothing that lasts is left
    - ``undo_consent``: why an undo plans it only with ``--allow NAME``; ``None``:
      an undo does not ask
    """

    name: str
    params: type[P]
    label: Text | None
    agent_parts: tuple[str, ...]

    stage: Stage
    needs_consent: bool
    activation_needs_it: bool
    restarts: int

    commands: Callable[[P, Assessment], Iterable[str]]
    previous: Callable[[P, Facts], StepValues]
    promise: Callable[[P, Facts, Context], Facts]

    changes: Changes[P] | None
    stays: Callable[[P, StepValues], Text] | None
    undo_consent: Text | None

    @property
    def alone(self) -> bool:
        """A last resort is never in one plan with other steps."""
        return self.stage is Stage.LAST_RESORT

    @property
    def changes_licence(self) -> bool:
        """Whether it sets keys or KMS hosts."""
        return self.stage in _LICENCE_STAGES


def no_commands(params: P, a: Assessment) -> tuple[str, ...]:
    """A person types nothing for it."""
    return ()


def nothing_changes(params: P, facts: Facts, ctx: Context) -> Facts:
    """The facts are the same afterwards."""
    return facts


# A kind of step that a plan has; only an undo asks for a consent of its own.
plan_kind = partial(StepKind, undo_consent=None)
# A kind of step that only an undo plans.
undo_kind = partial(
    StepKind,
    label=None,
    stage=Stage.UNDO,
    needs_consent=False,
    activation_needs_it=False,
    commands=no_commands,
    stays=None,
)
