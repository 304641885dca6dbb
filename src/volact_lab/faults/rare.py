"""Faults that are rare, each for a finding that the common ones do not give rise to."""

from __future__ import annotations

from dataclasses import replace

from volact_lab import codes
from volact_lab.faults import elsewhere
from volact_lab.faults.base import SINCE_2008_R2, SINCE_2012, Fault, always
from volact_lab.faults.states import (
    failed_activation,
    failed_request,
    forget_past,
    kms_client,
    no_kms_host,
    notification,
    other_key,
)
from volact_lab.windows import acl
from volact_lab.windows.image import CURRENT
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import NOT_LET_OUT
from volact_lab.windows.products import VALIDITY_MIN, product_id, windows_product
from volact_lab.windows.protection import FIREWALL_RULES, NETWORK_SERVICE_HIVE
from volact_lab.windows.registry import dword, normal, sz
from volact_lab.windows.setup import license_with
from volact_lab.windows.w32time import KEY, SERVICE

_DAY_MIN = 24 * 60
AZURE_KMS = "20.118.99.224"
_SINCE_2016 = ("2016", "2019", "2022")
_RULES = tuple(
    f"v2.10|Action=Block|Active=TRUE|Dir=Out|Protocol=6|{ports}|Name=No licences|"
    for ports in ("RPort=1688", "RPort2_10=1024-5000|RPort2_10=5002-65535")
)
_POLICY = "software protection platform"
_MARK = "HKLM\\HARDWARE\\DESCRIPTION\\System"


def _ends(minutes: int, machine: Machine) -> None:
    """Licensed, and so many minutes are left."""
    kms_client(machine).set_state(1, codes.SL_LICENSED_KMS, minutes)


def _forced(machine: Machine) -> None:
    notification(machine)
    kms_client(machine).forced = 1


def _firewall(machine: Machine) -> None:
    notification(machine)
    machine.registry.set(
        FIREWALL_RULES, "Block-KMS", sz(_RULES[machine.spec.variant("kms-firewall")])
    )
    for host in machine.world.profile.all_kms_hosts():
        machine.network.own[machine.world.addresses[host.host], host.port] = NOT_LET_OUT
    failed_request(machine, codes.RPC_UNAVAILABLE)


def _too_old(machine: Machine) -> None:
    """A host that did not know the release; its operator has repaired that since."""
    notification(machine)
    failed_request(machine, codes.SL_ID_MISMATCH)


def _no_source(machine: Machine) -> None:
    notification(machine)
    machine.time.write("NTP", "")
    machine.time.load()


def _asleep(machine: Machine) -> None:
    """A licensing service that asking for it does not start."""
    machine.licensing.wakes = False


def _rights(machine: Machine) -> None:
    notification(machine, codes.SL_OUT_OF_TOLERANCE)
    lost = acl.parse("D:(A;;0xf003f;;;SY)(A;;0xf003f;;;BA)")
    machine.registry.dacls[normal(NETWORK_SERVICE_HIVE).lower()] = lost


def _unknown_image(machine: Machine) -> None:
    machine.metadata["instance/image-id"] = "img-labnobody"


def _avma(machine: Machine) -> None:
    other_key(machine, "VIRTUAL_MACHINE_ACTIVATION", "AVMA1", 5, codes.SL_NOT_HYPER_V)


def _own_key(machine: Machine) -> None:
    other_key(machine, "VOLUME_MAK", "MAK07", 1, codes.SL_LICENSED_KMS)


def _kms_host(machine: Machine) -> None:
    other_key(machine, "VOLUME_KMS_2019_C", "CSVLK", 1, codes.SL_LICENSED_KMS)
    machine.licensing.products[0].host = True


def _wrong_edition(machine: Machine) -> None:
    """The published key of another edition of the same release."""
    notification(machine)
    other = next(
        e
        for e in machine.world.editions
        if machine.release.build in e.builds and machine.sku not in e.skus
    )
    kms_client(machine).partial_key = other.gvlk[-5:]


