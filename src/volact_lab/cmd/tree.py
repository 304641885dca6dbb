"""What a line of batch language means: the nodes of its syntax tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Redirect:
    """``2>&1``, ``>"file"``, ``<file``: a handle, and a file or another handle."""

    handle: int
    mode: Literal["<", ">", ">>", "&"]
    target: str


@dataclass(slots=True)
class Simple:
    """A command as typed, without its redirections."""

    text: str
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """Commands in parentheses."""

    body: list[Node]
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Chain:
    """Two commands and what joins them."""

    left: Node
    operator: Literal["&", "&&", "||", "|"]
    right: Node


@dataclass(slots=True)
class If:
    """``if``; the words of its condition are judged when it runs."""

    words: list[str]
    then: Node
    otherwise: Node | None = None


@dataclass(slots=True)
class For:
    """``for``: switch (``""`` or ``f``, ``l``), options, variable, set and body."""

    switch: str
    options: str
    variable: str
    items: str
    body: Node


Node = Simple | Block | Chain | If | For
