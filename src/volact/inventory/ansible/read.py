"""An Ansible inventory into servers.

The order in which variables are laid over each other is Ansible's: groups of
the file, then ``group_vars``, then the host's own, then ``host_vars``; within
each the farther group first.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from volact.bounded.memory import Secret
from volact.errors import InputError
from volact.inventory.ansible.beside import Folder
from volact.inventory.ansible.ini import parse_ini
from volact.inventory.ansible.meaning import PASSWORD, VariableMeaning, unreadable
from volact.inventory.ansible.model import Host, InventoryTree, Var
from volact.inventory.ansible.yaml_file import compose, pairs, parse_tree
from volact.inventory.build import make_server
from volact.inventory.fields import Fields, FilePlace, at_line
from volact.inventory.listing import Inventory, Listing
from volact.inventory.text_file import text_of
from volact.model.error_text import message_text
from volact.model.text import Text, say

SKIP_GROUP = "skip"  # a group whose hosts no run takes


def read_ini(path: Path, shown: str) -> Inventory:
    """An inventory in INI form."""
    text = text_of(path, shown)
    if text.startswith("#!"):
        raise InputError(say("is a program"), _exported(shown), where=shown)
    if text.startswith("$ANSIBLE_VAULT;"):
        raise InputError(say("is encrypted by ansible-vault"), where=at_line(shown, 1))
    listing = Listing(path, shown)
    return _Reading(listing, parse_ini(text, listing)).inventory()


def read_yaml(path: Path, shown: str) -> Inventory:
    """An inventory in YAML or JSON."""
    text = text_of(path, shown)
    root = compose(text, shown)
    if root is None:
        raise InputError(say("is empty"), where=shown)
    listing = Listing(path, shown)
    names = {name for name, _, _ in listing.attempt(lambda: list(pairs(root, shown))) or ()}
    if names & {"plugin", "_meta"}:
        what = say("is a plugin's settings or a program's list, not an inventory")
        raise InputError(what, _exported(shown), where=shown)
    tree = parse_tree(root, listing)
    is_json = text.lstrip().startswith(("{", "["))
    if is_json and "all" not in names and not tree.hosts and listing.problems:
        raise InputError(
            say("is JSON without groups of hosts, not an inventory"),
            say("write it so: {example}", example='{"all": {"hosts": {"web-01": {}}}}'),
            where=shown,
        )
    return _Reading(listing, tree).inventory()


def _exported(shown: str) -> Text:
    return say(
        "write what it lists into a file: {command}",
        command=f"ansible-inventory -i {shown} --list --yaml --output hosts.yml",
    )


class _Reading:
    """A tree on its way to servers."""

    def __init__(self, listing: Listing, tree: InventoryTree) -> None:
        self._listing = listing
        self._tree = tree
        self._of_groups = Folder(listing.folder / "group_vars", listing)
        self._of_hosts = Folder(listing.folder / "host_vars", listing)
        self._shared: dict[tuple[str, ...], tuple[dict[str, Var], InputError | None]] = {}

    def inventory(self) -> Inventory:
        if not self._tree.hosts and not self._listing.problems:
            raise InputError(say("contains no hosts"), where=self._listing.shown)
        for host in self._tree.hosts.values():
            self._listing.attempt(partial(self._add, host))
        return self._listing.done()

    def _add(self, host: Host) -> None:
        try:
            groups, locked = self._group_variables(self._tree.line_of(host))
        except InputError as error:
            where = self._listing.at(host.line)
            raise InputError(message_text(error), error.hint, where=error.where or where) from error
        own = self._of_hosts.of(host.name)
        meaning = VariableMeaning(host.name, {**groups, **host.variables, **own.variables})
        values = meaning.values
        tags = dict.fromkeys((*self._tree.tags_of(host), *values.get("tags", ())))
        if tags:
            values["tags"] = list(tags)
        if SKIP_GROUP in tags:
            values.setdefault("skip", True)
        self._password(meaning, own.locked or locked)
        place = FilePlace(self._listing.shown, host.line, meaning.places.get)
        fields = Fields(values, place, self._listing.folder)
        self._listing.add(make_server(fields), fields)

    def _group_variables(self, names: tuple[str, ...]) -> tuple[dict[str, Var], InputError | None]:
        """The variables of several groups together, and their file that cannot be read."""
        if names not in self._shared:
            merged: dict[str, Var] = {}
            for name in names:
                merged.update(self._tree.groups[name].variables)
            beside = [self._of_groups.of(name) for name in names]
            for one in beside:
                merged.update(one.variables)
            locked = next((one.locked for one in beside if one.locked), None)
            self._shared[names] = (merged, locked)
        return self._shared[names]

    def _password(self, meaning: VariableMeaning, locked: InputError | None) -> None:
        """Hold what stands there in clear, or why it cannot be had from there."""
        var = meaning.password()
        if var is not None:
            meaning.values["password-held"] = self._hold(meaning.values["name"], var)
        elif locked is not None and not _has_login(meaning):
            meaning.values["password-held"] = locked.where
            self._listing.held[locked.where] = locked

    def _hold(self, host: str, var: Var) -> str:
        held = self._listing.held
        if var.vault or var.is_template:
            held[var.where] = unreadable(PASSWORD[0], var)
            return var.where
        if not isinstance(var.value, str) or not var.value:
            held[var.where] = InputError(say("the password is not a text"), where=var.where)
            return var.where
        there = held.get(var.where)
        # A file written on one line has every password on it.
        other = isinstance(there, Secret) and there.reveal() != var.value
        place = f"{var.where} ({host})" if other else var.where
        keys = "volact_password_env, volact_password_command, volact_keyring"
        return self._listing.hold(place, var.value, var.where.rpartition(" line ")[0], keys)


def _has_login(meaning: VariableMeaning) -> bool:
    named = ("key-file", "password-env", "password-file", "password-command", "keyring")
    return meaning.values["address"] == "local" or any(key in meaning.values for key in named)
