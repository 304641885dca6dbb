"""Faults about the licence state and the KMS host: which, where set, whether reachable."""

from __future__ import annotations

import uuid
from dataclasses import replace

from volact.model.report import Verdict
from volact_lab import codes
from volact_lab.faults.base import SINCE_2008_R2, Fault, always
from volact_lab.faults.states import (
    failed_activation,
    failed_request,
    initial_grace,
    kms_client,
    no_kms_host,
    notification,
)
from volact_lab.windows import adapter
from volact_lab.windows.licensing import NAME, POLICY
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import REFUSED, SILENT, Peer
from volact_lab.windows.protection import FIREWALL_PROFILES, FIREWALL_RULES
from volact_lab.windows.registry import dword, sz
from volact_lab.windows.setup import license_with, preferred_host
from volact_lab.windows.spec import Spec

# KMS hosts of other clouds and of a company: never those of this provider.
_FOREIGN = ("azkms.core.windows.net", "kms.corp.example", "kms.ovh.net")
_OLD_IMAGES = frozenset({"2008", "2008 R2", "2012", "2012 R2"})
# Office's ApplicationID, and a made-up activation id of it.
OFFICE_APP = "0ff1ce15-a989-479d-af46-f275c6370663"
OFFICE_ID = "0ff1ce00-0000-4000-8000-000000000001"
_PROGRAM_RULE = (
    "v2.10|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=1688|"
    "App=%SystemRoot%\\system32\\SppExtComObj.exe|Name=KMS|"
)
_PUBLIC_DNS = ["8.8.8.8", "114.114.114.114"]


def _never_findings(spec: Spec) -> tuple[str, ...]:
    unset = spec.release in _OLD_IMAGES
    return ("not-licensed", "kms-host-wrong") if unset else ("not-licensed",)


def _never_activated(machine: Machine) -> None:
    if machine.spec.variant("never-activated"):
        notification(machine)
    else:
        initial_grace(machine)
    if machine.spec.release in _OLD_IMAGES:
        no_kms_host(machine)


def _wrong_findings(spec: Spec) -> tuple[str, ...]:
    licensed = spec.variant("kms-host-wrong")
    return ("kms-host-wrong", "licensed-by-other-kms" if licensed else "not-licensed")


def _host_wrong(machine: Machine) -> None:
    host = machine.chance.choice(_FOREIGN)
    if machine.spec.variant("kms-host-wrong"):
        machine.events.events.clear()
        license_with(machine, host, 1688)
        return
    notification(machine)
    machine.licensing.set_machine(host)
    failed_request(machine, codes.WSA_HOST_NOT_FOUND)


def _moved_by_hand(machine: Machine) -> None:
    """Another host's licence; the provider's was set since, and nothing was activated."""
    machine.events.events.clear()
    license_with(machine, machine.chance.choice(_FOREIGN), 1688)
    machine.licensing.set_machine(preferred_host(machine)[0])


def _port_1668(machine: Machine) -> None:
    notification(machine)
    machine.licensing.set_machine(machine.world.profile.kms_hosts("")[0].host)
    machine.licensing.set_port(1668)
    failed_request(machine, codes.RPC_UNAVAILABLE)


def _product_override(machine: Machine) -> None:
    notification(machine)
    host = machine.chance.choice(_FOREIGN)
    machine.licensing.set_machine(host, kms_client(machine))
    if machine.spec.variant("product-override"):
        machine.licensing.set_port(1688, kms_client(machine))
    machine.licensing.remember_failure(kms_client(machine), host, 1688, codes.WSA_HOST_NOT_FOUND)


def _policy_override(machine: Machine) -> None:
    notification(machine)
    machine.registry.set(POLICY, NAME, sz("kms.corp.example"))
    machine.licensing.remember_failure(
        kms_client(machine), "kms.corp.example", 1688, codes.WSA_HOST_NOT_FOUND
    )


def _name(machine: Machine) -> None:
    notification(machine)
    adapter.set_by_hand(machine, _PUBLIC_DNS)
    failed_request(machine, codes.WSA_HOST_NOT_FOUND)


def all_kms(machine: Machine, peer: Peer) -> None:
    """This is what the server meets at every KMS host of the provider."""
    for host in machine.world.profile.all_kms_hosts():
        address = machine.world.addresses[host.host]
        machine.network.own[address, host.port] = peer


def _refused(machine: Machine) -> None:
    notification(machine)
    all_kms(machine, REFUSED)
    failed_request(machine, codes.RPC_UNAVAILABLE)


def _program_findings(spec: Spec) -> tuple[str, ...]:
    licensed = spec.variant("kms-program-rule")
    return () if licensed else ("kms-unreachable", "not-licensed")


