"""``import volact``: what it loads, what it yields, and the pages about it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from inspect import isasyncgen
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lab_thread import drawn_lab
from scripted import HEALTHY, TENCENT, WRONG, Scripted, facts
from virtual_time import now, virtual_time

import volact
from volact import api
from volact.cli.options.changes import KMS_CONCURRENCY
from volact.model.server import WinRm
from volact.pipeline import Job
from volact.transports.base import Raw, Transport

pytestmark = pytest.mark.xdist_group("api")

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text("utf-8"), re.DOTALL)
SERVERS = 8
_AT_ONCE = volact.Control(concurrency=SERVERS)
_HERE = volact.Address(scheme="ssh", host="h", user="a")
_SKIPPED = volact.Server(name="a", address=_HERE, skip="off")


@pytest.fixture(scope="module")
def lab() -> Iterator[Path]:
    """A lab for tests to which it does not matter whether it was activated before."""
    with drawn_lab("tencent", SERVERS, 7) as inventory:
        yield inventory


@pytest.fixture(scope="module")
def fleet(lab: Path) -> volact.Inventory:
    return volact.load_inventory(lab)


def test_the_import_loads_no_module_of_the_product() -> None:
    code = "import sys, volact; print(*(n for n in sys.modules if n.startswith('volact.')))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "\n"


def test_the_names_are_those_of_the_module_behind_them() -> None:
    assert set(volact.__all__) == {*api.__all__, "__version__"}
    for name in api.__all__:
        assert getattr(volact, name) is getattr(api, name)
    assert not hasattr(volact, "nothing")


def test_what_is_wrong_is_raised_before_a_server_is_contacted() -> None:
    for servers, options, words in (
        ((), volact.Options(), "no server given"),
        ("ssh://a@h", volact.Options(provider="missing"), "missing"),
        ("ssh://a@h", volact.Options(kms_hosts=("a:99999",)), "kms_hosts"),
        ("ssh://a@h", volact.Options(limit=("other",)), "no such server: other"),
        ("ssh://a@h", volact.Options(password={"hh": volact.Secret("x")}), "no such server: hh"),
        (_SKIPPED, volact.Options(limit=("a",)), "a is skipped: off"),
        (_SKIPPED, volact.Options(), "a is skipped: off"),
        ("ssh://a@h", volact.Options(key_files=("/no/such/key",)), "No such file"),
    ):
        with pytest.raises(volact.InputError, match=words):
            volact.check(servers, options)


def test_a_value_of_another_type_or_out_of_bounds_is_named() -> None:
    for options, words in (
        ({"limit": "web"}, "limit: "),
        ({"kms_hosts": "kms.example"}, "kms_hosts: "),
        ({"key_files": "id"}, "key_files: "),
        ({"retries": -1}, "retries: -1 is less than 0"),
        ({"retries": "2"}, "retries: "),
        ({"deadline_s": 0}, "deadline_s: 0 is not a number of seconds"),
        ({"deadline_s": float("nan")}, "deadline_s: nan is not"),
        ({"control": volact.Control(concurrency=0)}, "control.concurrency: 0 is less than 1"),
        ({"control": volact.Control(canary="5%")}, "control.canary: "),  # type: ignore[arg-type]
        ({"ssh": volact.SshOptions(host_keys="no")}, "ssh.host_keys: "),  # type: ignore[arg-type]
        ({"policy": volact.Policy(consent=frozenset({"rearmm"}))}, "rearmm: no such step"),
        ({"policy": {"replace_key": True}}, "policy: dict where Policy is needed"),
    ):
        given = volact.Options(**options)
        with pytest.raises(volact.InputError) as caught:
            volact.check("ssh://a@h", given)
        assert words in str(caught.value)
    for servers in (None, Path("fleet.toml"), [b"ssh://a@h"], [5]):
        with pytest.raises(volact.InputError, match="is needed"):
            volact.check(servers)  # type: ignore[arg-type]
    with pytest.raises(volact.InputError, match="dict where Options is needed"):
        volact.check("ssh://a@h", {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"address": "ssh://h"}, "servers.address: str where Address is needed"),
        ({"name": 5}, "servers.name: Expected `str`, got `int`"),
        ({"tags": "web"}, "servers.tags: "),
        ({"expect": ("clock-skew",)}, "servers.expect: "),
        ({"address": volact.Address(scheme="ssh", host="h", port="22")}, "servers.address.port: "),  # type: ignore[arg-type]
        ({"address": volact.Address(scheme="ssh", host="h", port=0)}, "port '0' is not a number"),
        ({"address": volact.Address(scheme="rdp", host="h")}, "unknown scheme 'rdp'"),
        ({"address": volact.Address(scheme="ssh")}, "no host"),
        ({"address": volact.Address(scheme="ssh", host="ssh://h")}, "not a host"),
        ({"address": volact.Address(scheme="ssh", host="10.0.0.5:22")}, "not a host"),
        ({"address": volact.Address(scheme="ssh", host="a@h")}, "'ssh://a@h' is not an address"),
        (
            {"address": volact.Address(scheme="winrm", host="h"), "winrm": WinRm(auth="basic")},
            "would send the password in clear",
        ),
    ],
)
def test_a_server_that_no_inventory_could_hold_is_refused(
    values: dict[str, Any], words: str
) -> None:
    server = volact.Server(**{"name": "a", "address": _HERE, **values})
    with pytest.raises(volact.InputError) as caught:
        volact.check([server])
    assert words in str(caught.value)


def test_a_server_with_every_kind_of_value_is_taken(fleet: volact.Inventory) -> None:
    assert isasyncgen(volact.check(fleet.servers))
    six = volact.Address(scheme="winrms", host="fe80::1%12", port=5986)
    cloud = volact.Address(scheme="tat", host="ap-jakarta/ins-0abc12de")
    for address in (six, cloud):
        assert isasyncgen(volact.check(volact.Server(name="a", address=address)))


def test_a_password_that_is_no_secret_is_refused_and_not_shown() -> None:
    for password in ("hunter2", {"h": "hunter2"}):
        options = volact.Options(password=password)  # type: ignore[arg-type]
        with pytest.raises(volact.InputError, match="str where Secret is needed") as caught:
            volact.check("ssh://a@h", options)
        assert "hunter2" not in str(caught.value)


_LOADED = """
import asyncio, sys, threading, volact
threads = set()
def heard(event, args):
    if event == "import" and args[0].partition(".")[0] == "botocore":
        threads.add(threading.current_thread())
