"""Undoing a run on a real script host: what Wine can put back is back, the rest is never "done"."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import apply
from loopback import Loopback
from store_samples import store_writer
from test_agent_steps import NAME, PORT, SPP
from test_volact_on_wine import Done, volact
from wine_server import WineServer

from volact.model.step import Intent, PlannedStep

W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
Open = Callable[..., Loopback]


@pytest.fixture
def service(wine: WineServer, request: pytest.FixtureRequest) -> Iterator[WineServer]:
    """The server with a licensing service, stopped; its start mode is the parameter."""
    wine.create_service("sppsvc", getattr(request, "param", "demand"))
    yield wine
    wine.delete_service("sppsvc")


@pytest.fixture
def registry(wine: WineServer) -> Iterator[WineServer]:
    """The server; what a test wrote about KMS hosts and time is removed after it."""
    yield wine
    for key in (SPP, rf"{W32TIME}\Parameters"):
        wine.delete_key(key)


def killed_run(store: Path, wine: WineServer, *steps: PlannedStep) -> None:
    """The record of a run that ended between what it sent and the answer to it."""
    writer = store_writer(str(store), "aaaa111122223333")
    address = f"ssh://127.0.0.1:{wine.port}"
    intent = Intent(server=f"127.0.0.1:{wine.port}", address=address, provider="tencent",
                    at="2026-11-24T11:15:15.000Z", steps=steps)  # fmt: skip
    asyncio.run(writer.sending(intent))
    writer.abandon()


def undo(wine: WineServer, store: Path, *args: str) -> Done:
    """Undo the newest run, with the server's key and its known host key."""
    login = ("--user", wine.user, "--key-file", str(wine.key), "--known-hosts",
             str(wine.known_hosts))  # fmt: skip
    words = ("undo", "last", "--yes", "--output", "json", "--provider", "tencent")
    done = volact(*words, *login, "--store", str(store), *args)
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    return Done(done.returncode, json.loads(done.stdout), done.stderr)


def left_of(done: Done) -> dict[str, dict[str, Any]]:
    """What was not put back, by setting."""
    return {left["what"]: left for left in done.row["undo"]["left"] if left["possible"]}


def test_a_service_that_was_started_keeps_running_and_that_is_said(
    service: WineServer, tmp_path: Path
) -> None:
    store = tmp_path / "store.db"
    target = f"ssh://{service.user}@127.0.0.1:{service.port}"
    login = ("--key-file", str(service.key), "--known-hosts", str(service.known_hosts))
    words = ("activate", target, "--yes", "--provider", "tencent", "--output", "json")
    ran = volact(*words, *login, "--store", str(store))
    assert json.loads(ran.stdout)["summary"]["changed"] == 1
    done = undo(service, store)
    assert (done.code, done.row["undo"]["word"]) == (0, "nothing")
    (left,) = done.row["undo"]["left"]
    assert "keeps running" in left["reason"]
    assert service.service_state("sppsvc") == "RUNNING"


def test_a_kms_host_and_a_time_source_are_put_back_in_the_registry(
    registry: WineServer, loopback: Open, tmp_path: Path
) -> None:
    wine, host = registry, loopback("reset")
    wine.set_registry(SPP, NAME, "KMS.Corp.Example")
    wine.set_registry(rf"{W32TIME}\Parameters", "Type", "NoSync")
    step = {"do": "set-kms-host", "layer": "service", "hosts": [host.address]}
    (result,) = apply(wine, step).results
    assert result.changed
    assert result.before == {"host": "kms.corp.example:1688", "name": "KMS.Corp.Example",
                             "port": None}  # fmt: skip
    wine.set_registry(rf"{W32TIME}\Parameters", "Type", "NTP")
    wine.set_registry(rf"{W32TIME}\Parameters", "NtpServer", "time1.tencentyun.com,0x8")
    store = tmp_path / "store.db"
    params = {"layer": "service", "hosts": [host.address]}
    killed_run(
        store,
        wine,
        PlannedStep(index=0, do="set-time-source", params={"peers": ["time1.tencentyun.com"]},
                    before={"type": "NoSync", "peers": None}),
        PlannedStep(index=1, do="set-kms-host", params=params, before=result.before),
    )  # fmt: skip
    done = undo(wine, store)
    assert (done.code, done.row["undo"]["word"]) == (0, "undone"), done.row["undo"]
    assert {one["what"] for one in done.row["undo"]["undone"]} == {"kms-host", "time-source"}
    assert wine.registry(SPP, NAME) == "REG_SZ KMS.Corp.Example"
    assert wine.registry(SPP, PORT) is None
    assert wine.registry(rf"{W32TIME}\Parameters", "Type") == "REG_SZ NoSync"
    assert wine.registry(rf"{W32TIME}\Parameters", "NtpServer") is None
    again = undo(wine, store)
    assert again.row["undo"]["word"] == "undone", "the undo is undone"
    assert wine.registry(SPP, NAME) == "REG_SZ 127.0.0.1"
    assert wine.registry(SPP, PORT) == f"REG_SZ {host.port}"
    assert wine.registry(rf"{W32TIME}\Parameters", "NtpServer") == "REG_SZ time1.tencentyun.com,0x8"


def test_what_was_changed_since_stays(registry: WineServer, tmp_path: Path) -> None:
    wine, store = registry, tmp_path / "store.db"
    wine.set_registry(SPP, NAME, "kms.by.hand")
    params = {"layer": "service", "hosts": ["kms.tencentyun.com:1688"]}
    before = {"host": "kms.old:1688"}
    killed_run(store, wine, PlannedStep(index=0, do="set-kms-host", params=params, before=before))
    done = undo(wine, store)
    assert (done.code, done.row["undo"]["word"]) == (3, "refused")
    assert left_of(done)["kms-host"]["now"] == "kms.by.hand:1688"
    assert wine.registry(SPP, NAME) == "REG_SZ kms.by.hand"


@pytest.mark.parametrize("service", ["demand"], indirect=True)
def test_a_start_mode_that_wine_does_not_set_is_not_called_put_back(
    service: WineServer, tmp_path: Path
) -> None:
    """Wine's ``sc config`` does nothing: the closing probe must report that."""
    store = tmp_path / "store.db"
    killed_run(
        store,
        service,
        PlannedStep(index=0, do="enable-service", params={"name": "sppsvc", "start": "demand"},
                    before={"state": "Stopped", "start": "Disabled"}),
    )  # fmt: skip
    done = undo(service, store)
    assert (done.code, done.row["verdict"], done.row["undo"]["word"]) == (3, "failed", "failed")
    assert "could not be restored" in left_of(done)["start-mode/sppsvc"]["reason"]
    assert done.row["undo"]["undone"] == []


def test_nothing_is_put_back_on_what_wine_cannot_tell(wine: WineServer, tmp_path: Path) -> None:
    """Wine's icacls saves nothing, so the present rights are unknown."""
    store = tmp_path / "store.db"
    params = {"sid": "S-1-5-20", "deny": []}
    before = {"sddl": "D:PAI(A;;FA;;;SY)"}
    killed_run(store, wine, PlannedStep(index=0, do="grant-execute", params=params, before=before))
    done = undo(wine, store)
    assert (done.code, done.row["undo"]["word"]) == (3, "refused")
    assert done.row["results"] == []
    assert "acl" in left_of(done)
