"""Targets, limits and what is checked before anything is started."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from volact.errors import InputError
from volact.inventory import (
    Inventory,
    addressed,
    check_credentials,
    choose,
    load_inventory,
    parse_target,
    select,
    with_credential,
)
from volact.model.server import Address, Credential

FLEET = """\
[defaults]
password-env = "PW"
[[server]]
name = "web-01"
address = "ssh://10.0.0.1"
tags = ["web", "eu"]
[[server]]
name = "web-02"
address = "ssh://10.0.0.2"
tags = ["web"]
[[server]]
name = "db-01"
address = "ssh://10.0.0.3"
tags = ["db", "eu"]
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Inventory:
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET)
    return load_inventory(path)


def fine(path: str) -> None:
    """A check that finds nothing wrong."""


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        (["web-01"], ["web-01"]),
        (["web"], ["web-01", "web-02"]),
        (["*-01"], ["web-01", "db-01"]),
        (["db-01", "web-02"], ["web-02", "db-01"]),
        (["db,web-02"], ["web-02", "db-01"]),
        (["e?"], ["web-01", "db-01"]),
        (["!web-02"], ["web-01", "db-01"]),
        (["!web"], ["db-01"]),
        (["web,!*-02"], ["web-01"]),
        (["web:!eu"], ["web-02"]),
        (["web:&eu"], ["web-01"]),
        (["all", "!db-01"], ["web-01", "web-02"]),
        (["eu", "!db", "web-02"], ["web-01", "web-02"]),
    ],
)
def test_limits_by_name_tag_and_glob(fleet: Inventory, limits: list[str], names: list[str]) -> None:
    assert [server.name for server in choose(fleet, [], limits)] == names


def test_targets_are_names_of_the_inventory_or_addresses(fleet: Inventory) -> None:
    chosen = choose(fleet, ["ssh://10.9.9.9:2222", "db-01"], [])
    assert [server.name for server in chosen] == ["db-01", "10.9.9.9:2222"]


def test_without_targets_everything_is_meant(fleet: Inventory) -> None:
    assert len(choose(fleet, [], [])) == 3


def test_no_such_server_names_a_near_miss(fleet: Inventory) -> None:
    with pytest.raises(InputError) as caught:
        choose(fleet, [], ["web-1"])
    assert caught.value.line() == "no such server: web-1 (did you mean 'web-01'?)"


@pytest.mark.parametrize("targets", [[], ["web-01"]])
def test_no_inventory_and_no_address(targets: list[str]) -> None:
    with pytest.raises(InputError, match=r"no such server: web-01|no server given"):
        choose(Inventory(), targets, [])


def test_numbers_that_are_no_address_are_called_that() -> None:
    with pytest.raises(InputError, match=r"ssh://10\.0\.0\.256': not an IPv4 address"):
        choose(Inventory(), [addressed(Inventory(), "10.0.0.256")], [])


def test_one_name_for_two_servers_is_refused(fleet: Inventory) -> None:
    with pytest.raises(InputError, match=r"'10\.0\.0\.9' is there twice"):
        choose(fleet, ["ssh://a@10.0.0.9", "ssh://b@10.0.0.9"], [])


def test_select_without_limits_keeps_all(fleet: Inventory) -> None:
    assert select(fleet.servers, []) == fleet.servers


def test_missing_variable_is_told_with_its_line(fleet: Inventory) -> None:
    with pytest.raises(InputError, match=r"fleet\.toml line 3: the environment variable PW"):
        check_credentials(fleet, fleet.servers, fine, fine, environ={})
    check_credentials(fleet, fleet.servers, fine, fine, environ={"PW": "x"})


def test_only_chosen_servers_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET + 'password-file = "none"\n')
    fleet = load_inventory(path)
    check_credentials(fleet, select(fleet.servers, ["web"]), fine, fine, environ={"PW": "x"})
    with pytest.raises(InputError, match=r"line 11: .*none: No such file"):
        check_credentials(fleet, fleet.servers, fine, fine, environ={"PW": "x"})


def test_each_file_is_checked_once(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET.replace('"PW"', '"PW"\nkey-file = "k"\nknown-hosts = "h"'))
    fleet = load_inventory(path)
    keys: list[str] = []
    hosts: list[str] = []
    check_credentials(fleet, fleet.servers, keys.append, hosts.append, environ={"PW": "x"})
    assert (keys, hosts) == ([str(tmp_path / "k")], [str(tmp_path / "h")])


def test_login_named_beside_the_inventory_rules(fleet: Inventory) -> None:
    server = with_credential(fleet.servers[0], password_env="OTHER", key_files=("k",))
    assert server.credential == Credential(password_env="OTHER", key_files=("k",))
    assert with_credential(fleet.servers[0]) == fleet.servers[0]


def test_a_key_rules_over_a_clear_password_where_a_key_is_a_login() -> None:
    def left(address: str) -> str:
        server = parse_target(address)
        held = msgspec.structs.replace(server, credential=Credential(password_held="f line 1"))
        return with_credential(held, key_files=("k",)).credential.password_held

    assert left("ssh://web") == ""
    assert (left("winrm://web"), left("winrms://web")) == ("f line 1", "f line 1")


def test_user_given_beside_the_inventory_fills_a_gap_only(fleet: Inventory) -> None:
    named = with_credential(fleet.servers[0], user="bob")
    assert named.credential == Credential(user="bob", password_env="PW")
    assert with_credential(named, user="eve").credential.user == "bob"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (["!wob-01"], "no such server: wob-01"),
        (["web", "!web"], "no server is left by web,!web"),
        ([""], "no such server: ''"),
        (["web-01", ","], "no such server: ''"),
        (["!"], "no such server: ''"),
        (["web:&"], "no such server: ''"),
    ],
)
def test_an_exclusion_that_means_nothing_or_all_is_refused(
    fleet: Inventory, limits: list[str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        select(fleet.servers, limits)


def test_a_target_may_exclude_too(fleet: Inventory) -> None:
    assert [one.name for one in choose(fleet, ["web", "!web-01"], ["!db"])] == ["web-02"]


@pytest.mark.parametrize("word", ["2001:db8::5", "::1", "fe80::1%12", "fe80::1%253"])
def test_an_ipv6_address_is_a_target(word: str) -> None:
    (server,) = choose(Inventory(), [addressed(Inventory(), word)], [])
    assert server.address == Address(scheme="ssh", host=word)
