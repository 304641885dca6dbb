"""The whole of volact against a real server: command line, SSH, script host, and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncssh
import cli_run
import network_world as at
import pytest
from loopback import Loopback
from network_world import NetworkWorld
from wine_server import WineServer

Open = Callable[..., Loopback]
# No test ends because its machine is slow.
PATIENT = ("--deadline", "3600", "--connect-timeout", "600")


class Done(NamedTuple):
    """How a command line ended; ``row`` is the one server's row of the JSON document."""

    code: int
    document: dict[str, Any]
    stderr: str

    @property
    def row(self) -> dict[str, Any]:
        """The one server's row."""
        (row,) = self.document["servers"]
        assert isinstance(row, dict)
        return row

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        """The row's findings by id."""
        return {finding["id"]: finding for finding in self.row["findings"]}


def volact(*args: str) -> cli_run.Done:
    """Run volact in the process of the test."""
    return cli_run.volact(*args, *PATIENT)


def process(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run volact as a process of its own."""
    patient = () if args[0] == "script" else PATIENT
    return subprocess.run(
        [sys.executable, "-m", "volact", *args, *patient],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def on(wine: WineServer, command: str, *args: str) -> Done:
    """Run a command about the server, with its key and its known host key."""
    target = f"ssh://{wine.user}@127.0.0.1:{wine.port}"
    login = ("--key-file", str(wine.key), "--known-hosts", str(wine.known_hosts))
    done = volact(command, target, *login, "--provider", "tencent", "--output", "json", *args)
    assert "Traceback" not in done.stderr
    return Done(done.returncode, json.loads(done.stdout), done.stderr)


@pytest.fixture
def service(wine: WineServer, request: pytest.FixtureRequest) -> Iterator[WineServer]:
    """The server with a licensing service, stopped; its start mode is the parameter."""
    wine.create_service("sppsvc", getattr(request, "param", "demand"))
    yield wine
    wine.delete_service("sppsvc")


def test_check_says_what_is_there_and_what_could_not_be_asked(service: WineServer) -> None:
    before = service.in_temp()
    done = on(service, "check")
    assert done.code == 3
    assert done.row["verdict"] == "attention"
    assert done.row["error"] is None
    assert done.row["executions"] == 1
    assert done.row["os"] == {
        "release": "2008 R2",
        "build": 7601,
        "edition": "ServerStandard",
        "language": "en-US",
    }
    assert set(done.row["license"].values()) == {None}
    assert done.findings["service-stopped"]["evidence"]["state"] == "Stopped"
    assert done.findings["kms-name-unresolved"]["severity"] == "error"
    assert "key-missing" not in done.findings, "products that cannot be read are not 'none'"
    assert done.document["summary"]["changed"] == 0
    assert service.leftovers(before) == []
    assert service.service_state("sppsvc") == "STOPPED"


def test_a_kms_host_is_judged_by_what_the_server_itself_reaches(
    wine: WineServer, loopback: Open, world: NetworkWorld
) -> None:
    there = on(wine, "check", "--kms-host", loopback("reset").address)
    assert not {"kms-unreachable", "kms-name-unresolved"} & set(there.findings)
    gone = on(wine, "check", "--kms-host", world.at(at.REFUSED_LATE))
    assert gone.findings["kms-unreachable"]["evidence"]["why"] == "refused"


def test_activate_really_starts_the_service(service: WineServer) -> None:
    done = on(service, "activate", "--yes")
    (result,) = done.row["results"]
    assert (result["do"], result["ok"], result["changed"]) == ("start-service", True, True)
    assert "service-stopped" in done.row["resolved"]
    assert done.row["executions"] == 2
    assert done.document["summary"]["changed"] == 1
    assert service.service_state("sppsvc") == "RUNNING"
    again = on(service, "activate", "--yes")
    assert again.row["results"] == []
    assert again.document["summary"]["changed"] == 0


@pytest.mark.parametrize("service", ["disabled"], indirect=True)
def test_a_repair_that_does_not_take_is_never_called_done(service: WineServer) -> None:
    """Wine's ``sc config`` does nothing, so the closing probe must still find it disabled."""
    found = on(service, "check")
    assert found.findings["service-disabled"]["repair"] == "automatic"
    done = on(service, "activate", "--yes")
    assert done.code == 3
    assert done.row["verdict"] == "failed"
    assert "service-disabled" in done.findings
    assert "service-disabled" not in done.row["resolved"]
    first = done.row["results"][0]
    assert (first["do"], first["ok"], first["changed"]) == ("enable-service", False, False)
    assert first["after"]["start"] == "Disabled"
    assert done.document["summary"]["changed"] == 0
    assert service.service_state("sppsvc") == "STOPPED"


@pytest.fixture
def release(wine: WineServer, request: pytest.FixtureRequest) -> Iterator[WineServer]:
    """The server reporting the release that the test names."""
    wine.set_release(request.param)
    yield wine
    wine.set_release("win2008r2")


@pytest.mark.parametrize(
    ("release", "name", "hosts"),
    [
        ("win2008", "2008", ["kms.tencentyun.com:1688", "kms1.tencentyun.com:1688"]),
        ("win2008r2", "2008 R2", ["kms.tencentyun.com:1688", "kms1.tencentyun.com:1688"]),
    ],
    indirect=["release"],
)
def test_a_server_release_is_routed_to_its_hosts(
    release: WineServer, name: str, hosts: list[str]
) -> None:
    done = on(release, "check")
    assert done.row["os"]["release"] == name
    assert done.findings["kms-name-unresolved"]["evidence"]["hosts"] == hosts


@pytest.mark.parametrize(
    ("release", "build"), [("win81", 9600), ("win10", 18362)], indirect=["release"]
)
def test_a_client_windows_of_a_server_build_is_left_alone(release: WineServer, build: int) -> None:
    done = on(release, "activate", "--yes")
    assert done.row["os"]["build"] == build
    assert done.row["os"]["release"] is None
    assert "release-unsupported" in done.findings
    assert done.row["results"] == []


def test_a_login_that_fails_is_a_row_with_its_kind(wine: WineServer, tmp_path: Path) -> None:
    inventory = tmp_path / "servers.toml"
    server = f'address = "ssh://{wine.user}@127.0.0.1:{wine.port}"\npassword-env = "P"\n'
    inventory.write_text(
        f'[[server]]\nname = "stranger"\n{server}known-hosts = "none"\n'
        f'[[server]]\nname = "rebuilt"\n{server}known-hosts = "old"\n'
        f'[[server]]\nname = "wrong"\n{server}known-hosts = "{wine.known_hosts}"\n'
    )
    (tmp_path / "none").write_text("")
    old = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    (tmp_path / "old").write_text(f"[127.0.0.1]:{wine.port} {old}")
    done = process("check", "-i", str(inventory), "-o", "json", P="not the password")
    rows = {row["name"]: row for row in json.loads(done.stdout)["servers"]}
    assert done.returncode == 4
    assert rows["stranger"]["error"]["kind"] == "host-key"
    assert rows["rebuilt"]["error"]["kind"] == "host-key-changed"
    assert rows["rebuilt"]["error"]["command"].startswith("ssh-keygen -f ")
    assert rows["wrong"]["error"]["kind"] == "auth"
    assert "not the password" not in done.stdout + done.stderr


def test_a_password_from_the_environment_is_enough(wine: WineServer, tmp_path: Path) -> None:
    inventory = tmp_path / "servers.toml"
    inventory.write_text(
        f'[defaults]\nprovider = "tencent"\nuser = "{wine.user}"\npassword-env = "P"\n'
        f'known-hosts = "{wine.known_hosts}"\n'
        f'[[server]]\nname = "web-01"\naddress = "ssh://127.0.0.1:{wine.port}"\n'
    )
    done = process("check", "-i", str(inventory), "-o", "json", P=wine.password)
    (row,) = json.loads(done.stdout)["servers"]
    assert (row["name"], row["error"], row["os"]["build"]) == ("web-01", None, 7601)
    assert wine.password not in done.stdout + done.stderr


def test_the_handed_out_script_tells_a_person_the_truth(wine: WineServer, tmp_path: Path) -> None:
    file = tmp_path / "activate-win.bat"
    assert process("script", "--provider", "tencent", "--to", str(file)).returncode == 0
    ran = wine.run_file(file.read_bytes(), "activate-win.bat")
    (wine.temp / "activate-win.bat").unlink()
    assert ran.code == 1
    assert "activation of this server with Tencent Cloud" in ran.stdout
    assert "Server 2008 R2" in ran.stdout
    assert "kms.tencentyun.com:1688: no (0x80072EE7)" in ran.stdout
    assert "NOT ACTIVATED" in ran.stdout
    assert ran.stdout.isascii()
    assert wine.leftovers() == []
