"""The memory verbs on what real runs over a simulated fleet left in a store."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_run import Done, volact
from lab_thread import drawn_lab
from postgres_server import PostgresServer
from schemas import DOCUMENTS
from store_samples import keep, row

from volact.cli.entry import main

# One lab for all of them, also when tests run side by side.
pytestmark = pytest.mark.xdist_group("memory-lab")

SERVERS = 16
FORMATS = ("text", "json", "jsonl", "csv")
KEYS = {"status": "servers", "expiring": "servers", "runs": "runs", "diff": "servers",
        "history": "looks"}  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Checked, activated, checked again; kept in each kind of database."""
    url = str(tmp_path_factory.mktemp("memory") / "volact.db")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql")
        url = server.new_database()
    with drawn_lab("mixed", SERVERS, 7) as inventory:
        common = ("-i", str(inventory), "--deadline", "900", "--no-progress", "--store", url)
        for verb in (("check",), ("activate", "--yes"), ("check",)):
            done = volact(*verb, *common)
            assert done.returncode in (0, 3, 4), done.stderr
    yield url


def ask(store: str, verb: str, *args: str) -> Done:
    return volact(verb, *args, "--store", store)


def asked(store: str, verb: str, *args: str) -> dict[str, Any]:
    """The document, which has the type that is promised for it."""
    done = ask(store, verb, *args, "--output", "json")
    msgspec.json.decode(done.stdout, type=DOCUMENTS[verb], strict=True)
    return dict(json.loads(done.stdout))


def arguments(store: str, verb: str) -> tuple[str, ...]:
    """What the verb needs to have something to report."""
    return {
        "diff": ("last~2", "last"),
        "history": (asked(store, "status")["servers"][0]["name"],),
        "expiring": ("--within", "1000d"),
    }.get(verb, ())


def mark(row: dict[str, Any]) -> str:
    """What distinguishes a row from the others."""
    return str(row.get("name") or row.get("id") or row["run"])


@pytest.mark.parametrize("verb", DOCUMENTS)
@pytest.mark.parametrize("format_", FORMATS)
def test_every_verb_says_the_same_in_every_format(store: str, verb: str, format_: str) -> None:
    args = arguments(store, verb)
    document = asked(store, verb, *args)
    rows = document[KEYS[verb]] + document.get("unknown", [])
    assert rows
    done = ask(store, verb, *args, "--output", format_)
    assert done.stderr == ""
    if format_ == "jsonl":
        *lines, last = map(json.loads, done.stdout.splitlines())
        assert [mark(line) for line in lines] == [mark(row) for row in rows]
        assert last["command"] == verb
    elif format_ == "csv":
        table = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
        assert [mark(line) for line in table] == [mark(row) for row in rows]
        assert None not in table[0]
    elif format_ == "text":
        shown = [row for row in rows if row.get("verdict") != "healthy" or verb == "history"]
        assert all(mark(row) in done.stdout for row in shown[:5])


def test_status_agrees_with_the_last_run(store: str) -> None:
    status, run = asked(store, "status"), asked(store, "runs")["runs"][0]
    for word in ("servers", "healthy", "attention", "failed", "unreachable"):
        assert status["summary"][word] == run["summary"][word]
    assert status["last_run"]["id"] == run["id"]
    assert len(status["servers"]) == SERVERS


def test_runs_are_the_newest_first_and_as_many_as_are_wanted(store: str) -> None:
    assert [run["command"] for run in asked(store, "runs")["runs"]] == [
        "check", "activate", "check",
    ]  # fmt: skip
    assert len(asked(store, "runs", "--last", "1")["runs"]) == 1
    assert "give --last a larger number" in ask(store, "runs", "--last", "1").stdout


def test_activating_made_servers_better_and_the_way_back_would_be_worse(store: str) -> None:
    there, back = asked(store, "diff", "last~2", "last"), asked(store, "diff", "last", "last~2")
    assert there["summary"]["better"] == back["summary"]["worse"] > 0
    assert there["summary"]["resolved"] == back["summary"]["appeared"]
    assert ask(store, "diff", "last", "last~2").returncode == 3
    assert ask(store, "diff", "last", "last").returncode == 0


def test_a_run_is_named_by_the_beginning_of_its_id(store: str) -> None:
    first = asked(store, "runs")["runs"][-1]["id"]
    assert asked(store, "diff", first[:12], "last")["before"]["id"] == first


def test_the_history_of_a_server_that_was_activated(store: str) -> None:
    better = [
        row["name"] for row in asked(store, "diff", "last~2", "last")["servers"]
        if row["kind"] == "better"
    ]  # fmt: skip
    looks = {name: asked(store, "history", name)["looks"] for name in better}
    # Of one whose route to the metadata was added just before nothing more was asked there.
    name = next(name for name in better if not looks[name][1]["stands"])
    last, activated, first = looks[name]
    assert (first["command"], activated["command"], last["command"]) == (
        "check", "activate", "check",
    )  # fmt: skip
    assert first["came"]
    assert set(first["came"]) <= set(activated["went"]) | set(last["stands"])
    assert any(step["changed"] for step in activated["steps"])
    assert (last["verdict"], last["came"], last["went"]) == ("healthy", [], [])
    assert len(asked(store, "history", name, "--since", "1h")["looks"]) == 3


