"""An Ansible inventory in INI form into a tree of groups.

A line may be what Ansible's own reader takes; what only its templates or
vault could resolve stays as it is written, for ``meaning``.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings

from volact.errors import InputError
from volact.inventory.ansible.model import InventoryTree, Var
from volact.inventory.ansible.patterns import expand
from volact.inventory.fields import near
from volact.inventory.listing import Listing
from volact.inventory.target import parse_target
from volact.model.error_text import message_text
from volact.model.text import say

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_KINDS = ("hosts", "children", "vars")
_VAULT = "$ANSIBLE_VAULT;"
_HINTED = 20  # misspelt groups that get a guess of what was meant


def parse_ini(text: str, listing: Listing) -> InventoryTree:
    """The hosts and groups of a file; what is wrong with a line is kept in ``listing``."""
    reader = _Reader(listing)
    for number, line in enumerate(text.splitlines(), 1):
        try:
            reader.take(line.strip(), number)
        except InputError as error:
            where = listing.at(number)
            listing.problems.append(InputError(message_text(error), error.hint, where=where))
    reader.finish()
    return reader.tree


class _Reader:
    """The file up to the line that is read."""

    def __init__(self, listing: Listing) -> None:
        self.tree = InventoryTree()
        self._listing = listing
        self._group = "ungrouped"
        self._kind = "hosts"
        self._declared = {"all", "ungrouped"}
        self._needed: dict[str, int] = {}  # groups that a section must still declare

    def take(self, line: str, number: int) -> None:
        if not line or line[0] in "#;":
            return
        if line.startswith("[") and (section := _SECTION.fullmatch(line)):
            self._open(section[1], section[2] or "hosts", number)
        elif self._kind == "children":
            self._child(line.partition("#")[0].strip(), number)
        elif self._kind == "vars":
            name, value = _assignment(line)
            self.tree.group(self._group).variables[name] = self._var(value, number)
        else:
            self._hosts(line, number)

    def finish(self) -> None:
        """Groups that were named and never declared are misspelt."""
        declared = self._declared - {"all", "ungrouped"}
        for count, (name, number) in enumerate(self._needed.items()):
            hint = near(name, declared) if count < _HINTED else ""
            self._listing.problem(
                say("there is no group {name}", name=repr(name)), hint, line=number
            )

    def _open(self, name: str, kind: str, number: int) -> None:
        if kind not in _KINDS:
            raise InputError(
                say("[{name}:{kind}] is no section", name=name, kind=kind), near(kind, _KINDS)
            )
        self._group, self._kind = name, kind
        if kind == "vars" and name not in self._declared:
            self._needed.setdefault(name, number)
        elif kind != "vars":
            self._declare(name)

    def _declare(self, name: str) -> None:
        self.tree.group(name)
        self._declared.add(name)
        self._needed.pop(name, None)

    def _child(self, name: str, number: int) -> None:
        self.tree.group(name).parents[self._group] = None
        if name not in self._declared:
            self._needed.setdefault(name, number)

    def _hosts(self, line: str, number: int) -> None:
        try:
            pattern, *words = shlex.split(line, comments=True)
        except ValueError as error:
            raise InputError(say("cannot be read: {error}", error=str(error).lower())) from error
        variables = {}
        for word in words:
            name, value = _assignment(word)
            variables[name] = self._var(value, number)
        whole = "://" in pattern  # not Ansible's: a target as on the command line
        names, port = ([parse_target(pattern).name], "") if whole else expand(pattern)
        if whole:
            variables["volact_address"] = Var(pattern, self._listing.at(number))
        if port:
            variables.setdefault("ansible_port", Var(port, self._listing.at(number)))
        for name in names:
            self.tree.add_host(name, self._group, number, variables)

    def _var(self, text: str, number: int) -> Var:
        value = _literal(text)
        vault = isinstance(value, str) and value.startswith(_VAULT)
        return Var(None if vault else value, self._listing.at(number), vault)


def _assignment(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise InputError(say("{text} is not name=value", text=repr(text[:40])))
    return name.strip(), value.strip()


def _literal(text: str) -> str | tuple[str, ...]:
    """Quotes and lists as Python writes them; a number stays as it is spelt."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of 1else, which is no use here
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return tuple(str(item) for item in value)
    return text.partition(" #")[0].strip()
