"""The last attempts to activate: which code explains best why one failed, and of which host.

0xC004F074 only says that no KMS host could be used; the true reason is in the
data fields of the newest events.  Office and other products write the same events:
the activation id in a 12288 and the application in an 8198 tell whose they are.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from datetime import datetime
from itertools import takewhile

import msgspec

from volact.core.assessment.system import WINDOWS
from volact.model.fact import ABSENT, NOT_ASKED, Fact, Known, is_known, value_of
from volact.model.facts import Event, Facts
from volact.model.profile import HostPort
from volact.model.step import StepResult

UMBRELLA = 0xC004F074
_TOO_FEW, _NOT_BOUND = 0xC004F038, 0xC004F056
_NOT_ENOUGH_COUNT = 0x04000000  # among the flags of a 12289

# They only say that no KMS host could be used, or that it failed; event 8198 has the middle three.
_SAYS_NOTHING = frozenset({UMBRELLA, 0x8007139F, 0xC0020017, 0x80004005, _NOT_BOUND})

_HEX = re.compile(r"0x[0-9A-Fa-f]{1,8}")
_ID = re.compile(r"[0-9a-f-]{36}")
_APPLICATION = re.compile(r"AppId=([0-9a-f-]{36})", re.IGNORECASE)
_ACTIVATION_ID = 8  # the place of it among the fields of a 12288


class Attempt(msgspec.Struct, frozen=True):
    """A code of an attempted activation: where it was found, and its product and host."""

    code: int
    source: str  # step, event 12288, event 12289, event 8198
    host: str = ""
    at: str = ""
    record: int = 0


class AttemptState(msgspec.Struct, frozen=True, kw_only=True):
    """The last attempts to activate.

    ``last`` explains best why the last activation failed.  ``answer`` is the outcome of
    the last exchange with a KMS host, 0 for success, ``at`` when that
    was by the server's own clock, ``host`` the host and port that were asked
    (``""``: not known).
    """

    last: Attempt | None
    answer: int | None
    at: str
    host: str

    @property
    def code(self) -> int | None:
        """The code of the last attempt."""
        return self.last.code if self.last else None

    @property
    def moment(self) -> datetime | None:
        """When that was; ``None``: not known, or without its distance from UTC."""
        try:
            moment = datetime.fromisoformat(self.at)
        except ValueError:
            return None
        return moment if moment.tzinfo else None

    @property
    def asked(self) -> HostPort | None:
        """The host of the last request, where it is known."""
        try:
            return HostPort.parse(self.host)
        except ValueError:
            return None


def attempts_of(
    facts: Facts, results: tuple[StepResult, ...], known: Container[int] = ()
) -> AttemptState:
    """The attempts that the events record, and the one that was just made.

    ``known`` are the codes of which it is known what they mean.
    """
    return AttemptState(
        last=last_attempt(facts, results, known),
        answer=kms_answer(facts),
        at=tried_at(facts),
        host=tried_host(facts),
    )


def event_code(facts: Facts, event_id: str) -> int | None:
    """The first code in an event's data fields; ``None`` without event or code."""
    return _code_in(_event(facts, event_id), 0)


def kms_answer(facts: Facts) -> int | None:
    """The outcome of the last exchange with a KMS host, 0 for success.

    Event 12289 is written when a host answered.  Without a 12289 as new as the
    last request (12288), none did, and the request's own code counts; a request that
    was sent (0) and has no answer shows nothing.
    """
    if not _answered(facts):
        return event_code(facts, "12288") or None
    response = _event(facts, "12289")
    code = _code_in(response, 0)
    return code if code != 0 else _outcome_without_code(response)


def _outcome_without_code(response: Event | None) -> int:
    """What an answer without a code of its own came to, by its flags and its third field.

    Windows itself may refuse what the host answered: in Microsoft's own example of a 12289
    the code is 0, a flag says "too few machines", and nothing is bound.
    """
    if (_code_in(response, 1) or 0) & _NOT_ENOUGH_COUNT:
        return _TOO_FEW
    return _NOT_BOUND if _field(response, 2) == "0" else 0


