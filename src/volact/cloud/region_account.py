"""An account of a cloud whose scopes are regions: the calls of each, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from volact.cloud.base import ListServers, RunCommand

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class RegionAccount(Generic[C]):
    """Calls in any region with the keys of one account; fulfils ``cloud.base.Account``."""

    calls: Callable[[str], C]
    command: Callable[[C], RunCommand]
    listing: Callable[[C], ListServers]

    def run_command(self, scope: str) -> RunCommand:
        """The run-command of one region."""
        return self.command(self.calls(scope))

    def list_servers(self, scope: str) -> ListServers:
        """The list of one region."""
        return self.listing(self.calls(scope))
