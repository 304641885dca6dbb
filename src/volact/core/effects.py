"""What steps promise: the facts as they should be once the steps are done.

For the tests of the planner's laws.  Nothing that reports to a person uses
this: whether a step helped is for the closing look to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from volact.core.assessment import assess
from volact.core.assessment.clock import measured_skew
from volact.core.assessment.hosts import DEFAULT_PORT
from volact.core.assessment.kms_setting import product_setting, service_setting
from volact.core.assessment.licence import FULL_TERM_MIN, LICENSED, channel_of
from volact.core.context import Context
from volact.core.sddl import granted
from volact.model.fact import ABSENT, Fact, Known, value_of
from volact.model.facts import Adapter, Facts, Product, Route, ServiceFact
from volact.model.profile import HostPort
from volact.model.step import Step

Params = dict[str, Any]
Effect = Callable[[Facts, Params, Context], Facts]

_START_WORDS = {"auto": "Auto", "delayed-auto": "Auto", "demand": "Manual"}
_HEALTHY_REASON = 0x4004F040
_INITIAL_GRACE = 2
_CONNECTED = 0x80072EFE  # what a KMS host says to an HTTP try


def promised(facts: Facts, steps: tuple[Step, ...], ctx: Context) -> Facts:
    """The facts after every step has done what it ensures."""
    for step in steps:
        facts = _EFFECTS[step.do](facts, step.params, ctx)
    return facts


def _enable(facts: Facts, params: Params, ctx: Context) -> Facts:
    service = value_of(facts.services.get(params["name"], ABSENT))
    state = service.state if service else "Stopped"
    return _with_service(facts, params["name"], ServiceFact(state, _START_WORDS[params["start"]]))


def _start(facts: Facts, params: Params, ctx: Context) -> Facts:
    service = value_of(facts.services.get(params["name"], ABSENT))
    start = service.start if service else "Manual"
    return _with_service(facts, params["name"], ServiceFact("Running", start))


def _grant(facts: Facts, params: Params, ctx: Context) -> Facts:
    sddl = value_of(facts.binary.sddl) or "D:"
    allowed = granted(sddl, params["sid"], tuple(params["deny"]))
    return replace(facts, binary=replace(facts.binary, sddl=Known(allowed)))


def _remove_debugger(facts: Facts, params: Params, ctx: Context) -> Facts:
    return replace(facts, binary=replace(facts.binary, debugger=ABSENT))


def _add_dns(facts: Facts, params: Params, ctx: Context) -> Facts:
    """In front of the others they resolve the names, behind them nobody knows."""
    present = [server for server in value_of(facts.dns) or () if server not in params["servers"]]
    first = params["position"] == "first"
    servers = [*params["servers"], *present] if first else [*present, *params["servers"]]
    adapters = {name: _asking(adapter, params) for name, adapter in facts.adapters.items()}
    facts = replace(facts, dns=Known(tuple(servers)), adapters=adapters)
    return _reached(facts, ctx) if first else facts


def _asking(adapter: Fact[Adapter], params: Params) -> Fact[Adapter]:
    """One adapter, which asks these name servers too."""
    if not isinstance(adapter, Known):
        return adapter
    wanted = tuple(params["servers"])
    rest = tuple(server for server in adapter.value.dns if server not in wanted)
    servers = (*wanted, *rest) if params["position"] == "first" else (*rest, *wanted)
    return Known(Adapter(servers, adapter.value.dhcp, True))


def _add_route(facts: Facts, params: Params, ctx: Context) -> Facts:
    route = Route(params["destination"], params["mask"], params["gateway"])
    facts = replace(facts, routes=Known((*(value_of(facts.routes) or ()), route)))
    return _reached(facts, ctx)


def _reached(facts: Facts, ctx: Context) -> Facts:
    answers = {str(host): Known(_CONNECTED) for host in assess(facts, ctx).kms.accepted}
    return replace(facts, reach={**facts.reach, **answers})


def _trigger(facts: Facts, params: Params, ctx: Context) -> Facts:
    return replace(facts, time=replace(facts.time, triggers=Known("2/1 2/2")))


def _restore_limits(facts: Facts, params: Params, ctx: Context) -> Facts:
    words = (value_of(facts.time.saved) or "- -").split()
    pos, neg = (Known(int(word)) if word.isdigit() else ABSENT for word in words)
    return replace(facts, time=replace(facts.time, pos=pos, neg=neg, saved=ABSENT))


def _rebuild_store(facts: Facts, params: Params, ctx: Context) -> Facts:
    """A store without keys, that waits for its restarts."""
    licensing = facts.licensing
    version = licensing.version if isinstance(licensing.version, Known) else ABSENT
    return replace(
        facts,
        products=Known(()),
        licensing=replace(licensing, version=version),
        store=replace(facts.store, spare=Known(True)),
        restart=Known("rebuild-token-store"),
    )


def _rearm(facts: Facts, params: Params, ctx: Context) -> Facts:
    return replace(facts, restart=Known("rearm"))


def _time_source(facts: Facts, params: Params, ctx: Context) -> Facts:
    peers = " ".join(f"{peer},0x8" for peer in params["peers"])
    return replace(facts, time=replace(facts.time, type=Known("NTP"), peers=Known(peers)))


def _sync(facts: Facts, params: Params, ctx: Context) -> Facts:
    """Take the measured error off the clock, and off what was stamped by it."""
    skew_ms = (measured_skew(facts) or 0) * 1000
    utc, at = value_of(facts.time.utc), value_of(facts.time.ref_at)
    time = replace(
        facts.time,
        utc=facts.time.utc if utc is None else Known(utc - skew_ms),
        ref_at=facts.time.ref_at if at is None else Known(at - skew_ms),
    )
    return replace(facts, time=time)


def _install_key(facts: Facts, params: Params, ctx: Context) -> Facts:
    build, sku = value_of(facts.os.build), value_of(facts.os.sku)
    key = params["keys"].get(f"{build}/{sku}")
    if key is None:
        return facts
    service = service_setting(facts)
    host = service.value.host if isinstance(service, Known) else None
    product = Product(
        id=Known(f"gvlk-{key[-5:].lower()}"),
        name=Known("Windows(R)"),
        description=Known("Windows(R) Operating System, VOLUME_KMSCLIENT channel"),
        partial_key=Known(key[-5:]),
        addon=Known(False),
        status=Known(_INITIAL_GRACE),
        reason=Known(0x4004F00C),
        grace_min=Known(43_200),
        channel=Known("Volume:GVLK"),
        kms_machine=Known(host.host) if host else ABSENT,
        kms_port=Known(host.port) if host else Known(0),
        discovered_name=ABSENT,
        discovered_port=ABSENT,
        vl_type=ABSENT,
    )
    # A new key takes the place of the Windows key; add-ons keep theirs.
    kept = [p for p in value_of(facts.products) or () if value_of(p.addon)]
    return replace(facts, products=Known((product, *kept)))


def _set_host(facts: Facts, params: Params, ctx: Context) -> Facts:
    accepted = [HostPort.parse(text) for text in params["hosts"]]
    reached = [host for host in assess(facts, ctx).kms.reached if host in accepted]
    host = (reached or accepted)[0]
    products = tuple(
        product
        if isinstance(product_setting(facts, product), Known)
        else replace(product, kms_machine=Known(host.host), kms_port=Known(host.port))
        for product in value_of(facts.products) or ()
    )
    return replace(
        facts,
        licensing=replace(facts.licensing, machine=Known(host.host), port=Known(host.port)),
        registry=replace(facts.registry, machine=Known(host.host), port=Known(str(host.port))),
        products=Known(products) if isinstance(facts.products, Known) else facts.products,
    )


def _clear_host(facts: Facts, params: Params, ctx: Context) -> Facts:
    """The product shows the server's setting again."""
    service = service_setting(facts)
    host = service.value.host if isinstance(service, Known) else HostPort("", DEFAULT_PORT)
    name = Known(host.host) if host.host else ABSENT
    products = tuple(
        replace(product, kms_machine=name, kms_port=Known(host.port))
        if value_of(product.id) == params["product"]
        else product
        for product in value_of(facts.products) or ()
    )
    return replace(facts, products=Known(products))