def _two_keys(machine: Machine) -> None:
    """A MAK as well as the client key, and an add-on that is not licensed."""
    edition = machine.edition
    second = windows_product(edition, "VOLUME_MAK")
    second.id = product_id(edition.release, "second", "VOLUME_MAK")
    second.give_key("MAK08", 5, codes.SL_GRACE_EXPIRED, None)
    extra = windows_product(edition, "VOLUME_MAK")
    extra.id = product_id(edition.release, "updates", "VOLUME_MAK")
    extra.name = f"Windows(R), {edition.edition_id}-ESU-Year1 add-on"
    extra.addon = True
    extra.give_key("ESU01", 5, codes.SL_GRACE_EXPIRED, None)
    machine.licensing.products += [second, extra]


def _no_rearm(machine: Machine) -> None:
    machine.licensing.rearm = 0


def _store(machine: Machine) -> None:
    notification(machine, codes.SL_STORE)
    machine.licensing.store.become("damaged")


def _not_elevated(machine: Machine) -> None:
    notification(machine)
    machine.elevated = False
    own = acl.parse("D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;AU)")
    machine.files.change(machine.temp, dacl=own)


def _azure_edition(machine: Machine) -> None:
    notification(machine)
    machine.sku = machine.licensing.sku = 407


def _policy_denied(machine: Machine) -> None:
    """A registry key of policies that even administrators may not read."""
    notification(machine)
    before = machine.registry.denied
    machine.registry.denied = lambda path, write: (
        ("policies" in path and _POLICY in path) or before(path, write)
    )


def _local_clock(machine: Machine) -> None:
    """The hardware clock is UTC, and Windows takes it for local time."""
    notification(machine)
    machine.clock.offset = -machine.clock.bias * 60
    failed_request(machine, codes.SL_BAD_TIMESTAMP)


def _restart_awaited(machine: Machine) -> None:
    notification(machine)
    machine.licensing.rearmed = True
    machine.registry.set(_MARK, "VolactRestart", sz("rearm"))


def _limits_raised(machine: Machine) -> None:
    notification(machine)
    for name in ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection"):
        machine.registry.set(f"{KEY}\\Config", name, dword(0xFFFFFFFF))
    machine.registry.set(f"{KEY}\\Config", "VolactLimits", sz("54000 54000"))


def _time_stopped(machine: Machine) -> None:
    """As Windows itself leaves it outside of a domain, and the clock has drifted."""
    notification(machine)
    machine.services.stop(SERVICE)
    machine.services.configure(SERVICE, "Manual")
    machine.clock.offset = 5 * 3600
    failed_request(machine, codes.SL_BAD_TIMESTAMP)


def _renewal_refused(machine: Machine) -> None:
    """Licensed, and the newest attempt at its host has failed."""
    _ends(VALIDITY_MIN - 3 * _DAY_MIN, machine)
    failed_request(machine, codes.RPC_UNAVAILABLE)


def _pinned(machine: Machine) -> None:
    """Licensed by another cloud's KMS host, which is set as one of its published addresses."""
    forget_past(machine)
    license_with(machine, AZURE_KMS, 1688)
    peers = machine.world.internet.peers
    host = machine.world.profile.all_kms_hosts()[0]
    machine.network.own[AZURE_KMS, 1688] = peers[machine.world.addresses[host.host], host.port]


def _undiscovered(machine: Machine) -> None:
    """No host is set, and the domain's DNS publishes none."""
    notification(machine)
    no_kms_host(machine)
    failed_activation(machine, codes.DNS_NAME_ERROR)


def _version_23h2(machine: Machine) -> None:
    """An annual release, for which no client key is published."""
    notification(machine)
    machine.release = replace(machine.release, version="10.0.25398")
    machine.registry.set(CURRENT, "CurrentBuildNumber", sz("25398"))


def _build_to_come(machine: Machine) -> None:
    """A release that is not known yet."""
    notification(machine)
    machine.release = replace(machine.release, version="10.0.29999")
    machine.registry.set(CURRENT, "CurrentBuildNumber", sz("29999"))


