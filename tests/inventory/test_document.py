"""Inventory files: what they give, and on which line they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from volact.errors import InputError
from volact.inventory import load_inventory, read_inventory
from volact.model.profile import Image
from volact.model.server import Address, Credential, WinRm

GOOD = """\
# a fleet
[defaults]
provider = "tencent"
user = "Administrator"
password-env = "VOLACT_PASSWORD"
tags = ["prod"]
known-hosts = "hosts"

[images]
"img-abc" = {type = "PRIVATE_IMAGE", source = "EXTERNAL_IMPORT", license = "BYOL"}

[[server]]
name = "web-01"
address = "ssh://10.0.0.5"
tags = ["web"]

[[server]]
address = "ssh://admin@[2001:db8::1]:2222"
key-file = ["keys/one", "/abs/two"]
password-command = "pass show 'win server'"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lab.toml"
    path.write_text(text, "utf-8")
    return path


def test_defaults_and_own_values_make_a_server(tmp_path: Path) -> None:
    web, other = load_inventory(write(tmp_path, GOOD)).servers
    assert (web.name, str(web.address), web.provider) == ("web-01", "ssh://10.0.0.5", "tencent")
    assert web.tags == ("prod", "web")
    assert web.credential == Credential(user="Administrator", password_env="VOLACT_PASSWORD")
    assert web.known_hosts == str(tmp_path / "hosts")
    assert other.name == "2001:db8::1"
    assert other.credential == Credential(
        user="admin",
        password_command=("pass", "show", "win server"),
        key_files=(str(tmp_path / "keys/one"), "/abs/two"),
    )


TWICE = """
[[server]]
name = "web-01"
address = "ssh://10.0.0.5"

[[server]]
name = "web-one"
address = "ssh://admin@10.0.0.5"
"""


def test_a_server_that_is_listed_under_two_names_is_noted(tmp_path: Path) -> None:
    (note,) = load_inventory(write(tmp_path, TWICE)).notes
    assert "web-01 and web-one have the same address, ssh://10.0.0.5" in note
    third = '[[server]]\nname = "x"\naddress = "ssh://10.0.0.5"\n'
    (note,) = load_inventory(write(tmp_path, TWICE + third)).notes
    assert "2 servers have the address of another one, as web-one has that of web-01" in note


@pytest.mark.parametrize("other", ['jump = "ops@bastion"', 'worker = "b"', 'skip = "old"'])
def test_the_same_address_elsewhere_is_another_server(tmp_path: Path, other: str) -> None:
    assert load_inventory(write(tmp_path, TWICE + other)).notes == ()


def test_a_kms_host_is_no_key_and_its_place_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, TWICE + 'kms-host = "kms.corp.example"\n')
    with pytest.raises(InputError, match="unknown key 'kms-host'") as caught:
        load_inventory(path)
    assert "a provider of your own" in caught.value.hint


def test_images_are_the_operators_knowledge(tmp_path: Path) -> None:
    images = load_inventory(write(tmp_path, GOOD)).images
    assert images == {
        "img-abc": Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT", license="BYOL")
    }


def test_a_server_knows_its_line(tmp_path: Path) -> None:
    inventory = load_inventory(write(tmp_path, GOOD))
    assert [inventory.lines[s.name] for s in inventory.servers] == [12, 17]
    assert inventory.where(inventory.servers[0]).endswith("lab.toml line 12")


