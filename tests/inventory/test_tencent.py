"""Tencent Cloud's list of instances as an inventory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from cloud_lab import fault
from tencent_cloud import Cloud, cloud, profile_file

from volact.cloud.tencent.declaration import CLOUD, TencentSettings
from volact.errors import InputError, VolactError
from volact.inventory import Inventory
from volact.inventory.cloud_list import ListSource, list_servers, parse_source
from volact.inventory.cloud_list import parse_filters as parse
from volact.model.profile import Image
from volact_lab.tencent.signature import Account as LabAccount

BOTH = ("ap-jakarta", "ap-singapore")


def parse_filters(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return parse(CLOUD, words)


def source(here: Cloud, folder: Path, *regions: str, **how: object) -> ListSource:
    path = profile_file(folder / "keys.ini", default=here.own)
    account = TencentSettings(endpoint=here.front.endpoint, credentials=str(path))
    return ListSource(cloud=CLOUD, scopes=regions or BOTH, account=account, **how)  # type: ignore[arg-type]


async def listed(here: Cloud, folder: Path, *regions: str, **how: object) -> Inventory:
    return await list_servers(source(here, folder, *regions, **how))


async def test_windows_servers_of_all_regions_and_no_others(tmp_path: Path) -> None:
    async with cloud("images", servers=30) as here:
        inventory = await listed(here, tmp_path)
        assert {server.name for server in inventory.servers} == set(here.ids)
        for server in inventory.servers:
            spec = here.lab.slots[server.name].spec
            assert str(server.address) == f"tat://{spec.region}/{spec.instance_id}"
            assert server.provider == "tencent"
            assert {spec.region, f"{spec.region}-1", spec.instance_id, "lab=volact"} <= set(
                server.tags
            )
        assert inventory.notes == (
            "tencent:ap-jakarta,ap-singapore: 30 of 32 instances are Windows servers",
        )
        assert (await listed(here, tmp_path, "ap-singapore")).path == "tencent:ap-singapore"


async def test_more_than_a_page(tmp_path: Path) -> None:
    async with cloud(servers=230) as here:
        inventory = await listed(here, tmp_path, "ap-jakarta")
        assert len(inventory.servers) == 230
        assert here.front.calls["DescribeInstances"] == 3


async def test_what_is_known_of_images_comes_along(tmp_path: Path) -> None:
    async with cloud("images", servers=30) as here:
        inventory = await listed(here, tmp_path)
        images = inventory.images
        assert images["img-labimported"] == Image(
            type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT", license="TencentCloud"
        )
        assert images["img-labprivate"].source == "CREATE_IMAGE"
        assert images["img-labshared"].type == "SHARED_IMAGE"
        # No list has it any more: unknown, never public.
        assert "img-labretired" not in images
        by_fault = {here.lab.truth[server.name].faults[0]: server for server in inventory.servers}
        assert by_fault["image-retired"].image == "img-labretired"
        assert by_fault["license-own"].license == "BYOL"
        assert images[by_fault["license-own"].image].type == "PUBLIC_IMAGE"
        assert by_fault["licensed"].license == "TencentCloud"
        # Images of no server are not carried along.
        assert set(images) <= {server.image for server in inventory.servers}


async def test_filters_are_the_apis_own(tmp_path: Path) -> None:
    async with cloud("images", servers=30) as here:
        filters = parse_filters(["tag:role=web,db", "vpc-id=vpc-lab00001"])
        inventory = await listed(here, tmp_path, filters=filters)
        names = {server.name for server in inventory.servers}
        expected = {
            name
            for name, slot in here.lab.slots.items()
            if name.startswith(("web", "db")) and slot.spec.index % 2 == 0
        }
        assert names == expected
        assert all("vpc-lab00001" in server.tags for server in inventory.servers)


@pytest.mark.parametrize("via", ["ssh", "winrm"])
async def test_private_addresses_for_ways_that_need_one(tmp_path: Path, via: str) -> None:
    async with cloud(servers=3) as here:
        inventory = await listed(here, tmp_path, "ap-jakarta", via=via)
        machine = here.lab.machine(inventory.servers[0].name)
        assert str(inventory.servers[0].address) == f"{via}://{machine.address}"


async def test_names_that_several_instances_have_are_no_names(tmp_path: Path) -> None:
    async with cloud(servers=3) as here:
        first, second, third = here.some(3)
        here.front.estate.change(first, name="same")
        here.front.estate.change(second, name="same")
        here.front.estate.change(third, name="")
        inventory = await listed(here, tmp_path, "ap-jakarta")
        assert {server.name for server in inventory.servers} == {first, second, third}


async def test_what_is_being_made_or_destroyed_is_no_server_and_what_is_stopped_is(
    tmp_path: Path,
) -> None:
    async with cloud(servers=4) as here:
        ids = here.some(4)
        states = ("STOPPED", "TERMINATING", "PENDING", "RUNNING")
        for instance, state in zip(ids, states, strict=True):
            here.front.estate.change(instance, state=state)
        inventory = await listed(here, tmp_path, "ap-jakarta")
        assert {server.address.host.split("/")[1] for server in inventory.servers} == {
            ids[0],
            ids[3],
        }


async def test_a_region_that_cannot_be_listed_stops_the_whole(tmp_path: Path) -> None:
    async with cloud("images", servers=10) as here:
        with pytest.raises(InputError) as caught:
            await listed(here, tmp_path, "ap-jakarta", "ap-mars")
        assert "ap-mars cannot be listed" in caught.value.line()
        assert "UnsupportedRegion" in caught.value.line()


async def test_wrong_keys_are_wrong_input(tmp_path: Path) -> None:
    async with cloud(servers=1) as here:
        wrong = Cloud(here.lab, LabAccount(here.own.secret_id, "wrong-secret-key"))
        with pytest.raises(InputError) as caught:
            await listed(wrong, tmp_path, "ap-jakarta")
        assert "AuthFailure.SignatureFailure" in caught.value.line()
        assert "wrong-secret-key" not in caught.value.line()


async def test_an_api_that_fails_is_no_wrong_input(tmp_path: Path) -> None:
    async with cloud(servers=1) as here:
        here.fail("DescribeImages", -1, fault("InternalError", "sorry"))
        with pytest.raises(VolactError) as caught:
            await list_servers(source(here, tmp_path, "ap-jakarta"), accounts=here.opened)
        assert not isinstance(caught.value, InputError)
        assert "ap-jakarta cannot be listed" in caught.value.message


async def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    async with cloud(servers=2) as here:
        with pytest.raises(InputError, match="no Windows server is listed"):
            await listed(here, tmp_path, "ap-jakarta", filters=parse_filters(["vpc-id=vpc-none"]))


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("tencent:ap-jakarta", ("ap-jakarta",)),
        ("tencent:ap-jakarta, ap-singapore,ap-jakarta", BOTH),
        ("tencent:ap-shanghai-fsi", ("ap-shanghai-fsi",)),
    ],
)
def test_sources(text: str, regions: tuple[str, ...]) -> None:
    assert parse_source(text) == (CLOUD, regions)


@pytest.mark.parametrize(
    "text", ["tencent", "tencent:", "ibm:us-east-1", "tencent:Jakarta", "tencent:ap-jakarta;rm"]
)
def test_what_is_no_source_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_source(text)


def test_filters() -> None:
    assert parse_filters(["tag:env=prod", "zone=a,b", "zone=c"]) == {
        "tag:env": ("prod",),
        "zone": ("a", "b", "c"),
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["vpc=vpc-1"], "did you mean 'vpc-id'?"),
        (["vpc-id"], "no value"),
        (["vpc-id=,"], "no value"),
        (["tag:=x"], "unknown filter"),
        (["zone=a,b,c,d,e,f"], "at most 5 values"),
        ([f"tag:k{n}=v" for n in range(11)], "at most 10 filters"),
    ],
)
def test_what_is_no_filter_is_refused(words: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_filters(words)
    assert says in caught.value.line()
