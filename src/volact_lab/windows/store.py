"""The licence store: whole, damaged, made anew, or filled again and waiting for a restart.

Its state is in tokens.dat itself, so that moving the file moves the
state.  What is in a real one is not modelled.
"""

from __future__ import annotations

from typing import Literal

from volact_lab.windows.files import Files
from volact_lab.windows.protection import store_folder
from volact_lab.windows.releases import Release

State = Literal["whole", "damaged", "empty", "filled"]

_CONTENT: dict[State, bytes] = {
    "damaged": b"lab: a damaged store",
    "empty": b"lab: a store without licences",
    "filled": b"lab: a store with licences, until the restart",
    "whole": bytes(4096),
}


class TokenStore:
    """The store of one server."""

    def __init__(self, release: Release, files: Files) -> None:
        self.folder = store_folder(release)
        self.tokens = f"{self.folder}\\tokens.dat"
        self.licences: set[str] = set()  # what was installed since the store was made
        self._files = files

    @property
    def state(self) -> State:
        """What tokens.dat holds; a file that is not there will be made empty."""
        if not self._files.is_file(self.tokens):
            return "empty"
        data = self._files.read(self.tokens)
        return next((state for state, content in _CONTENT.items() if data == content), "whole")

    def become(self, state: State) -> None:
        """Write the store in another state."""
        self._files.write(self.tokens, _CONTENT[state])

    def service_starts(self) -> None:
        """The service makes a new store where there is none."""
        if not self._files.is_file(self.tokens):
            self.become("empty")
            self.licences.clear()