def test_expiring_counts_every_server_once(store: str) -> None:
    for within in ("30d", "1000d"):
        document = asked(store, "expiring", "--within", within)
        assert sum(document["summary"].values()) == SERVERS
        dates = [row["expires"] for row in document["servers"]]
        assert dates == sorted(dates)
    assert ask(store, "expiring", "--within", "1000d").returncode == 3


def test_names_and_clouds_narrow(store: str) -> None:
    name = asked(store, "status")["servers"][3]["name"]
    assert [row["name"] for row in asked(store, "status", "--limit", name)["servers"]] == [name]
    glob = asked(store, "status", "--limit", f"{name[:2]}*,{name}")["servers"]
    assert name in {row["name"] for row in glob}
    assert len(glob) < SERVERS
    assert asked(store, "expiring", "--provider", "ovh")["summary"]["later"] == 0
    assert asked(store, "status", "--provider", "ovh")["servers"] == []
    assert asked(store, "diff", "last~2", "last", "--limit", name)["summary"]["same"] <= 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("history", "missing-server"), "no server missing-server in the store"),
        (("status", "--limit", "missing*"), "no server missing* in the store"),
        (("status", "--stale", "soon"), "--stale soon: not a duration"),
        (("status", "--provider", "nimbus"), "nimbus"),
        (("expiring", "--within", "30"), "--within 30: not a duration"),
        (("diff", "zzzz", "last"), "there is no run zzzz"),
        (("diff", "last~99"), "no such run"),
        (("runs", "--last", "0"), "--last"),
    ],
)
def test_wrong_input_is_one_line(store: str, args: tuple[str, ...], said: str) -> None:
    done = volact(*args, "--store", store)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_name_that_is_nearly_right_is_guessed(store: str) -> None:
    name = asked(store, "status")["servers"][0]["name"]
    done = ask(store, "history", name[:-1])
    assert done.returncode == 2
    assert name in done.stderr


def test_the_span_is_looked_at_before_the_history_is_read(store: str) -> None:
    name = asked(store, "status")["servers"][0]["name"]
    assert ask(store, "history", name, "--since", "ever").returncode == 2


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("verb", "code"), [("status", 0), ("runs", 0), ("expiring", 4)])
def test_an_empty_store_says_how_to_fill_it(
    tmp_path: Path, verb: str, code: int, format_: str
) -> None:
    path = tmp_path / "none.db"
    done = volact(verb, "--store", str(path), "--output", format_)
    assert done.returncode == code
    assert f"the store {path}" in done.stderr
    assert "volact check -i fleet.toml --store" in done.stderr
    assert not path.exists()
    if format_ == "json":
        assert json.loads(done.stdout)[KEYS[verb]] == []


@pytest.mark.parametrize("args", [("history", "web-01"), ("diff",)])
def test_what_needs_something_remembered_refuses_an_empty_store(
    tmp_path: Path, args: tuple[str, ...]
) -> None:
    done = volact(*args, "--store", str(tmp_path / "none.db"))
    assert (done.returncode, done.stdout) == (2, "")


def test_one_run_is_not_enough_to_compare(tmp_path: Path) -> None:
    store = str(tmp_path / "volact.db")
    volact("check", "ssh://127.0.0.1:1", "--provider", "tencent", "--store", store)
    done = volact("diff", "--store", store)
    assert (done.returncode, done.stdout) == (2, "")
    said = "volact: a comparison needs two runs, and the store has one (see: volact runs)\n"
    assert done.stderr == said
    assert volact("diff", "last", "last", "--store", store).returncode == 0


def test_where_nothing_is_kept_that_is_said() -> None:
    done = volact("status")  # the tests have VOLACT_STORE=none
    assert done.returncode == 0
    assert "VOLACT_STORE is none" in done.stderr


def test_another_language_is_spoken_to_people_only(store: str) -> None:
    said = ask(store, "status", "--lang", "id").stdout
    assert "menurut pemeriksaan terakhir" in said
    data = [ask(store, "status", "--lang", lang, "--output", "csv").stdout for lang in ("id", "en")]
    assert data[0] == data[1]


def test_a_run_that_is_stored_meanwhile_is_in_the_summary_and_the_rows_or_in_neither(
    store_url: str,
) -> None:
    keep(store_url, "aa11", *(row(f"web-{n}") for n in range(3)))

    class Out(io.StringIO):
        def write(self, text: str) -> int:
            if not self.tell():  # the first keys of the document
                keep(store_url, "bb22", row("web-0", "failed"), row("new-1", "failed"))
            return super().write(text)

    with redirect_stdout(Out()) as out:
        main(("status", "--store", store_url, "--output", "json"))
    whole = json.loads(out.getvalue())
    assert (whole["last_run"]["id"], whole["summary"]["servers"]) == ("aa11", 3)
    assert [one["verdict"] for one in whole["servers"]] == ["healthy"] * 3