def _activate(facts: Facts, params: Params, ctx: Context) -> Facts:
    if not isinstance(facts.products, Known):
        return facts
    products = tuple(
        replace(
            product,
            status=Known(LICENSED),
            reason=Known(_HEALTHY_REASON),
            grace_min=Known(FULL_TERM_MIN),
        )
        if channel_of(product) == "kms-client"
        else product
        for product in facts.products.value
    )
    return replace(facts, products=Known(products))


def _host_back(facts: Facts, params: Params, ctx: Context) -> Facts:
    """The name as it was spelt; a product without one shows the server's again."""
    host = HostPort.parse(params["host"]) if params["host"] else None
    name = Known(str(params.get("name") or host.host)) if host else ABSENT
    port = params["port"]
    if params["layer"] == "product":
        if host is None:
            return _clear_host(facts, params, ctx)
        products = tuple(
            replace(product, kms_machine=name, kms_port=Known(port or 0))
            if value_of(product.id) == params["product"]
            else product
            for product in value_of(facts.products) or ()
        )
        return replace(facts, products=Known(products))
    return _server_host(facts, name, port)


def _server_host(facts: Facts, name: Fact[str], port: int | None) -> Facts:
    """Products without a host of their own show the new one."""
    products = tuple(
        product
        if isinstance(product_setting(facts, product), Known)
        else replace(product, kms_machine=name, kms_port=Known(port or 0))
        for product in value_of(facts.products) or ()
    )
    return replace(
        facts,
        licensing=replace(facts.licensing, machine=name, port=Known(port or 0)),
        registry=replace(facts.registry, machine=name, port=Known(str(port)) if port else ABSENT),
        products=Known(products) if isinstance(facts.products, Known) else facts.products,
    )


