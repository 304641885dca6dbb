"""How a healthy server of the provider is set up: services, time, products, metadata."""

from __future__ import annotations

from volact_lab import codes
from volact_lab.windows import adapter, products
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import REFUSED
from volact_lab.windows.products import VALIDITY_MIN
from volact_lab.windows.protection import LICENSING_SDDL, SCHEDULE_SDDL, SERVICE_SDDL
from volact_lab.windows.releases import Generation
from volact_lab.windows.services import Service, Start
from volact_lab.windows.spec import Spec, World
from volact_lab.windows.w32time import SERVICE, STANDALONE_LIMIT

_NETWORK_SERVICE = "NT AUTHORITY\\NetworkService"
_LOCAL_SERVICE = "NT AUTHORITY\\LocalService"
_SVCHOST = "C:\\Windows\\system32\\svchost.exe -k "
# Public images of the provider by release and language; where its published
# list names none, the lab has ids of its own.
_IMAGES = {
    ("2022", "zh"): "img-9lw52tbx",
    ("2022", "en"): "img-cg67n3n9",
    ("2019", "zh"): "img-perxw61f",
    ("2019", "en"): "img-1dmc4wwp",
    ("2016", "zh"): "img-gu1nmb8d",
    ("2016", "en"): "img-6fp83vpb",
    ("2012 R2", "zh"): "img-ixj8o53x",
    ("2012 R2", "en"): "img-bpsjtw7n",
}


def public_image(release: str, language: str) -> str:
    """The id of the public image of a release in a language."""
    lab = f"img-lab{release.replace(' ', '').lower()}{language}"
    return _IMAGES.get((release, language), lab)


def metadata(machine: Machine) -> dict[str, str]:
    """What the provider's metadata service answers about the server."""
    return {
        "instance-id": machine.spec.instance_id,
        "instance-name": machine.spec.name,
        "instance/image-id": public_image(machine.spec.release, machine.spec.language),
        "placement/region": machine.spec.region,
        "placement/zone": f"{machine.spec.region}-1",
        "local-ipv4": machine.address,
    }


def new_machine(spec: Spec, world: World) -> Machine:
    """A healthy server: licensed by the provider's KMS host, with its DNS, routes and time."""
    machine = Machine(spec, world)
    machine.metadata = (spec.cloud.metadata or metadata)(machine)
    _install(machine)
    return machine


def _install(machine: Machine) -> None:
    """Everything a healthy server has beyond its image."""
    _services(machine)
    adapter.install(machine)
    _time(machine)
    _products(machine)
    _old_host_gone(machine)
    license_with(machine, *preferred_host(machine))


def _services(machine: Machine) -> None:
    add = machine.services.add
    add(Service("RpcSs", "Remote Procedure Call (RPC)", account=_NETWORK_SERVICE, stoppable=False))
    add(Service("EventSystem", "COM+ Event System", account=_LOCAL_SERVICE))
    add(Service("Winmgmt", "Windows Management Instrumentation", depends=("RpcSs",)))
    add(
        Service(
            "Schedule",
            "Task Scheduler",
            depends=("RpcSs",),
            stoppable=False,
            sddl=SCHEDULE_SDDL,
        )
    )
    plug_play: Start = "Manual" if machine.release.generation >= Generation.SPP2 else "Auto"
    add(Service("PlugPlay", "Plug and Play", start=plug_play, stoppable=False))
    add(Service("MpsSvc", "Windows Firewall", account=_LOCAL_SERVICE))
    add(Service("Dnscache", "DNS Client", account=_NETWORK_SERVICE))
    add(Service("sshd", "OpenSSH SSH Server", path="C:\\Windows\\System32\\OpenSSH\\sshd.exe"))
    add(
        Service(
            machine.release.licensing_service,
            "Software Protection",
            state="Running" if machine.release.generation is Generation.SL else "Stopped",
            path=machine.release.licensing_program,
            account=_NETWORK_SERVICE,
            depends=("RpcSs",),
            delayed=machine.release.generation > Generation.SL,
            sddl=LICENSING_SDDL if machine.release.generation >= Generation.SPP2 else SERVICE_SDDL,
        )
    )
    if machine.release.generation is Generation.SL:
        depends = ("EventSystem", machine.release.licensing_service)
        add(Service("SLUINotify", "SL UI Notification Service", depends=depends))
    if machine.release.generation is Generation.SPP:
        add(
            Service(
                "sppuinotify",
                "SPP Notification Service",
                start="Manual",
                account=_LOCAL_SERVICE,
                depends=("EventSystem",),
            )
        )


def _time(machine: Machine) -> None:
    triggers = machine.release.generation > Generation.SL
    if machine.domain:
        machine.time.install("NT5DS", "", 0xFFFFFFFF, triggers=triggers)
    else:
        source = machine.world.profile.ntp[0]
        machine.time.install("NTP", source, STANDALONE_LIMIT, triggers=triggers)
    path = _SVCHOST + "LocalService"
    service = Service(SERVICE, "Windows Time", path=path, account=_LOCAL_SERVICE)
    machine.services.add(service)


def _products(machine: Machine) -> None:
    licensing, edition = machine.licensing, machine.edition
    for channel in ("VOLUME_KMSCLIENT", "VOLUME_MAK", "RETAIL", "OEM_SLP"):
        licensing.products.append(products.windows_product(edition, channel))
    if machine.spec.index % 7 == 3 and machine.release.generation >= Generation.SPP2:
        licensing.products.append(products.office_product())
    if machine.spec.index % 11 == 5 and machine.release.generation >= Generation.SPP2:
        licensing.products.append(products.addon_product(edition))


def preferred_host(machine: Machine) -> tuple[str, int]:
    """The provider's KMS host for the release: the first that this server reaches."""
    hosts = machine.world.profile.kms_hosts(machine.spec.release)
    for host in hosts:
        if machine.network.own.get((machine.world.addresses[host.host], host.port)) != REFUSED:
            return host.host, host.port
    return hosts[0].host, hosts[0].port


def _old_host_gone(machine: Machine) -> None:
    """On some servers of 2016 its preferred host is no longer there."""
    first, *others = machine.world.profile.kms_hosts(machine.spec.release)
    if others and machine.spec.release == "2016" and machine.spec.variant("old-host-gone", 3) == 0:
        machine.network.own[machine.world.addresses[first.host], first.port] = REFUSED


def license_with(machine: Machine, host: str, port: int) -> None:
    """Be licensed by a host, some hours or days ago, with the traces of it."""
    licensing = machine.licensing
    kms_client = licensing.products[0]
    ago_min = machine.chance.randrange(60, 5 * 24 * 60)
    kms_client.give_key(machine.edition.gvlk[-5:], 1, codes.SL_LICENSED_KMS, VALIDITY_MIN - ago_min)
    licensing.set_machine(host)
    licensing.set_port(port)
    licensing.remember_success(kms_client, host, port, ago_min * 60)
