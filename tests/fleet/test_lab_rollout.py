"""Rollouts of the whole of volact over real SSH: what begins, what stops, what goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cli_process import FORKED
from cli_run import volact
from forked_volact import ForkedVolact
from lab_thread import lab_in_thread

from volact import Options, activate
from volact.fleet import Canary, Control, Share, apply_fleet, plan_fleet
from volact.fleet.canary import choose_canaries
from volact.inventory import Secrets, check_credentials, load_inventory
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact.transports.hostkeys import check_known_hosts
from volact.transports.keys import check_key_file
from volact.transports.login import SshOptions
from volact_lab.lab import Lab
from volact_lab.windows.spec import Spec

LOCK = "C:\\Windows\\volact.lock"
LIFE_MS = 240_000
PATIENT = ("--deadline", "600", "--connect-timeout", "300")  # for a busy machine


class Done(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON on standard output."""
        return dict(json.loads(self.out))

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """Its rows by name; every server has one."""
        rows = self.document["servers"]
        assert len({row["name"] for row in rows}) == len(rows)
        return {row["name"]: row for row in rows}

    def kinds(self) -> dict[str, str]:
        """The error kind of each row that has one."""
        return {name: row["error"]["kind"] for name, row in self.rows.items() if row["error"]}


class Place:
    """A lab, its inventory file, and volact at work on it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.inventory = folder / "lab.toml"
        self.store = folder / "volact.db"
        lab.write_inventory(self.inventory)

    @asynccontextmanager
    async def started(self, *args: str) -> AsyncIterator[ForkedVolact]:
        """A volact that runs; it is ended at the latest when the test is over."""
        words = ("activate", "-i", str(self.inventory), "--yes", "--no-progress", *PATIENT, *args)
        process = ForkedVolact(*words, env={**os.environ, "VOLACT_STORE": str(self.store)})
        try:
            yield process
        finally:
            process.kill()
            process.close()

    def activate_here(self, *args: str) -> Done:
        """One run to its end in this process; the lab is in another thread."""
        words = ("-i", str(self.inventory), "--yes", "--no-progress", *PATIENT, *args)
        done = Done(*volact("activate", *words))
        assert "Traceback" not in done.err
        return done

    async def activate(self, *args: str) -> Done:
        """One run to its end."""
        async with self.started(*args) as process:
            return await ended(process)

    @property
    def asked(self) -> set[str]:
        """The servers on which anything ran so far."""
        return {name for name, number in self.lab.stats().executions.items() if number}

    def changed(self, *, runs: int) -> set[str]:
        """The servers that were sent steps, after so many runs that examined each."""
        return {name for name, number in self.lab.stats().executions.items() if number > runs}

    @property
    def locked(self) -> list[str]:
        """Servers with a lock on them."""
        slots = self.lab.slots.items()
        return [name for name, slot in slots if slot.built and slot.built.files.is_file(LOCK)]

    async def until(self, what: str) -> None:
        """Wait until the lab has seen it."""
        conditions = {
            "activating": lambda: self.lab.surroundings.kms.asking.total() > 0,
            "two activating": lambda: self.lab.surroundings.kms.asking.total() > 1,
            "refused": lambda: max(self.lab.stats().executions.values()) >= 2,
            "unlocked": lambda: not self.locked,
        }
        while not conditions[what]():
            await asyncio.sleep(0.005)


async def ended(process: ForkedVolact, told: str = "") -> Done:
    """What a volact wrote until its end."""
    out, err = await asyncio.to_thread(process.communicate)
    assert process.returncode is not None
    assert "Traceback" not in err
    return Done(process.returncode, out, told + err)


async def interrupted(
    place: Place, process: ForkedVolact, end: signal.Signals = signal.SIGINT
) -> str:
    """End a run that activates its first servers; what it says to that."""
    await place.until("activating")
    process.send_signal(end)
    return await asyncio.to_thread(process.stderr.readline)


def servers(number: int, *faults: str) -> tuple[Spec, ...]:
    """Servers of two releases with the same faults."""
    return tuple(
        Spec(f"web-{at:02}", index=at, seed=1, release="2016" if at % 2 else "2019",
             language="en", faults=faults)
        for at in range(number)
    )  # fmt: skip


def kms_count(names: list[str]) -> tuple[Spec, ...]:
    """Those of the servers that the KMS host will refuse."""
    return tuple(one for one in servers(10, "kms-count") if one.name in names)


@contextmanager
def beside(folder: Path, *specs: Spec) -> Iterator[Place]:
    """A lab for runs in this process."""
    with lab_in_thread("simple", specs, 1) as lab, pytest.MonkeyPatch.context() as environment:
        place = Place(lab, folder)
        environment.setenv("VOLACT_STORE", str(place.store))
        yield place
        assert lab.errors == []
        assert place.locked == [], "no lock stays"


@asynccontextmanager
async def lab_of(folder: Path, *specs: Spec) -> AsyncIterator[Place]:
    async with Lab("simple", specs, 1) as lab:
        place = Place(lab, folder)
        yield place
        assert lab.errors == []
        assert place.locked == [], "no lock stays"


def test_a_canary_that_fails_stops_the_rollout(tmp_path: Path) -> None:
    with beside(tmp_path, *servers(12, "kms-count")) as place:
        done = place.activate_here("--canary", "2", "-o", "json")
        stopped = done.document["stopped"]
        assert done.code == 4
        assert (stopped["why"], stopped["not_begun"]) == ("canary", 10)
        assert stopped["message"].startswith("the rollout stopped: 2 canaries failed: ")
        summary = {word: n for word, n in done.document["summary"].items() if n}
        assert summary == {"servers": 12, "failed": 2, "not_started": 10}
        assert len(place.changed(runs=1)) == 2
        assert set(done.rows) == {f"web-{at:02}" for at in range(12)}
        assert {name for name, kind in done.kinds().items() if kind == "not-begun"} == (
            set(done.rows) - place.changed(runs=1)
        )
        again = place.activate_here("--canary", "2", "--concurrency", "3", "-o", "text")
        first, second = again.out.splitlines()[:2]
        assert first.startswith("the rollout stopped: ")
        assert first.endswith("10 of 12 servers were not started")
        assert second.startswith(f"  to continue: volact activate -i {place.inventory} ")
        assert " --concurrency 3 --canary 2 " in second, "it bounds how many fail before a stop"
        assert "--resume " in second
        assert len(place.changed(runs=2)) == 2, "the same canaries"


def test_a_canary_that_is_activated_already_proves_nothing(tmp_path: Path) -> None:
    names = [one.name for one in servers(8)]
    _, broken = choose_canaries(names, 6, lambda _: (), lambda name: name)
    some = [one for one in servers(8) if one.name not in broken]
    with beside(tmp_path, *some, *kms_count(broken)) as place:
        place.activate_here("--limit", ",".join(f"!{name}" for name in broken))
        done = place.activate_here("--canary", "1", "-o", "json")
        assert done.document["stopped"]["why"] == "canary"
        summary = {word: n for word, n in done.document["summary"].items() if n}
        assert summary == {"servers": 8, "healthy": 6, "failed": 1, "not_started": 1}


async def test_from_python_canaries_are_chosen_as_well_from_what_has_steps(tmp_path: Path) -> None:
    names = [one.name for one in servers(6)]
    _, broken = choose_canaries(names, 4, lambda _: (), lambda name: name)
    some = [one for one in servers(6) if one.name not in broken]
    async with lab_of(tmp_path, *some, *kms_count(broken)) as place:
        inventory = load_inventory(place.inventory)
        healthy = Options(limit=tuple(one.name for one in some))
        assert {row.verdict async for row in activate(inventory, healthy)} == {"healthy"}
        canary = Options(control=Control(canary=Canary(Share(1))))
        found = [row.verdict async for row in activate(inventory, canary)]
        assert sorted(found) == [
            "failed",
            "healthy",
            "healthy",
            "healthy",
            "healthy",
            "not-started",
        ]


def test_canaries_that_end_well_let_the_others_begin(tmp_path: Path) -> None:
    with beside(tmp_path, *servers(8, "kms-host-wrong")) as place:
        done = place.activate_here("--canary", "25%", "-o", "json")
        assert (done.code, done.document["stopped"]) == (0, None)
        assert {row["verdict"] for row in done.rows.values()} == {"healthy"}


def test_too_many_failures_begin_nothing_more(tmp_path: Path) -> None:
    with beside(tmp_path, *servers(20, "kms-count")) as place:
        done = place.activate_here("--max-failures", "1", "--concurrency", "2", "-o", "json")
        assert done.document["stopped"]["why"] == "failures"
        assert done.document["summary"]["failed"] == len(place.asked)
        assert 2 <= len(place.asked) <= 3
        assert done.code == 4


async def test_planned_first_the_same_rules_hold(tmp_path: Path) -> None:
    async with lab_of(tmp_path, *servers(6, "kms-count")) as place:
        inventory = load_inventory(place.inventory)
        check_credentials(inventory, inventory.servers, check_key_file, check_known_hosts)
        opener, job = make_opener(Secrets(), SshOptions(connect_s=300)), Job(mode="activate")
        seen = [one async for one in plan_fleet(inventory.servers, opener, job)]
        control = Control(canary=Canary(Share(2)))
        rows = {row.name: row async for row in apply_fleet(seen, opener, job, control)}
        failed = [row for row in rows.values() if row.verdict == "failed"]
        held = [row for row in rows.values() if row.error and row.error.kind == "not-begun"]
        assert (len(failed), len(held)) == (2, 4)
        assert {row.os.release for row in failed} == {"2016", "2019"}, "one of each release"
        assert all(row.plan and row.findings for row in held), "what was seen stays"


@FORKED
async def test_asked_first_a_canary_that_fails_stops_it_too(tmp_path: Path) -> None:
    async with lab_of(tmp_path, *servers(4, "kms-count")) as place:
        person, terminal = os.openpty()
        words = ("activate", "-i", str(place.inventory), "--canary", "1", "-o", "json")
        with ForkedVolact(*words, "--no-progress", stdin=terminal) as process:
            os.close(terminal)
            told = await asyncio.to_thread(process.read_until, "[y/N]")
            assert "to 4 servers?" in told
            os.write(person, b"y\n")
            done = await ended(process)
        os.close(person)
        assert (done.code, done.document["stopped"]["why"]) == (4, "canary")
        assert sorted(done.kinds().values()) == ["not-begun"] * 3
        assert sorted(place.lab.stats().executions.values()) == [1, 1, 1, 2]


def test_the_pace_is_kept(tmp_path: Path) -> None:
    with beside(tmp_path, *servers(9)) as place:
        done = place.activate_here("--pace", "20/s", "-o", "json")
        assert done.code == 0
        assert done.document["elapsed_s"] >= 7 / 20


@FORKED
async def test_no_kms_host_is_asked_by_more_at_a_time_than_allowed(tmp_path: Path) -> None:
    async with lab_of(tmp_path, *servers(10, "kms-host-wrong")) as place:
        kms = place.lab.surroundings.kms
        kms.think_s = 0.05
        kms.hold()
        one = ("--kms-host", "kms.tencentyun.com")
        async with place.started(*one, "--kms-concurrency", "2", "-o", "json") as process:
            await place.until("two activating")
            kms.go_on()
            done = await ended(process)
        assert done.code == 0, done.err
        assert kms.answered >= 10
        assert kms.peak == 2


def lock(place: Place, name: str, *, age_ms: int = 0) -> None:
    """Another run is at work on a server, or was."""
    since = int(time.time() * 1000) - age_ms
    text = f"VOLACTLOCK1 {'f' * 16} run-2 {since} {since + LIFE_MS} {since} ops@other"
    place.lab.machine(name).files.write(LOCK, text.encode())


def test_a_server_that_another_run_changes_is_left_alone_and_named(tmp_path: Path) -> None:
    with beside(tmp_path, *servers(4, "kms-host-wrong")) as place:
        lock(place, "web-02")
        done = place.activate_here("--retries", "0", "-o", "json")
        assert done.code == 4
        assert done.kinds() == {"web-02": "busy"}
        row = done.rows["web-02"]
        assert "run run-2 by ops@other, until" in row["error"]["message"]
        assert row["results"] == []
        assert {one["verdict"] for name, one in done.rows.items() if name != "web-02"} == {
            "healthy"
        }
        place.lab.machine("web-02").files.delete(LOCK)
        assert place.activate_here("-o", "json").code == 0


@FORKED
async def test_a_run_waits_for_another_one_to_leave(tmp_path: Path) -> None:
    async with lab_of(tmp_path, *servers(1, "kms-host-wrong")) as place:
        lock(place, "web-00")
        async with place.started("-o", "json") as process:
            await place.until("refused")
            place.lab.machine("web-00").files.delete(LOCK)
            done = await ended(process)
        assert (done.code, done.rows["web-00"]["verdict"]) == (0, "healthy")


def test_a_dead_lock_is_taken_over(tmp_path: Path) -> None:
    with beside(tmp_path, *servers(2, "kms-host-wrong")) as place:
        lock(place, "web-00", age_ms=LIFE_MS + 1000)
        assert place.activate_here("-o", "json").code == 0


@FORKED
async def test_two_runs_at_once_never_meet_on_a_server_and_both_end_right(tmp_path: Path) -> None:
    async with lab_of(tmp_path, *servers(10, "kms-host-wrong")) as place:
        kms = place.lab.surroundings.kms
        kms.think_s = 0.3
        both = await asyncio.gather(
            *(place.activate("-o", "json", "--concurrency", "5") for _ in range(2))
        )
        assert kms.peak_of_one == 1
        for done in both:
            assert done.code == 0, done.err
            assert {row["verdict"] for row in done.rows.values()} == {"healthy"}
        for name in both[0].rows:
            set_by = [done for done in both for result in done.rows[name]["results"]
                      if result["do"] == "set-kms-host" and result["changed"]]  # fmt: skip
            assert len(set_by) == 1, "one of the two has changed it"


@FORKED
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_finishes_what_runs_and_begins_nothing_more(
    tmp_path: Path, end: signal.Signals
) -> None:
    async with lab_of(tmp_path, *servers(12, "never-activated")) as place:
        place.lab.surroundings.kms.hold()
        async with place.started("-o", "json", "--concurrency", "3") as process:
            told = await interrupted(place, process, end)
            place.lab.surroundings.kms.go_on()
            done = await ended(process)
        assert done.code == 130
        assert "finishing the servers in progress" in told
        assert len(done.rows) == 12
        begun = {name for name in done.rows if name not in done.kinds()}
        assert begun == place.asked
        assert begun
        assert {done.rows[name]["verdict"] for name in begun} == {"healthy"}
        assert set(done.kinds().values()) == {"not-begun"}
        assert done.document["stopped"]["why"] == "interrupted"


@FORKED
async def test_a_second_interrupt_gives_up_what_runs(tmp_path: Path) -> None:
    async with lab_of(tmp_path, *servers(5, "never-activated")) as place:
        place.lab.surroundings.kms.hold()
        async with place.started("-o", "json", "--concurrency", "2") as process:
            await place.until("two activating")
            told = await interrupted(place, process)
            assert "press Ctrl-C again" in told
            process.send_signal(signal.SIGINT)
            done = await ended(process, told)
        place.lab.surroundings.kms.go_on()
        assert done.code == 130
        assert sorted(done.kinds().values()) == [*["not-begun"] * 3, *["timeout"] * 2]
        messages = {row["error"]["message"] for row in done.rows.values()}
        assert "interrupted while steps were applied: run check to see the result" in messages
        await place.until("unlocked")  # the agents go on to their end, and give it back


@FORKED
async def test_a_rollout_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    async with lab_of(tmp_path, *servers(10, "never-activated")) as place:
        place.lab.surroundings.kms.hold()
        async with place.started("-o", "json", "--concurrency", "3") as process:
            await interrupted(place, process)
            place.lab.surroundings.kms.go_on()
            first = await ended(process)
        verified = {name for name, row in first.rows.items() if row["verdict"] == "healthy"}
        executions = dict(place.lab.stats().executions)
        done = await place.activate("-o", "json", "--resume", "last")
        assert done.code == 0, done.err
        assert {row["verdict"] for row in done.rows.values()} == {"healthy"}
        carried = {name for name, row in done.rows.items() if row["executions"] == 0}
        assert carried == verified
        run = first.document["run"]
        for name in carried:
            assert place.lab.stats().executions[name] == executions[name], "it was not asked"
            assert done.rows[name]["reason"].startswith(f"verified by run {run} at ")
            assert done.rows[name]["results"] == []
        told = f"servers skipped: run {run} verified them less than an hour ago"
        assert any(told in note for note in done.document["notes"])
        assert done.document["summary"]["changed"] == 10 - len(verified)


@pytest.mark.parametrize(
    ("fault", "then", "now"),
    [
        ("never-activated", (), ("--kms-host", "kms.corp.example")),
        ("own-key", ("--ignore", "licensed-by-own-key"), ()),
    ],
)
def test_a_resumed_run_judges_by_its_own_options(
    fault: str, then: tuple[str, ...], now: tuple[str, ...], tmp_path: Path
) -> None:
    with beside(tmp_path, *servers(1, fault)) as place:
        first = place.activate_here(*then, "-o", "json")
        assert first.rows["web-00"]["verdict"] == "healthy"
        resumed = ("--resume", first.document["run"], "-o", "json")
        again = place.activate_here(*resumed, *then)
        other = place.activate_here(*resumed, *now)
    assert again.rows["web-00"]["executions"] == 0
    assert other.rows["web-00"]["executions"] > 0


def test_a_resumed_run_that_skips_no_server_does_not_speak_of_it(tmp_path: Path) -> None:
    with beside(tmp_path, *servers(2, "edition-evaluation")) as place:
        place.activate_here()
        done = place.activate_here("--resume", "last")
        assert done.code == 3, done.err
        assert "skipped" not in done.out


def test_what_cannot_be_resumed_is_said_in_one_line(tmp_path: Path) -> None:
    with beside(tmp_path, *servers(1)) as place:
        for args in (["--resume", "nosuch"], ["--resume", "last", "--no-store"]):
            done = place.activate_here(*args)
            assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
