"""Faults about product keys and editions, and grace that is over."""

from __future__ import annotations

from volact_lab import codes
from volact_lab.faults.base import SINCE_2012, Fault, always
from volact_lab.faults.states import forget_past, kms_client, notification
from volact_lab.windows.image import CURRENT
from volact_lab.windows.machine import Machine
from volact_lab.windows.products import windows_product
from volact_lab.windows.registry import sz

# OperatingSystemSKU of the evaluation editions: full and core.
_EVALUATION = {"Datacenter": (80, 159), "Standard": (79, 160)}


def _no_key(machine: Machine) -> None:
    forget_past(machine)
    kms_client(machine).drop_key()


def _retail(machine: Machine) -> None:
    _no_key(machine)
    retail = next(p for p in machine.licensing.products if "RETAIL" in p.description)
    retail.give_key("3V66T", 5, codes.SL_KEY_BLOCKED, None)


def _evaluation(machine: Machine) -> None:
    forget_past(machine)
    licensing, edition = machine.licensing, machine.edition
    sku = _EVALUATION[edition.title][1 if machine.spec.core else 0]
    machine.sku = licensing.sku = sku
    name = f"{edition.edition_id}{'EvalCor' if machine.spec.core else 'Eval'}"
    machine.registry.set(CURRENT, "EditionID", sz(name))
    product = windows_product(edition, "TIMEBASED_EVAL")
    product.name = f"Windows(R), {name} edition"
    if machine.spec.variant("edition-evaluation"):
        product.give_key("PHYHM", 1, codes.SL_TIME_VALIDITY, 90 * 24 * 60)
    else:
        product.give_key("PHYHM", 5, codes.SL_GRACE_EXPIRED, None)
    # An evaluation has no product that a KMS client key would fit.
    licensing.products[:] = [product]


def _grace_over(machine: Machine) -> None:
    forms = (codes.SL_GRACE_EXPIRED, codes.SL_NOT_BOUND)
    notification(machine, forms[machine.spec.variant("grace-expired")])


FAULTS = (
    Fault("key-missing", always("key-missing"), "healthy", _no_key),
    Fault(
        "key-retail",
        always("key-wrong-channel"),
        "attention",
        _retail,
        agreed=lambda _spec: "healthy",
    ),
    Fault(
        "edition-evaluation",
        always("edition-evaluation"),
        "attention",
        _evaluation,
        releases=SINCE_2012,
    ),
    Fault("grace-expired", always("not-licensed"), "healthy", _grace_over),
)