def _start_back(facts: Facts, params: Params, ctx: Context) -> Facts:
    words = {**_START_WORDS, "disabled": "Disabled"}
    service = value_of(facts.services.get(params["name"], ABSENT))
    state = service.state if service else "Stopped"
    return _with_service(facts, params["name"], ServiceFact(state, words[params["start"]]))


def _source_back(facts: Facts, params: Params, ctx: Context) -> Facts:
    kind, peers = (ABSENT if params[n] is None else Known(params[n]) for n in ("type", "peers"))
    return replace(facts, time=replace(facts.time, type=kind, peers=peers))


def _trigger_back(facts: Facts, params: Params, ctx: Context) -> Facts:
    triggers = ABSENT if params["triggers"] is None else Known(params["triggers"])
    return replace(facts, time=replace(facts.time, triggers=triggers))


def _acl_back(facts: Facts, params: Params, ctx: Context) -> Facts:
    return replace(facts, binary=replace(facts.binary, sddl=Known(params["sddl"])))


def _debugger_back(facts: Facts, params: Params, ctx: Context) -> Facts:
    return replace(facts, binary=replace(facts.binary, debugger=Known(params["debugger"])))


def _dns_back(facts: Facts, params: Params, ctx: Context) -> Facts:
    """Which name servers DHCP gives, nobody knows beforehand."""
    servers = tuple(params["servers"] or ())
    adapter = value_of(facts.adapters[params["adapter"]])
    dhcp = adapter.dhcp if adapter else True
    own = Known(Adapter(servers, dhcp, params["servers"] is not None))
    return replace(facts, adapters={**facts.adapters, params["adapter"]: own})


def _route_away(facts: Facts, params: Params, ctx: Context) -> Facts:
    gone = Route(params["destination"], params["mask"], params["gateway"])
    kept = tuple(route for route in value_of(facts.routes) or () if route != gone)
    return replace(facts, routes=Known(kept))


def _nothing(facts: Facts, params: Params, ctx: Context) -> Facts:
    return facts


def _with_service(facts: Facts, name: str, service: ServiceFact) -> Facts:
    return replace(facts, services={**facts.services, name: Known(service)})


_EFFECTS: dict[str, Effect] = {
    "enable-service": _enable,
    "start-service": _start,
    "remove-debugger": _remove_debugger,
    "grant-execute": _grant,
    "add-dns": _add_dns,
    "add-route": _add_route,
    "set-time-trigger": _trigger,
    "restore-time-limits": _restore_limits,
    "rebuild-token-store": _rebuild_store,
    "rearm": _rearm,
    "set-time-source": _time_source,
    "sync-clock": _sync,
    "install-key": _install_key,
    "set-kms-host": _set_host,
    "clear-kms-host": _clear_host,
    "restart-licensing": _nothing,
    "activate": _activate,
    "refresh-license": _nothing,
    "restore-kms-host": _host_back,
    "restore-start-mode": _start_back,
    "restore-time-source": _source_back,
    "restore-time-trigger": _trigger_back,
    "restore-acl": _acl_back,
    "restore-debugger": _debugger_back,
    "restore-dns": _dns_back,
    "remove-route": _route_away,
}
