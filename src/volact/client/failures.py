"""No answer of the service, and answers that are none, as errors of one line."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
import requests

from volact.client.wire import Problem
from volact.errors import InputError, VolactError, one_line
from volact.model.text import raw, ready, say

T = TypeVar("T")
_AWAY = (502, 503, 504)  # of the service, or of a proxy while it is restarted
_LATER = (409, 429)  # with Retry-After
_LONGEST_WAIT = 60.0


class ServiceError(VolactError):
    """The service cannot be reached, or failed."""


class LostError(ServiceError):
    """No answer of the service: whether it did what it was asked is not known."""

    after_s = 0.0


class LaterError(InputError):
    """The service will answer ``after_s`` from now."""

    after_s = 0.0


def pause(tries: int, error: LostError | LaterError) -> float:
    """Seconds to wait after so many tries in a row."""
    return max(2.0 ** (tries - 1) - 1, error.after_s)


def decoded(content: bytes, kind: type[T]) -> T:
    """What is answered; ``ServiceError`` where it cannot be read, as of a newer service."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        told = say("the service answers with something else than this volact expects")
        raise ServiceError(told, raw(one_line(str(error)))) from error


def refused(answer: requests.Response) -> VolactError:
    """A problem document as an error; any other answer is none of volact's."""
    try:
        told = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        told = Problem(title=answer.reason or "", status=answer.status_code)
    text, hint = raw(one_line(told.detail or told.title)), raw(one_line(told.hint))
    if answer.status_code == 401:
        return InputError(say("the service does not accept the token: {why}", why=text))
    after = answer.headers.get("Retry-After", "")
    if answer.status_code in _AWAY or (answer.status_code in _LATER and after.isdecimal()):
        error = (LostError if answer.status_code in _AWAY else LaterError)(text, hint)
        error.after_s = min(float(after) if after.isdecimal() else 0.0, _LONGEST_WAIT)
        return error
    wrong = 400 <= answer.status_code < 500
    return (InputError if wrong else ServiceError)(text, hint)


def unreachable(url: str, error: Exception) -> str:
    """Why there is no answer."""
    place = urlsplit(url).netloc
    reason = _innermost(error)
    why = ready((isinstance(reason, OSError) and reason.strerror) or type(reason).__name__)
    if isinstance(error, requests.exceptions.ProxyError):
        why = say("the proxy does not connect: {detail}", detail=why)
    return say("{service} cannot be reached: {why}", service=raw(place), why=why)


def _innermost(error: BaseException) -> BaseException:
    """What the libraries have wrapped: the system's own error, which says why."""
    wrapped = (*error.args, getattr(error, "reason", None), error.__cause__)
    inner = next((each for each in wrapped if isinstance(each, BaseException)), None)
    return error if inner is None else _innermost(inner)
