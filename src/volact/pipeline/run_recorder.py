"""The recorder of a run: raw facts, and the intent before steps are sent.

The pipeline waits for it in one place: steps are sent after the values that they
overwrite are written.  Where they are written is the caller's choice.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from volact.core.steps.forecast import previous_values
from volact.model.facts import Facts
from volact.model.server import Server
from volact.model.step import Intent, PlannedStep, Step

ProbeKind = Literal["first", "closing"]


class RunRecorder(Protocol):
    """Records what happens to servers.

    Only ``sending`` may raise, a ``TransportError`` or ``AnswerError``: then nothing is sent.
    """

    def seen(self, server: str, probe: ProbeKind, facts: dict[str, Any]) -> None:
        """Record the raw facts of one probe of the server of this name; never waits."""

    async def sending(self, intent: Intent) -> None:
        """Return when the intent is written durably, or certainly cannot be."""

    def withdrawn(self, intent: Intent) -> None:
        """Withdraw the intent: certainly no step of it ran; never waits."""


class _NoRecorder:
    """Records nothing."""

    def seen(self, server: str, probe: ProbeKind, facts: dict[str, Any]) -> None:
        """Do nothing."""

    async def sending(self, intent: Intent) -> None:
        """Do nothing."""

    def withdrawn(self, intent: Intent) -> None:
        """Do nothing."""


NO_RECORDER: RunRecorder = _NoRecorder()


def intent_of(
    server: Server,
    provider: str | None,
    steps: tuple[Step, ...],
    facts: Facts,
) -> Intent:
    """The intent of steps about to be sent, with the values before them.

    Args:
        server: what they are sent to.
        provider: whose cloud it is in; ``None`` where that is not known.
        steps: in the order in which they are sent.
        facts: of the probe that the plan was made from.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return Intent(
        server=server.name,
        address=str(server.address),
        provider=provider or "",
        at=f"{now}Z",
        steps=tuple(
            PlannedStep(
                index=index,
                do=step.do,
                params=step.params,
                because=step.because,
                before=previous_values(step, facts),
            )
            for index, step in enumerate(steps)
        ),
    )
