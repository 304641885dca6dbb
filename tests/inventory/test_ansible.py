"""Ansible inventories: what Ansible would make of them, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from volact.errors import InputError
from volact.inventory import Inventory, Secrets, load_inventory, read_inventory
from volact.inventory.ansible.beside import Folder
from volact.inventory.choose import check_credentials, with_credential
from volact.inventory.listing import Listing
from volact.model.server import Address, Credential, Server, SshRoute, WinRm

INI = """\
# a comment
; another
bastion.example.com ansible_user=root   # behind it
[web]
web[01:03].example.com:2222 ansible_user='ACME\\ops'
[db]
db-[a:b] ansible_host=10.0.0.9
[win:children]
web
db
[win:vars]
ansible_user = Administrator
volact_password_env = VOLACT_PASSWORD
"""

YAML = """\
---
all:
  vars:
    ansible_user: Administrator
    volact_password_env: VOLACT_PASSWORD
  hosts:
    bastion.example.com:
      ansible_user: root
  children:
    win:
      children:
        web:
          hosts:
            web[01:03].example.com:2222:
              ansible_user: ACME\\ops
        db:
          hosts:
            db-[a:b]:
              ansible_host: 10.0.0.9
"""


def write(tmp_path: Path, text: str, name: str = "hosts.ini") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def load(tmp_path: Path, text: str, name: str = "hosts.ini") -> Inventory:
    return load_inventory(write(tmp_path, text, name))


def only(inventory: Inventory) -> Server:
    (server,) = inventory.servers
    return server


def nothing(_: str) -> None:
    """Every key file is good."""


@pytest.mark.parametrize(("text", "name"), [(INI, "hosts.ini"), (YAML, "hosts.yml")])
def test_groups_ranges_ports_and_variables(tmp_path: Path, text: str, name: str) -> None:
    inventory = load(tmp_path, text, name)
    by_name = {server.name: server for server in inventory.servers}
    assert list(by_name) == [
        "bastion.example.com",
        *(f"web0{number}.example.com" for number in (1, 2, 3)),
        *("db-a", "db-b"),
    ]
    web = by_name["web02.example.com"]
    assert str(web.address) == "ssh://web02.example.com:2222"
    assert web.credential == Credential(user="ACME\\ops", password_env="VOLACT_PASSWORD")
    assert web.tags == ("web", "win")
    assert str(by_name["db-a"].address) == "ssh://10.0.0.9"
    assert by_name["db-a"].credential.user == "Administrator"
    assert by_name["bastion.example.com"].tags == ()
    assert by_name["bastion.example.com"].credential.user == "root"
    (note,) = inventory.notes
    assert "db-a and db-b have the same address, ssh://10.0.0.9" in note


def test_a_host_knows_its_line(tmp_path: Path) -> None:
    inventory = load(tmp_path, INI)
    assert inventory.lines["web03.example.com"] == 5
    assert inventory.lines["db-b"] == 7


WINRM = "[win]\na {}\n[win:vars]\nansible_connection={}\n"


@pytest.mark.parametrize(
    ("connection", "variables", "address"),
    [
        ("winrm", "", "winrms://a"),
        ("winrm", "ansible_port=5985", "winrm://a:5985"),
        ("winrm", "ansible_port=5986", "winrms://a:5986"),
        ("winrm", "ansible_port=8443", "winrms://a:8443"),
        ("winrm", "ansible_winrm_scheme=http", "winrm://a"),
        ("winrm", "ansible_winrm_scheme=https ansible_port=5985", "winrms://a:5985"),
        ("psrp", "", "winrms://a"),
        ("psrp", "ansible_port=5985", "winrm://a:5985"),
        ("psrp", "ansible_port=5986", "winrms://a:5986"),
        ("psrp", "ansible_port=8443", "winrms://a:8443"),
        ("psrp", "ansible_psrp_protocol=http", "winrm://a"),
        ("ansible.builtin.psrp", "", "winrms://a"),
        ("ssh", "ansible_host=2001:db8::1 ansible_port=2222", "ssh://[2001:db8::1]:2222"),
        ("smart", "", "ssh://a"),
    ],
)
def test_scheme_and_port_are_those_ansible_would_take(
    tmp_path: Path, connection: str, variables: str, address: str
) -> None:
    server = only(load(tmp_path, WINRM.format(variables, connection)))
    assert str(server.address) == address


@pytest.mark.parametrize("name", ["winrm_scheme", "psrp_protocol"])
@pytest.mark.parametrize(("more", "tls"), [("", False), (" volact_winrm_tls=true", True)])
def test_http_that_is_named_is_no_https_by_the_port(
    tmp_path: Path, name: str, more: str, tls: bool
) -> None:
    variables = f"ansible_{name}=http ansible_port=5986{more}"
    server = only(load(tmp_path, WINRM.format(variables, name.partition("_")[0])))
    assert (server.address.port, server.winrm_tls) == (5986, tls)


OF_ALL = "[all:vars]\n" + "".join(
    f"ansible_{name}host={name or 'any-'}host\n"
    f"ansible_{name}port={port}\n"
    f"ansible_{name}user={name or 'any-'}user\n"
    for name, port in (("", 1), ("ssh_", 2), ("winrm_", 3), ("psrp_", 4))
)


@pytest.mark.parametrize(
    ("connection", "address", "user"),
    [
        ("ssh", "ssh://ssh_host:2", "ssh_user"),
        ("winrm", "winrms://winrm_host:3", "winrm_user"),
        ("psrp", "winrms://psrp_host:4", "psrp_user"),
    ],
)
def test_variables_of_the_plugin_count_before_the_common_ones_and_those_of_others_never(
    tmp_path: Path, connection: str, address: str, user: str
) -> None:
    a = only(load(tmp_path, f"a ansible_connection={connection}\n{OF_ALL}"))
    assert (str(a.address), a.credential.user) == (address, user)
    others = [line for line in OF_ALL.splitlines() if f"_{connection}_" not in line]
    common = only(load(tmp_path, f"a ansible_connection={connection}\n" + "\n".join(others)))
    assert (common.address.host, common.address.port) == ("any-host", 1)
    strange = [line for line in others if "any-" not in line and "ansible_port" not in line]
    none = only(load(tmp_path, f"a ansible_connection={connection}\n" + "\n".join(strange)))
    assert (none.address.host, none.address.port, none.credential.user) == ("a", None, "")


def test_beside_a_whole_address_its_scheme_says_whose_variables_count(tmp_path: Path) -> None:
    text = (
        "a volact_address=winrms://10.0.0.5 ansible_connection='{{ later }}'\n"
        "[all:vars]\nansible_ssh_user=of-ssh\nansible_winrm_user=of-winrm\n"
    )
    assert only(load(tmp_path, text)).credential.user == "of-winrm"
    assert only(load(tmp_path, text.replace("winrms:", "ssh:"))).credential.user == "of-ssh"


@pytest.mark.parametrize(("connection", "line"), [("ssh", 5), ("winrm", 7), ("psrp", 7)])
def test_the_password_is_the_one_that_ansible_would_take(
    tmp_path: Path, connection: str, line: int
) -> None:
    names = ("password", "ssh_pass", "ssh_password", "winrm_pass", "winrm_password")
    variables = "".join(f"ansible_{name}=of-{name}\n" for name in names)
    a = only(load(tmp_path, f"a ansible_connection={connection}\n[all:vars]\n{variables}"))
    assert a.credential.password_held.endswith(f"line {line}")


def test_winrm_settings(tmp_path: Path) -> None:
    text = """\
