"""The rows of each WMI class, made from the simulated Windows.

Property names are lower case here.  Licensing rows need the licensing service:
where it cannot start, they cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from volact_lab.windows import adapter, upkeep
from volact_lab.windows.machine import Machine
from volact_lab.windows.products import Product
from volact_lab.wmi.wql import Cell

Cells = dict[str, Cell]
# What the service says where no port is set: Windows 10.0.17134 1688, Microsoft's page 0.
_PORTS = (1688, 0)
_URL = "https://activation.sls.microsoft.com"


def _operating_system(machine: Machine) -> Iterator[Cells]:
    yield {
        "caption": machine.caption,
        "version": machine.release.version,
        "buildnumber": str(machine.release.build),
        "operatingsystemsku": machine.sku,
        "oslanguage": machine.language.lcid,
        "currenttimezone": machine.clock.bias,
        "csname": machine.name,
        "producttype": 3,
        "systemdirectory": "C:\\Windows\\system32",
        "windowsdirectory": "C:\\Windows",
        "locale": f"{machine.language.lcid:04x}",
        "codeset": "1252",
        "osarchitecture": "64-bit",
        "localdatetime": _local_time(machine),
    }


def _local_time(machine: Machine) -> str:
    """The server's clock as a CIM date and time: "20260131160000.000000+480"."""
    off = {"clock": 7200, "summer-time": 3600}.get(machine.odd, 0)
    local = datetime.fromtimestamp(machine.clock.now() + off + machine.clock.bias * 60, UTC)
    return f"{local:%Y%m%d%H%M%S.%f}{machine.clock.bias:+04d}"


def _computer_system(machine: Machine) -> Iterator[Cells]:
    yield {
        "name": machine.name,
        "domain": machine.domain or "WORKGROUP",
        "domainrole": machine.domain_role,
        "partofdomain": bool(machine.domain),
        "manufacturer": machine.spec.cloud.maker,
        "model": machine.spec.cloud.model,
        "username": None,
    }


def _services(machine: Machine) -> Iterator[Cells]:
    for service in machine.services.services.values():
        yield {
            "name": service.name,
            "displayname": service.display,
            "state": service.state,
            "status": "OK",
            "startmode": service.start,
            "started": service.state == "Running",
            "pathname": service.path,
            "startname": service.account,
            "processid": service.pid,
            "acceptstop": service.state == "Running" and service.stoppable,
            "servicetype": "Own Process" if "svchost" not in service.path else "Share Process",
        }


def _adapters(machine: Machine) -> Iterator[Cells]:
    yield {
        "description": "Red Hat VirtIO Ethernet Adapter",
        "index": adapter.INDEX,
        "settingid": adapter.SETTING_ID,
        "ipenabled": True,
        "dhcpenabled": True,
        "ipaddress": (machine.address,),
        "defaultipgateway": (machine.gateway,),
        "dnsserversearchorder": tuple(machine.network.dns) or None,
        "dnsdomain": None,
        "macaddress": "52:54:00:00:00:01",
    }
    yield {
        "description": "Microsoft Kernel Debug Network Adapter",
        "index": 0,
        "settingid": "{00000000-0000-4000-8000-00000000CA4D}",
        "ipenabled": False,
        "dhcpenabled": True,
        "ipaddress": None,
        "defaultipgateway": None,
        "dnsserversearchorder": None,
        "dnsdomain": None,
        "macaddress": None,
    }


def _routes(machine: Machine) -> Iterator[Cells]:
    for route in machine.network.routes:
        yield {
            "destination": route.destination,
            "mask": route.mask,
            "nexthop": route.next_hop,
            "metric1": 5,
            "interfaceindex": 7,
            "protocol": 3,
            "type": 4,
        }


def _enclosure(machine: Machine) -> Iterator[Cells]:
    yield {"smbiosassettag": "", "manufacturer": machine.spec.cloud.maker, "serialnumber": ""}


