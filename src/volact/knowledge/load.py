"""Reads the data files of this folder into the values of ``volact.model``.

Every reader is cached and strict: an unknown key, a wrong type or a value that
cannot be right is a ``DataError`` that names the file and the key.  Nothing
here judges a server; the shape of each file is in ``files``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from volact.errors import DataError, InputError
from volact.knowledge.files import (
    EditionFile,
    ErrorFile,
    HostKeyFile,
    ProviderFile,
    ReleaseFile,
    SymbolFile,
)
from volact.knowledge.provider_files import is_own, place_of, provider_files, text_of
from volact.model.profile import Edition, ErrorInfo, HostKey, HostPort, Knowledge, Profile, Release
from volact.model.text import say, suggestion

T_co = TypeVar("T_co", covariant=True)

_SYMBOLS = "errors/symbols.toml"
# msgspec's errors about a file.
_PLACED = re.compile(r"(?P<text>.*) - at `\$\.(?P<path>.*)`", re.DOTALL)
_WORD = re.compile(r"Invalid enum value (?P<word>.*)", re.DOTALL)
_FORM = "Expected `str` matching regex"


class Shape(Protocol[T_co]):
    """What every class of ``files`` can do."""

    def values(self) -> T_co:
        """The content as values of ``volact.model``; ``ValueError`` names a key."""


@cache
def profile_names() -> tuple[str, ...]:
    """The providers with a profile: volact's, and those of the operator's folder; sorted."""
    return tuple(provider_files())


@cache
def load_profile(name: str) -> Profile:
    """One provider's profile; ``InputError`` with a near miss for an unknown name.

    ``ovh/dedicated`` is a provider narrowed to one of its regions or product lines.
    """
    whole, slash, part = name.partition("/")
    if slash:
        return _sub_cloud(load_profile(whole), part)
    if name not in profile_names():
        raise _unknown_provider(name)
    try:
        return _profile_of_file(name)
    except DataError as error:
        if not is_own(name):
            raise
        raise InputError(error.what, error.hint, where=error.where) from error


@cache
def load_editions() -> tuple[Edition, ...]:
    """Every published client key, with the builds and edition numbers it is for."""
    return decode("editions.toml", _read("editions.toml"), EditionFile)


@cache
def load_releases() -> tuple[Release, ...]:
    """Every Windows Server release by build number."""
    return decode("releases.toml", _read("releases.toml"), ReleaseFile)


@cache
def load_host_keys() -> tuple[HostKey, ...]:
    """Every KMS host key, and on which Windows it may be installed."""
    return decode("host_keys.toml", _read("host_keys.toml"), HostKeyFile)


@cache
def load_errors() -> dict[int, ErrorInfo]:
    """Everything that can be explained, by unsigned code or event id.

    Codes known by name only are there too, marked as such.
    """
    symbols = decode(_SYMBOLS, _read(_SYMBOLS), SymbolFile)
    found: dict[int, ErrorInfo] = {}
    for path in _toml_files("errors"):
        if path != _SYMBOLS:
            _add(found, path, decode(path, _read(path), ErrorFile), symbols)
    named = {code: _name_only(code, name) for code, name in symbols.items()}
    return named | found


@cache
def knowledge_for(name: str) -> Knowledge:
    """All that judging a server of this provider needs."""
    return Knowledge(
        profile=load_profile(name),
        editions=load_editions(),
        releases=load_releases(),
        errors=load_errors(),
        host_keys=load_host_keys(),
    )


def knowledge_with(hosts: tuple[HostPort, ...]) -> Callable[[str], Knowledge]:
    """The knowledge of a provider, with the operator's KMS hosts instead of its own."""
    if not hosts:
        return knowledge_for

    def known(name: str) -> Knowledge:
        base = knowledge_for(name)
        return msgspec.structs.replace(base, profile=base.profile.with_kms_hosts(hosts))

    return known


def decode(where: str, text: str, shape: type[Shape[T_co]]) -> T_co:
    """Turn the text of one data file into values; ``DataError`` names file and key."""
    try:
        return msgspec.toml.decode(text, type=shape).values()
    except msgspec.ValidationError as error:
        raise DataError(_told(error, shape), where=where) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise DataError(str(error), where=where) from error


def _profile_of_file(name: str) -> Profile:
    path = place_of(name)
    profile = decode(path, text_of(name), ProviderFile)
    if profile.name != name:
        raise DataError(f"name: is {profile.name!r}, must be that of the file", where=path)
    return profile


