"""Style sheet, script and symbol, under names that change with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from volact.service.access import Permission

_YEAR = "public, max-age=31536000, immutable"
_PARTS = {
    "console.css": (("volact.report", "templates/report.css"), (__package__, "files/console.css")),
    "console.js": ((__package__, "files/console.js"),),
    "icon.svg": ((__package__, "files/icon.svg"),),
}
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class _Asset(msgspec.Struct, frozen=True):
    name: str
    type: str
    content: bytes


@cache
def _assets() -> dict[str, _Asset]:
    """Each by its plain name."""
    found = {}
    for plain, parts in _PARTS.items():
        content = b"\n".join(
            resources.files(package).joinpath(path).read_bytes() for package, path in parts
        )
        stem, _, kind = plain.partition(".")
        name = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{kind}"
        found[plain] = _Asset(name, _TYPES[kind], content)
    return found


def address(plain: str) -> str:
    """Where a file is."""
    return f"/assets/{_assets()[plain].name}"


@get("/assets/{name:str}", opt={"permission": Permission.PUBLIC}, sync_to_thread=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """One of the files; only under its present name, which may be kept for ever."""
    for one in _assets().values():
        if one.name == name:
            return Response(one.content, media_type=one.type, headers={"cache-control": _YEAR})
    raise NotFoundException()