SERVER = '[[server]]\nname = "a"\naddress = "ssh://10.0.0.5"\n'
WINRM = SERVER.replace("ssh:", "winrm:")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (SERVER + 'adress = "x"\n', 4, "unknown key 'adress' (did you mean 'address'?)"),
        ("[default]\n" + SERVER, 1, "unknown key 'default' (did you mean 'defaults'?)"),
        ('[defaults]\nusr = "x"\n' + SERVER, 2, "unknown key 'usr' (did you mean 'user'?)"),
        (SERVER + "\n" + SERVER, 6, "the name 'a' is taken by line 1"),
        (SERVER.replace("10.0.0.5", "10.0.0.5:70000"), 3, "port '70000' is not a number from 1"),
        (SERVER.replace("10.0.0.5", "2001:db8::1"), 3, "goes in brackets"),
        (SERVER.replace("ssh:", "tat:"), 3, "not a region and an instance"),
        (SERVER + 'winrm-transport = "ntml"\n', 4, "'ntml' (did you mean 'ntlm'?)"),
        (SERVER + 'key-file = "~missing-here/k"\n', 4, "whose home is that?"),
        (SERVER + 'ca-file = "a\\u0000b"\n', 4, "is not a path"),
        (SERVER + 'winrm-tls = "yes"\n', 4, "winrm-tls is not true or false"),
        (WINRM + 'winrm-transport = "basic"\n', 3, "would send the password in clear (use winrms:"),
        (WINRM + 'winrm-transport = "certificate"\n', 3, "certificate needs HTTPS"),
        ('[[server]]\nname = "a"\n', 1, "has no address"),
        (SERVER + 'provider = "tencnet"\n', 4, "'tencnet' (did you mean 'tencent'?)"),
        ('[defaults]\n\nprovider = "aws-x"\n' + SERVER, 3, "unknown provider 'aws-x'"),
        (
            SERVER + 'user = "CORP\\tom"\n',
            4,
            "user has a control character (write the text in single",
        ),
        (SERVER + 'password-file = "D:\\new"\n', 4, "password-file has a control character"),
        (SERVER + "user = 7\n", 4, "user is not a text"),
        (SERVER + "tags = [1]\n", 4, "tags is not a list of texts"),
        (SERVER + 'keyring = "a"\npassword-env = "B"\n', 4, "more than one password"),
        (SERVER + 'password-command = "a \'b"\n', 4, "No closing quotation"),
        (SERVER + "password-command = []\n", 4, "password-command is empty"),
        (SERVER + "password-command = \"''\"\n", 4, "password-command is empty"),
        (SERVER + 'password-command = [""]\n', 4, "not a list of texts"),
        (SERVER + "key-passphrase-command = []\n", 4, "key-passphrase-command is empty"),
        (SERVER + "key-file = []\n", 4, "key-file is empty"),
        (SERVER + "jump-key-file = []\n", 4, "jump-key-file is empty"),
        (SERVER + 'known-hosts = ""\n', 4, "known-hosts is empty"),
        (SERVER + 'jump = " "\n', 4, "jump is empty (name something, or leave the key out)"),
        ('[[server]]\nname = "a"\naddress = ""\n', 3, "address is empty"),
        (SERVER + '[images]\n"img-1" = {kind = "x"}\n', 5, "unknown key 'kind'"),
        (SERVER + '[images]\n"img-1" = {source = "MINE"}\n', 5, "must be one of OFFICIAL"),
        (SERVER + "[images]\nx = 1\n", 5, "image x is not a table"),
        ('[server]\nname = "a"\n', 1, "write [[server]], with two brackets"),
        ('server = [{name = "a"}]\n', 1, "has no address"),
        ("server = [1]\n", 1, "server is not a table"),
        ('x = """\n[[server]]\nkey = 1\n"""\n' + SERVER, 1, "unknown key 'x'"),
        (SERVER + 'note = """\nusr = 1\n"""\n', 4, "unknown key 'note'"),
    ],
)
def test_every_error_names_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_inventory(path)
    told = caught.value.line()
    assert told.startswith(f"{path} line {line}: ")
    assert says in told
    assert "\n" not in told


