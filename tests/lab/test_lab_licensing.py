"""Keys, KMS settings and activation: what Windows would do, over real TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from lab_world import FORMS, Place

from volact_lab.errors import WinFault
from volact_lab.faults.states import initial_grace, no_kms_host, notification
from volact_lab.windows.events import Event
from volact_lab.windows.licensing import NAME, POLICY, PORT
from volact_lab.windows.machine import Machine
from volact_lab.windows.network import REFUSED, SILENT, Peer
from volact_lab.windows.registry import sz

GVLK_2016 = "CB7KF-BWN84-R7R2Y-793K2-8XDDG"
STANDARD_2016 = "WC2BQ-8NRM3-FDDYY-2BFGV-KHKQY"
GVLK_2019 = "WMDGN-G9PQG-XVVXX-R3X43-63DFG"


async def activate(machine: Machine) -> int:
    """The HRESULT of Activate(); 0 is success."""
    product = machine.licensing.products[0]
    try:
        await asyncio.to_thread(machine.licensing.activate, product)
    except WinFault as fault:
        return fault.code
    return 0


def newest(machine: Machine, number: int) -> list[str] | None:
    found: list[Event] = [e for e in machine.events.events if e.number == number]
    return found[-1].data[0].split(", ") if found else None


async def test_activation_licenses_for_180_days_and_leaves_its_traces(machine: Machine) -> None:
    initial_grace(machine)
    product = machine.licensing.products[0]
    assert (product.status, newest(machine, 12288)) == (2, None)
    assert await activate(machine) == 0
    assert (product.status, product.reason) == (1, 0x4004F040)
    assert 259190 <= product.minutes_left <= 259200
    sent, processed = newest(machine, 12288), newest(machine, 12289)
    assert sent is not None
    assert processed is not None
    assert sent[0] == "0x00000000"
    assert sent[2] == f"{machine.licensing.machine()}:1688"
    assert sent[3] == machine.licensing.cmid
    assert processed[2] == "1"
    assert int(processed[4]) >= 5


def _unresolvable(machine: Machine) -> None:
    machine.network.dns[:] = ["8.8.8.8"]


def _every(peer: Peer) -> Callable[[Machine], None]:
    def change(machine: Machine) -> None:
        for host in machine.world.profile.all_kms_hosts():
            machine.network.own[machine.world.addresses[host.host], host.port] = peer

    return change


def _clock(machine: Machine) -> None:
    machine.clock.offset = 4 * 3600 + 60


@pytest.mark.parametrize(
    ("change", "inner"),
    [
        (_unresolvable, 0x80072AF9),
        (_every(REFUSED), 0x800706BA),
        (_every(SILENT), 0x800706BA),
        (_clock, 0xC004F06C),
    ],
    ids=["name", "refused", "silent", "clock"],
)
async def test_an_unreached_host_is_one_code_and_the_reason_is_in_the_event(
    machine: Machine, change: Callable[[Machine], None], inner: int
) -> None:
    notification(machine)
    change(machine)
    assert await activate(machine) == 0xC004F074
    sent = newest(machine, 12288)
    assert sent is not None
    assert int(sent[0], 16) == inner
    assert newest(machine, 12289) is None
    assert machine.licensing.products[0].status == 5


async def test_a_port_that_speaks_something_else_is_a_failed_call(machine: Machine) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"220 not what you want\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    _every(Peer(port=server.sockets[0].getsockname()[1]))(machine)
    notification(machine)
    assert await activate(machine) == 0xC004F074
    sent = newest(machine, 12288)
    assert sent is not None
    assert sent[0] == "0x800706BE"
    server.close()


async def test_a_clock_within_four_hours_is_accepted(machine: Machine) -> None:
    notification(machine)
    machine.clock.offset = -(4 * 3600 - 60)
    assert await activate(machine) == 0


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (0, ["0xC004F038", "0x04000000", "0", "0", "1"]),
        (1, ["0x0", "0x4000000", "0", "0", "1"]),  # as in Microsoft's table
    ],
)
async def test_a_host_that_has_seen_too_few_says_so_itself(
    here: Place, form: int, answer: list[str]
) -> None:
    machine = here.machine("kms-count", forms=(*FORMS, ("kms-events", form)))
    for _ in range(7):  # clones share an id: asking again does not help
        assert await activate(machine) == 0xC004F038
    processed = newest(machine, 12289)
    assert processed is not None
    assert processed[:5] == answer


async def test_the_count_grows_with_distinct_machines(here: Place) -> None:
    codes = []
    for index in range(5):
        machine = here.machine("kms-count", name=f"clone-{index}", index=index)
        machine.licensing.cmid = f"distinct-{index}"
        codes.append(await activate(machine))
    assert codes == [0xC004F038] * 4 + [0]


async def test_a_host_too_old_for_the_release_does_not_activate(here: Place) -> None:
    here.surroundings.kms.releases = ("2016",)
    machine = here.machine(release="2025")
    notification(machine)
    assert await activate(machine) == 0xC004F074
    sent = newest(machine, 12288)
    assert sent is not None
    assert sent[0] == "0xC004F042"


async def test_without_a_host_the_answer_depends_on_the_domain(here: Place) -> None:
    alone, member = here.machine(), here.machine(domain="corp.example")
    for machine, code in ((alone, 0x8007007B), (member, 0x8007232B)):
        no_kms_host(machine)
        notification(machine)
        assert await activate(machine) == code
        assert machine.events.events[-1].number == 8198
        assert machine.events.events[-1].data[0] == f"hr=0x{code:08X}"


def test_policy_wins_over_product_and_product_over_service(machine: Machine) -> None:
    licensing = machine.licensing
    product = licensing.products[0]
    licensing.set_machine("service.example")
    licensing.set_port(1700)
    assert licensing.kms_host(product) == ("service.example", 1700)
    licensing.set_machine("product.example", product)
    assert licensing.kms_host(product) == ("product.example", 1688)
    machine.registry.set(POLICY, NAME, sz("policy.example"))
    machine.registry.set(POLICY, PORT, sz("1234"))
    assert licensing.kms_host(product) == ("policy.example", 1234)


def test_settings_are_registry_values(here: Place) -> None:
    machine = here.machine(release="2008")
    machine.licensing.set_machine("kms.example")
    machine.licensing.set_port(1668)
    key = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\SL"
    assert machine.registry.text(key, NAME) == "kms.example"
    assert machine.registry.text(key, PORT) == "1668"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (STANDARD_2016, 0xC004F069),
        (GVLK_2019, 0xC004F050),
        ("AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", 0xC004F050),
        ("nonsense", 0xC004F050),
    ],
)
def test_a_key_that_does_not_fit_is_refused(here: Place, key: str, code: int) -> None:
    machine = here.machine("key-missing")
    with pytest.raises(WinFault) as caught:
        machine.licensing.install_key(key)
    assert caught.value.code == code


def test_a_key_that_fits_starts_the_initial_grace(here: Place) -> None:
    machine = here.machine("key-retail")
    machine.licensing.install_key(GVLK_2016.lower())
    keyed = [p for p in machine.licensing.products if p.partial_key]
    assert [(p.partial_key, p.status) for p in keyed] == [("8XDDG", 2)]
    assert "VOLUME_KMSCLIENT" in keyed[0].description


def test_no_client_key_fits_an_evaluation(here: Place) -> None:
    machine = here.machine("edition-evaluation")
    with pytest.raises(WinFault) as caught:
        machine.licensing.install_key(GVLK_2016)
    assert caught.value.code == 0xC004F069


async def test_a_retail_key_wants_the_internet(here: Place) -> None:
    machine = here.machine("key-retail")
    retail = next(p for p in machine.licensing.products if p.partial_key)
    with pytest.raises(WinFault) as caught:
        await asyncio.to_thread(machine.licensing.activate, retail)
    assert caught.value.code == 0x80072EE7


@pytest.mark.parametrize("name", ["", "http://kms", "kms:1688", "kms host", "a/b"])
def test_what_is_no_host_name_is_refused(machine: Machine, name: str) -> None:
    with pytest.raises(WinFault) as caught:
        machine.licensing.set_machine(name)
    assert caught.value.code == 0x80070057
