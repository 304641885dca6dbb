"""A list of EC2 as an inventory: which instances are servers, and whose licence they use."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cloud import HOME, Aws, aws
from cloud_lab import fault

from volact.cloud.aws.listing import Instance, listed
from volact.cloud.base import Account, ApiError, Cloud
from volact.errors import InputError
from volact.inventory.cloud_list import ListSource, list_servers, parse_filters, parse_source
from volact.inventory.listing import Inventory
from volact.model.server import AccountSettings
from volact_lab.aws.estate import BYOL


async def listing(here: Aws, text: str = f"aws:{HOME}", *filters: str, via: str = "") -> Inventory:
    cloud, scopes = parse_source(text)

    async def opened(_cloud: Cloud, _settings: AccountSettings) -> Account:
        return here.account

    chosen = parse_filters(cloud, filters)
    source = ListSource(cloud=cloud, scopes=scopes, filters=chosen, via=via, account=here.settings)
    return await list_servers(source, accounts=opened)


async def test_every_windows_instance_of_the_regions_is_a_server(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=12) as here:
        found = await listing(here, "aws:eu-west-1,us-east-2")
        assert [server.name for server in found.servers] == sorted(
            here.lab.slots, key=lambda name: (here.lab.slots[name].spec.region, name[-2:])
        )
        assert found.notes == ("aws:eu-west-1,us-east-2: 12 of 14 instances are Windows servers",)
        server = found.servers[0]
        spec = here.lab.slots[server.name].spec
        assert str(server.address) == f"ssm://{spec.region}/{spec.instance_id}"
        assert (server.provider, server.license) == ("aws", "RunInstances:0002")
        assert {"role=web", "lab=volact", "eu-west-1", "eu-west-1a", spec.instance_id} <= set(
            server.tags
        )


async def test_filters_are_the_apis_own(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=16) as here:
        found = await listing(here, f"aws:{HOME}", "tag:role=web,app", via="ssh")
        assert {server.name.partition("-")[0] for server in found.servers} == {"web", "app"}
        assert str(found.servers[0].address).startswith("ssh://10.")
        with pytest.raises(InputError, match="no Windows server is listed"):
            await listing(here, f"aws:{HOME}", "vpc-id=vpc-nowhere")


async def test_more_than_a_page_is_listed(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=24) as here:
        here.front.ec2.most = 5
        assert len((await listing(here)).servers) == 12
        assert here.front.calls["DescribeInstances"] == 3


async def test_an_own_licence_of_an_instance_comes_with_the_list(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=4) as here:
        ids = here.some(2)
        here.front.estate.change(ids[0], license=BYOL)
        licences = {server.license for server in (await listing(here)).servers}
        assert licences == {BYOL, "RunInstances:0002"}


async def test_a_region_that_cannot_be_listed_fails_the_whole(tmp_path: Path) -> None:
    async with aws(tmp_path, servers=4) as here:
        here.fail("DescribeInstances", 1, fault("UnauthorizedOperation", "not yours"))
        with pytest.raises(InputError, match=r"eu-west-1 cannot be listed: .*not yours"):
            await listing(here)
        here.fail("DescribeInstances", -1, fault("RequestLimitExceeded", "slowly"))
        with pytest.raises(ApiError, match="slowly"):
            await listing(here)


def test_what_the_api_leaves_out_is_left_out() -> None:
    bare = listed(HOME, Instance(instance_id="i-1"))
    assert (bare.name, bare.is_windows, bare.license, bare.exists) == ("", False, "", True)
    assert listed(HOME, Instance(instance_id="i-1", platform="windows")).is_windows
    own = Instance(instance_id="i-1", platform_details="Windows BYOL")
    assert listed(HOME, own).is_windows


@pytest.mark.parametrize("text", ["aws:", "aws:eu", "aws:eu-west-1/x"])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_source(text)
