"""Any file is an inventory, or an error in one line that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from volact.errors import InputError
from volact.inventory import Inventory, load_inventory, read_inventory

NAMES = ("x.toml", "x.csv", "x.ini", "x.yml", "hosts")

# Words that readers have an eye for, in any order and with anything between them.
PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(
                    "name",
                    "address",
                    "ip",
                    "[[server]]",
                    "[defaults]",
                    "[group.a]",
                    "all:",
                    "hosts:",
                ),
                *("children:", "vars:", "[web]", "[web:vars]", "[a:children]", "ansible_host=h"),
                *(
                    "ansible_password: x",
                    "a[1:3]",
                    "!vault",
                    "&a",
                    "*a",
                    "<<: *a",
                    "sep=;",
                    '"',
                    "'",
                ),
                *(
                    ",",
                    ";",
                    "\t",
                    "=",
                    ": ",
                    "- ",
                    "  ",
                    "\n",
                    "\n",
                    "\n",
                    "#",
                    "\\",
                    "{",
                    "}",
                    "[",
                    "]",
                ),
                *(
                    "\ufeff",
                    "\0",
                    "\u2028",
                    "{{ x }}",
                    "$ANSIBLE_VAULT;",
                    "ssh://",
                    "::1",
                    "-o ProxyJump=",
                ),
            ]
        ),
        st.text(max_size=6),
    ),
    max_size=40,
).map("".join)


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(text="x = " + "[" * 5000)
@example(text="a: " + "[" * 5000)
@example(text="[w]\na x=" + "(" * 5000)
@example(text="name,ip\n" + '"' * 5001)
@given(text=PIECES)
def test_an_inventory_or_one_line(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    inventory = read_inventory(path)
    for problem in inventory.problems:
        assert "\n" not in problem.line()
        assert str(tmp_path) in problem.line()
    if inventory.problems:
        with pytest.raises(InputError):
            load_inventory(path)
    else:
        assert load_inventory(path).servers


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert isinstance(read_inventory(path), Inventory)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory") as caught:
        load_inventory(tmp_path)
    assert "name the inventory file in that folder" in caught.value.line()


@pytest.mark.parametrize("line", ["S3cret!", "correct horse battery", "a,b;c", "Pa$$word", "x'y"])
def test_a_line_that_names_no_server_may_be_a_password(tmp_path: Path, line: str) -> None:
    path = tmp_path / "file"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(InputError, match="may be a password") as caught:
        load_inventory(path)
    assert line not in caught.value.line()


@pytest.mark.parametrize("word", ["hunter2", "P@ssw0rd"])
def test_a_word_that_its_owner_alone_may_read_may_be_a_password(tmp_path: Path, word: str) -> None:
    path = tmp_path / "file"
    path.write_text(word + "\n", "utf-8")
    path.chmod(0o600)
    with pytest.raises(InputError, match="may be a password"):
        load_inventory(path)
    for name in ("hosts", "fleet.ini"):
        assert load_inventory(path.rename(tmp_path / name)).servers
        path = tmp_path / name
    path = path.rename(tmp_path / "file")
    path.chmod(0o644)
    assert load_inventory(path).servers


@pytest.mark.parametrize(
    "line",
    [
        "web01.example.com",
        "10.0.0.5",
        "web[01:03].example",
        "web01:2222",
        "web01 ansible_host=10.0.0.5 ansible_password='a b!'",
        "my!alias ansible_host=10.0.0.5",
        "web-01.example  # the first",
    ],
)
def test_one_server_s_line_is_an_inventory_for_its_owner_alone(tmp_path: Path, line: str) -> None:
    path = tmp_path / "file"
    path.write_text(f"# one server\n\n{line}\n", "utf-8")
    path.chmod(0o600)
    assert load_inventory(path).servers


TARGETS = """\
# as they are typed on the command line
ssh://Administrator@10.0.0.5
winrms://web-01.example.com:5999
ssh://[2001:db8::5]:2222
tat://ap-jakarta/ins-0abc12de
10.0.0.6
"""


def test_a_list_of_addresses_is_an_inventory(tmp_path: Path) -> None:
    (tmp_path / "servers.txt").write_text(TARGETS)
    servers = load_inventory(tmp_path / "servers.txt").servers
    assert {server.name: str(server.address) for server in servers} == {
        "10.0.0.5": "ssh://10.0.0.5",
        "web-01.example.com:5999": "winrms://web-01.example.com:5999",
        "[2001:db8::5]:2222": "ssh://[2001:db8::5]:2222",
        "ap-jakarta/ins-0abc12de": "tat://ap-jakarta/ins-0abc12de",
        "10.0.0.6": "ssh://10.0.0.6",
    }
    assert servers[0].credential.user == "Administrator"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ssh://ops:s3cret@10.0.0.5", "'ssh://ops:…@10.0.0.5': no password in an address"),
        ("shs://10.0.0.5", "unknown scheme 'shs'"),
        ("ssh://web[01:09].example.com", "not a host"),
    ],
)
def test_an_address_of_a_list_that_is_none_is_told(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "servers.txt").write_text(f"10.0.0.1\n{line}\n")
    with pytest.raises(InputError, match=re.escape(told)) as caught:
        load_inventory(tmp_path / "servers.txt")
    assert caught.value.where.endswith("servers.txt line 2")
