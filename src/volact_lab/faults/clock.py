"""Faults about time: the clock, the time service, the domain."""

from __future__ import annotations

from volact_lab import codes
from volact_lab.faults.base import Fault, always
from volact_lab.faults.states import failed_request, notification
from volact_lab.windows.machine import Machine
from volact_lab.windows.spec import Spec
from volact_lab.windows.w32time import SERVICE

_FIVE_HOURS = 5 * 3600
_THREE_DAYS = 3 * 86400


def _sign(machine: Machine) -> int:
    return machine.chance.choice((-1, 1))


def _off(machine: Machine, seconds: float) -> None:
    """A clock that is off, and a KMS host's answer to it."""
    notification(machine)
    machine.clock.offset = _sign(machine) * seconds
    failed_request(machine, codes.SL_BAD_TIMESTAMP)


def _other_source(machine: Machine) -> None:
    """Time comes from where this server cannot reach."""
    machine.time.write("NTP", "time.windows.com,0x9")
    machine.time.load()


def _five_hours(machine: Machine) -> None:
    _off(machine, _FIVE_HOURS)
    if machine.spec.variant("clock-5h"):
        _other_source(machine)


def _three_days(machine: Machine) -> None:
    _off(machine, _THREE_DAYS)
    if machine.spec.variant("clock-3d"):
        _other_source(machine)


def _late(machine: Machine) -> None:
    """A time service that has no time data for its first tries."""
    _off(machine, _FIVE_HOURS)
    machine.time.early = 4


def _disabled_findings(spec: Spec) -> tuple[str, ...]:
    off = spec.variant("w32time-disabled")
    return ("time-service-off", "clock-skew") if off else ("time-service-off",)


def _disabled(machine: Machine) -> None:
    if machine.spec.variant("w32time-disabled"):
        _off(machine, _FIVE_HOURS)
    machine.services.stop(SERVICE)
    machine.services.configure(SERVICE, "Disabled")


FAULTS = (
    Fault("clock-5h", always("clock-skew", "not-licensed"), "healthy", _five_hours),
    Fault("clock-3d", always("clock-skew", "not-licensed"), "healthy", _three_days),
    Fault("clock-late", always("clock-skew", "not-licensed"), "healthy", _late),
    Fault("w32time-disabled", _disabled_findings, "healthy", _disabled),
    Fault(
        "domain-clock",
        always("clock-skew"),
        "attention",
        lambda machine: _off(machine, _FIVE_HOURS),
        domain_member=True,
    ),
)
