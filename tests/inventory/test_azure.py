"""A list of Azure as an inventory: which machines are servers, and whose licence they use."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from azure_cloud import HOME, SUBSCRIPTION, Azure, azure
from cloud_lab import fault

from volact.cloud.azure.listing import Interface, listed
from volact.cloud.azure.vm import Machine, Properties
from volact.cloud.base import Account, ApiError, Cloud
from volact.cloud.endpoint import path_of_link
from volact.errors import InputError
from volact.inventory.cloud_list import ListSource, list_servers, parse_filters, parse_source
from volact.inventory.listing import Inventory
from volact.model.server import AccountSettings
from volact_lab.instances.faults import ApiFault
from volact_lab.winrm.http import Reply


async def listing(
    here: Azure, text: str = f"azure:{HOME}", *filters: str, via: str = ""
) -> Inventory:
    cloud, scopes = parse_source(text)

    async def opened(_cloud: Cloud, _settings: AccountSettings) -> Account:
        return here.account

    chosen = parse_filters(cloud, filters)
    source = ListSource(cloud=cloud, scopes=scopes, filters=chosen, via=via, account=here.settings)
    return await list_servers(source, accounts=opened)


async def test_every_windows_machine_of_a_subscription_is_a_server(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=12) as here:
        found = await listing(here, f"azure:{SUBSCRIPTION}")
        assert "12 of 14 instances are Windows servers" in found.notes[0]
        specs = {slot.spec.instance_id: slot.spec for slot in here.lab.slots.values()}
        assert {server.name for server in found.servers} == set(specs)
        server = found.servers[0]
        spec = specs[server.name]
        subscription, _, group = spec.region.partition("/")
        assert str(server.address) == f"azure://{subscription}/{group.upper()}/{server.name}"
        assert (server.provider, server.license) == ("azure", "MicrosoftWindowsServer")
        assert {"lab=volact", "westeurope", group.upper()} <= set(server.tags)


async def test_every_page_is_asked_for_and_filters_do_not_mind_case(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=32) as here:
        here.front.machines.most = 5
        assert len((await listing(here)).servers) == 16
        assert here.front.calls["GET virtualMachines"] == 4
        assert here.front.calls["GET networkInterfaces"] == 4
        everything = f"azure:{SUBSCRIPTION}"
        web = await listing(here, everything, "tag:Role=WEB", "location=WestEurope,other")
        own = {slot.spec.instance_id: name for name, slot in here.lab.slots.items()}
        assert {own[server.name].partition("-")[0] for server in web.servers} == {"web"}
        one = await listing(here, everything, f"name={web.servers[0].name}", "size=standard_d2s_v5")
        assert len(one.servers) == 1
        group = await listing(here, everything, f"resource-group={HOME.partition('/')[2]}")
        assert len(group.servers) == 16
        zones = await listing(here, everything, "zone=1,2")
        assert 0 < len(zones.servers) < 32
        with pytest.raises(InputError, match="unknown filter"):
            await listing(here, everything, "vpc=x")
        with pytest.raises(InputError, match="no Windows server is listed"):
            await listing(here, everything, "tag:nothing=x")


async def test_private_addresses_are_those_of_the_interfaces(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=4) as here:
        found = await listing(here, f"azure:{SUBSCRIPTION}", via="winrm")
        addresses = {slot.machine.address for slot in here.lab.slots.values()}
        assert {server.address.host for server in found.servers} == addresses


async def test_interfaces_in_another_group_are_found(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=8) as here:
        here.front.machines.network_group = "network"
        found = await listing(here, via="winrm")
        own = (slot for slot in here.lab.slots.values() if slot.spec.region == HOME)
        assert {server.address.host for server in found.servers} == {s.machine.address for s in own}
        assert here.front.calls["GET networkInterfaces"] == 2


async def test_a_group_whose_interfaces_cannot_be_read_is_told(tmp_path: Path) -> None:
    def denied(action: str, about: dict[str, Any]) -> ApiFault | None:
        if (action, about["group"].lower()) != ("GET networkInterfaces", "network"):
            return None
        return ApiFault("AuthorizationFailed", "not yours")

    words = "the network interfaces of resource group network cannot be read: .*not yours"
    async with azure(tmp_path, servers=8) as here:
        here.front.machines.network_group = "network"
        here.front.mischief = denied
        found = await listing(here)
        assert len(found.servers) == 4
        assert re.match(words, found.notes[1])
        with pytest.raises(InputError, match=words):
            await listing(here, via="ssh")
        here.fail("GET networkInterfaces", -1, fault("InternalServerError", "broken"))
        with pytest.raises(ApiError, match="broken"):
            await listing(here)


async def test_a_hybrid_benefit_comes_with_the_list(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=8) as here:
        ids = here.some(2)
        here.front.estate.change(ids[0], license="Windows_Server")
        here.front.estate.change(ids[1], license="another-publisher")
        licences = {server.name: server.license for server in (await listing(here)).servers}
        assert [licences[name] for name in ids] == ["Windows_Server", "another-publisher"]


async def test_a_scope_that_cannot_be_listed_fails_the_whole(tmp_path: Path) -> None:
    async with azure(tmp_path, servers=4) as here:
        here.fail("GET networkInterfaces", 1, fault("AuthorizationFailed", "not yours"))
        with pytest.raises(InputError, match=r"lab-web cannot be listed: .*not yours"):
            await listing(here)
        here.fail("GET virtualMachines", -1, fault("TooManyRequests", "slowly"))
        with pytest.raises(ApiError, match="slowly"):
            await listing(here)


@pytest.mark.parametrize("link", ["https://elsewhere.example/x", "@elsewhere.example/x"])
async def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path, link: str) -> None:
    async with azure(tmp_path, servers=2) as here:
        page = b'{"value": [], "nextLink": "%s"}' % link.encode()
        here.fail("GET virtualMachines", 1, partial(Reply, 200, page, "application/json"))
        with pytest.raises(InputError, match="a link leads elsewhere"):
            await listing(here)


@pytest.mark.parametrize("host", ["management.azure.com", "management.azure.com:443"])
def test_a_link_with_the_port_of_https_leads_to_the_same_place(host: str) -> None:
    own, path = "https://management.azure.com", "/subscriptions/a/x?$skiptoken=1%2F2"
    assert path_of_link(own, f"https://{host}{path}") == path
    assert path_of_link("https://127.0.0.1:8443", path) == path
    for link in (f"https://{host}4{path}", f"http://{host}{path}", f"//{host}{path}", path[1:]):
        with pytest.raises(ValueError, match=r"elsewhere|port"):
            path_of_link(own, link)


@pytest.mark.parametrize("text", ["azure:", "azure:westeurope", f"azure:{HOME}/vm"])
def test_what_names_no_subscription_or_group_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="subscription"):
        parse_source(text)


def test_what_the_api_leaves_out_is_left_out() -> None:
    bare = listed(
        SUBSCRIPTION, Machine(id="/", name="vm", location="x", properties=Properties()), {}
    )
    assert (bare.is_windows, bare.license, bare.exists, bare.private_address) == (
        False,
        "",
        True,
        "",
    )


def machine(**about: Any) -> Machine:
    own = {"storageProfile": {"imageReference": {"publisher": "MicrosoftWindowsServer"}}, **about}
    return msgspec.convert({"id": "/", "name": "vm", "location": "x", "properties": own}, Machine)


def interface(name: str, *addresses: tuple[str, bool | None]) -> Interface:
    own = [{"properties": {"privateIPAddress": ip, "primary": first}} for ip, first in addresses]
    return msgspec.convert({"id": name, "properties": {"ipConfigurations": own}}, Interface)


def test_the_primary_interface_and_its_primary_address_come_first() -> None:
    second = interface("/nic/2", ("192.168.9.4", True))
    first = interface("/nic/1", ("fd00::4", False), ("10.0.0.4", True), ("10.0.0.5", None))
    cards = [
        {"id": "/nic/2", "properties": {"primary": False}},
        {"id": "/nic/1", "properties": {"primary": True}},
    ]
    here = machine(networkProfile={"networkInterfaces": cards})
    both = {"/nic/2": second, "/nic/1": first}
    assert listed(SUBSCRIPTION, here, both).private_address == "10.0.0.4"
    assert listed(SUBSCRIPTION, here, {"/nic/2": second}).private_address == "192.168.9.4"
    unmarked = machine(networkProfile={"networkInterfaces": [{"id": "/nic/2"}]})
    assert listed(SUBSCRIPTION, unmarked, both).private_address == "192.168.9.4"


@pytest.mark.parametrize("word", ["None", "none", "NONE"])
def test_no_licence_type_has_a_word_too(word: str) -> None:
    assert listed(SUBSCRIPTION, machine(licenseType=word), {}).license == "MicrosoftWindowsServer"
