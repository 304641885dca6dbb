"""Judging a bundle again, with the rules of today; no server is asked.

Returns values; what is shown of them is the caller's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import msgspec

from volact.bundle.collect import judged_of
from volact.bundle.document import BundledInput, BundledServer, Judged
from volact.core.context import Policy
from volact.core.facts import read_facts
from volact.errors import AnswerError, ErrorKind, InputError
from volact.fleet.prepare import parse_kms_hosts
from volact.knowledge.load import knowledge_with
from volact.model.report import ServerReport
from volact.model.server import Address, Server
from volact.model.text import say
from volact.pipeline import Job, Outcome, judge_facts, row_without_result


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """One server of a bundle, judged again."""

    name: str
    before: Judged
    after: Judged
    outcome: Outcome

    @property
    def same(self) -> bool:
        """Whether today's rules give the bundle's result."""
        return self.before == self.after


def replay(server: BundledServer, where: str) -> Replayed:
    """Judge one server of a bundle again.

    Raises ``InputError`` for facts that no agent can have answered and for options that
    cannot be, naming ``where``.
    """
    address = Address(scheme="local")
    asked = Server(name=server.name, address=address, image=server.asked.image,
                   license=server.asked.license)  # fmt: skip
    if server.facts is None:
        report = _not_examined(asked, server)
        return Replayed(name=server.name, before=server.judged, after=judged_of(report),
                        outcome=Outcome(server=asked, report=report))  # fmt: skip
    try:
        facts = read_facts(server.facts, server.clock)
    except AnswerError as error:
        raise InputError(error.message, where=f"{where}: {server.name}") from error
    job = _job(server.asked, f"{where}: {server.name}")
    outcome = judge_facts(asked, facts, job, _moment(server.at, where))
    return Replayed(
        name=server.name, before=server.judged, after=judged_of(outcome.report), outcome=outcome
    )


def _not_examined(asked: Server, server: BundledServer) -> ServerReport:
    """What could not be examined cannot be judged; the row repeats the reason."""
    kind = cast("ErrorKind", server.judged.error or "protocol")
    row = row_without_result(asked, kind, server.message)
    return msgspec.structs.replace(row, provider=server.judged.provider)


def _job(asked: BundledInput, where: str) -> Job:
    reason = say("said so in the bundle") if asked.override_entitlement else ""
    return Job(
        mode="plan",
        provider=asked.provider,
        policy=Policy(
            replace_key=asked.replace_key,
            override_entitlement=reason,
            consent=frozenset(asked.consent),
        ),
        images=asked.images,
        knowledge=knowledge_with(parse_kms_hosts(asked.kms_hosts, where)),
    )


def _moment(text: str, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(say("{text} is not a time", text=repr(text)), where=where) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
