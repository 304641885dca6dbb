"""A list of a cloud without a server says why, and what can be changed about it."""

from __future__ import annotations

import msgspec
import pytest

from volact.cloud.base import ListedInstance, ServerList
from volact.errors import InputError
from volact.inventory.cloud_list import ListSource, inventory_of, parse_source
from volact.model.text import say

LINUX = ListedInstance(id="i-1", place="eu-west-1/i-1", is_windows=False)
LINUX_2 = ListedInstance(id="i-4", place="eu-west-1/i-4", is_windows=False)
WINDOWS = ListedInstance(id="i-2", place="eu-west-1/i-2", is_windows=True)
NO_SERVER = "aws:eu-west-1: no Windows server is listed"
ACCOUNT = "(check the account and what --from names)"


@pytest.mark.parametrize(
    ("instances", "via", "filters", "said"),
    [
        ((), "", {}, f"{NO_SERVER} {ACCOUNT}"),
        ((), "", {"vpc-id": ("vpc-1",)}, f"{NO_SERVER} (check --from-filter)"),
        ((LINUX,), "", {}, f"{NO_SERVER}: the one instance is none {ACCOUNT}"),
        ((LINUX, LINUX_2), "", {}, f"{NO_SERVER}: none of the 2 instances is one {ACCOUNT}"),
        (
            (WINDOWS, LINUX),
            "ssh",
            {},
            "aws:eu-west-1: the Windows server that is listed has no private address "
            "(leave out --via)",
        ),
    ],
)
def test_why_a_list_brings_no_server(
    instances: tuple[ListedInstance, ...], via: str, filters: dict[str, tuple[str, ...]], said: str
) -> None:
    cloud, scopes = parse_source("aws:eu-west-1")
    source = ListSource(cloud=cloud, scopes=scopes, filters=filters, via=via)
    with pytest.raises(InputError) as caught:
        inventory_of(source, [ServerList(instances, {})])
    assert caught.value.line() == said


def test_servers_whose_address_could_not_be_read_are_left_out_with_the_reason() -> None:
    cloud, scopes = parse_source("aws:eu-west-1")
    source = ListSource(cloud=cloud, scopes=scopes, via="ssh")
    other = ListedInstance(
        id="i-3", place="eu-west-1/i-3", is_windows=True, private_address="10.0.0.3"
    )
    part = ServerList((WINDOWS, other), {}, unread=(say("{n} could not be read", n="i-2"),))
    assert inventory_of(source, [part]).notes[1:] == (
        "i-2 could not be read",
        "1 has no known private address and is left out",
    )


def at(id_: str, address: str, scope: str = "eu-west-1") -> ListedInstance:
    return ListedInstance(
        id=id_, name=id_, place=f"{scope}/{id_}", is_windows=True, private_address=address
    )


SHARED = (
    "2 have a private address that another one has, too, and are left out: list one network with "
    "--from and --from-filter, or leave out --via"
)


def test_servers_with_one_private_address_in_several_networks_are_left_out() -> None:
    cloud, scopes = parse_source("aws:eu-west-1,us-east-1")
    parts = [
        ServerList((at("web", "172.31.0.5"), at("app", "172.31.0.6")), {}),
        ServerList((at("db", "172.31.0.5", "us-east-1"),), {}),
    ]
    direct = ListSource(cloud=cloud, scopes=scopes, via="ssh")
    fleet = inventory_of(direct, parts)
    assert [server.name for server in fleet.servers] == ["app"]
    assert fleet.notes[1:] == (SHARED,)
    by_cloud = inventory_of(ListSource(cloud=cloud, scopes=scopes), parts)
    assert [server.name for server in by_cloud.servers] == ["web", "app", "db"]
    with pytest.raises(InputError) as caught:
        inventory_of(direct, [ServerList((at("web", "172.31.0.5"),), {}), parts[1]])
    assert caught.value.line() == f"aws:eu-west-1,us-east-1: {SHARED}"


@pytest.mark.parametrize("via", ["", "ssh"])
def test_a_server_that_overlapping_scopes_list_is_taken_once(via: str) -> None:
    subscription = "00000000-0000-0000-0000-000000000001"
    cloud, scopes = parse_source(f"azure:{subscription}/WEB,{subscription}/web,{subscription}")
    whole = at("vm-1", "10.0.0.4", f"{subscription}/web")
    unread = msgspec.structs.replace(whole, place=f"{subscription}/WEB/vm-1", private_address="")
    other = at("vm-2", "10.0.0.5", f"{subscription}/db")
    parts = [ServerList((one,), {}) for one in (unread, whole)] + [ServerList((whole, other), {})]
    fleet = inventory_of(ListSource(cloud=cloud, scopes=scopes, via=via), parts)
    assert [server.name for server in fleet.servers] == ["vm-1", "vm-2"]
    assert [note.partition(": ")[2] for note in fleet.notes] == [
        "2 of 2 instances are Windows servers"
    ]
    if via:
        assert [server.address.host for server in fleet.servers] == ["10.0.0.4", "10.0.0.5"]
