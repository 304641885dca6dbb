"""Faults of entitlement that only the cloud's own API can show: which image, whose licence.

Imported images and those of own licences are in ``system``.
"""

from __future__ import annotations

from volact_lab.faults.base import Fault, always
from volact_lab.faults.states import notification
from volact_lab.windows.machine import Machine

OWN_LICENSE = "license-own"
PRIVATE_IMAGE = "img-labprivate"
SHARED_IMAGE = "img-labshared"
RETIRED_IMAGE = "img-labretired"  # was public; no list has it any more


def _from_private(machine: Machine) -> None:
    _from(machine, PRIVATE_IMAGE)


def _from_shared(machine: Machine) -> None:
    _from(machine, SHARED_IMAGE)


def _from_retired(machine: Machine) -> None:
    _from(machine, RETIRED_IMAGE)


def _from(machine: Machine, image: str) -> None:
    notification(machine)
    machine.metadata["instance/image-id"] = image


FAULTS = (
    Fault(
        "image-private", always("image-not-entitled"), "attention", _from_private, home_only=True
    ),
    Fault("image-shared", always("image-not-entitled"), "attention", _from_shared, home_only=True),
    Fault("image-retired", always("entitlement-unknown"), "healthy", _from_retired, home_only=True),
    # A public image, but the instance itself was set to use an own licence.
    Fault(OWN_LICENSE, always("license-byol"), "attention", notification, home_only=True),
)