def _licensing_service(machine: Machine) -> Iterator[Cells]:
    licensing = machine.licensing
    licensing.need_service()
    yield {
        "version": f"{machine.release.version}.0",
        "keymanagementservicemachine": licensing.machine() or "",
        "keymanagementserviceport": licensing.port() or _PORTS[machine.spec.variant("no-port")],
        "clientmachineid": licensing.cmid,
        "iskeymanagementservicemachine": 0,
        "vlactivationinterval": 120,
        "vlrenewalinterval": 10080,
        "keymanagementserviceproductkeyid": "",
        "keymanagementservicecurrentcount": -1,
        "policycacherefreshrequired": 0,
        "requiredclientcount": -1,
        "keymanagementservicehostcaching": licensing.caching,
        "remainingwindowsrearmcount": licensing.rearm,
        "keymanagementservicelisteningport": 0,
        "keymanagementservicednspublishing": True,
        "keymanagementservicelowpriority": False,
        "discoveredkeymanagementservicemachinename": "",
        "discoveredkeymanagementservicemachineport": 0,
        "discoveredkeymanagementservicemachineipaddress": "",
        "tokenactivationilid": "",
        "keymanagementservicelookupdomain": "",
    }


def _products(machine: Machine) -> Iterator[Cells]:
    machine.licensing.need_service()
    for product in upkeep.listed(machine.licensing):
        yield {**_state(product), **_volume(machine, product), **_new(product)}


def _state(product: Product) -> Cells:
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "partialproductkey": product.partial_key,
        "licenseisaddon": product.addon,
        "licensestatus": product.status,
        "licensestatusreason": product.reason,
        "graceperiodremaining": product.minutes_left,
        "productkeyid": product.key_id,
        "evaluationenddate": "16010101000000.000000-000",
        "applicationid": product.app,
        "processorurl": f"{_URL}/slspc/SLCertifyProduct.asmx",
        "machineurl": f"{_URL}/slrac/slcertify.asmx",
        "uselicenseurl": f"{_URL}/slul/slactivateproduct.asmx",
        "productkeyurl": f"{_URL}/slpkc/SLCertifyProduct.asmx",
        "licensedependson": "",
        "licensefamily": "",
    }


def _volume(machine: Machine, product: Product) -> Cells:
    licensing = machine.licensing
    counts = (
        "currentcount failedrequests licensedrequests nongenuinegracerequests"
        " notificationrequests oobgracerequests ootgracerequests totalrequests unlicensedrequests"
    )
    return {
        "keymanagementservicemachine": licensing.machine(product) or "",
        "keymanagementserviceport": licensing.port(product),
        "discoveredkeymanagementservicemachinename": "",
        "discoveredkeymanagementservicemachineport": 0,
        "keymanagementserviceproductkeyid": product.kms_key_id or "",
        "iskeymanagementservicemachine": int(product.host),
        "vlactivationinterval": 120,
        "vlrenewalinterval": 10080,
        "genuinestatus": product.genuine,
        "extendedgrace": -1,
        "trustedtime": "16010101000000.000000-000",
        "requiredclientcount": -1,
        "tokenactivationilid": "",
        "tokenactivationilvid": 1 if product.by_token else -1,
        "tokenactivationgrantnumber": 1 if product.by_token else -1,
        "tokenactivationcertificatethumbprint": "",
        "tokenactivationadditionalinfo": "",
        **{f"keymanagementservice{name}": -1 for name in counts.split()},
    }


def _activated_by(product: Product) -> int:
    """1: Active Directory, which has done it where nothing else may; 2: a KMS host; 3: a token."""
    if not product.is_kms_client or product.status != 1:
        return 0
    if product.by_token:
        return 3
    return 1 if product.forced == 1 else 2


def _new(product: Product) -> Cells:
    return {
        "keymanagementservicelookupdomain": "",
        "vlactivationtype": _activated_by(product),
        "vlactivationtypeenabled": product.forced,
        "adactivationobjectname": "",
        "adactivationobjectdn": "",
        "adactivationcsvlkpid": "",
        "adactivationcsvlkskuid": "",
        "productkeychannel": product.channel or None,
        "validationurl": f"{_URL}/slwga/slwga.asmx",
        "iaid": "",
        "discoveredkeymanagementservicemachineipaddress": "",
        "remainingskurearmcount": 1001,
        "remainingapprearmcount": 1001,
        "automaticvmactivationhostmachinename": "",
        "automaticvmactivationlastactivationtime": "16010101000000.000000-000",
        "automaticvmactivationhostdigitalpid2": "",
        "productkeyid2": "",
    }


PROVIDERS: dict[str, Callable[[Machine], Iterator[Cells]]] = {
    "win32_operatingsystem": _operating_system,
    "win32_computersystem": _computer_system,
    "win32_service": _services,
    "win32_networkadapterconfiguration": _adapters,
    "win32_ip4routetable": _routes,
    "win32_systemenclosure": _enclosure,
    "softwarelicensingservice": _licensing_service,
    "softwarelicensingproduct": _products,
}