all:
  vars: {ansible_connection: winrm}
  hosts:
    a:
      ansible_winrm_transport: [credssp, ntlm]
      ansible_winrm_server_cert_validation: ignore
      ansible_winrm_ca_trust_path: /etc/ca.pem
      ansible_winrm_kerberos_hostname_override: a.corp.example
    b:
      ansible_connection: psrp
      ansible_psrp_auth: certificate
      ansible_psrp_certificate_pem: b.pem
      ansible_psrp_certificate_key_pem: /k/b.key
      ansible_psrp_cert_trust_path: /etc/ca.pem
    c:
      ansible_connection: psrp
      ansible_psrp_cert_validation: ignore
      ansible_psrp_ca_cert: c.pem
      ansible_psrp_cert_trust_path: /etc/ca.pem
      ansible_psrp_negotiate_hostname_override: c.corp.example
    d:
      ansible_connection: psrp
      ansible_psrp_ca_trust_path: /no/variable/of/psrp
      ansible_winrm_ca_trust_path: /nor/this
"""
    a, b, c, d = load(tmp_path, text, "hosts.yaml").servers
    assert a.winrm == WinRm(
        auth="ntlm", ca_file="/etc/ca.pem", verify=False, kerberos_host="a.corp.example"
    )
    assert b.winrm == WinRm(auth="certificate", ca_file="/etc/ca.pem")
    assert c.winrm == WinRm(
        ca_file=str(tmp_path / "c.pem"), verify=False, kerberos_host="c.corp.example"
    )
    assert d.winrm == WinRm()
    assert b.credential.certificate_file == str(tmp_path / "b.pem")
    assert b.credential.certificate_key_file == "/k/b.key"


@pytest.mark.parametrize(
    "arguments",
    [
        "-o ProxyJump=ops@bastion:2222",
        "-oProxyJump=ops@bastion:2222 -C",
        "-C -J ops@bastion:2222",
        "-Jops@bastion:2222",
        "-o 'ProxyJump ops@bastion:2222'",
    ],
)
def test_a_jump_host_among_the_arguments_of_ssh(tmp_path: Path, arguments: str) -> None:
    server = only(load(tmp_path, f'a ansible_ssh_common_args="{arguments}"\n'))
    bastion = Address(scheme="ssh", host="bastion", port=2222, user="ops")
    assert server.ssh == SshRoute(jump=(bastion,))


def test_a_proxy_command_that_is_a_jump_host(tmp_path: Path) -> None:
    server = only(
        load(
            tmp_path,
            "a ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p -q ops@bastion\"'\n",
        )
    )
    assert server.ssh.jump == (Address(scheme="ssh", host="bastion", user="ops"),)
    with pytest.raises(InputError, match="line 1: a ProxyCommand other than"):
        load(tmp_path, "a ansible_ssh_common_args='-o ProxyCommand=\"nc %h %p\"'\n")


def test_own_variables_say_what_ansible_has_no_word_for(tmp_path: Path) -> None:
    text = """\
