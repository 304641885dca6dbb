"""A server as the person names it: address, provider, who to log in as.

Secrets are not values here: a ``Credential`` says where a secret is found,
``volact.inventory`` fetches it at the last moment.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Scheme = Literal["ssh", "winrm", "tat", "local"]


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """``ssh://user@host:port`` taken apart; IPv6 literals without brackets."""

    scheme: Scheme
    host: str = ""
    port: int | None = None
    user: str | None = None

    def __str__(self) -> str:
        if self.scheme == "local":
            return "local"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """Where the secrets of a login are found; never the secrets."""

    user: str = ""
    password_env: str = ""
    password_file: str = ""
    password_command: tuple[str, ...] = ()
    keyring: str = ""
    key_files: tuple[str, ...] = ()


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One managed Windows Server."""

    name: str
    address: Address
    provider: str = ""  # "" means: detect
    credential: Credential = Credential()
    known_hosts: str = ""  # "" means the user's own file
    tags: tuple[str, ...] = ()
