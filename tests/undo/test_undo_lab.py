"""A run and its undo, over real SSH, as an operator does it: what is put back is compared whole."""

from __future__ import annotations

import asyncio
import csv
import io
import shlex
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_process import FORKED
from cli_run import Done, volact
from lab_thread import lab_in_thread
from undo_world import ACTIVATE, UNDO, Ended, World

from volact_lab.lab import Lab
from volact_lab.windows.restart import restart
from volact_lab.windows.spec import Spec, TransportName

SERVERS = 54


@asynccontextmanager
async def large(folder: Path) -> AsyncIterator[World]:
    async with Lab("hard", SERVERS, 7) as lab:
        lab.write_inventory(folder / "lab.toml")
        yield World(lab, folder)
        assert lab.errors == []


@contextmanager
def world_of(
    specs: tuple[Spec, ...], folder: Path, transport: TransportName | None = None
) -> Iterator[World]:
    """A lab beside command lines that run in this process, from the folder of its inventory."""
    with lab_in_thread("hard", specs, 7, transport) as lab, pytest.MonkeyPatch.context() as here:
        lab.write_inventory(folder / "lab.toml")
        world = World(lab, folder)
        here.chdir(folder)
        here.setenv("VOLACT_STORE", "store.db")
        here.setenv("LAB_PASSWORD", world.password)
        yield world
        assert lab.errors == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    """Two servers, with a wrong KMS host and with a wrong port."""
    specs = tuple(
        Spec(f"web-{n:02}", index=n, seed=1, release="2019", language="en", faults=(fault,))
        for n, fault in enumerate(("kms-host-wrong", "port-1668"), 1)
    )
    with world_of(specs, tmp_path) as world:
        yield world


def differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Where two pictures of a server differ, part by part."""
    found: dict[str, Any] = {}
    for part, values in before.items():
        was, is_ = (one if isinstance(one, dict) else {"": one} for one in (values, after[part]))
        for name in was.keys() | is_.keys():
            if was.get(name) != is_.get(name):
                found[f"{part}:{name}"] = (was.get(name), is_.get(name))
    return found


Pictures = dict[str, dict[str, Any]]


def all_differing(before: Pictures, after: Pictures) -> dict[str, Any]:
    """The servers that differ, and where."""
    found = {name: differing(picture, after[name]) for name, picture in before.items()}
    return {name: where for name, where in found.items() if where}


@dataclass(frozen=True)
class Runs:
    """An activation, its undo and the undo of that; the servers before and after each."""

    world: World
    activated: Ended
    undone: Ended
    again: Ended
    pictures: tuple[Pictures, Pictures, Pictures, Pictures]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return asyncio.run(done(tmp_path_factory.mktemp("world")))


async def done(folder: Path) -> Runs:
    """The runs, in their order; the lab has ended."""
    async with large(folder) as world:
        before = world.pictures()
        activated = await world.process(*ACTIVATE)
        between = world.pictures()
        undone = await world.process("undo", "last", *UNDO, "--yes", "--allow", "restore-debugger")
        after = world.pictures()
        again = await world.process("undo", "last", *UNDO, "--yes")
        return Runs(world, activated, undone, again, (before, between, after, world.pictures()))


@FORKED
def test_every_server_is_as_it_was_but_for_what_has_no_way_back(runs: Runs) -> None:
    before, activated, undone, _ = runs.pictures
    changed = all_differing(before, activated).keys()
    assert len(changed) >= 10
    assert runs.undone.code == 0, (runs.undone.err, runs.undone.out)
    left = all_differing(before, undone)
    limits = runs.world.machine("limits-raised")[0]
    assert left.keys() == {limits}  # they had been put back, not set
    assert all("w32time\\config" in what for where in left.values() for what in where)
    rows = runs.undone.rows()
    words = {row["undo"]["word"] for row in rows.values()}
    assert words == {"undone", "nothing"}
    assert {name for name, row in rows.items() if row["undo"]["word"] == "undone"} <= changed
    assert {row["undo"]["run"] for row in rows.values()} == {runs.activated.document["run"]}


@FORKED
def test_an_undo_is_a_run_that_can_be_undone(runs: Runs) -> None:
    _, activated, undone, again = runs.pictures
    changed = all_differing(activated, undone).keys()
    assert len(changed) >= 10
    assert runs.again.code == 0, (runs.again.err, runs.again.out)
    assert all_differing(activated, again) == {}
    rows = runs.again.rows()
    assert {name for name, row in rows.items() if row["undo"]["word"] == "undone"} == changed


def test_what_a_person_has_changed_since_stays_and_the_rest_goes_back(small: World) -> None:
    name, machine = small.machine("kms-host-wrong")
    other, second = small.machine("port-1668")
    before = small.pictures()[other]
    small.activate(name, other)
    machine.licensing.set_machine("kms.chosen.by.hand")
    undone = small.undo("last", "--yes")
    assert undone.code == 3
    row = undone.rows()[name]
    assert row["undo"]["word"] == "refused"
    (left,) = [one for one in row["undo"]["left"] if one["possible"]]
    assert left["reason"] == "changed since then: left unchanged"
    assert (left["what"], left["now"]) == ("kms-host", "kms.chosen.by.hand:1688")
    assert machine.licensing.machine() == "kms.chosen.by.hand"
    assert undone.rows()[other]["undo"]["word"] == "undone"
    assert small.pictures()[other] == before
    assert second.licensing.port() == 1668


def test_a_dry_run_changes_nothing_and_says_where_it_leads(small: World) -> None:
    name, _ = small.machine("kms-host-wrong")
    small.activate(name)
    before = small.pictures()
    looked = small.undo("last", "--dry-run")
    row = looked.rows()[name]
    assert (looked.code, row["undo"]["word"]) == (3, "planned")
    assert "kms-host-wrong" in row["undo"]["leads_to"]
    assert [step["do"] for step in row["plan"]] == ["restore-kms-host"]
    assert small.pictures() == before
    text = small.volact("undo", "last", "-i", "lab.toml", "--dry-run", "--no-progress")
    (setting,) = row["undo"]["undone"]
    assert f"KMS host: {setting['put']} → {setting['before']}" in text.out
    assert "then found again: kms-host-wrong" in text.out
    assert "stays: activate" in text.out
    rows = small.volact("undo", "last", "-i", "lab.toml", "--dry-run", "--no-progress", "-o", "csv")
    (step,) = (cells["next"] for cells in csv.DictReader(io.StringIO(rows.out)) if cells["undo"])
    assert small.volact(*shlex.split(step)[1:], "--yes", "--no-progress").code == 0
    assert small.pictures() != before


def test_a_missing_terminal_means_that_nothing_is_done(small: World) -> None:
    asked = here(small, "undo", "last", "-i", "lab.toml")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "--dry-run" in asked.stderr


def test_without_an_inventory_the_addresses_of_the_run_are_used(small: World) -> None:
    name, _ = small.machine("kms-host-wrong")
    before = small.pictures()[name]
    small.activate(name)
    login = ["--user", "Administrator", "--password-env", "LAB_PASSWORD"]
    login += ["--known-hosts", "lab.known_hosts"]
    words = ("undo", "last", name, "--yes", "--output", "json", "--no-progress")
    undone = small.volact(*words, *login)
    assert undone.code == 0, (undone.err, undone.out)
    assert small.pictures()[name] == before


def test_the_last_run_is_the_last_that_sent_steps(small: World) -> None:
    name, _ = small.machine("port-1668")
    first = small.activate(name)
    second = small.activate(name)
    assert (first.document["summary"]["changed"], second.document["summary"]["changed"]) == (1, 0)
    looked = small.undo("last", "--dry-run")
    assert looked.rows()[name]["undo"]["run"] == first.document["run"]


def test_a_named_server_that_the_run_did_not_change_is_said(small: World) -> None:
    name, _ = small.machine("kms-host-wrong")
    other, _ = small.machine("port-1668")
    run = small.activate(name).document["run"]
    looked = small.undo("last", f"{name},{other}", "--dry-run")
    assert list(looked.rows()) == [name]
    assert looked.err.splitlines()[0] == f"volact: run {run} did not change {other}"
    assert small.undo(run, "--dry-run").err == ""


def test_the_run_is_named_that_a_word_stands_for(small: World) -> None:
    """After an undo of a part, ``last`` is that undo and not the rest of the run."""
    name, _ = small.machine("kms-host-wrong")
    other, _ = small.machine("port-1668")
    run = small.activate(name, other).document["run"]
    first = small.undo("last", name, "--yes", "--allow", "restore-debugger")
    line = first.err.splitlines()[0]
    assert line.startswith(f"volact: run to undo: {run}  activate of ")
    undone = first.document["run"]
    (line,) = small.undo("last", "--dry-run").err.splitlines()
    assert line.startswith(f"volact: run to undo: {undone}  undo of ")


def test_a_server_of_the_run_that_is_not_given_is_named(small: World) -> None:
    name, _ = small.machine("kms-host-wrong")
    other, _ = small.machine("port-1668")
    small.activate(name, other)
    text = (small.folder / "lab.toml").read_text()
    head, *servers = text.split("[[server]]")
    kept = [part for part in servers if f'name = "{other}"' not in part]
    (small.folder / "lab.toml").write_text("[[server]]".join([head, *kept]))
    undone = small.undo("last", "--yes")
    assert undone.code == 4
    row = undone.rows()[other]
    assert (row["verdict"], "undo" in row) == ("not-started", False)
    assert "not in the selection" in row["error"]["message"]
    assert undone.rows()[name]["undo"]["word"] == "undone"


WRONG = (
    (["undo"], "name the run"),
    (["undo", "nosuch", "-i", "lab.toml", "--yes"], "nosuch"),
    (["undo", "last", "-i", "lab.toml", "--yes", "--allow", "rearm"], "restore-debugger"),
    (["undo", "last", "missing", "--yes"], "missing"),
)


def test_wrong_words_are_one_line_and_exit_code_2(small: World) -> None:
    small.activate(small.machine("kms-host-wrong")[0])
    for words, said in WRONG:
        ended = here(small, *words)
        assert ended.returncode == 2
        assert said in ended.stderr and len(ended.stderr.splitlines()) == 1


def here(world: World, *words: str, store: str = "store.db") -> Done:
    """What asks no server needs no process of its own."""
    file = str(world.folder / "lab.toml")
    named = [file if word == "lab.toml" else word for word in words]
    return volact(*named, "--store", str(world.folder / store))


def test_where_nothing_is_remembered_that_is_said(small: World) -> None:
    ended = here(small, "undo", "last", "-i", "lab.toml", "--yes", store="other.db")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "is empty" in ended.stderr


def test_an_enabled_licensing_service_is_disabled_again_before_and_after_the_restart(
    tmp_path: Path,
) -> None:
    """Since 2012 its key is written, which Windows reads when it starts."""
    spec = Spec("web-01", index=1, seed=1, release="2019", language="en",
                faults=("sppsvc-disabled",))  # fmt: skip
    with world_of((spec,), tmp_path) as world:
        restarted_between(world, spec.name)


@pytest.mark.parametrize("transport", ["winrm", "tat"])
def test_the_other_ways_in_lead_back_too(tmp_path: Path, transport: TransportName) -> None:
    faults = ("kms-host-wrong", "port-1668", "execute-denied", "kms-name")
    specs = tuple(
        Spec(f"web-{n:02}", index=n, seed=1, release="2019", language="en", faults=(fault,))
        for n, fault in enumerate(faults, 1)
    )
    with world_of(specs, tmp_path, transport) as world:
        before = world.pictures()
        world.activate()
        assert len(all_differing(before, world.pictures())) == len(faults)
        undone = world.undo("last", "--yes")
        assert undone.code == 0, (undone.err, undone.out)
        assert all_differing(before, world.pictures()) == {}


def restarted_between(world: World, name: str) -> None:
    machine = world.lab.slots[name].machine
    before = world.pictures()[name]
    world.activate(name)
    assert differing(before, world.pictures()[name])
    enabled = world.pictures()[name]
    undone = world.undo("last", "--yes")
    assert undone.rows()[name]["undo"]["word"] == "undone"
    assert differing(before, world.pictures()[name]) == {}
    again = world.undo("last", "--yes")
    assert again.rows()[name]["undo"]["word"] == "undone", again.out
    assert differing(enabled, world.pictures()[name]) == {}
    assert (world.undo("last", "--yes")).rows()[name]["undo"]["word"] == "undone"
    activated = (world.activate(name)).document["run"]
    restart(machine)
    assert machine.services.get("sppsvc").start == "Auto"
    undone = world.undo(activated, "--yes")
    assert undone.rows()[name]["undo"]["word"] == "undone", undone.out
    restart(machine)
    assert machine.services.get("sppsvc").start == "Disabled"


@FORKED
async def test_a_run_that_was_killed_is_undone_by_what_the_servers_say(tmp_path: Path) -> None:
    """Wherever it was hit: what was done is put back, what was not is left alone."""
    async with large(tmp_path) as world:
        await killed_and_undone(world)


async def killed_and_undone(world: World) -> None:
    before = world.pictures()
    with world.started(
        *("activate", "-i", "lab.toml", "--yes", "--no-progress", "--allow", "add-dns"),
        *("--allow", "add-route", "--allow", "remove-debugger", "--concurrency", "4"),
    ) as process:
        while process.returncode is None and len(all_differing(before, world.pictures())) < 3:
            await asyncio.sleep(0.02)
        process.kill()
        await asyncio.to_thread(process.communicate)
    while world.lab.busy:  # what was sent goes on without us
        await asyncio.sleep(0.02)
    assert all_differing(before, world.pictures())
    undone = await world.process("undo", "last", *UNDO, "--yes", "--allow", "restore-debugger")
    assert undone.code == 0, (undone.err, undone.out)
    assert all_differing(before, world.pictures()) == {}
