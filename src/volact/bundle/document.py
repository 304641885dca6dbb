"""A bundle as a value and as a file: JSON, read strictly.

What it holds is judged nowhere here.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Any

import msgspec

from volact.errors import InputError
from volact.model.facts import Clock
from volact.model.profile import Image
from volact.model.text import say

VERSION = 1
MAX_BYTES = 200_000_000  # ten thousand servers of 20 KB


class BundledInput(msgspec.Struct, frozen=True, kw_only=True):
    """The input of the judgement beside the facts: the operator's options, without names."""

    provider: str = ""
    kms_hosts: tuple[str, ...] = ()
    replace_key: bool = False
    override_entitlement: bool = False
    consent: tuple[str, ...] = ()
    images: dict[str, Image] = {}
    image: str = ""
    license: str = ""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome: enough to see a difference, nothing that has to be redacted."""

    provider: str | None
    verdict: str
    findings: dict[str, str] = {}  # id -> severity
    plan: tuple[str, ...] = ()  # kinds of steps, in order
    refusals: tuple[str, ...] = ()  # findings that refusals name
    error: str = ""  # kind of the error of a server that was not examined


class BundledServer(msgspec.Struct, frozen=True, kw_only=True):
    """One server: its raw facts as answered, and how they were judged."""

    name: str
    transport: str
    at: str  # when it was judged, ISO 8601 UTC
    elapsed_s: float = 0.0
    agent_ms: int | None = None
    clock: Clock | None = None
    facts: dict[str, Any] | None = None
    asked: BundledInput = BundledInput()
    judged: Judged
    message: str = ""  # why it could not be examined


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    bundle: int = VERSION
    volact: str
    python: str
    servers: tuple[BundledServer, ...]


def encode(bundle: Bundle) -> bytes:
    """The bytes of a bundle: indented JSON, so that a person can read what they send."""
    return msgspec.json.format(msgspec.json.encode(bundle), indent=1) + b"\n"


def decode(data: bytes, where: str) -> Bundle:
    """The bundle in these bytes.

    Raises ``InputError`` for what is none, and for one of a newer volact.
    """
    if len(data) > MAX_BYTES:
        raise InputError(say("too large to be a volact bundle"), where=where)
    data = data.removeprefix(BOM_UTF8)  # editors of Windows put it there
    try:
        version = msgspec.json.decode(data, type=_Version).bundle
        if version > VERSION:
            hint = say("use that version of volact")
            raise InputError(say("a newer volact wrote this bundle"), hint, where=where)
        return msgspec.json.decode(data, type=Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            say("not a bundle of volact: {why}", why=str(error)),
            say("write one with: {command}", command="volact bundle"),
            where=where,
        ) from error


class _Version(msgspec.Struct):
    bundle: int
