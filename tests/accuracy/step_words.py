"""A step of a plan as one short line, as case files write it.

    enable-service sppsvc delayed-auto        set-kms-host kms.tencentyun.com:1688
    start-service sppsvc                      clear-kms-host product
    grant-execute S-1-5-20 minus S-1-1-0      install-key 63DFG replace
    set-time-source ntpupdate.tencentyun.com  sync-clock raise-limits
    activate

``set-kms-host`` shows the host that this server will end up with, by the rule
of docs/agent-protocol.md: the present one if it is among those of the step and
reached, else the first that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from answer_facts import may_reach, products, value

from volact.model.step import Step

Raw = dict[str, Any]


def step_line(step: Step, raw: Raw) -> str:
    """The step with the parameters that matter to a reader."""
    words = _WORDS.get(step.do, _anything)
    return f"{step.do} {words(step.params, raw)}".rstrip()


def _enable(params: Raw, raw: Raw) -> str:
    return f"{params['name']} {params['start']}"


def _start(params: Raw, raw: Raw) -> str:
    return str(params["name"])


def _grant(params: Raw, raw: Raw) -> str:
    minus = f" minus {' '.join(params['deny'])}" if params["deny"] else ""
    return f"{params['sid']}{minus}"


def _source(params: Raw, raw: Raw) -> str:
    return " ".join(params["peers"])


def _sync(params: Raw, raw: Raw) -> str:
    return "raise-limits" if params.get("raise_limits") else ""


def _key(params: Raw, raw: Raw) -> str:
    build, sku = value(raw, "os.build"), value(raw, "os.sku")
    key = params["keys"].get(f"{build}/{sku}", "none-for-this-server")
    return f"{key[-5:]}{' replace' if params['replace'] else ''}"


def _set_host(params: Raw, raw: Raw) -> str:
    hosts: list[str] = params["hosts"]
    present = f"{value(raw, 'licensing.machine')}:{value(raw, 'licensing.port')}".lower()
    reached = [host for host in hosts if may_reach(raw, host, unproven=params.get("unproven"))]
    chosen = present if present in reached else next(iter(reached), "none")
    chosen = f"unproven {chosen}" if params.get("unproven") else chosen
    return chosen if params["layer"] == "service" else f"{params['layer']} {chosen}"


def _clear_host(params: Raw, raw: Raw) -> str:
    if params["layer"] == "service":
        return ""
    ids = [product.get("ID") for product in products(raw) or ()]
    number = ids.index(params["product"]) + 1 if params["product"] in ids else 0
    return "product" if number == 1 else f"product {number}"


def _route(params: Raw, raw: Raw) -> str:
    dead = f" instead of {' '.join(params['dead'])}" if params.get("dead") else ""
    return f"{params['destination']} {params['gateway']}{dead}"


def _nothing(params: Raw, raw: Raw) -> str:
    return ""


def _anything(params: Raw, raw: Raw) -> str:
    """A step that this table does not know yet: every parameter, by name."""
    return " ".join(f"{name}={params[name]}" for name in sorted(params))


_WORDS: dict[str, Callable[[Raw, Raw], str]] = {
    "add-dns": lambda params, raw: params["position"],
    "add-route": _route,
    "enable-service": _enable,
    "start-service": _start,
    "grant-execute": _grant,
    "set-time-source": _source,
    "sync-clock": _sync,
    "install-key": _key,
    "set-kms-host": _set_host,
    "clear-kms-host": _clear_host,
    "activate": _nothing,
    "put-back-kms-host": _nothing,
}