def test_the_line_is_that_of_the_second_server(tmp_path: Path) -> None:
    text = SERVER + "\n" + SERVER.replace('"a"', '"b"') + "port = 22\n"
    with pytest.raises(InputError, match=r"lab\.toml line 8: unknown key 'port'"):
        load_inventory(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[server]\n", "not TOML: .*line 1"),
        ('name = "a"\nname = "b"\n', "not TOML: .*line 2"),
        ("", r"has no \[\[server\]\]"),
    ],
)
def test_files_that_are_no_inventory(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_inventory(write(tmp_path, text))


def test_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: No such file"):
        load_inventory(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfa")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        load_inventory(tmp_path / "bytes.toml")
    with pytest.raises(InputError, match="directory"):
        load_inventory(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-8 of Windows lines"])
def test_what_windows_programs_save_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "lab.toml"
    name, _, windows = encoding.partition(" of ")
    path.write_bytes((SERVER.replace("\n", "\r\n") if windows else SERVER).encode(name))
    assert [server.name for server in load_inventory(path).servers] == ["a"]


def test_a_workbook_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "fleet.xlsx").write_bytes(b"PK\x03\x04\x14\0\x06\0")
    with pytest.raises(InputError) as caught:
        load_inventory(tmp_path / "fleet.xlsx")
    assert "fleet.xlsx: is not a text file (save it as UTF-8, " in caught.value.line()


def test_every_unknown_key_is_reported_with_its_line(tmp_path: Path) -> None:
    text = '[defaults]\nusr = "x"\npassword = "x"\nprovider = "tencnet"\n' + SERVER
    text += 'adress = "x"\nprot = 22\n[[servers]]\nname = "b"\n[groups.eu]\n'
    told = [error.line() for error in read_inventory(write(tmp_path, text)).problems]
    assert sorted(line.partition("lab.toml line ")[2].partition(" (")[0] for line in told) == [
        "10: unknown key 'servers'",
        "12: unknown key 'groups'",
        "2: unknown key 'usr'",
        "3: unknown key 'password'",
        "4: unknown provider 'tencnet'",
        "8: unknown key 'adress'",
        "9: unknown key 'prot'",
    ]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("Administrator", "text goes in double quotes"),
        ('"CORP\\ops"', "in single quotes, or each backslash twice"),
        ('"C:\\Users\\ops"', "in single quotes, or each backslash twice"),
    ],
)
def test_the_common_slips_of_toml_have_a_remedy(tmp_path: Path, value: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        load_inventory(write(tmp_path, f"[defaults]\nuser = {value}\n{SERVER}"))
    assert hint in caught.value.line()


WINRM_FILE = """
[defaults]
winrm-transport = "basic"
ca-file = "ca.pem"
winrm-tls = true
[[server]]
name = "a"
address = "winrm://10.0.0.5"
winrm-kerberos-host = "a.corp.example"
[[server]]
name = "b"
address = "winrm://10.0.0.6"
winrm-transport = "certificate"
certificate-file = "b.pem"
certificate-key-file = "b.key"
certificate-validation = false
[[server]]
name = "c"
address = "ssh://10.0.0.7"
winrm-tls = false
"""


def test_winrm_is_told_key_by_key(tmp_path: Path) -> None:
    a, b, c = load_inventory(write(tmp_path, WINRM_FILE)).servers
    ca = str(tmp_path / "ca.pem")
    assert a.winrm == WinRm(auth="basic", tls=True, ca_file=ca, kerberos_host="a.corp.example")
    assert b.winrm == WinRm(auth="certificate", tls=True, ca_file=ca, verify=False)
    assert b.credential.certificate_file == str(tmp_path / "b.pem")
    assert b.credential.certificate_key_file == str(tmp_path / "b.key")
    assert c.winrm.tls is False


def test_every_wrong_value_of_a_table_is_reported(tmp_path: Path) -> None:
    text = '[[server]]\naddress = "ssh://a"\nprovider = "x"\nlicense = "y"\nkey-file = 3\n'
    problems = read_inventory(write(tmp_path, text + "[defaults]\nuser = 1\ntags = 2\n")).problems
    assert sorted(int(problem.where.rpartition(" ")[2]) for problem in problems) == [3, 4, 5, 7, 8]


@pytest.mark.parametrize("name", ["fleet.csv", "fleet.toml", "fleet.txt"])
def test_utf_16_that_does_not_say_so_is_no_text(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes("name,address\na,192.0.2.1\n".encode("utf-16-le"))
    with pytest.raises(InputError, match="is not a text file") as caught:
        load_inventory(file)
    assert "save it as UTF-8" in caught.value.hint


@pytest.mark.parametrize("host", ["2001:db8::5", "fe80::1%12", "fe80::1%253"])
def test_an_ipv6_address_needs_no_brackets(tmp_path: Path, host: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(f'[[server]]\naddress = "{host}"\njump = "{host}"\n', "utf-8")
    (server,) = load_inventory(path).servers
    assert server.address.host == host
    assert server.ssh.jump == (Address(scheme="ssh", host=host),)