def tried_at(facts: Facts) -> str:
    """When that was, by the server's own clock; ``""``: not known."""
    event = _event(facts, "12289" if _answered(facts) else "12288")
    return event.at if event else ""


def _answered(facts: Facts) -> bool:
    """Whether a host answered the last request.

    The log's numbers decide, not its times: a clock that was corrected in between
    stamps the later event with the earlier time.
    """
    request, response = _event(facts, "12288"), _event(facts, "12289")
    if request is None or response is None:
        return response is not None
    if request.record and response.record:
        return response.record > request.record
    return response.at >= request.at


def last_attempt(
    facts: Facts, results: tuple[StepResult, ...], known: Container[int]
) -> Attempt | None:
    """What explains best why the last activation failed.

    The step's own code, unless it is one that says nothing; else the newest
    event with a code of its own; else any code there is.  An 8198 of slui.exe may have
    a code that nothing is known of: that of a request or an answer goes before it.
    """
    tried = next((r.hresult for r in reversed(results) if r.do == "activate" and not r.ok), None)
    step = [Attempt(tried, "step", tried_host(facts))] if tried else []
    events = _newest_first(list(_attempts(facts)))
    # What failed before the last success is over.
    found = [*step, *takewhile(lambda attempt: attempt.code, events)]
    telling = [attempt for attempt in found if attempt.code not in _SAYS_NOTHING]
    clear = [one for one in telling if one.source != "event 8198" or one.code in known]
    return next(iter(clear or telling or found), None)


def _newest_first(attempts: list[Attempt]) -> list[Attempt]:
    """By the log's numbers where all have one, else by time."""
    numbered = all(attempt.record for attempt in attempts)
    return sorted(attempts, key=lambda a: (a.record if numbered else 0, a.at), reverse=True)


def _attempts(facts: Facts) -> Iterator[Attempt]:
    """What the events record: the last exchange with a KMS host, and failed attempts."""
    code, id = kms_answer(facts), "12289" if _answered(facts) else "12288"
    event = _event(facts, id)
    if code is not None and event:
        yield Attempt(code, f"event {id}", tried_host(facts), event.at, event.record)
    failed = _event(facts, "8198")
    inner = event_code(facts, "8198")
    if failed and inner:
        yield Attempt(inner, "event 8198", "", failed.at, failed.record)


def tried_host(facts: Facts) -> str:
    """The host and port of the last request, as event 12288 names them."""
    return _field(_event(facts, "12288"), 2)


def windows_event(facts: Facts, event_id: str) -> Fact[Event]:
    """The newest event of one id that is about Windows itself.

    A 12289 names no product: it belongs to the 12288 before it.
    """
    asked = facts.events.get("12288" if event_id == "12289" else event_id, NOT_ASKED)
    ids = {str(value_of(product.id)).lower() for product in value_of(facts.products) or ()}
    whose = _product_of(value_of(asked))
    if whose in ("", WINDOWS, *ids):
        return facts.events.get(event_id, NOT_ASKED)
    own = (facts.events.get(f"{event_id} {id}", ABSENT) for id in (WINDOWS, *ids))
    found = (fact for fact in own if isinstance(fact, Known))
    nothing = ABSENT if is_known(facts.products) else NOT_ASKED
    return max(found, key=lambda fact: (fact.value.record, fact.value.at), default=nothing)


def _product_of(event: Event | None) -> str:
    """The activation id or the application that an event names; ``""``: none."""
    data = event.data if event else ()
    if len(data) > _ACTIVATION_ID and _ID.fullmatch(id := data[_ACTIVATION_ID].strip().lower()):
        return id
    match = _APPLICATION.search(" ".join(data))
    return match[1].lower() if match else ""


def _code_in(event: Event | None, place: int) -> int | None:
    match = _HEX.search(_field(event, place))
    return int(match[0], 16) if match else None


def _field(event: Event | None, place: int) -> str:
    """One of its data fields; ``""``: not there."""
    return event.data[place].strip() if event and len(event.data) > place else ""


def _event(facts: Facts, event_id: str) -> Event | None:
    return value_of(windows_event(facts, event_id))
