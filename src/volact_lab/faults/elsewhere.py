"""Faults whose cause lies elsewhere: KMS hosts, Microsoft, the domain, the cloud, a forger."""

from __future__ import annotations

from volact_lab import codes
from volact_lab.faults.base import SINCE_2008_R2, SINCE_2012, Fault, always
from volact_lab.faults.kms import all_kms
from volact_lab.faults.states import (
    failed_activation,
    failed_request,
    forget_past,
    kms_client,
    no_kms_host,
    notification,
    other_key,
)
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import Peer, Route
from volact_lab.windows.setup import license_with

_HOST_MASK = "255.255.255.255"
_METADATA = "169.254.169.254"
_AZURE_KMS = "azkms.core.windows.net"
_UNTIL_2038_MIN = 12 * 365 * 24 * 60
_IDENTITY = """{
  "accountId" : "123456789012",
  "billingProducts" : null,
  "imageId" : "ami-0a1b2c3d4e5f60718",
  "version" : "2017-09-30"
}"""
# Servers whose entry names another cloud than the rest of the lab.
PROVIDERS = {
    "azure-no-way-out": "azure",
    "azure-edition-cut-off": "azure",
    "azure-edition-watermark": "azure",
    "aws-own-licence": "aws",
}


def _host_clock(machine: Machine) -> None:
    """The KMS host's own clock is six hours behind."""
    notification(machine)
    all_kms(machine, Peer(by_manner=machine.world.odd_kms_ports["late"]))
    failed_request(machine, codes.SL_BAD_TIMESTAMP)


def _other_service(machine: Machine) -> None:
    """Another service than KMS listens at the port, and hangs up on what is no DCE/RPC."""
    notification(machine)
    all_kms(machine, Peer(port=machine.world.odd_kms_ports["other"][0]))
    failed_request(machine, codes.RPC_UNKNOWN_IF)


def _mak(machine: Machine) -> None:
    """A MAK that has no activation left, or one that cannot reach Microsoft."""
    forms = (codes.SL_MAK_USED_UP, codes.HTTP_NAME)
    code = forms[machine.spec.variant("key-mak")]
    other_key(machine, "VOLUME_MAK", "MAK09", 5, codes.SL_GRACE_EXPIRED)
    failed_activation(machine, code)


def _directory(machine: Machine) -> None:
    """Active Directory only, and the forest has no activation object."""
    notification(machine)
    kms_client(machine).forced = 1
    failed_activation(machine, codes.SL_NO_AD_OBJECT)


def _emulator(machine: Machine) -> None:
    """Licensed by a host that is the server itself, or until 2038."""
    if machine.spec.variant("emulator"):
        kms_client(machine).set_state(1, codes.SL_LICENSED_KMS, _UNTIL_2038_MIN)
    else:
        forget_past(machine)
        license_with(machine, "127.0.0.2", 1688)


def _no_way_out(machine: Machine) -> None:
    """In Azure, without a path to the Internet; the metadata service answers."""
    notification(machine)
    no_kms_host(machine)
    machine.licensing.set_machine(_AZURE_KMS)
    machine.network.routes.append(Route(_METADATA, _HOST_MASK, machine.gateway))
    machine.metadata |= {
        "compute/azEnvironment": "AzurePublicCloud",
        "network/interface/0/ipv4/ipAddress/0/publicIpAddress": "",
    }
    failed_request(machine, codes.RPC_UNAVAILABLE)


def _edition_cut_off(machine: Machine) -> None:
    """Azure Edition in Azure, and nothing answers at the metadata service's address."""
    notification(machine)
    machine.licensing.set_machine(_AZURE_KMS)
    machine.sku = machine.licensing.sku = 407


def _edition_watermark(machine: Machine) -> None:
    """Azure Edition in Azure, licensed; Windows did not find the attested document genuine."""
    machine.sku = machine.licensing.sku = 407
    license_with(machine, _AZURE_KMS, 1688)
    kms_client(machine).genuine = 1
    machine.network.routes.append(Route(_METADATA, _HOST_MASK, machine.gateway))
    machine.metadata |= {"compute/azEnvironment": "AzurePublicCloud"}


def _aws_own(machine: Machine) -> None:
    """In AWS, with the customer's own licence, which the instance identity document tells."""
    notification(machine)
    machine.network.routes.append(Route(_METADATA, _HOST_MASK, machine.gateway))
    machine.metadata["instance-identity/document"] = _IDENTITY


FAULTS = (
    Fault("kms-clock", always("kms-host-clock-wrong", "not-licensed"), "failed", _host_clock),
    Fault("kms-other-service", always("kms-host-silent", "not-licensed"), "failed", _other_service),
    Fault(
        "key-mak",
        always("key-wrong-channel", "online-activation-failed"),
        "attention",
        _mak,
        releases=SINCE_2008_R2,
        agreed=lambda _spec: "healthy",
    ),
    Fault(
        "directory-object",
        always("activation-type-forced", "directory-activation-failed"),
        "attention",
        _directory,
        releases=SINCE_2012,
        domain_member=True,
    ),
    Fault(
        "emulator",
        always("emulator-suspected"),
        "attention",
        _emulator,
        agreed=lambda _spec: "healthy",
    ),
    Fault(
        "azure-no-way-out",
        always("azure-outbound-missing", "kms-unreachable"),
        "failed",
        _no_way_out,
    ),
    Fault(
        "azure-edition-cut-off",
        always("azure-edition-unproven", "not-licensed"),
        "failed",
        _edition_cut_off,
        releases=("2022", "2025"),
    ),
    Fault(
        "azure-edition-watermark",
        always("azure-edition-watermark"),
        "attention",
        _edition_watermark,
        releases=("2022", "2025"),
    ),
    Fault("aws-own-licence", always("license-byol", "not-licensed"), "attention", _aws_own),
)
