"""Values into bytes and back: JSON, compressed, and always of a form that can be written."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from volact.errors import StoreError
from volact.model.report import ServerReport
from volact.model.text import in_json, say, without_surrogates

_LEVEL = 6
_WIDEST = 255  # characters of a column that is searched by


def encode(value: Any) -> bytes:
    """A value as JSON; what has no UTF-8 form is replaced, never fatal."""
    try:
        return msgspec.json.encode(value, enc_hook=in_json)
    except UnicodeEncodeError:
        return msgspec.json.encode(without_surrogates(msgspec.to_builtins(value, enc_hook=in_json)))


def encode_text(value: Any) -> str:
    """The same as text."""
    return encode(value).decode()


def pack(value: Any) -> bytes:
    """A value as compressed JSON."""
    return squeeze(encode(value))


def squeeze(data: bytes) -> bytes:
    """JSON made small."""
    return zlib.compress(data, _LEVEL)


def unpack_report(data: bytes) -> ServerReport:
    """The row that was packed; ``StoreError`` when it is not one any more."""
    try:
        report = msgspec.json.decode(zlib.decompress(data), type=ServerReport)
    except (zlib.error, msgspec.DecodeError) as error:
        raise _spoilt() from error
    if report.error is not None and report.error.kind == "not-begun":  # before version 3
        return msgspec.structs.replace(report, verdict="not-started")
    return report


def unpack_dict(data: bytes) -> dict[str, Any]:
    """The facts that were packed."""
    try:
        return msgspec.json.decode(zlib.decompress(data), type=dict[str, Any])
    except (zlib.error, msgspec.DecodeError) as error:
        raise _spoilt() from error


def decode_text(text: str | None) -> dict[str, Any]:
    """A JSON object out of a text column; an empty one where there is none."""
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise _spoilt() from error


def column(text: str | None) -> str | None:
    """Foreign text as a column that every database takes."""
    if text is None:
        return None
    return readable(text)[:_WIDEST]


def readable(text: str) -> str:
    """The same text in a form that every database takes."""
    clean = text if text.isascii() else without_surrogates(text)
    return clean.replace("\0", "")


def _spoilt() -> StoreError:
    return StoreError(
        say("the store contains something that cannot be read"),
        say("volact prune removes old runs; move a damaged file away"),
    )