def _hypervisor_clock(machine: Machine) -> None:
    """The virtual machine's time synchronisation sets the clock back whenever it was set."""
    notification(machine)
    machine.clock.offset = machine.clock.held = 5 * 3600
    failed_request(machine, codes.SL_BAD_TIMESTAMP)


# Servers whose entry names another cloud than the rest of the lab.
PROVIDERS = {"kms-pinned": "azure", "kms-undiscovered": "generic", **elsewhere.PROVIDERS}

FAULTS = (
    Fault("renewal-refused", always("activation-failed"), "healthy", _renewal_refused),
    Fault("kms-pinned", always("kms-host-pinned"), "healthy", _pinned, releases=SINCE_2008_R2),
    Fault(
        "kms-undiscovered",
        always("kms-not-discovered", "not-licensed"),
        "failed",
        _undiscovered,
        releases=SINCE_2008_R2,
    ),
    Fault(
        "version-23h2",
        always("release-without-gvlk", "not-licensed"),
        "attention",
        _version_23h2,
        releases=("2022",),
    ),
    Fault(
        "build-to-come",
        always("release-unsupported", "not-licensed"),
        "attention",
        _build_to_come,
        releases=("2022", "2025"),
    ),
    Fault("clock-vm", always("clock-skew", "not-licensed"), "failed", _hypervisor_clock),
    Fault("grace-ending", always("grace-ending"), "healthy", lambda m: _ends(20 * _DAY_MIN, m)),
    Fault(
        "renewal-late",
        always("renewal-overdue"),
        "healthy",
        lambda m: _ends(VALIDITY_MIN - 20 * _DAY_MIN, m),
    ),
    Fault(
        "type-forced",
        always("activation-type-forced"),
        "attention",
        _forced,
        releases=SINCE_2012,
    ),
    Fault("kms-firewall", always("firewall-blocks-kms", "kms-unreachable"), "attention", _firewall),
    Fault("kms-too-old", always("kms-host-too-old", "not-licensed"), "healthy", _too_old),
    Fault("time-source", always("time-source-missing", "not-licensed"), "healthy", _no_source),
    Fault("licensing-asleep", always("service-stopped"), "healthy", _asleep),
    Fault("rights", always("rights-lost", "not-licensed"), "attention", _rights),
    Fault(
        "image-unknown", always("entitlement-unknown"), "healthy", _unknown_image, home_only=True
    ),
    Fault("key-avma", always("key-avma"), "attention", _avma, agreed=lambda _spec: "healthy"),
    Fault("own-key", always("licensed-by-own-key"), "attention", _own_key),
    Fault("kms-role", always("kms-host-role"), "attention", _kms_host),
    Fault(
        "key-wrong-edition",
        always("key-wrong-edition", "not-licensed"),
        "healthy",
        _wrong_edition,
    ),
    Fault("two-keys", always("several-keys", "addon-not-licensed"), "healthy", _two_keys),
    Fault(
        "rearm-none",
        always("rearm-exhausted"),
        "healthy",
        _no_rearm,
        releases=SINCE_2008_R2,
    ),
    Fault(
        "store-damaged",
        always("token-store-damaged", "not-licensed"),
        "failed",
        _store,
        agreed=lambda _spec: "attention",
    ),
    Fault("not-elevated", always("not-elevated", "not-licensed"), "attention", _not_elevated),
    Fault(
        "azure-edition",
        always("azure-edition-elsewhere"),
        "attention",
        _azure_edition,
        releases=("2022", "2025"),
    ),
    Fault("policy-denied", always("fact-unreadable"), "attention", _policy_denied),
    Fault(
        "clock-local",
        always("rtc-utc-mismatch", "time-seeding", "clock-skew"),
        "healthy",
        _local_clock,
        releases=_SINCE_2016,
    ),
    Fault("restart-awaited", always("restart-needed"), "attention", _restart_awaited),
    Fault("limits-raised", always("time-limits-raised"), "healthy", _limits_raised),
    Fault("w32time-stopped", always("time-service-off", "clock-skew"), "healthy", _time_stopped),
)
