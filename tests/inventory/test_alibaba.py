"""A list of ECS as an inventory: which instances are servers, and whose licence they use."""

from __future__ import annotations

from pathlib import Path

import pytest
from alibaba_cloud import HOME, Alibaba, alibaba
from cloud_lab import fault

from volact.cloud.alibaba.listing import ImageRow, Instance, listed
from volact.cloud.base import Account, ApiError, Cloud
from volact.errors import InputError
from volact.inventory.cloud_list import ListSource, list_servers, parse_filters, parse_source
from volact.inventory.listing import Inventory
from volact.model.server import AccountSettings
from volact_lab.alibaba.estate import IMPORTED, OWN


async def listing(here: Alibaba, text: str = f"alibaba:{HOME}", *filters: str) -> Inventory:
    cloud, scopes = parse_source(text)

    async def opened(_cloud: Cloud, _settings: AccountSettings) -> Account:
        return here.account

    chosen = parse_filters(cloud, filters)
    source = ListSource(cloud=cloud, scopes=scopes, filters=chosen, account=here.settings)
    return await list_servers(source, accounts=opened)


async def test_every_windows_instance_of_the_regions_is_a_server(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=12) as here:
        found = await listing(here, "alibaba:cn-hangzhou,ap-southeast-5")
        assert {server.name for server in found.servers} == set(here.lab.slots)
        assert "12 of 14 instances are Windows servers" in found.notes[0]
        server = found.servers[0]
        spec = here.lab.slots[server.name].spec
        assert str(server.address) == f"ecs://{spec.region}/{spec.instance_id}"
        assert (server.provider, server.license) == ("alibaba", "system")
        assert {"lab=volact", "cn-hangzhou", "cn-hangzhou-a", spec.instance_id} <= set(server.tags)


async def test_filters_are_the_apis_own_and_every_page_is_asked_for(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=32) as here:
        here.front.ecs.most = 5
        assert len((await listing(here)).servers) == 16
        assert here.front.calls["DescribeInstances"] == 4
        web = await listing(here, f"alibaba:{HOME}", "tag:role=web", "Status=Running")
        assert {server.name.partition("-")[0] for server in web.servers} == {"web"}
        one = await listing(here, f"alibaba:{HOME}", f"InstanceName={web.servers[0].name}")
        assert len(one.servers) == 1
        with pytest.raises(InputError, match="unknown filter"):
            await listing(here, f"alibaba:{HOME}", "Vpc=x")


async def test_licences_of_images_come_with_the_list(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=8) as here:
        ids = here.some(4)
        for instance, image in zip(ids, (IMPORTED, OWN, "m-unknown"), strict=False):
            here.front.estate.change(instance, image=image)
        licences = {
            s.address.host.rpartition("/")[2]: s.license for s in (await listing(here)).servers
        }
        assert [licences[name] for name in ids] == ["Aliyun", "BYOL", "", "system"]


async def test_a_region_that_cannot_be_listed_fails_the_whole(tmp_path: Path) -> None:
    async with alibaba(tmp_path, servers=4) as here:
        here.fail("DescribeImages", 1, fault("Forbidden.RAM", "not yours"))
        with pytest.raises(InputError, match=r"cn-hangzhou cannot be listed: .*not yours"):
            await listing(here)
        here.fail("DescribeInstances", -1, fault("Throttling", "slowly"))
        with pytest.raises(ApiError, match="slowly"):
            await listing(here)


def test_what_the_api_leaves_out_is_left_out() -> None:
    bare = listed(HOME, Instance(instance_id="i-1"), {})
    assert (bare.name, bare.is_windows, bare.license, bare.exists) == ("", False, "", True)
    shared = {"m-1": ImageRow(image_id="m-1", image_owner_alias="others", license_type="Auto")}
    assert listed(HOME, Instance(instance_id="i-1", image_id="m-1"), shared).license == ""