all:
  hosts:
    a:
      volact_provider: tencent
      volact_tags: [canary, slow]
      volact_password_command: pass show win
      ansible_password: "{{ lookup('env', 'PW') }}"
      volact_winrm_tls: true
"""
    server = only(load(tmp_path, text, "hosts.yml"))
    assert (server.provider, server.tags) == ("tencent", ("canary", "slow"))
    # Another source is named, so what Ansible would use is not read.
    assert server.credential == Credential(password_command=("pass", "show", "win"))
    assert server.winrm.tls is True


def test_variables_beside_the_inventory_in_ansibles_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        "[all:vars]\nansible_user=u0\n[web:vars]\nansible_user=u1\n"
        "[web]\na\nb\nc ansible_user=u3\nd ansible_user=u3\n",
    )
    write(tmp_path, "ansible_user: u2\nansible_port: 1\n", "group_vars/all.yml")
    assert [s.credential.user for s in load_inventory(tmp_path / "hosts.ini").servers] == [
        *("u2", "u2", "u3", "u3")
    ]
    write(tmp_path, "ansible_user: u25\n", "group_vars/web/10-login.yml")
    write(tmp_path, "ansible_port: 2\n", "group_vars/web/20-port")
    write(tmp_path, "---\nansible_user: u4\n", "host_vars/d.yaml")
    servers = load_inventory(tmp_path / "hosts.ini").servers
    assert [s.credential.user for s in servers] == ["u25", "u25", "u3", "u4"]
    assert {s.address.port for s in servers} == {2}


BESIDE = (
    *("both/x.yml", "both.yml"), *("file", "file.yml"), *("two.yml", "two.yaml", "two.json"),
    *("json.json",), *("other.txt", "other.ini"), *("folder.yml/inside.yml", "folder.json"),
    *("deep/b.yml", "deep/a/z.yaml", "deep/a/y", "deep/c.json", "deep/a.yml"),
    *("deep/.hidden.yml", "deep/.git/x.yml", "deep/old~", "deep/old.yml~", "deep/note.txt"),
    *("deep/dir.d/x.yml", "deep/dot.", "deep/b.yml.bak", "deep/a/.x/y.yml"),
    *("gone.yaml",), *("dotted.example.yml", "dotted"), *(".hidden.yml",),
)  # fmt: skip
ASKED = (
    "both", "file", "two", "json", "other", "folder", "deep", "gone", "dotted", "dotted.example",
    "two.yml", ".hidden", "absent",
)  # fmt: skip
ANSIBLE = """
import json, os, sys
from ansible.parsing.dataloader import DataLoader
found = {name: DataLoader().find_vars_files(sys.argv[1], name) for name in sys.argv[2:]}
print(json.dumps({n: [os.path.relpath(f, sys.argv[1]) for f in fs] for n, fs in found.items()}))
"""


def test_the_files_beside_the_inventory_are_those_that_ansible_reads(tmp_path: Path) -> None:
    path = write(tmp_path, "a\n")
    for name in BESIDE:
        write(tmp_path, f"{{{json.dumps(name)}: 1}}\n", f"group_vars/{name}")
    (tmp_path / "group_vars/gone").symlink_to("nowhere")
    (tmp_path / "group_vars/deep/linked.yml").symlink_to("../two.yml")
    folder = Folder(tmp_path / "group_vars", Listing(path, str(path)))
    command = [sys.executable, "-c", ANSIBLE, str(tmp_path / "group_vars"), *ASKED]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    theirs = {
        name: [file.replace("deep/linked.yml", "two.yml") for file in files]
        for name, files in json.loads(told.stdout).items()
    }
    assert {name: [*folder.of(name).variables] for name in ASKED} == theirs
    assert theirs["deep"][:2] == ["deep/a/y", "deep/a/z.yaml"]


def test_a_folder_that_leads_back_into_itself_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path, "a\n")
    write(tmp_path, "x: 1\n", "group_vars/web/a.yml")
    for name in ("one", "two"):
        (tmp_path / "group_vars/web" / name).symlink_to(".")
    found = Folder(tmp_path / "group_vars", Listing(path, str(path))).of("web")
    assert [*found.variables] == ["x"]


def test_a_nearer_group_wins_then_priority_then_the_alphabet(tmp_path: Path) -> None:
    text = """\
