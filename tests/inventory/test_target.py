"""Addresses: every part, IPv6 above all, and no word about a password."""

from __future__ import annotations

import pytest

from volact.cloud.base import Cloud
from volact.cloud.registry import clouds
from volact.errors import InputError
from volact.inventory import parse_address, parse_target
from volact.model.error_text import error_text
from volact.model.server import Address
from volact.words import speaking, tr


@pytest.mark.parametrize(
    ("text", "host", "port", "user"),
    [
        ("ssh://10.0.0.5", "10.0.0.5", None, None),
        ("ssh://web-01.example.test:2222/", "web-01.example.test", 2222, None),
        ("ssh://Administrator@10.0.0.5", "10.0.0.5", None, "Administrator"),
        ("ssh://[2001:db8::1]", "2001:db8::1", None, None),
        ("ssh://admin@[2001:db8::1]:2222", "2001:db8::1", 2222, "admin"),
        ("ssh://[fe80::1%25eth0]:22", "fe80::1%eth0", 22, None),
        ("ssh://CORP%5Cadmin@dc", "dc", None, "CORP\\admin"),
        ("ssh://me%40corp.test@dc", "dc", None, "me@corp.test"),
        ("SSH://server", "server", None, None),
    ],
)
def test_ssh_address_is_taken_apart(
    text: str, host: str, port: int | None, user: str | None
) -> None:
    assert parse_address(text) == Address(scheme="ssh", host=host, port=port, user=user)


@pytest.mark.parametrize("address", ["ssh://10.0.0.5:2222", "ssh://[2001:db8::1]:22", "ssh://h"])
def test_address_is_printed_as_it_was_written(address: str) -> None:
    assert str(parse_address(address)) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ssh://", "no host"),
        ("ssh://user@", "no host"),
        ("ssh://host:0", "port '0'"),
        ("ssh://host:65536", "port '65536'"),
        ("ssh://host:-1", "port '-1'"),
        ("ssh://host:٢٢", "port"),
        ("ssh://host:", "port ''"),
        ("ssh://host:" + "9" * 5000, "port"),
        ("ssh://2001:db8::1", "not a host"),
        ("ssh://[10.0.0.5]", "not a host"),
        ("ssh://[2001:db8::1", "not a host"),
        ("ssh://[10.0.0.5:22]", "not a host"),
        ("ssh://a b", "not a host"),
        ("ssh://host/path", "not a host"),
        ("ssh://10.0.0.256", "not an IPv4 address (four numbers from 0 to 255"),
        ("ssh://10.0.5", "not an IPv4 address"),
        ("winrm://18676", "not an IPv4 address"),
        ("rdp://host", "unknown scheme 'rdp'"),
        ("host", "not an address"),
    ],
)
def test_bad_address_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert says in caught.value.line()


@pytest.mark.parametrize("cloud", clouds(), ids=lambda cloud: cloud.name)
def test_a_wrong_instance_is_refused_in_one_language(cloud: Cloud) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(f"{cloud.scheme}://nowhere")
    assert cloud.place_shown in caught.value.line()
    with speaking("id"):
        assert cloud.place_shown not in tr(error_text(caught.value))


@pytest.mark.parametrize(
    "text",
    ["ssh://u:s3cret@h", "ssh://u:s3cret@h:99999", "ssh://u:s3cr@et@h", "ssh://u:s3cret/x@h"],
)
def test_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert "s3cr" not in caught.value.line()
    assert "no password in an address" in caught.value.line()


def test_this_machine_is_a_target_with_a_name() -> None:
    server = parse_target("local")
    assert (server.name, str(server.address)) == ("local", "local")


def test_an_instance_is_named_by_its_region_and_id() -> None:
    server = parse_target("tat://ap-jakarta/ins-0abc12de")
    assert (server.name, str(server.address)) == (
        "ap-jakarta/ins-0abc12de",
        "tat://ap-jakarta/ins-0abc12de",
    )


@pytest.mark.parametrize(
    "text",
    ["tat://", "tat://ap-jakarta", "tat://ap-jakarta/", "tat://a@ap-jakarta/ins-1", "tat://x/y/z"],
)
def test_what_is_not_a_region_and_an_instance_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a region and an instance"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "tls"),
    [
        ("winrm://admin@h", False),
        ("winrm://h:5985", False),
        ("winrm://h:5986", True),
        ("winrms://admin@[2001:db8::1]", True),
        ("winrms://h:443", True),
    ],
)
def test_winrm_addresses_say_whether_it_is_https(text: str, tls: bool) -> None:
    server = parse_target(text)
    assert str(server.address) == text.replace("admin@", "")
    assert server.winrm_tls is tls


def test_target_is_named_after_its_place() -> None:
    assert parse_target("ssh://admin@10.0.0.5:2222").name == "10.0.0.5:2222"
    assert parse_target("ssh://[2001:db8::1]").name == "[2001:db8::1]"


@pytest.mark.parametrize("text", ["ssh://[fe80::1%25eth0]:22", "ssh://a%2525b", "winrm://10.0.0.5"])
def test_an_address_is_read_back_as_it_was_written(text: str) -> None:
    address = parse_address(text)
    assert str(address) == text
    assert parse_address(str(address)) == address


def test_a_zone_is_a_name_and_nothing_else() -> None:
    with pytest.raises(InputError, match="not a host"):
        parse_address("ssh://[::1%2ssh://[::1%255e0]:2222")


@pytest.mark.parametrize("host", ["10.0.0.2;10.0.0.3", '"h"', "a,b", "a|b", "-oX=y", "*"])
def test_characters_that_no_host_has_are_refused(host: str) -> None:
    with pytest.raises(InputError, match="characters that no host has"):
        parse_address(f"ssh://{host}")
