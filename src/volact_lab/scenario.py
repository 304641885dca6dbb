"""Scenario files: which faults a fleet has, how many of each, and its mix of servers."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import resources
from typing import get_args

import msgspec

from volact.errors import DataError, InputError
from volact_lab.cloud import lab_clouds
from volact_lab.faults import FAULTS
from volact_lab.windows.language import LANGUAGES
from volact_lab.windows.releases import RELEASES
from volact_lab.windows.spec import LOGINS, ShellName


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault of a scenario: it occurs at least once, then by its share."""

    kind: str
    share: float = 0.0


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of fleet.  Weights need no particular sum."""

    title: str
    faults: tuple[Share, ...]
    name: str = ""
    servers: int = 60
    releases: dict[str, int] = {}
    languages: dict[str, int] = {}
    shells: dict[str, int] = msgspec.field(default_factory=lambda: {"cmd": 1})
    transports: dict[str, int] = msgspec.field(default_factory=lambda: {"ssh": 1})
    regions: dict[str, int] = msgspec.field(default_factory=lambda: {"ap-jakarta": 1})
    domain_users: float = 0.0  # share of servers where a domain account logs in
    key_logins: float = 0.0  # share of servers that are reached with a key file
    core: float = 0.0  # share of servers without a desktop


def scenario_names() -> tuple[str, ...]:
    """The scenarios that the lab has, sorted."""
    folder = resources.files("volact_lab.scenarios")
    files = (entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml") for name in files))


@cache
def load_scenario(name: str) -> Scenario:
    """A scenario by name; InputError lists the names for one that is not there."""
    names = scenario_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"unknown scenario {name!r}", f"{hint}known: {', '.join(names)}")
    path = resources.files("volact_lab.scenarios").joinpath(f"{name}.toml")
    return read_scenario(name, path.read_text("utf-8"))


def read_scenario(name: str, text: str) -> Scenario:
    """A scenario from the text of its file."""
    where = f"scenarios/{name}.toml"
    try:
        scenario = msgspec.toml.decode(text, type=Scenario)
    except msgspec.DecodeError as error:
        raise DataError(str(error), where=where) from error
    _check(where, scenario)
    return msgspec.structs.replace(scenario, name=name)


def _check(where: str, scenario: Scenario) -> None:
    known = (
        ("fault", {share.kind for share in scenario.faults}, set(FAULTS)),
        ("release", set(scenario.releases), set(RELEASES)),
        ("language", set(scenario.languages), set(LANGUAGES)),
        ("shell", set(scenario.shells), set(get_args(ShellName))),
        (
            "transport",
            set(scenario.transports),
            {*LOGINS, *(cloud.scheme for cloud in lab_clouds())},
        ),
    )
    for word, used, allowed in known:
        for item in sorted(used - allowed):
            raise DataError(f"unknown {word} {item!r}", where=where)
        if not used:
            raise DataError(f"no {word} is named", where=where)
