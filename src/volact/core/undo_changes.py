"""What a run's steps changed, setting by setting, out of what was recorded of them.

A step that answered tells what it changed; of one whose answer was lost only the
promise is known.  Where the setting stands in the facts is ``undo_settings``'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from volact.core.sddl import granted
from volact.core.undo_settings import Key, Raw
from volact.model.profile import HostPort
from volact.model.undo import Deed

MISSING: Any = object()  # a value that was not, or could not be, read

_START_WORDS = {"auto": "Auto", "delayed-auto": "Auto", "demand": "Manual", "disabled": "Disabled"}
_START_NUMBERS = {2: "Auto", 3: "Manual", 4: "Disabled"}
_NETWORK_ON = "2/1 2/2"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One setting that one step changed, or may have changed.

    ``put`` are the values that it may have put there; ``sure`` says that it
    answered.  ``raw`` is the whole of what was there before.
    """

    do: str
    key: Key
    before: Any
    put: tuple[Any, ...]
    sure: bool
    raw: Raw
    params: Raw


def changes_of(deeds: Iterable[Deed]) -> dict[Key, list[Change]]:
    """Every setting with its changes in order; the newest setting last."""
    found: dict[Key, list[Change]] = {}
    for deed in deeds:
        for change in _changes(deed):
            chain = found.pop(change.key, [])
            found[change.key] = [*chain, change]
    return found


def _changes(deed: Deed) -> Iterator[Change]:
    read = _READERS.get(deed.do)
    if read is None or _never_ran(deed):
        return
    answered = _answered(deed)
    before = deed.result.before if answered and deed.result else deed.before
    for key, was, promise in read(deed, before):
        if not answered:
            yield _change(deed, key, was, promise, before, sure=False)
            continue
        put = _value_after(deed, key)
        if was is MISSING or put is MISSING or was != put:
            sure = put is not MISSING
            yield _change(deed, key, was, (put,) if sure else promise, before, sure=sure)


def _value_after(deed: Deed, key: Key) -> Any:
    after = deed.result.after if deed.result else {}
    found = {own: value for own, value, _ in _READERS[deed.do](deed, after)}
    return found.get(key, MISSING)


def _change(  # noqa: PLR0913  (one argument for each part of a change)
    deed: Deed, key: Key, was: Any, put: tuple[Any, ...], raw: Raw, *, sure: bool
) -> Change:
    own = raw.get(key[1], {}) if key[0] == "dns" else raw
    return Change(do=deed.do, key=key, before=was, put=put, sure=sure, raw=own, params=deed.params)


def _never_ran(deed: Deed) -> bool:
    """Skipped, refused before it looked, or bound to another release."""
    result = deed.result
    return result is not None and not result.before and not result.after and result.hresult is None


def _answered(deed: Deed) -> bool:
    """A step that broke off says nothing of what it had done by then, nor that of the clock."""
    if deed.do == "sync-clock":
        return False
    return deed.result is not None and bool(deed.result.before or deed.result.after)


Found = Iterator[tuple[Key, Any, tuple[Any, ...]]]  # the setting, its value, what may be put there


def _get(view: Raw, name: str) -> Any:
    value = view.get(name, MISSING)
    return MISSING if isinstance(value, dict) and "!" in value else value


def _host(deed: Deed, view: Raw) -> Found:
    product = deed.params.get("product") if deed.params.get("layer") == "product" else None
    if deed.params.get("layer") == "product" and product is None:
        return  # only a file in a person's hands does that; it keeps no record
    key = ("kms-host", product) if product else ("kms-host",)
    if "hosts" in deed.params:
        promise: tuple[Any, ...] = tuple(map(_as_written, deed.params["hosts"]))
    else:
        promise = (deed.params.get("host"),)
    yield key, _get(view, "host"), promise


def _as_written(host: str) -> str:
    return str(HostPort.parse(host)).lower()


def _start(deed: Deed, view: Raw) -> Found:
    word = _START_NUMBERS.get(view.get("registry") or 0) or _get(view, "start")
    yield ("start-mode", deed.params["name"]), word, (_START_WORDS[deed.params["start"]],)


def _source(deed: Deed, view: Raw) -> Found:
    kind, peers = _get(view, "type"), _get(view, "peers")
    value = MISSING if MISSING in (kind, peers) else {"type": kind, "peers": peers}
    if deed.do == "restore-time-source":
        promise = {"type": deed.params["type"], "peers": deed.params["peers"]}
    else:
        given = deed.params["peers"]
        names = given.split() if isinstance(given, str) else given
        flagged = [name if "," in name else f"{name},0x8" for name in names]
        promise = {"type": "NTP", "peers": " ".join(flagged)}
    yield ("time-source",), value, (promise,)


def _triggers(deed: Deed, view: Raw) -> Found:
    yield ("time-trigger",), _get(view, "triggers"), (deed.params.get("triggers", _NETWORK_ON),)


def _limits(deed: Deed, view: Raw) -> Found:
    """They are raised only while the step runs; one that was cut off leaves them so."""
    if deed.params.get("raise_limits"):
        yield ("time-limits",), "as they were", ("raised",)


def _sddl(deed: Deed, view: Raw) -> Found:
    sddl = _get(view, "sddl")
    promise = deed.params.get("sddl")
    if promise is None and isinstance(sddl, str):
        promise = granted(sddl, deed.params["sid"], tuple(deed.params.get("deny", ())))
    yield ("acl",), sddl, (promise,)


def _debugger(deed: Deed, view: Raw) -> Found:
    promise = deed.params["debugger"] if deed.do == "restore-debugger" else None
    yield ("debugger",), _get(view, "debugger"), (promise,)


def _name_servers(deed: Deed, view: Raw) -> Found:
    for index, one in view.items():
        if isinstance(one, dict) and "!" not in one and isinstance(one.get("dns"), list):
            value = {"dns": one["dns"], "fixed": one.get("fixed")}
            yield ("dns", index), value, (_dns_promise(deed.params, one["dns"]),)
        else:
            yield ("dns", index), MISSING, ()


def _dns_promise(params: Raw, present: list[str]) -> Raw:
    wanted = params["servers"]
    if "adapter" in params:
        return {"dns": wanted or [], "fixed": wanted is not None}
    rest = [server for server in present if server not in wanted]
    first = params.get("position") == "first"
    return {"dns": [*wanted, *rest] if first else [*rest, *wanted], "fixed": True}


def _route(deed: Deed, view: Raw) -> Found:
    params = deed.params
    hops = _get(view, "hops")
    promise = "" if deed.do == "remove-route" else hops or params["gateway"]
    yield ("route", params["destination"], params["mask"]), hops, (promise,)


_READERS: dict[str, Callable[[Deed, Raw], Found]] = {
    "set-kms-host": _host,
    "clear-kms-host": _host,
    "enable-service": _start,
    "set-time-source": _source,
    "set-time-trigger": _triggers,
    "sync-clock": _limits,
    "grant-execute": _sddl,
    "remove-debugger": _debugger,
    "add-dns": _name_servers,
    "add-route": _route,
    "restore-kms-host": _host,
    "restore-start-mode": _start,
    "restore-time-source": _source,
    "restore-time-trigger": _triggers,
    "restore-acl": _sddl,
    "restore-debugger": _debugger,
    "restore-dns": _name_servers,
    "remove-route": _route,
}
