"""What a step is about to overwrite, read from the facts before it is sent.

The shape is that of the ``before`` which the agent reports of the same step
(docs/agent-protocol.md), so that a run whose answers were lost can be undone
like any other.  ``LEFT_OUT`` names what only the agent can know.  A value that
is not there is ``None``; one that could not be read is ``{"!": HRESULT}``, and
left out where it was never asked.  Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from volact.core.assessment.system import licensing_service
from volact.model.fact import ABSENT, NOT_ASKED, Absent, Fact, Known, Unreadable, value_of
from volact.model.facts import Facts, Product
from volact.model.profile import HostPort
from volact.model.step import Step

Before = dict[str, Any]
Params = dict[str, Any]

# Keys of the agent's ``before`` that the facts do not hold: the clock's error is
# measured anew by the step, and the registry is looked at only on a way round.
LEFT_OUT: dict[str, frozenset[str]] = {
    "enable-service": frozenset({"registry", "delayed"}),
    "restore-start-mode": frozenset({"delayed"}),
    "grant-execute": frozenset({"owner"}),
    "sync-clock": frozenset({"skew_s"}),
}

# What a step that waits for a restart has made of the licensing service's start mode.
PENDING_STARTS = {"enable-service": "Auto", "restore-start-mode": "Disabled"}

# What "this way does not exist here" looks like: then the registry holds the setting.
_NO_SUCH_WAY = frozenset(
    {0x80041002, 0x80004001, 0x80041017, 0x8004102E, 0x80041055, 0x80041010},
)
_DEFAULT_PORT = 1688
_CLIENT = "VOLUME_KMSCLIENT"  # a token of Description, never translated


def before_of(step: Step, facts: Facts) -> Before:
    """What this step will overwrite on a server that stands as these facts say."""
    read = _BEFORES.get(step.do)
    return read(facts, step.params) if read else {}


def kms_host(facts: Facts, product: str | None) -> Fact[str]:
    """The KMS host of the whole server, or a product's own, as ``host:port``."""
    return _own_names(facts, product).host


class _Names(msgspec.Struct, frozen=True):
    """A KMS host as it is spelt; port 0 is none."""

    name: Fact[str] = ABSENT
    port: int = 0

    @property
    def host(self) -> Fact[str]:
        """``host:port`` as the agent writes it: lower case, no final dot, 1688 unless set."""
        if not isinstance(self.name, Known):
            return self.name
        if not self.name.value:
            return ABSENT
        host = self.name.value.removesuffix(".").removeprefix("[").removesuffix("]").lower()
        return Known(str(HostPort(host, self.port or _DEFAULT_PORT)))


def _own_names(facts: Facts, product: str | None) -> _Names:
    server = _server_names(facts)
    if product is None:
        return server
    found = next((p for p in _products(facts) if value_of(p.id) == product), None)
    if found is None:
        unread = isinstance(facts.products, Unreadable)
        return _Names(facts.products) if unread else _Names()  # type: ignore[arg-type]
    own = _Names(found.kms_machine, _number(found.kms_port))
    inherited = isinstance(own.host, Known) and own.host == server.host
    return _Names() if inherited else own


def _server_names(facts: Facts) -> _Names:
    """As WMI tells it, else as the registry behind it does."""
    service, registry = facts.licensing, facts.registry
    if isinstance(service.machine, Unreadable) and service.machine.hresult in _NO_SUCH_WAY:
        return _Names(registry.machine, _number(registry.port))
    unread = isinstance(service.port, Unreadable)
    return _Names(service.machine, _number(registry.port if unread else service.port))


def _number(port: Fact[Any]) -> int:
    digits = str(value_of(port) or "").strip()
    return int(digits) if digits.isdecimal() else 0


def plain(fact: Fact[Any]) -> Any:
    """A fact as an answer would hold it; ``NotImplemented`` when it was never asked."""
    if isinstance(fact, Known):
        return fact.value
    if isinstance(fact, Absent):
        return None
    return NotImplemented if fact.hresult is None else {"!": fact.hresult}


def _view(**facts: Fact[Any]) -> Before:
    values = {name: plain(fact) for name, fact in facts.items()}
    return {name: value for name, value in values.items() if value is not NotImplemented}


def _service(facts: Facts, params: Params) -> Before:
    return _service_named(facts, params["name"])


def _service_named(facts: Facts, name: str) -> Before:
    service = facts.services.get(name, NOT_ASKED)
    if isinstance(service, Known):
        return {"state": service.value.state, "start": service.value.start}
    return _view(state=service, start=service)


def _start_mode(facts: Facts, params: Params) -> Before:
    """With what its key says where that holds from the next start of Windows on."""
    view = _service(facts, params)
    if view.get("start") is not None:
        view["start"] = start_of(facts, params["name"])
    return view


def start_of(facts: Facts, name: str) -> str | None:
    """The start mode, as it will be after a restart that a step has left to be done."""
    service = value_of(facts.services.get(name, NOT_ASKED))
    pending = PENDING_STARTS.get(value_of(facts.restart) or "")
    if service is None or name != licensing_service(facts.os) or pending is None:
        return service.start if service else None
    return pending


def _licensing(facts: Facts, params: Params) -> Before:
    return _service_named(facts, licensing_service(facts.os))


def _sddl(facts: Facts, params: Params) -> Before:
    return _view(sddl=facts.binary.sddl)


def _debugger(facts: Facts, params: Params) -> Before:
    return _view(debugger=facts.binary.debugger)


