"""Which facts each kind of step rests on, and the safe order of the kinds.

A kind of step that is not here is unknown to the rules of conduct.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from answer_facts import state, value

from volact.model.step import Step

Raw = Mapping[str, Any]

ORDER = (
    "rebuild-token-store",
    "rearm",
    "enable-service",
    "remove-debugger",
    "grant-execute",
    "set-time-trigger",
    "start-service",
    "add-route",
    "add-dns",
    "restore-time-limits",
    "set-time-source",
    "sync-clock",
    "install-key",
    "set-kms-host",
    "clear-kms-host",
    "activate",
    "put-back-kms-host",
)

_LICENCE = ("os.build", "os.sku", "registry.policy_machine")
_TIME = ("os.role", "time.policy_type", "time.policy_client")
BASIS: dict[str, tuple[str, ...]] = {
    "rebuild-token-store": ("store.tokens", "store.spare", "products"),
    "rearm": ("licensing.rearm", "licensing.cmid"),
    "remove-debugger": ("binary.debugger",),
    "grant-execute": ("binary.sddl",),
    "set-time-trigger": ("os.role", "time.triggers"),
    "add-route": ("routes", "reach"),
    "add-dns": ("os.role", "dns", "reach"),
    "restore-time-limits": ("time.saved",),
    "set-time-source": ("time.type", "time.peers", *_TIME),
    "sync-clock": _TIME,
    "install-key": ("os.build", "os.sku", "products"),
    "set-kms-host": (*_LICENCE, "products", "reach"),
    "clear-kms-host": (*_LICENCE, "products"),
    "activate": (*_LICENCE, "products"),
    # These rest on the state of their service, see ``unread_basis``.
    "enable-service": (),
    "start-service": (),
    # This on no fact: it follows steps that do.
    "put-back-kms-host": (),
}
# Steps that free a licensing service which is known to be held down; only then
# may activation follow although the products could not be asked.
_FREEING = ("enable-service", "grant-execute", "remove-debugger")


def unread_basis(step: Step, raw: Raw, steps: tuple[Step, ...]) -> Iterator[str]:
    """The facts under a step that could not be read."""
    freed = any(
        other.do in _FREEING and other.params.get("name", "sppsvc") in ("sppsvc", "slsvc")
        for other in steps
    )
    for path in BASIS.get(step.do, ()):
        excused = step.do == "activate" and path == "products" and freed
        if state(raw, path) == "unreadable" and not excused:
            yield path
    if "service" in step.do and state(raw, "services", step.params["name"]) != "known":
        yield f"services.{step.params['name']}"
    if step.do in ("install-key", "set-kms-host", "clear-kms-host", "activate"):
        yield from _undetermined(raw)
    if step.do in ("set-kms-host", "activate"):
        yield from _service_layer(step, raw, steps)


def _undetermined(raw: Raw) -> Iterator[str]:
    """Products that may or may not be a Windows licence, of an unknown owner."""
    for number, product in enumerate(value(raw, "products") or ()):
        unread = _unread_properties(product)
        for name in ("PartialProductKey", "LicenseIsAddon", "LicenseStatus"):
            if name in unread and not product.get("LicenseIsAddon"):
                yield f"products[{number}].{name}"
        if "Description" in unread and not product.get("ProductKeyChannel"):
            yield f"products[{number}].Description"


def _unread_properties(product: Raw) -> set[str]:
    missing = product.get("!", {})
    return set(missing[1].split()) if isinstance(missing, list) else set(missing)


def _service_layer(step: Step, raw: Raw, steps: tuple[Step, ...]) -> Iterator[str]:
    """The server-wide KMS host: by WMI, or else by the registry."""
    set_anyway = any(other.do == "set-kms-host" for other in steps)
    unread = (
        "unreadable" in {state(raw, "licensing.machine")}
        and state(raw, "registry.machine") == "unreadable"
    )
    if unread and not (step.do == "activate" and set_anyway):
        yield "licensing.machine"
