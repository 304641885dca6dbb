"""Tables of servers as spreadsheets write them, and on which line they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from volact.errors import InputError
from volact.inventory import Inventory, Secrets, load_inventory, read_inventory
from volact.model.server import Credential, Server

PLAIN = "name,address,user,tags\nweb-01,10.0.0.5,Administrator,web prod\n"


def write(tmp_path: Path, text: str, encoding: str = "utf-8", name: str = "fleet.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def load(tmp_path: Path, text: str, encoding: str = "utf-8") -> Inventory:
    return load_inventory(write(tmp_path, text, encoding))


def only(inventory: Inventory) -> Server:
    (server,) = inventory.servers
    return server


def test_a_row_is_a_server(tmp_path: Path) -> None:
    inventory = load(tmp_path, PLAIN)
    server = only(inventory)
    assert (server.name, str(server.address)) == ("web-01", "ssh://10.0.0.5")
    assert server.credential == Credential(user="Administrator")
    assert server.tags == ("web", "prod")
    assert inventory.where(server).endswith("fleet.csv line 2")
    assert inventory.notes == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_delimiter_and_encoding_are_found_out(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    text = PLAIN.replace(",", delimiter).replace("web-01", "wéb-服务器")
    if encoding == "utf-16-be":
        text = "\ufeff" + text
    inventory = load(tmp_path, text, encoding)
    assert only(inventory).name == "wéb-服务器"
    assert inventory.notes == ()


def test_what_is_not_utf8_is_windows_1252_and_said_to_be(tmp_path: Path) -> None:
    inventory = load(tmp_path, PLAIN.replace("web-01", "büro-01"), "cp1252")
    assert only(inventory).name == "büro-01"
    (note,) = inventory.notes
    assert note.endswith("is not UTF-8; it is read as Windows-1252")


def test_what_is_no_text_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"name,address\n\x81\x8d,10.0.0.5\n")
    with pytest.raises(InputError, match="neither UTF-8, UTF-16 nor Windows-1252"):
        load_inventory(path)


EXCEL = (
    "sep=;\r\n"
    '"Name";"IP Address";"User name";"Remark";;\r\n'
    '"web-01";"10.0.0.5";"ACME\\ops";"a; quoted ""remark""\r\nover two lines";;\r\n'
    ";;;;;\r\n"
    "=1+1;10.0.0.6;@user;-5;;\r\n"
)


def test_what_excel_writes(tmp_path: Path) -> None:
    inventory = load(tmp_path, EXCEL, "utf-8-sig")
    web, formula = inventory.servers
    assert (web.name, web.credential.user) == ("web-01", "ACME\\ops")
    assert inventory.lines[web.name] == 4
    # Cells are text: a formula is a strange name and nothing else.
    assert (formula.name, formula.credential.user) == ("=1+1", "@user")
    (note,) = inventory.notes
    assert note.endswith("columns that are not used: Remark")


def test_other_names_of_columns(tmp_path: Path) -> None:
    text = (
        "Server;FQDN;SSH-Port;Login;Protocol;Cloud;Group\ndb;db.example.test;2222;sa;SSH;aws;db\n"
    )
    server = only(load(tmp_path, text))
    assert str(server.address) == "ssh://db.example.test:2222"
    assert (server.name, server.provider, server.tags) == ("db", "aws", ("db",))
    assert server.credential.user == "sa"


@pytest.mark.parametrize(
    ("header", "name", "host"),
    [
        ("hostname", "web", "web"),
        ("hostname,ip", "web", "10.0.0.5"),
        ("name,hostname", "web", "10.0.0.5"),
    ],
)
def test_a_hostname_is_a_name_where_there_is_an_address(
    tmp_path: Path, header: str, name: str, host: str
) -> None:
    server = only(
        load(tmp_path, f"{header}\nweb,10.0.0.5\n" if "," in header else "hostname\nweb\n")
    )
    assert (server.name, server.address.host) == (name, host)


@pytest.mark.parametrize(
    ("row", "address"),
    [
        ("a,2001:db8::1,22,ssh", "ssh://[2001:db8::1]:22"),
        ("a,[2001:db8::1]:2222,,", "ssh://[2001:db8::1]:2222"),
        ("a,10.0.0.5:2222,,", "ssh://10.0.0.5:2222"),
        ("a,ssh://10.0.0.5:2222,,", "ssh://10.0.0.5:2222"),
        ("a,10.0.0.5,5986,winrm", "winrm://10.0.0.5:5986"),
    ],
)
def test_addresses_in_cells(tmp_path: Path, row: str, address: str) -> None:
    server = only(load(tmp_path, f"name,address,port,transport\n{row}\n"))
    assert str(server.address) == address


def test_every_key_of_an_inventory_may_be_a_column(tmp_path: Path) -> None:
    text = (
        "name,address,transport,winrm_tls,Certificate Validation,password-env,key file,jump,"
        "WinRM Kerberos host\n"
        "a,10.0.0.5,winrm,TRUE,no,PW,,,a.corp.example\n"
        "b,10.0.0.6,ssh,,,,one; two,ops@bastion:2222\n"
    )
    a, b = load(tmp_path, text).servers
    assert (a.winrm.tls, a.winrm.verify) == (True, False)
    assert a.winrm.kerberos_host == "a.corp.example"
    assert a.credential.password_env == "PW"
    assert b.credential.key_files == (str(tmp_path / "one"), str(tmp_path / "two"))
    assert b.ssh.jump is not None
    assert [str(hop) for hop in b.ssh.jump] == ["ssh://bastion:2222"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (PLAIN + "web-01,10.0.0.6\n", 3, "the name 'web-01' is taken by line 2"),
        (PLAIN + "db,\n", 3, "has no address"),
        (PLAIN + "db,10.0.0.6,,,x\n", 3, "has more cells than the first line (a cell that holds"),
        (PLAIN + "db,10.0.0.6:99999\n", 3, "port '99999' is not a number"),
        ("name,address,port\na,ssh://h,22\n", 2, "a port column and a whole address"),
        ("name,address,provider\na,h,tencnet\n", 2, "(did you mean 'tencent'?)"),
        ("name,address,winrm-tls\na,h,perhaps\n", 2, "winrm-tls is not true or false"),
        ("name,adress\na,h\n", 1, "unknown column 'adress' (did you mean 'address'?"),
        ("name,ip,Host\na,h,h\n", 1, "columns 'ip' and 'Host' both mean address (remove one)"),
        ("10.0.0.5\n10.0.0.6\n", 1, "names no column with addresses (name one column address"),
        ('name,address\n"a,h\n', 2, "not CSV: unexpected end of data"),
        ('name,address\n"a"b,h\n', 2, "not CSV: "),
        ('sep=;\n"name;address\n', 2, "not CSV: unexpected end of data"),
        ("name,address,transport\na,h,sssh\n", 2, "unknown scheme 'sssh'"),
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


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is empty"):
        load(tmp_path, "\n\n")


def test_all_problems_are_kept_and_the_good_rows_too(tmp_path: Path) -> None:
    path = write(tmp_path, PLAIN + "a,\nb,10.0.0.7\nb,10.0.0.8\n")
    inventory = read_inventory(path)
    assert [server.name for server in inventory.servers] == ["web-01", "b"]
    assert [problem.where for problem in inventory.problems] == [f"{path} line 3", f"{path} line 5"]
    with pytest.raises(InputError) as caught:
        load_inventory(path)
    assert caught.value.line().endswith(f"; 1 more: volact inventory check -i {path})")


async def test_a_password_in_clear_is_taken_said_and_never_shown(tmp_path: Path) -> None:
    inventory = load(tmp_path, "name,ip,password\na,10.0.0.5,pass-w0rd-mark\nb,10.0.0.6,\n")
    a, b = inventory.servers
    (note,) = inventory.notes
    assert "holds passwords in clear" in note
    assert "pass-w0rd-mark" not in repr(inventory) + note
    secrets = Secrets({}, inventory.held)
    found = await secrets.password(a.credential)
    assert found is not None
    assert found.reveal() == "pass-w0rd-mark"
    assert await secrets.password(b.credential) is None


def test_a_blank_before_a_quoted_cell_does_not_count(tmp_path: Path) -> None:
    server = only(load(tmp_path, 'name, address\n"web-01", "10.0.0.1"\n'))
    assert (server.name, server.address.host) == ("web-01", "10.0.0.1")


@pytest.mark.parametrize("zone", ["12", "253", "eth0"])
def test_the_zone_of_an_address_in_a_cell_is_what_is_written(tmp_path: Path, zone: str) -> None:
    server = only(load(tmp_path, f"name,address,port\na,fe80::1%{zone},22\n"))
    assert (server.address.host, server.address.port) == (f"fe80::1%{zone}", 22)