def _name_servers(facts: Facts, params: Params) -> Before:
    view: Before = {}
    for index, adapter in facts.adapters.items():
        if isinstance(adapter, Known):
            one = adapter.value
            view[index] = {"dns": list(one.dns), "dhcp": one.dhcp, "fixed": one.fixed}
        else:
            view.update(_view(**{index: adapter}))
    return view


def _one_adapter(facts: Facts, params: Params) -> Before:
    every = _name_servers(facts, params)
    return {params["adapter"]: every[params["adapter"]]} if params["adapter"] in every else {}


def _route(facts: Facts, params: Params) -> Before:
    to = {"destination": params["destination"], "mask": params["mask"]}
    if not isinstance(facts.routes, Known):
        return {**to, **_view(hops=facts.routes)}
    hops = [
        route.next_hop
        for route in facts.routes.value
        if (route.destination, route.mask) == (params["destination"], params["mask"])
    ]
    return {**to, "hops": " ".join(hops)}


def _triggers(facts: Facts, params: Params) -> Before:
    return _view(triggers=facts.time.triggers)


def _time_source(facts: Facts, params: Params) -> Before:
    return _view(type=facts.time.type, peers=facts.time.peers)


def _limits(facts: Facts, params: Params) -> Before:
    return _view(MaxPosPhaseCorrection=facts.time.pos, MaxNegPhaseCorrection=facts.time.neg)


def _clock(facts: Facts, params: Params) -> Before:
    """The limits that are raised meanwhile, as they were before a run that was cut off."""
    if not params.get("raise_limits"):
        return {}
    saved = value_of(facts.time.saved)
    if saved is None:
        return {"limits": _limits(facts, params)}
    words = [int(word) if word.isdigit() else None for word in saved.split()]
    names = ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection")
    return {"limits": dict(zip(names, words, strict=False))}


def _store(facts: Facts, params: Params) -> Before:
    return _view(path=facts.store.path, tokens=facts.store.tokens, spare=facts.store.spare)


def _rearm(facts: Facts, params: Params) -> Before:
    return _view(rearm=facts.licensing.rearm, cmid=facts.licensing.cmid)


def _key(facts: Facts, params: Params) -> Before:
    """Never a key, only the last five characters of each."""
    if not isinstance(facts.products, Known):
        return _view(partial_key=facts.products)
    tails = [value_of(product.partial_key) or "" for product in _main(facts)]
    return {"partial_key": " ".join(tails) if tails else None}


def _host(facts: Facts, params: Params) -> Before:
    product = params.get("product")
    if params.get("layer") != "product" or product:
        return _names_view(_own_names(facts, product), product)
    # Without an activation id: the first client that has a host of its own.
    own = ((id, _own_names(facts, id)) for id in map(_id_of, _clients(facts)))
    id, names = next(
        (pair for pair in own if not isinstance(pair[1].host, Absent)), ("-", _Names())
    )
    return _names_view(names, id)


def _names_view(names: _Names, product: str | None) -> Before:
    """Name and port stand beside the host where they are not what it says."""
    view = _view(host=names.host)
    host = view.get("host")
    if not isinstance(host, str | None) or "host" not in view or (host is None and product):
        return view
    if host is not None and value_of(names.name) != host.rpartition(":")[0]:
        view["name"] = value_of(names.name)
    if (host is None) != (names.port == 0):
        view["port"] = names.port or None
    return view


def _id_of(product: Product) -> str | None:
    return value_of(product.id)


def _activation(facts: Facts, params: Params) -> Before:
    wanted = str(params.get("product") or "").lower()
    if wanted:
        chosen = [p for p in _main(facts) if str(value_of(p.id)).lower() == wanted]
        return _states(facts, chosen)
    return _states(facts, _clients(facts))


def _all_states(facts: Facts, params: Params) -> Before:
    return _states(facts, _main(facts))


def _states(facts: Facts, products: Iterable[Product]) -> Before:
    if not isinstance(facts.products, Known):
        return _view(status=facts.products, reason=facts.products)
    view: dict[str, dict[str, Any]] = {"status": {}, "reason": {}}
    for product in products:
        id = value_of(product.id)
        if id is not None:
            view["status"][id] = value_of(product.status)
            view["reason"][id] = value_of(product.reason) or 0
    return view


def _products(facts: Facts) -> tuple[Product, ...]:
    return value_of(facts.products) or ()


def _main(facts: Facts) -> Iterator[Product]:
    """Windows itself, not its add-ons."""
    return (product for product in _products(facts) if value_of(product.addon) is not True)


def _clients(facts: Facts) -> Iterator[Product]:
    """Those that a KMS host activates, told as the agent tells them."""
    return (p for p in _main(facts) if _CLIENT in (value_of(p.description) or ""))


_BEFORES: dict[str, Callable[[Facts, Params], Before]] = {
    "remove-debugger": _debugger,
    "start-service": _service,
    "enable-service": _service,
    "grant-execute": _sddl,
    "add-dns": _name_servers,
    "add-route": _route,
    "set-time-trigger": _triggers,
    "restore-time-limits": _limits,
    "set-time-source": _time_source,
    "sync-clock": _clock,
    "rebuild-token-store": _store,
    "rearm": _rearm,
    "install-key": _key,
    "set-kms-host": _host,
    "clear-kms-host": _host,
    "restart-licensing": _licensing,
    "activate": _activation,
    "refresh-license": _all_states,
    "restore-kms-host": _host,
    "restore-start-mode": _start_mode,
    "restore-time-source": _time_source,
    "restore-time-trigger": _triggers,
    "restore-acl": _sddl,
    "restore-debugger": _debugger,
    "restore-dns": _one_adapter,
    "remove-route": _route,
}
