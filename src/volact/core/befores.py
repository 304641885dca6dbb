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

from volact.core.release import licensing_service
from volact.model.fact import ABSENT, NOT_ASKED, Absent, Fact, Known, Unreadable, value_of
from volact.model.facts import Facts, Product
from volact.model.profile import HostPort
from volact.model.step import Step

Before = dict[str, Any]
Params = dict[str, Any]

# Keys of the agent's ``before`` that the facts do not hold: the clock's error is
# measured anew by the step, and the registry is looked at only on a way round.
LEFT_OUT: dict[str, frozenset[str]] = {
    "enable-service": frozenset({"registry"}),
    "grant-execute": frozenset({"owner"}),
    "sync-clock": frozenset({"skew_s"}),
    "set-kms-host": frozenset({"port"}),
    "clear-kms-host": frozenset({"port"}),
}

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
    server = _server_host(facts)
    if product is None:
        return server
    found = next((p for p in _products(facts) if value_of(p.id) == product), None)
    if found is None:
        return facts.products if isinstance(facts.products, Unreadable) else ABSENT
    own = _joined(found.kms_machine, found.kms_port)
    inherited = isinstance(own, Known) and own == server
    return ABSENT if inherited else own


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
        return _view(host=kms_host(facts, product))
    # Without an activation id: the first client that has a host of its own.
    hosts = (kms_host(facts, value_of(p.id)) for p in _clients(facts))
    return _view(host=next((host for host in hosts if not isinstance(host, Absent)), ABSENT))


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


def _server_host(facts: Facts) -> Fact[str]:
    """As WMI tells it, else as the registry behind it does."""
    service, registry = facts.licensing, facts.registry
    if isinstance(service.machine, Unreadable):
        if service.machine.hresult in _NO_SUCH_WAY:
            return _joined(registry.machine, registry.port)
        return service.machine
    port: Fact[Any] = registry.port if isinstance(service.port, Unreadable) else service.port
    return _joined(service.machine, port)


def _joined(name: Fact[str], port: Fact[Any]) -> Fact[str]:
    """``host:port`` as the agent writes it: lower case, no final dot, 1688 unless set."""
    if not isinstance(name, Known):
        return name
    if not name.value:
        return ABSENT
    host = name.value.removesuffix(".").removeprefix("[").removesuffix("]").lower()
    digits = str(value_of(port) or "").strip()
    number = int(digits) if digits.isdecimal() else 0
    return Known(str(HostPort(host, number or _DEFAULT_PORT)))


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
}
