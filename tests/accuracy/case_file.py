"""Reads the case files, ``tests/cases/*.toml``: what a case may hold.

One file is one theme, one ``[[case]]`` is one server and what volact must report
about it.  docs/accuracy.md shows how to write one.  What a case means, as
facts, is in ``case_server``; nothing is judged here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from volact.model.step import StepResult

FOLDER = Path(__file__).parents[1] / "cases"


class BadCaseError(Exception):
    """A case that cannot be read, with its file and name."""


class Allow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator allows: the options of ``volact activate``."""

    replace_key: bool = False
    override_entitlement: str = ""
    consent: tuple[str, ...] = ()


class Expect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The right answer, written down before volact is asked.

    ``errors`` and ``warnings`` are complete.  ``infos`` names those that must
    be there; others may be.  ``not`` names what would be a false accusation.
    ``verdict`` is where the server stands after ``activate``.
    """

    plan: tuple[str, ...]
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    never: tuple[str, ...] = msgspec.field(default=(), name="not")
    refusals: tuple[str, ...] | None = None
    verdict: Literal["", "healthy", "attention", "failed"] = ""


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server in plain words.  Everything not given is as on a healthy one."""

    name: str
    story: str
    expect: Expect
    provider: str = "tencent"
    kms_hosts: tuple[str, ...] = ()  # --kms-host
    release: str = "2019"
    edition: str = "Datacenter"
    core: bool = False
    language: str = "en"
    role: Literal["workgroup", "member", "controller"] = "workgroup"
    key: str = "client"
    partial_key: str = ""  # last five, when it is not the right one
    status: str = "licensed"
    days_left: float | None = None
    kms: str = "the provider's"  # host, host:port, none
    own_kms: str = ""  # the product's own
    policy_kms: str = ""
    discovered_kms: str = ""
    reach: str | dict[str, str | int] = "connected"
    clock: str = "right"  # "5 h ahead", "3 d behind"
    volact_clock: str = "right"
    reference: str = "right"  # the metadata service's clock, or "none"
    answer_took: str = "1 s"
    services: dict[str, Any] = {}
    licensing_fails: int | None = None  # the HRESULT of every licensing question
    program: str = "normal"
    image: str = "public"
    images: dict[str, dict[str, str]] = {}
    events: dict[str, dict[str, Any]] = {}
    product: dict[str, Any] = {}  # WMI properties of the main product
    also: tuple[dict[str, Any], ...] = ()  # further products with a key
    facts: dict[str, Any] = {}  # anything else, as the agent encodes it
    results: tuple[StepResult, ...] = ()  # what steps just answered: then it is the closing probe
    only: tuple[str, ...] = ()  # the answer holds nothing but these groups
    allow: Allow = Allow()
    lab: tuple[str, ...] = ()  # the same server in the lab: its faults
    lab_forms: dict[str, int] = {}  # which form of a fault that has several
    theme: str = ""  # the file's name


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    theme: str
    case: tuple[Case, ...]


@cache  # they are read while tests are gathered, by several of them
def load_cases(folder: Path = FOLDER) -> tuple[Case, ...]:
    """Every case of every file, by file name."""
    return tuple(case for path in sorted(folder.glob("*.toml")) for case in read_file(path))


def read_file(path: Path) -> tuple[Case, ...]:
    """The cases of one file; ``BadCaseError`` names what cannot be read."""
    try:
        found = msgspec.toml.decode(path.read_text("utf-8"), type=_File)
    except msgspec.DecodeError as error:
        raise BadCaseError(f"{path.name}: {_with_name(path, str(error))}") from error
    cases = tuple(msgspec.structs.replace(case, theme=path.stem) for case in found.case)
    for case in cases:
        _check(case)
    return cases


def label(case: Case) -> str:
    """How a case is named wherever it is mentioned."""
    return f"{case.theme}: {case.name}"


def _check(case: Case) -> None:
    """A case gives its reason, and never wants and forbids the same."""
    if len(case.story.split()) < 5:
        raise BadCaseError(f"{label(case)}: the story must say why this is the right answer")
    wanted = {*case.expect.errors, *case.expect.warnings, *case.expect.infos}
    both = wanted & set(case.expect.never)
    if both:
        raise BadCaseError(f"{label(case)}: wanted and forbidden: {', '.join(sorted(both))}")
    if case.lab and not case.expect.verdict:
        raise BadCaseError(f"{label(case)}: a case of the lab needs expect.verdict")


def _with_name(path: Path, message: str) -> str:
    """The decoder's message, with the name of the case instead of its number."""
    _, marker, rest = message.partition("$.case[")
    number, _, _ = rest.partition("]")
    if not marker or not number.isdecimal():
        return message
    raw = msgspec.toml.decode(path.read_text("utf-8"))
    case = raw["case"][int(number)]
    return f"case {case.get('name', number)!r}: {message}"
