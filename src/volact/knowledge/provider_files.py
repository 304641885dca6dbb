"""Where the files of providers are: in this package, and in a folder of the operator's own.

What they hold is ``load``'s affair.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from volact.errors import DataError, InputError, unreadable
from volact.model.text import say

OWN = "VOLACT_PROVIDERS"  # names the folder
_SUFFIX = ".toml"


@cache
def provider_files() -> dict[str, Traversable]:
    """The file of each provider by its name, sorted."""
    return dict(sorted({**_shipped(), **_own()}.items()))


def is_own(name: str) -> bool:
    """Whether a provider's file is the operator's."""
    return name in _own()


def place_of(name: str) -> str:
    """How a message names a provider's file: with its folder where that is the operator's."""
    return str(_own()[name]) if is_own(name) else f"providers/{name}{_SUFFIX}"


def text_of(name: str) -> str:
    """The text of a provider's file; ``DataError`` where it is none."""
    try:
        return provider_files()[name].read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise unreadable(error, place_of(name)) from error
    except UnicodeDecodeError as error:
        raise DataError(
            say("is not UTF-8 text"), say("save it as UTF-8"), where=place_of(name)
        ) from error


def _shipped() -> dict[str, Traversable]:
    return _in_folder(resources.files("volact.knowledge") / "providers")


@cache
def _own() -> dict[str, Traversable]:
    """The operator's files; ``InputError`` for a folder or a name that cannot be."""
    folder = os.environ.get(OWN, "")
    try:
        # pathlib's own raises for an unknown user; so it is a folder that is not there.
        own = _in_folder(Path(os.path.expanduser(folder))) if folder else {}  # noqa: PTH111
    except OSError as error:
        raise unreadable(error, f"{OWN}={folder}") from error
    for name in own.keys() & _shipped().keys():
        raise InputError(
            say("volact has a provider {name} itself", name=name),
            say("give the file, and name in it, another name"),
            where=str(own[name]),
        )
    return own


def _in_folder(folder: Traversable) -> dict[str, Traversable]:
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {f.name.removesuffix(_SUFFIX): f for f in files if f.name.endswith(_SUFFIX)}
