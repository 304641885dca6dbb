"""Calls of Azure Resource Manager for one subscription or resource group.

What is asked is in ``vm`` and ``listing``; what a failure means in ``failures``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar
from urllib.parse import quote

import msgspec

from volact.cloud.azure.failures import as_failure, refused
from volact.cloud.azure.sdk import Keys
from volact.cloud.calls import PacedCalls, read_answer

T = TypeVar("T")
Method = Literal["GET", "PUT", "DELETE"]

# Requests a second, for a subscription.  Azure refills its buckets with 25 reads and 10
# writes or deletes a second; other programs of the account draw on the same.
LIMITS = {"GET": 20, "PUT": 8, "DELETE": 8}


class ArmValue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of an answer; fields are named as in the API, but for their case."""


class Calls:
    """Asks the API about what is in one scope."""

    def __init__(self, scope: str, keys: Keys, paced: PacedCalls) -> None:
        self.subscription, _, self.group = scope.partition("/")
        self._keys = keys
        self._paced = paced

    def path(self, provider: str, *names: str, group: str = "") -> str:
        """The path of what a resource provider has in the scope, or in another group."""
        name = group or self.group
        within = f"/resourceGroups/{quote(name, safe='')}" if name else ""
        parts = "/".join(quote(name, safe="") for name in names)
        return f"/subscriptions/{self.subscription}{within}/providers/Microsoft.{provider}/{parts}"

    async def ask(
        self,
        method: Method,
        url: str,
        query: Mapping[str, str],
        answer: type[T],
        body: object = None,
    ) -> T:
        """One call and its answer, or ``ApiError``.  Only one that starts something is unsafe."""

        def once() -> T:
            return self._once(method, url, query, answer, body)

        return await self._paced.paced(method, once, safe=method != "PUT")

    def _once(
        self, method: Method, url: str, query: Mapping[str, str], answer: type[T], body: object
    ) -> T:
        """In a thread: the call, and what it brought as a value of our own."""
        try:
            response = self._keys.send(method, url, query, body)
            got: bytes = response.read() or b"{}"
        except Exception as error:
            raise as_failure(error, self._keys.redact) from error
        if response.status_code >= 400:
            raise refused(response, self._keys.redact)
        return read_answer(f"{method} {url.rpartition('/')[2]}", got, answer)
