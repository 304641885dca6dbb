"""An inventory's entries for Tencent accounts and for a server's own image."""

from __future__ import annotations

from pathlib import Path

import pytest

from volact.cloud.tencent.declaration import TencentSettings as Account
from volact.errors import InputError
from volact.inventory import check_credentials, load_inventory, parse_target, with_credential

TEXT = """
[defaults]
tencent-site = "international"
tencent-credentials = "keys.ini"

[[server]]
name = "a"
address = "tat://ap-jakarta/ins-0aaa1111"
tencent-profile = "prod"
image = "img-1"
license = "BYOL"

[[server]]
name = "b"
address = "tat://ap-jakarta/ins-0bbb2222"
tencent-site = "domestic"
tencent-endpoint = "https://{service}.cloud.example"
"""


def test_accounts_are_told_apart_by_server(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(TEXT)
    first, second = load_inventory(path).servers
    keys = str(tmp_path / "keys.ini")
    assert first.account == Account(site="international", credentials=keys, profile="prod")
    assert (first.image, first.license) == ("img-1", "BYOL")
    endpoint = "https://{service}.cloud.example"
    assert second.account == Account(credentials=keys, endpoint=endpoint)
    assert (second.image, second.license) == ("", "")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('tencent-site = "intl"', "'intl'"),
        ('tencent-endpoint = "http://10.0.0.1:80"', "http leads to this machine only"),
        ('tencent-endpoint = "what is this"', "is not an endpoint"),
        ('license = "byol"', "known: Aliyun, BYOL, MicrosoftWindowsServer, RunInstances:0002"),
        ('tencent-sight = "domestic"', "did you mean 'tencent-site'"),
    ],
)
def test_a_wrong_word_is_told_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(f'[[server]]\naddress = "tat://ap-jakarta/ins-1"\n{line}\n')
    with pytest.raises(InputError) as caught:
        load_inventory(path)
    assert "line 3" in caught.value.line()
    assert says in caught.value.line()


def test_a_login_of_the_defaults_is_not_asked_for_where_no_server_needs_one(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    login = '[defaults]\npassword-env = "NOT_SET"\nkey-file = "no.key"\n'
    path.write_text(TEXT.replace("[defaults]\n", login))
    inventory = load_inventory(path)

    def refuse(_path: str) -> None:
        raise InputError("it was looked at")

    check_credentials(inventory, inventory.servers, refuse, refuse, {})
    with pytest.raises(InputError, match="NOT_SET"):
        server = with_credential(parse_target("ssh://h"), password_env="NOT_SET")
        check_credentials(inventory, (server,), refuse, refuse, {})
