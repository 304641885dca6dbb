"""Any file is an inventory, or an error in one line that names it."""

from __future__ import annotations

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
