"""Which servers an undo is about: those of the run, as the store and the inventory have them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import msgspec
import pytest
from cli_run import volact
from store_samples import end, intent, row, store_writer

from volact.cli.options.servers import FleetOptions
from volact.cli.undo_run import UndoRun, prepare_undo
from volact.model.text import raw
from volact.pipeline.rows import row_without_result
from volact.report.next_step import next_step
from volact.store import open_store

RESULTS = (
    {"do": "set-kms-host", "ok": True, "changed": True},
    {"do": "activate", "ok": True, "changed": True},
)
NOT_STORED = (
    "run aa11 changed this server, but its steps are not in the store: volact cannot undo them"
)


@pytest.fixture
async def store(tmp_path: Path) -> str:
    """A run that changed ``web-01`` and ``web-02``; before the latter the store was locked."""
    url = str(tmp_path / "volact.db")
    writer = store_writer(url, "aa11")
    await writer.sending(intent("web-01"))
    for name in ("web-01", "web-02"):
        writer.row(row(name, results=RESULTS))
    writer.row(row("web-03"))
    writer.finish(end("aa11", servers=3, healthy=3, changed=2))
    return url


def told(what: UndoRun) -> dict[str, str]:
    return {one.name: str(one.error and one.error.message) for one in what.left_out}


def inventory(store: str, *servers: tuple[str, str]) -> str:
    """An inventory beside the store: names and hosts."""
    file = Path(store).with_name("fleet.toml")
    entries = (f'[[server]]\nname = "{name}"\naddress = "ssh://{host}"\n' for name, host in servers)
    file.write_text("".join(entries), "utf-8")
    return str(file)


def test_a_changed_server_whose_steps_were_not_stored_is_named(store: str) -> None:
    what = prepare_undo("last", FleetOptions(store=store), ())
    assert [server.name for server in what.fleet.servers] == ["web-01"]
    assert told(what) == {"web-02": NOT_STORED}
    one = prepare_undo("aa11", FleetOptions(store=store, targets=["web-01"]), ())
    assert told(one) == {}


def test_it_is_named_where_the_inventory_has_it_no_more(store: str) -> None:
    file = inventory(store, ("web-01", "web-01.example"))
    whole = prepare_undo("aa11", FleetOptions(store=store, inventory=file), ())
    assert told(whole) == {"web-02": NOT_STORED}
    some = FleetOptions(store=store, inventory=file, limit=["web-01"])
    assert told(prepare_undo("aa11", some, ())) == {}


@pytest.mark.parametrize("run", ["last", "bb22"])
def test_a_run_without_any_stored_steps_is_undone_nowhere_and_says_so(run: str, store: str) -> None:
    writer = store_writer(store, "bb22")
    writer.row(row("web-02", results=RESULTS))
    writer.finish(end("bb22", servers=1, healthy=1, changed=1))
    done = volact("undo", run, "--store", store, "--yes", "-o", "json", "--no-progress")
    assert done.returncode == 4, done.stderr
    (found,) = json.loads(done.stdout)["servers"]
    assert (found["name"], found["verdict"]) == ("web-02", "not-started")
    assert found["error"]["kind"] == "not-begun"
    assert found["error"]["message"] == NOT_STORED.replace("aa11", "bb22")
    with open_store(store) as kept:
        (seen,) = kept.latest(["web-02"])
    assert seen.newest.report.verdict == "healthy", "no visit is made up"


def test_a_server_that_is_left_out_has_no_next_command(store: str) -> None:
    """Another one that the run did not start has: it may be undone by the same command."""
    what = prepare_undo("aa11", FleetOptions(store=store), ())
    (left_out,), how = what.left_out, what.fleet.how
    assert next_step([left_out], how) == ()
    stopped = row_without_result(what.fleet.servers[0], "not-begun", raw("interrupted"))
    command = next_step([stopped], how)
    assert command[0].startswith("volact undo aa11 web-01 ")
    assert next_step([left_out, stopped], how) == command


MOVED = (("old-web", "web-01.example"), ("web-01", "other.example"))
SAME = (("web-01", "web-01.example"), ("alias", "web-01.example"))


@pytest.mark.parametrize("servers", [MOVED, MOVED[::-1]])
def test_two_servers_that_may_both_be_the_changed_one_are_left_alone(
    servers: tuple[tuple[str, str], ...], store: str
) -> None:
    file = inventory(store, *servers)
    what = prepare_undo("aa11", FleetOptions(store=store, inventory=file), ())
    assert what.fleet.servers == ()
    names = ", ".join(name for name, _ in servers)
    changed = f"run aa11 changed this server, which may be any of {names}: "
    assert told(what)["web-01"] == f"{changed}choose one of them with --limit"
    one = FleetOptions(store=store, inventory=file, limit=["old-web"])
    what = prepare_undo("aa11", one, ())
    assert [(one.name, str(one.address)) for one in what.fleet.servers] == [
        ("web-01", "ssh://web-01.example")
    ]
    assert told(what) == {}


@pytest.mark.parametrize("servers", [SAME, SAME[::-1]])
def test_the_server_with_both_name_and_address_is_the_changed_one(
    servers: tuple[tuple[str, str], ...], store: str
) -> None:
    file = inventory(store, *servers, ("moved", "web-02.example"))
    what = prepare_undo("aa11", FleetOptions(store=store, inventory=file), ())
    assert [(one.name, str(one.address)) for one in what.fleet.servers] == [
        ("web-01", "ssh://web-01.example")
    ]


@pytest.fixture
async def sites(tmp_path: Path) -> str:
    """A run that changed two servers that have one address, and a third."""
    url = str(tmp_path / "volact.db")
    writer = store_writer(url, "cc33")
    for name, at in (("site-a", "10.0.0.5"), ("site-b", "10.0.0.5"), ("web-01", "10.0.0.6")):
        await writer.sending(msgspec.structs.replace(intent(name), address=f"ssh://{at}"))
        changed = row(name, results=RESULTS)
        writer.row(msgspec.structs.replace(changed, address=f"ssh://{at}"))
    writer.finish(end("cc33", servers=3, healthy=3, changed=3))
    return url


SHARED = (
    "run cc33 changed several servers with this address, which may be any of site-a, site-b: "
    "give one of these names, without an inventory or with one that has it"
)


@pytest.mark.parametrize("words", [[], ["site-*", "web-01"], ["ssh://10.0.0.5", "web-01"]])
def test_changed_servers_with_one_address_are_left_alone_without_a_name(
    words: list[str], sites: str
) -> None:
    what = prepare_undo("cc33", FleetOptions(store=sites, targets=words), ())
    assert [server.name for server in what.fleet.servers] == ["web-01"]
    assert told(what) == {"site-a": SHARED, "site-b": SHARED}


@pytest.mark.parametrize("name", ["site-a", "site-b"])
def test_of_changed_servers_with_one_address_the_named_one_is_undone(name: str, sites: str) -> None:
    what = prepare_undo("cc33", FleetOptions(store=sites, targets=[name]), ())
    assert [(one.name, str(one.address)) for one in what.fleet.servers] == [
        (name, "ssh://10.0.0.5")
    ]
    assert told(what) == {}


@pytest.mark.parametrize("name", ["site-a", "site-b"])
def test_the_next_command_names_the_same_one_of_servers_with_one_address(
    name: str, sites: str
) -> None:
    what = prepare_undo("cc33", FleetOptions(store=sites, targets=[name]), ())
    assert what.fleet.how.targets == f"cc33 {name}"
    silent = row_without_result(what.fleet.servers[0], "connect", raw("refused"))
    command = next_step([silent], what.fleet.how)[-1]
    _, verb, run, word, *options = shlex.split(command)
    assert (verb, run, options) == ("undo", "cc33", ["--store", sites])
    again = prepare_undo(run, FleetOptions(store=sites, targets=[word]), ())
    assert [server.name for server in again.fleet.servers] == [name]


def test_an_inventory_tells_changed_servers_with_one_address_apart_by_name(sites: str) -> None:
    both = inventory(sites, ("site-a", "10.0.0.5"), ("site-b", "10.0.0.5"))
    what = prepare_undo("cc33", FleetOptions(store=sites, inventory=both, targets=["site-a"]), ())
    assert [server.name for server in what.fleet.servers] == ["site-a"]
    assert told(what) == {}
    other = inventory(sites, ("renamed", "10.0.0.5"), ("web-01", "10.0.0.6"))
    what = prepare_undo("cc33", FleetOptions(store=sites, inventory=other), ())
    assert [server.name for server in what.fleet.servers] == ["web-01"]
    assert told(what) == {"site-a": SHARED, "site-b": SHARED}
