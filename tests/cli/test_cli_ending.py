"""A signal while a run ends, or between its parts: nothing that is known by then is lost."""

from __future__ import annotations

import json
import os
import select
import signal
from pathlib import Path

import pytest
from cli_process import FORKED
from forked_volact import ForkedVolact
from lab_thread import drawn_lab

from volact.cli.fleet_options import fleet_of
from volact.cli.options.changes import ActivateOptions
from volact.cli.plan_first import plan_first, unattended
from volact.cli.run_controller import open_run
from volact.model.report import RunReport, ServerReport
from volact.pipeline import Outcome

SERVERS = 200  # their report is longer than what a pipe holds
CHECK, PLAN, ACTIVATE = ("check",), ("plan",), ("activate", "--yes")


@pytest.fixture
def fleet(tmp_path: Path, closed_port: int) -> Path:
    """Servers that refuse each connection."""
    file = tmp_path / "fleet.toml"
    file.write_text(
        "".join(
            f'[[server]]\nname = "web-{n:03}"\naddress = "ssh://127.0.0.{n}:{closed_port}"\n'
            for n in range(1, SERVERS + 1)
        )
    )
    return file


@FORKED
@pytest.mark.parametrize(
    ("verb", "end"),
    [
        (CHECK, signal.SIGINT),
        (CHECK, signal.SIGTERM),
        (PLAN, signal.SIGTERM),
        (ACTIVATE, signal.SIGTERM),
        ((*ACTIVATE, "--canary", "1"), signal.SIGINT),
        ((*ACTIVATE, "--canary", "1"), signal.SIGTERM),
        (("watch", "--once"), signal.SIGTERM),
    ],
)
def test_a_signal_while_a_report_is_written_costs_no_report(
    verb: tuple[str, ...], end: signal.Signals, fleet: Path, tmp_path: Path
) -> None:
    """The reader of the first report is slow: the run waits for it."""
    pipe, table = tmp_path / "pipe", tmp_path / "rows.jsonl"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    words = (*verb, "-i", str(fleet), "--retries", "0", "--no-progress")
    with ForkedVolact(*words, "--report", f"json={pipe},jsonl={table}") as process:
        select.select([reader], [], [])
        process.send_signal(end)
        os.set_blocking(reader, True)
        with os.fdopen(reader, encoding="utf-8") as file:
            document = json.load(file)
        out, told = process.communicate()
    assert process.returncode == 130, told
    assert len(document["servers"]) == SERVERS
    assert len(table.read_text("utf-8").splitlines()) == SERVERS + 1
    assert f"{SERVERS} " in out
    assert {*tmp_path.iterdir()} == {fleet, pipe, table}


class Signalled:
    """Standard output whose end is met by signals."""

    def __init__(self, signals: int) -> None:
        self.rows: list[ServerReport] = []
        self.whole = False
        self._signals = signals

    def add(self, server: ServerReport) -> None:
        """Keep a row."""
        self.rows.append(server)

    def finish(self, run: RunReport) -> None:
        """Send the signals; all is written when they let it."""
        for _ in range(self._signals):
            signal.raise_signal(signal.SIGINT)
        self.whole = True


def at(port: int, **given: object) -> ActivateOptions:
    return ActivateOptions(
        targets=[f"ssh://127.0.0.1:{port}"], retries=0, no_store=True, no_progress=True, yes=True,
        **given,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("canary", ["", "1"])
def test_the_second_signal_while_a_run_ends_ends_it_at_once(canary: str, closed_port: int) -> None:
    options = at(closed_port, canary=canary)
    once, twice = Signalled(1), Signalled(2)
    with open_run(options, fleet_of(options, "activate"), "text", once) as run:
        assert unattended(run) == 130
    assert (len(once.rows), once.whole) == (1, True)
    with (
        pytest.raises(KeyboardInterrupt),
        open_run(options, fleet_of(options, "activate"), "text", twice) as run,
    ):
        unattended(run)
    assert (len(twice.rows), twice.whole) == (1, False)
    with pytest.raises(KeyboardInterrupt):  # signals are handled as before
        signal.raise_signal(signal.SIGINT)


def test_a_signal_before_the_first_change_lets_nothing_be_changed() -> None:
    asked: list[Outcome] = []

    def agreed(pending: list[Outcome]) -> bool:
        asked.extend(pending)
        signal.raise_signal(signal.SIGINT)
        return True

    with drawn_lab("simple", 4, 5) as inventory:
        options = ActivateOptions(inventory=str(inventory), no_store=True, no_progress=True)
        out = Signalled(0)
        with open_run(options, fleet_of(options, "activate"), "text", out) as run:
            assert plan_first(run, agreed) == 130
    assert asked
    assert (len(out.rows), out.whole) == (4, True)
    assert [row.name for row in out.rows if row.results] == []
    stopped = {row.name for row in out.rows if row.error and row.error.kind == "not-begun"}
    assert stopped == {outcome.report.name for outcome in asked}
