"""Who is told what happens to a server while it happens, and what the pipeline waits for.

The only wait is before steps are sent: what they will overwrite is written down
first.  Who writes it down, and where, is the caller's affair.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from volact.core.befores import before_of
from volact.model.facts import Facts
from volact.model.intent import Intent, PlannedStep
from volact.model.server import Server
from volact.model.step import Step

LookKind = Literal["first", "closing"]


class Recorder(Protocol):
    """Somebody who keeps what happens.  Nothing that goes wrong there is raised."""

    def seen(self, server: str, look: LookKind, facts: dict[str, Any]) -> None:
        """Take the raw facts of one look; never waits."""

    async def sending(self, intent: Intent) -> None:
        """Return when the intent is written durably, or when it is known that it cannot be."""

    def withdrawn(self, intent: Intent) -> None:
        """Take back what was written: it is certain that no step of it ran; never waits."""


class _Nobody:
    """Keeps nothing."""

    def seen(self, server: str, look: LookKind, facts: dict[str, Any]) -> None:
        """Let it go."""

    async def sending(self, intent: Intent) -> None:
        """There is nothing to wait for."""

    def withdrawn(self, intent: Intent) -> None:
        """There is nothing to take back."""


NOBODY: Recorder = _Nobody()


def intent_of(
    server: Server,
    provider: str | None,
    steps: tuple[Step, ...],
    facts: Facts,
) -> Intent:
    """What is about to be sent to a server that stands as these facts say."""
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
                before=before_of(step, facts),
            )
            for index, step in enumerate(steps)
        ),
    )