def _program_rule(machine: Machine) -> None:
    """Outbound traffic is blocked by default; the licensing program has a rule of its own."""
    for profile in FIREWALL_PROFILES:
        machine.registry.set(profile, "DefaultOutboundAction", dword(1))
    machine.registry.set(FIREWALL_RULES, "KMS", sz(_PROGRAM_RULE))
    machine.network.not_for_scripts = frozenset({1688})
    if not machine.spec.variant("kms-program-rule"):
        notification(machine)


def _silent_findings(spec: Spec) -> tuple[str, ...]:
    route = spec.variant("kms-silent")
    return ("kms-unreachable", "provider-route-missing") if route else ("kms-unreachable",)


def _silent(machine: Machine) -> None:
    notification(machine)
    if machine.spec.variant("kms-silent"):
        gone = {route.destination for route in machine.world.profile.routes}
        routes = machine.network.routes
        routes[:] = [route for route in routes if route.destination not in gone]
    else:
        all_kms(machine, SILENT)
    failed_request(machine, codes.RPC_UNAVAILABLE)


def _silent_ends(spec: Spec) -> Verdict:
    """A time-out alone is tried; a route that is missing waits for consent."""
    return "attention" if spec.variant("kms-silent") else "failed"


def _dead_route(machine: Machine) -> None:
    """An image that moved to another subnet brought its routes along."""
    notification(machine)
    ours = {route.destination for route in machine.world.profile.routes}
    routes = machine.network.routes
    routes[:] = [replace(r, next_hop="172.31.48.1") if r.destination in ours else r for r in routes]
    failed_request(machine, codes.RPC_UNAVAILABLE)


def _address(machine: Machine) -> None:
    """Licensed by the provider's host, which is set by the address that its name has."""
    machine.events.events.clear()
    host = machine.world.profile.kms_hosts("")[0]
    license_with(machine, machine.world.addresses[host.host], host.port)


def _office(machine: Machine) -> None:
    """Office asks a KMS host of its own again and again, and gets nowhere."""
    office = replace(kms_client(machine), id=OFFICE_ID)
    machine.licensing.remember_failure(office, "kms.corp.example", 1688, codes.SL_NOT_ENOUGH_COUNT)
    rule = "RuleId=31e71c49-8da7-4a2f-ad92-45d98a1c79ba;Action=AutoActivate"
    rule = f"{rule};AppId={OFFICE_APP};SkuId={OFFICE_ID}"
    failed_activation(machine, codes.SL_NOT_ENOUGH_COUNT, rule)


def _count_findings(spec: Spec) -> tuple[str, ...]:
    seen = spec.variant("kms-count")
    return ("not-licensed", "kms-host-refuses") if seen else ("not-licensed",)


def _count(machine: Machine) -> None:
    """Clones with one machine id, at a host that has seen hardly any other."""
    initial_grace(machine)
    machine.licensing.cmid = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"lab-clones-{machine.spec.seed}"))
    all_kms(machine, Peer(by_manner=machine.world.odd_kms_ports["young"]))
    if machine.spec.variant("kms-count"):
        failed_request(machine, 0)
        machine.events.events.clear()
        failed_request(machine, codes.SL_NOT_ENOUGH_COUNT)


FAULTS = (
    Fault("licensed", always(), "healthy"),
    Fault("never-activated", _never_findings, "healthy", _never_activated),
    Fault("kms-host-wrong", _wrong_findings, "healthy", _host_wrong),
    Fault("kms-host-moved", always("licensed-by-former-kms"), "healthy", _moved_by_hand),
    Fault("port-1668", always("kms-port-wrong", "not-licensed"), "healthy", _port_1668),
    Fault(
        "product-override",
        always("kms-host-per-product-override", "not-licensed"),
        "healthy",
        _product_override,
        releases=SINCE_2008_R2,
    ),
    Fault(
        "policy-override",
        always("kms-host-set-by-policy", "not-licensed"),
        "attention",
        _policy_override,
    ),
    Fault(
        "kms-name",
        always("kms-name-unresolved", "dns-not-provider"),
        "attention",
        _name,
        agreed=lambda _spec: "healthy",
        home_only=True,
    ),
    Fault("kms-refused", always("kms-unreachable"), "attention", _refused),
    Fault("kms-program-rule", _program_findings, "healthy", _program_rule),
    Fault(
        "kms-silent",
        _silent_findings,
        _silent_ends,
        _silent,
        agreed=lambda spec: "healthy" if spec.variant("kms-silent") else "failed",
    ),
    Fault(
        "route-dead",
        always("kms-unreachable", "provider-route-missing"),
        "attention",
        _dead_route,
        agreed=lambda _spec: "healthy",
    ),
    Fault("kms-address", always("kms-host-pinned"), "healthy", _address),
    Fault("office-events", always(), "healthy", _office, releases=SINCE_2008_R2),
    Fault("kms-count", _count_findings, "failed", _count),
)
