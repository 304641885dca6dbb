"""States of licensing that several faults have in common."""

from __future__ import annotations

from volact_lab import codes
from volact_lab.windows.events import Event
from volact_lab.windows.licensing import NAME, PORT
from volact_lab.windows.machine import Machine
from volact_lab.windows.products import GRACE_MIN, Product, product_id
from volact_lab.windows.setup import preferred_host


def kms_client(machine: Machine) -> Product:
    """The product that a KMS client key belongs to."""
    return machine.licensing.products[0]


def forget_past(machine: Machine) -> None:
    """No event shows an earlier activation."""
    machine.events.events.clear()


def initial_grace(machine: Machine) -> None:
    """Installed not long ago, never activated."""
    forget_past(machine)
    minutes = GRACE_MIN - machine.chance.randrange(60, 2 * 24 * 60)
    kms_client(machine).set_state(2, codes.SL_INITIAL_GRACE, minutes)


def notification(machine: Machine, reason: int = codes.SL_NOT_BOUND) -> None:
    """Every grace is over: Windows shows every user that it is not activated."""
    forget_past(machine)
    kms_client(machine).set_state(5, reason, None)


def failed_request(machine: Machine, code: int) -> None:
    """A request to the KMS host that is set has failed a while ago."""
    name = machine.licensing.machine() or preferred_host(machine)[0]
    port = machine.licensing.port() or 1688
    machine.licensing.remember_failure(kms_client(machine), name, port, code)


def failed_activation(
    machine: Machine, code: int, rule: str = "RuleId=lab;Action=AutoActivate"
) -> None:
    """Event 8198, as every failed activation leaves it."""
    data = (f"hr=0x{code:08X}", rule)
    machine.events.add(Event(8198, machine.clock.now() - 3600, data, level=2))


def no_kms_host(machine: Machine) -> None:
    """No KMS host is set."""
    machine.licensing.clear(NAME)
    machine.licensing.clear(PORT)


def other_key(machine: Machine, channel: str, partial: str, status: int, reason: int) -> None:
    """No client key any more, but one of another channel."""
    forget_past(machine)
    edition = machine.edition
    for product in machine.licensing.products:
        if product.partial_key and not product.addon:
            product.drop_key()
    own = Product(
        id=product_id(edition.release, edition.edition_id, channel),
        name=f"Windows(R), {edition.edition_id} edition",
        description=f"Windows(R) Operating System, {channel} channel",
    )
    own.give_key(partial, status, reason, None)
    machine.licensing.products.insert(0, own)
