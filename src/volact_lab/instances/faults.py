"""How the API refuses."""

from __future__ import annotations


class ApiFault(Exception):  # noqa: N818  # named for what it is in the API
    """An error answer: a code and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