async def first_row():
    async for row in volact.check(volact.load_inventory(sys.argv[1])):
        raise AssertionError(row)
sys.addaudithook(heard)
try:
    asyncio.run(first_row())
except volact.InputError as error:
    print(error)
print(bool(threads), threading.main_thread() in threads)
"""


def test_an_sdk_is_loaded_beside_the_event_loop_and_its_errors_come_before_a_row(
    tmp_path: Path,
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(
        '[[server]]\naddress = "ssm://eu-west-1/i-0123456789abcdef0"\naws-credentials = "gone"\n'
    )
    command = [sys.executable, "-c", _LOADED, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert str(tmp_path / "gone") in done.stdout
    assert done.stdout.splitlines()[-1] == "True False"


def test_the_limit_at_a_kms_host_is_the_command_lines() -> None:
    assert volact.Control().kms_concurrency == KMS_CONCURRENCY


def test_a_program_of_a_foreign_inventory_needs_consent(tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    file.write_text("name,address,password-command\nweb,ssh://a@h,touch x\n", encoding="utf-8")
    fleet = volact.load_inventory(file)
    with pytest.raises(volact.InputError, match="names a program"):
        volact.check(fleet)
    assert isasyncgen(volact.check(fleet, volact.Options(allow_commands=True)))


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in repr(volact.Options(password=volact.Secret("hunter2")))


async def test_check_and_plan_change_nothing_and_activate_repairs() -> None:
    options = volact.Options(control=_AT_ONCE)
    with drawn_lab("tencent", SERVERS, 7) as inventory:
        fleet = volact.load_inventory(inventory)
        before = {row.name: row async for row in volact.check(fleet, options)}
        planned = {row.name: row async for row in volact.plan(fleet, options)}
        repaired = [name for name, row in planned.items() if row.plan]
        limited = volact.Options(control=_AT_ONCE, limit=tuple(repaired))
        after = {row.name: row async for row in volact.activate(fleet, limited)}
    assert set(before) == set(planned) == {server.name for server in fleet.servers}
    assert {name: row.verdict for name, row in before.items()} == {
        name: row.verdict for name, row in planned.items()
    }
    assert not any(row.results for row in (*before.values(), *planned.values()))
    assert repaired
    assert set(after) == set(repaired)
    assert all(row.results for row in after.values())
    assert "healthy" in {row.verdict for row in after.values()}


async def test_a_step_that_needs_all_servers_is_planned_for_all(fleet: volact.Inventory) -> None:
    policy = volact.Policy(consent=frozenset({"rearm"}))
    options = volact.Options(control=_AT_ONCE, policy=policy)
    for run in (volact.plan, volact.activate):
        rows = [row async for row in run(fleet, options)]
        assert sorted(row.name for row in rows) == sorted(server.name for server in fleet.servers)


class Slow(Scripted):
    """A server on which each script takes so long."""

    def __init__(self, *turns: Any, seconds: float) -> None:
        super().__init__(*turns)
        self._seconds = seconds

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        raw = await super().run(script, name=name, deadline_s=deadline_s)
        await asyncio.sleep(self._seconds)
        return raw


async def _activated(**ways: Slow) -> dict[str, str]:
    """What is said of each server of a run with a canary, in one second."""

    @asynccontextmanager
    async def opener(server: volact.Server) -> AsyncIterator[Transport]:
        async with ways[server.name](server) as transport:
            yield transport

    control = volact.Control(canary=volact.Canary(volact.Share(1)), run_s=1.0)
    servers = tuple(msgspec.structs.replace(TENCENT, name=name) for name in ways)
    run = api._Run(volact.Inventory(), servers, opener, Job(mode="activate"), control)
    rows = [row async for row in api._plan_first(run)]
    assert now() == 1.0
    return {row.name: row.error.message if row.error else row.verdict for row in rows}


@virtual_time
async def test_the_time_of_a_run_is_that_of_plans_and_steps_together() -> None:
    said = await _activated(a=Slow(facts(**WRONG), facts(**HEALTHY), seconds=0.6))
    over = "the run's time limit was reached"
    assert said == {"a": f"{over} while steps were applied: run check to see the result"}


@virtual_time
async def test_nothing_is_sent_when_the_time_of_a_run_was_over_with_the_plans() -> None:
    quick = Slow(facts(**WRONG), facts(**HEALTHY), seconds=0.1)
    said = await _activated(a=quick, b=Slow(facts(**WRONG), seconds=30))
    over = "the run's time limit was reached"
    assert said == {"a": f"{over} before it started", "b": f"{over} during the check"}
    assert [request["mode"] for request in quick.requests] == ["probe"]


async def test_a_given_password_rules_over_the_inventory(fleet: volact.Inventory) -> None:
    server = _with_password_alone(fleet)
    wrong = volact.Options(password={server.name: volact.Secret("wrong")}, limit=(server.name,))
    (row,) = [row async for row in volact.check(fleet, wrong)]
    assert row.error is not None
    assert row.error.kind == "auth"


@pytest.mark.parametrize("block", BLOCKS, ids=map(str, range(len(BLOCKS))))
def test_the_examples_of_the_page_run(
    block: str, lab: Path, fleet: volact.Inventory, tmp_path: Path
) -> None:
    server = _with_password_alone(fleet)
    address = f"{server.address.host}:{server.address.port}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _at(block, lab, address)],
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "WINDOWS_PASSWORD": lab.with_suffix(".password").read_text("utf-8").strip(),
        },
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ErrorRow" not in done.stdout
    assert done.stdout.strip() or "volact.plan" in block


def _at(block: str, lab: Path, address: str) -> str:
    host, _, port = address.partition(":")
    block = block.replace('host="10.0.0.5"', f'host="{host}", port={port}')
    return block.replace('"fleet.toml"', repr(str(lab))).replace("10.0.0.5", address)


def _with_password_alone(fleet: volact.Inventory) -> volact.Server:
    logins = ((server, server.credential) for server in fleet.servers)
    return next(
        server
        for server, login in logins
        if login.user == "Administrator" and login.names_password and not login.key_files
    )