def _add(
    found: dict[int, ErrorInfo], path: str, infos: tuple[ErrorInfo, ...], symbols: dict[int, str]
) -> None:
    for info in infos:
        if info.code in found:
            raise DataError(f"error: 0x{info.code:08X} is explained twice", where=path)
        # In a range each code keeps its own name.
        name = symbols.get(info.code, info.symbol)
        found[info.code] = msgspec.structs.replace(info, symbol=name)


def _name_only(code: int, name: str) -> ErrorInfo:
    return ErrorInfo(
        code=code,
        symbol=name,
        family="name-only",
        meaning="A licensing code of which only the name is known here.",
        source="Windows SDK slerror.h",
        confidence="official",
    )


@cache
def provider_names() -> tuple[str, ...]:
    """Everything that may be named as a provider: profiles and their parts, sorted."""
    parts = [
        f"{name}/{part.name}" for name in profile_names() for part in load_profile(name).sub_clouds
    ]
    return tuple(sorted([*profile_names(), *parts]))


@cache
def license_words() -> tuple[str, ...]:
    """The words that clouds' APIs have for licences, those for the clouds' own first."""
    kinds = [load_profile(name).entitlement for name in profile_names()]
    said = [kind for kind in kinds if kind.kind == "image"]
    words = [word for kind in said for word in kind.entitled]
    words += [word for kind in kinds for word in kind.instance_entitled]
    words += [word for kind in said for word in kind.own]
    return tuple(dict.fromkeys([*words, *(word for kind in kinds for word in kind.instance_own)]))


def _sub_cloud(profile: Profile, part: str) -> Profile:
    names = [sub.name for sub in profile.sub_clouds]
    if part in names:
        return profile.sub_cloud(part)
    near = difflib.get_close_matches(part, names, n=1)
    known = say("known: {known}", known=", ".join(names))
    hint = known if names else say("{name} has no parts", name=profile.name)
    if near:
        hint = say("did you mean {names}?", names=f"{profile.name}/{near[0]}")
    raise InputError(say("{name} has no part {part}", name=profile.name, part=repr(part)), hint)


def _unknown_provider(name: str) -> InputError:
    return InputError(
        say("unknown provider {provider}", provider=repr(name)), suggestion(name, profile_names())
    )


def _toml_files(folder: str) -> tuple[str, ...]:
    names = (entry.name for entry in (_root() / folder).iterdir())
    return tuple(sorted(f"{folder}/{name}" for name in names if name.endswith(".toml")))


def _read(path: str) -> str:
    return _root().joinpath(*path.split("/")).read_text(encoding="utf-8")


def _root() -> Traversable:
    return resources.files("volact.knowledge")


def _told(error: msgspec.ValidationError, shape: type) -> str:
    """The message for a person.

    msgspec's message about types names what it expects and stays.  A wrong word is
    reported with the known ones, a wrong form with an example, and a check of
    the file's own with its place in front.
    """
    placed = _PLACED.fullmatch(str(error))
    if placed is None:
        return str(error)
    text, path = placed["text"], placed["path"]
    parts = tuple(_parts(_type_at(shape, path)))
    if (word := _WORD.fullmatch(text)) is not None:
        words = [w for part in parts if get_origin(part) is Literal for w in get_args(part)]
        return f"{path}: {word['word']} is none of {', '.join(filter(None, words))}"
    if text.startswith(_FORM):
        metas = (part for part in parts if isinstance(part, msgspec.Meta) and part.examples)
        return f"{path}: is not of the form {next(str((m.examples or [''])[0]) for m in metas)}"
    return str(error) if text.startswith(("Expected ", "Object ")) else f"{path}: {text}"


def _type_at(shape: type, path: str) -> Any:
    """The type of a key such as ``routes[0].via``, as its struct declares it."""
    found: Any = shape
    for name in re.sub(r"\[[^\]]*\]", "", path).split("."):
        for part in tuple(_parts(found)):
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                names = {f.encode_name: f.name for f in msgspec.structs.fields(part)}
                if name in names:
                    found = get_type_hints(part, include_extras=True)[names[name]]
    return found


def _parts(kind: Any) -> Iterator[Any]:
    """A type and everything that it is made of."""
    yield kind
    for part in get_args(kind):
        yield from _parts(part)