[b]
x
[a]
x
[deep]
y
[a:children]
deep
[a:vars]
ansible_user=a
[b:vars]
ansible_user=b
[deep:vars]
ansible_user=deep
"""
    x, y = load(tmp_path, text).servers
    assert (x.credential.user, y.credential.user) == ("b", "deep")
    x, _ = load(tmp_path, text + "[a:vars]\nansible_group_priority=10\n").servers
    assert x.credential.user == "a"


def test_anchors_and_merges(tmp_path: Path) -> None:
    text = """\
all:
  vars: &login
    ansible_user: ops
  hosts:
    a:
      <<: *login
      ansible_port: 2222
    b: {<<: [*login, {ansible_user: other}]}
"""
    a, b = load(tmp_path, text, "hosts.yml").servers
    assert (a.credential.user, a.address.port, b.credential.user) == ("ops", 2222, "ops")


def test_json_is_yaml_and_every_host_keeps_its_own_password(tmp_path: Path) -> None:
    text = '{"all": {"hosts": {"a": {"ansible_password": "p1"}, "b": {"ansible_password": "p2"}}}}'
    inventory = load(tmp_path, text, "hosts.json")
    held = [inventory.held[server.credential.password_held] for server in inventory.servers]
    assert [value.reveal() for value in held if not isinstance(value, InputError)] == ["p1", "p2"]


@pytest.mark.parametrize("name", ["hosts", "inventory", "production.hosts"])
def test_a_file_without_a_telling_name_is_looked_into(tmp_path: Path, name: str) -> None:
    assert len(load(tmp_path, INI, name).servers) == 6
    assert len(load(tmp_path, YAML, name).servers) == 6
    assert len(load(tmp_path, "name;ip\na;10.0.0.5\n", name).servers) == 1
    toml = '[[server]]\naddress = "ssh://10.0.0.5"\n'
    assert len(load(tmp_path, toml, name).servers) == 1
    assert len(load(tmp_path, "# fleet\n[defaults]\nuser = 'x'\n" + toml, name).servers) == 1


async def test_a_password_in_clear_is_taken_said_and_never_shown(tmp_path: Path) -> None:
    text = "[win]\na\nb\n[win:vars]\nansible_password='pass-w0rd-mark'\n"
    inventory = load(tmp_path, text)
    (note,) = inventory.notes
    assert note.startswith(f"{tmp_path / 'hosts.ini'} holds passwords in clear; ")
    assert "pass-w0rd-mark" not in repr(inventory) + note
    secret = await Secrets({}, inventory.held).password(inventory.servers[1].credential)
    assert secret is not None
    assert secret.reveal() == "pass-w0rd-mark"


@pytest.mark.parametrize("text", ["0123", "1_000", "1e5", "True", "5 # five", "é"])
async def test_a_password_is_what_is_written(tmp_path: Path, text: str) -> None:
    inventory = load(
        tmp_path, f"all:\n  hosts:\n    a:\n      ansible_password: '{text}'\n", "h.yml"
    )
    held = inventory.held[only(inventory).credential.password_held]
    assert not isinstance(held, InputError)
    assert held.reveal() == text
    inventory = load(tmp_path, f"[w]\na\n[w:vars]\nansible_password='{text}'\n")
    held = inventory.held[only(inventory).credential.password_held]
    assert not isinstance(held, InputError)
    assert held.reveal() == text


VAULT = """\
all:
  hosts:
    a:
      ansible_password: !vault |
        $ANSIBLE_VAULT;1.1;AES256
        6162
