"""What a watch and its channels were told, from one start to the next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
from receiver_fixtures import Receiver
from report_samples import STARTED, attention, healthy, unreachable

from volact.cli.watch_channels import WatchedChannels
from volact.cli.watch_state import WatchStateFile
from volact.model.report import RunReport, ServerReport
from volact.notify.channels import open_channels
from volact.report.run_counts import RunCounts
from volact.report.watch_changes import ServerStanding


def ending(name: str = "a") -> ServerReport:
    soon = msgspec.structs.replace(healthy().license, expires="2026-02-10T08:00:00Z")
    return msgspec.structs.replace(healthy(name), license=soon)


def round_of(
    file: Path,
    *servers: ServerReport,
    hooks: tuple[str, ...] = (),
    store: Mapping[str, ServerStanding] | None = None,
) -> list[str]:
    """The changes on standard output of a watch that runs once."""
    watched = WatchedChannels(
        open_channels(list(hooks)),
        within=timedelta(days=30),
        before=store or {},
        file=WatchStateFile(file),
    )
    for server in servers:
        watched.add(server, STARTED)
    counts = RunCounts(servers)
    kinds = [change.kind for change in watched.printed.changes()]
    run = RunReport(
        volact="1", command="check", run="01jx", started=STARTED, elapsed_s=1.0,
        servers=(), summary=counts.summary(),
    )  # fmt: skip
    watched.send(run, counts)
    watched.end([server.name for server in servers])
    return kinds


def test_an_end_is_told_once_though_the_server_was_lost_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "watch.told"
    rows = (unreachable("a"), ending(), unreachable("a"), ending())
    rounds = [round_of(file, row) for row in rows]
    assert rounds == [["new"], ["expiring", "better"], ["worse"], ["better"]]


def test_the_state_is_worth_more_than_the_store(tmp_path: Path) -> None:
    file = tmp_path / "watch.told"
    assert round_of(file, healthy("a")) == []
    unhealthy = {"a": ServerStanding("attention", "x")}
    assert round_of(file, attention("a"), store=unhealthy) == ["worse"]


def test_each_channel_is_compared_with_what_it_was_told_itself(
    tmp_path: Path, receiver: Receiver
) -> None:
    file = tmp_path / "watch.told"
    hook = f"http://127.0.0.1:{receiver.port}/"
    round_of(file, healthy("a"), hooks=(hook,))
    round_of(file, attention("a"))  # a watch by hand, without the channel
    round_of(file, attention("a"), hooks=(hook,))
    (body,) = [body for _, _, body in receiver.got]
    assert [change["kind"] for change in body["changes"]] == ["worse"]


def test_a_channel_that_is_new_is_told_what_needs_attention(
    tmp_path: Path, receiver: Receiver
) -> None:
    file = tmp_path / "watch.told"
    round_of(file, attention("a"), healthy("b"))
    round_of(file, attention("a"), healthy("b"), hooks=(f"http://127.0.0.1:{receiver.port}/",))
    (body,) = [body for _, _, body in receiver.got]
    assert [(change["kind"], change["server"]) for change in body["changes"]] == [("new", "a")]


def test_a_round_that_ended_before_its_message_was_told_to_no_channel(
    tmp_path: Path, receiver: Receiver
) -> None:
    hook = open_channels([f"http://127.0.0.1:{receiver.port}/"])
    watched = WatchedChannels(
        hook, within=timedelta(days=30), before={}, file=WatchStateFile(tmp_path / "watch.told")
    )
    for server, sends in ((healthy("a"), True), (attention("a"), False), (attention("a"), True)):
        watched.add(server, STARTED)
        counts = RunCounts([server])
        run = RunReport(
            volact="1", command="check", run="01jx", started=STARTED, elapsed_s=1.0,
            servers=(), summary=counts.summary(),
        )  # fmt: skip
        kinds = [change.kind for change in watched.printed.changes()]
        if sends:
            watched.send(run, counts)
        watched.end(["a"])
    assert kinds == ["worse"]
    (body,) = [body for _, _, body in receiver.got]
    assert [change["kind"] for change in body["changes"]] == ["worse"]


def test_nothing_is_kept_of_servers_that_are_gone(tmp_path: Path) -> None:
    file = tmp_path / "watch.told"
    round_of(file, attention("a"), healthy("b"))
    round_of(file, healthy("b"))
    assert list(WatchStateFile(file).read().printed) == ["b"]


def test_a_state_that_an_earlier_version_kept_is_read(tmp_path: Path, receiver: Receiver) -> None:
    hook = f"http://127.0.0.1:{receiver.port}/"
    file = tmp_path / "watch.told"
    (channel,) = open_channels([hook])
    before = {"a": {"verdict": "attention", "cause": "x", "expiring": False}, "b": None}
    state = {"channels": {f"1 {channel.name}": {"failing": True, "before": before}}}
    older = file.with_suffix(".untold")
    older.write_bytes(msgspec.json.encode(state))
    round_of(file, healthy("a"), attention("b"), hooks=(hook,))
    (body,) = [body for _, _, body in receiver.got]
    assert [(c["kind"], c["server"]) for c in body["changes"]] == [("new", "b"), ("better", "a")]
    assert not older.exists()
