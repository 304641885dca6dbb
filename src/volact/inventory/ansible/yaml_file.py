"""YAML with line numbers: an inventory into a tree, a vars file into variables.

Only the structure is read: no object is made from the file's content, so a tag
can do nothing, and an anchor is the same node wherever it is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import yaml

from volact.errors import InputError
from volact.inventory.ansible.model import InventoryTree, Var
from volact.inventory.ansible.patterns import expand
from volact.inventory.fields import at_line, near
from volact.inventory.listing import Listing
from volact.model.error_text import message_text
from volact.model.text import say

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_VAULT_TAGS = ("!vault", "!vault-encrypted")
_VAULT = "$ANSIBLE_VAULT;"
_GROUP = ("hosts", "children", "vars")
_DEEPEST = 64

Pair = tuple[str, yaml.Node, int]


def compose(text: str, shown: str) -> yaml.Node | None:
    """The structure of a file, ``None`` for an empty one."""
    if text.startswith(_VAULT):
        hint = say("write what is needed to log in into a file that is not")
        raise InputError(say("is encrypted by ansible-vault"), hint, where=at_line(shown, 1))
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InputError(
            say("not YAML: {problem}", problem=error.problem),
            where=at_line(shown, line),
        ) from error
    except yaml.YAMLError as error:
        raise InputError(
            say("not YAML: {what}", what=str(error).splitlines()[0]), where=shown
        ) from error
    return None if root is None or _is_null(root) else root


def variables(node: yaml.Node | None, shown: str) -> dict[str, Var]:
    """The variables of a mapping."""
    if node is None or _is_null(node):
        return {}
    return {name: _var(value, at_line(shown, line)) for name, value, line in pairs(node, shown)}


def pairs(node: yaml.Node, shown: str) -> Iterator[Pair]:
    """Key, value and line of a mapping's entries; what it merges in comes first."""
    yield from _merged(node, shown, {}).values()
    yield from _own(node, shown)


def _merged(
    node: yaml.Node, shown: str, read: dict[yaml.Node, dict[str, Pair]], depth: int = 0
) -> dict[str, Pair]:
    """What a mapping merges in, by key.

    ``read`` has the entries of each mapping that was merged in: without it, mappings that
    each name the one before twice would be read as often as 2 to the power of their number.
    """
    if not isinstance(node, yaml.MappingNode) or depth > _DEEPEST:
        raise InputError(
            say("is not a mapping (name: value)"),
            where=at_line(shown, node.start_mark.line + 1),
        )
    found: dict[str, Pair] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            named = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for one in reversed(dict.fromkeys(named)):
                if one not in read:
                    beneath = _merged(one, shown, read, depth + 1)
                    read[one] = beneath | {pair[0]: pair for pair in _own(one, shown)}
                found |= read[one]
    return found


def _own(node: yaml.Node, shown: str) -> Iterator[Pair]:
    for key, value in node.value:
        if key.tag != _MERGE:
            where = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(
                    say("has a key that is not a text"),
                    where=at_line(shown, where),
                )
            yield key.value, value, where


def parse_tree(root: yaml.Node, listing: Listing) -> InventoryTree:
    """The hosts and groups of an inventory; what is wrong is kept in ``listing``."""
    reader = _Reader(listing)
    for name, node, line in listing.attempt(lambda: list(pairs(root, listing.shown))) or ():
        reader.group(name, node, None, line)
    return reader.tree


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and bool(node.tag == _NULL)


def _var(node: yaml.Node, where: str) -> Var:
    """A scalar as it is spelt, a list of scalars; anything else is a list of nothing."""
    if isinstance(node, yaml.ScalarNode):
        if node.tag in _VAULT_TAGS or node.value.startswith(_VAULT):
            return Var(None, where, vault=True)
        return Var(None if _is_null(node) else node.value, where)
    if isinstance(node, yaml.SequenceNode):
        scalars = [item for item in node.value if isinstance(item, yaml.ScalarNode)]
        return Var(tuple(item.value for item in scalars), where)
    return Var((), where)


class _Reader:
    """The tree as far as it is read."""

    def __init__(self, listing: Listing) -> None:
        self.tree = InventoryTree()
        self._listing = listing
        self._seen: set[tuple[str, int, str | None]] = set()

    def group(
        self, name: str, node: yaml.Node, parent: str | None, line: int, depth: int = 0
    ) -> None:
        """One group with all below it."""
        if (name, id(node), parent) in self._seen:
            return
        self._seen.add((name, id(node), parent))
        group = self.tree.group(name)
        if parent is not None:
            group.parents[parent] = None
        if _is_null(node):
            return
        if depth > _DEEPEST:
            self._listing.problem(
                say("groups are nested more than {deepest} deep", deepest=_DEEPEST), line=line
            )
            return
        self._listing.attempt(lambda: self._parts(name, node, depth))

    def _parts(self, name: str, node: yaml.Node, depth: int) -> None:
        shown = self._listing.shown
        for key, value, line in pairs(node, shown):
            if key == "vars":
                self.tree.group(name).variables.update(variables(value, shown))
            elif key == "hosts":
                self._hosts(name, value)
            elif key == "children":
                for child, below, at in self._entries(value):
                    self.group(child, below, name, at, depth + 1)
            else:
                hint = say(
                    "{hint}; a group of that name goes below children", hint=near(key, _GROUP)
                )
                self._listing.problem(
                    say("unknown key {key} in group {name}", key=repr(key), name=repr(name)),
                    hint,
                    line=line,
                )

    def _hosts(self, group: str, node: yaml.Node) -> None:
        for pattern, value, line in self._entries(node):
            own = self._listing.attempt(partial(variables, value, self._listing.shown)) or {}
            try:
                names, port = expand(pattern)
            except InputError as error:
                self._listing.problem(message_text(error), error.hint, line=line)
                continue
            if port:
                own.setdefault("ansible_port", Var(port, self._listing.at(line)))
            for name in names:
                self.tree.add_host(name, group, line, own)

    def _entries(self, node: yaml.Node) -> Iterator[Pair]:
        """The entries of a mapping, or one name alone; nothing for null."""
        if isinstance(node, yaml.ScalarNode):
            if not _is_null(node):
                nothing = yaml.ScalarNode(_NULL, "", node.start_mark, node.end_mark)
                yield node.value, nothing, node.start_mark.line + 1
            return
        yield from pairs(node, self._listing.shown)