"""


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (VAULT, 4, "ansible_password is encrypted by ansible-vault, which volact does not read"),
        (
            "all:\n  hosts:\n    a:\n      ansible_password: '{{ vault_pw }}'\n",
            4,
            "ansible_password is a template, which volact does not read (name where the password",
        ),
    ],
)
def test_a_password_that_only_ansible_can_read_stops_before_the_start(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = write(tmp_path, text, "hosts.yml")
    inventory = load_inventory(path)
    server = only(inventory)
    with pytest.raises(InputError) as caught:
        check_credentials(inventory, [server], nothing, nothing, {})
    assert caught.value.line().startswith(f"{path} line {line}: ")
    assert says in caught.value.line()
    # A password named on the command line is all that was missing.
    named = with_credential(server, password_env="PW")
    check_credentials(inventory, [named], nothing, nothing, {"PW": "x"})


def test_an_encrypted_file_matters_to_who_needs_a_password(tmp_path: Path) -> None:
    write(tmp_path, "[web]\na\nb ansible_ssh_private_key_file=/k\n")
    locked = write(tmp_path, "$ANSIBLE_VAULT;1.1;AES256\n6162\n", "group_vars/web/vault.yml")
    inventory = load_inventory(tmp_path / "hosts.ini")
    a, b = inventory.servers
    with pytest.raises(InputError, match="is encrypted by ansible-vault, and may hold") as caught:
        check_credentials(inventory, [a], nothing, nothing, {})
    assert caught.value.where == f"{locked} line 1"
    check_credentials(inventory, [b], nothing, nothing, {})


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a ansible_host={{x}}\n", 1, "ansible_host is a template"),
        ("a ansible_port=ssh\n", 1, "port 'ssh' is not a number"),
        ("a ansible_connection=docker\n", 1, "'docker' is none that volact has (ssh, winrm"),
        ("a ansible_user\n", 1, "'ansible_user' is not name=value"),
        ("a ansible_user='x\n", 1, "cannot be read: no closing quotation"),
        ("a\n[web:foo]\n", 2, "[web:foo] is no section (known: children, hosts, vars)"),
        ("[web]\na\n[wbe:vars]\nx=1\n", 3, "there is no group 'wbe' (did you mean 'web'?)"),
        ("[web]\na\n[win:children]\nwbe\n", 4, "there is no group 'wbe' (did you mean 'web'?)"),
        (
            "".join(f"[g{n}:children]\ng{n + 1}\n" for n in range(2000)) + "[g2000]\na\n",
            4002,
            "groups are nested more than 100 deep",
        ),
        ("w[01:5]\n", 1, "[01:5]: both ends need the same number of digits"),
        ("w[9:1]\n", 1, "a range begins with its smaller end"),
        ("w[1:999999]\n", 1, "stands for 999999 hosts, more than 100000"),
        ("w[1:1000]x[1:1000]\n", 1, "stands for 1000000 hosts"),
        (f"w[0:{'9' * 30}]\n", 1, "a number of more than 18 digits"),
        (
            'a ansible_ssh_common_args=\'-o ProxyCommand="ssh -W %h:%p \\\\"x"\'\n',
            1,
            "cannot be read: no closing quotation",
        ),
        ("a volact_pasword_env=X\n", 1, "(did you mean 'volact_password_env'?)"),
        ("a volact_provider=tencnet\n", 1, "(did you mean 'tencent'?)"),
        ("a ansible_connection=winrm ansible_winrm_transport=credssp\n", 1, "'credssp' is none"),
        (
            "[w]\na ansible_connection=winrm\n[w:vars]\n\nansible_winrm_scheme=http\n"
            "ansible_winrm_transport=basic\n",
            2,
            "would send the password in clear",
        ),
    ],
)
def test_every_error_of_an_ini_names_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_inventory(path)
    told = caught.value.line()
    assert told.startswith(f"{path} line {line}: ")
    assert says in told


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("all:\n  hosts: [a, b]\n", 2, "is not a mapping (name: value)"),
        ("all:\n  host:\n    a:\n", 2, "unknown key 'host' in group 'all' (did you mean 'hosts'?"),
        ("all:\n  hosts:\n    a: {x\n", 4, "not YAML: "),
        ("all:\n\thosts:\n", 2, "not YAML: "),
        ("- a\n- b\n", 1, "is not a mapping"),
        ("all:\n  hosts:\n    a: !vault x\n", 3, "is not a mapping"),
        ("all:\n  hosts:\n    a:\n      ansible_host: [x]\n", 4, "ansible_host is not one text ("),
        ("all:\n  vars:\n    ansible_user: {{ admin }}\n  hosts: {a: }\n", 3, "goes in quotes"),
        ("all:\n  hosts:\n    a:\n      volact_kms_host: kms.corp.example\n", 4, "(--kms-host"),
        ("all:\n  hosts:\n    ? [a]\n    : x\n", 3, "has a key that is not a text"),
        ("$ANSIBLE_VAULT;1.1;AES256\n61\n", 1, "is encrypted by ansible-vault"),
        ("a: &a\n  hosts:\n    x:\n  children:\n    a: *a\n", 3, "is among its own children"),
    ],
)
def test_every_error_of_a_yaml_names_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = write(tmp_path, text, "hosts.yml")
    with pytest.raises(InputError) as caught:
        load_inventory(path)
    told = caught.value.line()
    assert told.startswith(f"{path} line {line}: ")
    assert says in told


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("#!/usr/bin/env python\n", "inventory", "is a program (write what it lists into a file: "),
        ("plugin: amazon.aws.aws_ec2\n", "aws.yml", "is a plugin's settings or a program's list"),
        ('{"_meta": {"hostvars": {}}}', "list.json", "is a plugin's settings or a program's list"),
        ("# nothing\n", "hosts.ini", "contains no hosts"),
        ("---\n", "hosts.yml", "is empty"),
    ],
)
def test_what_is_no_inventory(tmp_path: Path, text: str, name: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text, name)
    assert says in caught.value.line()


def test_a_thing_wrong_with_a_group_is_said_once(tmp_path: Path) -> None:
    path = write(tmp_path, "[w]\na\nb\nc\n[w:vars]\nansible_connection=docker\n")
    (problem,) = read_inventory(path).problems
    assert problem.where == f"{path} line 6"


def test_a_range_of_numbers_that_python_does_not_read_is_refused(tmp_path: Path) -> None:
    digits = "9" * 5000
    for text in (f"w[0:{digits}]", f"w[{digits}:{digits}]", f"w[0:9:{digits}]"):
        with pytest.raises(InputError, match="line 1: a range has a number of more than 18 digits"):
            load(tmp_path, f"{text}\n")


def test_many_anchors_cost_no_more_than_they_say(tmp_path: Path) -> None:
    """Groups that name each other ten times over, ten levels deep."""
    levels = ["g0: &g0\n  hosts:\n    x:\n"]
    for level in range(1, 30):
        names = "".join(f"    n{level}_{i}: *g{level - 1}\n" for i in range(3))
        levels.append(f"g{level}: &g{level}\n  children:\n{names}")
    inventory = load(tmp_path, "".join(levels), "hosts.yml")
    assert only(inventory).name == "x"


def test_a_priority_that_is_no_number_is_none(tmp_path: Path) -> None:
    text = "[a]\nh\n[b]\nh\n[a:vars]\nansible_group_priority=²\nansible_port=1\n"
    path = write(
        tmp_path, text + f"[b:vars]\nansible_group_priority={'9' * 5000}\nansible_port=2\n"
    )
    assert only(load_inventory(path)).address.port == 2


def test_a_value_that_looks_like_bad_python_is_a_text_and_no_warning(tmp_path: Path) -> None:
    path = write(tmp_path, "a ansible_user=1else\n")  # a warning would end the test
    assert only(load_inventory(path)).credential.user == "1else"


def test_what_is_merged_in_many_times_is_read_once(tmp_path: Path) -> None:
    """Each of the mappings merges in the one before it twice: 2 to the power of 40 readings."""
    lines = ["all:", "  vars:", "    v0: &a0 {ansible_user: ops}"]
    lines += [f"    v{n + 1}: &a{n + 1} {{<<: [*a{n}, *a{n}]}}" for n in range(40)]
    lines += ["  hosts:", "    h: {<<: *a40}"]
    (server,) = load(tmp_path, "\n".join(lines), "hosts.yml").servers
    assert server.credential.user == "ops"


def test_a_mapping_that_merges_in_itself_is_refused(tmp_path: Path) -> None:
    text = "all: {hosts: {h: &a {<<: [*a, *a]}}}"
    with pytest.raises(InputError, match="not a mapping"):
        load(tmp_path, text, "hosts.yml")


@pytest.mark.parametrize("zone", ["12", "253", "eth0"])
def test_the_zone_of_an_address_is_what_is_written(tmp_path: Path, zone: str) -> None:
    text = f"fe80::1%{zone}\n[fe80::2%{zone}]:22\nc ansible_host=fe80::3%{zone}\n"
    hosts = [server.address.host for server in load(tmp_path, text).servers]
    assert hosts == [f"fe80::{n}%{zone}" for n in (1, 2, 3)]
