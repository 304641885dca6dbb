"""Runs are kept from the command line, can be taken out again, and go on without a store."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cli_run import Done, volact
from lab_thread import drawn_lab
from postgres_server import PostgresServer

from volact.queries.servers import NamesQuery
from volact.store import open_store

pytestmark = pytest.mark.xdist_group("store-lab")


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    """A fleet to which nothing has to be done."""
    with drawn_lab("healthy", 3, 5) as inventory:
        yield str(inventory)


@pytest.fixture
def mendable() -> Iterator[str]:
    """A fleet with faults that are repaired automatically."""
    with drawn_lab("simple", 6, 5) as inventory:
        yield str(inventory)


class Kept(NamedTuple):
    """A check and an activation of a fleet with faults, and the store that has both."""

    inventory: str
    url: str
    checked: Done
    activated: Done


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    url = str(tmp_path_factory.mktemp("kept") / "volact.db")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql")
        url = server.new_database()
    with drawn_lab("simple", 6, 5) as fleet:
        common = ("-i", str(fleet), "--store", url, "-o", "json")
        checked = volact("check", *common, "--no-progress")
        yield Kept(str(fleet), url, checked, volact("activate", *common, "--yes"))


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_is_kept_and_its_id_is_said(kept: Kept) -> None:
    document, activated = json.loads(kept.checked.stdout), json.loads(kept.activated.stdout)
    assert kept.checked.stderr == f"volact: saved as run {document['run']}\n"
    assert document["notes"] == []
    assert activated["summary"]["changed"] > 0
    with open_store(kept.url) as store:
        last, first = store.runs()
        assert (last.id, last.command) == (activated["run"], "activate")
        assert (first.id, first.command) == (document["run"], "check")
        words = f"volact activate -i {kept.inventory} --store {shlex.quote(kept.url)}"
        assert last.words == words
        by_name = {stored.report.name: stored.report for stored in store.rows(last.id)}
        assert set(by_name) == {row["name"] for row in activated["servers"]}
        for row in activated["servers"]:
            assert by_name[row["name"]].verdict == row["verdict"]
            assert store.facts(last.id, row["name"], "first") is not None
        for intent in store.intents(last.id):
            results = by_name[intent.server].results
            assert [step.do for step in intent.steps] == [result["do"] for result in results]
            changed = [at for at, result in enumerate(results) if result["changed"]]
            assert changed
            assert store.facts(last.id, intent.server, "closing") is not None


def test_nothing_is_kept_where_it_is_not_wanted(healthy: str, tmp_path: Path) -> None:
    file = tmp_path / "volact.db"
    done = volact("check", "-i", healthy, "--store", str(file), "--no-store", "--no-progress")
    assert (done.returncode, done.stderr) == (0, "")
    assert not file.exists()


def test_a_run_goes_on_without_its_store_and_says_so(healthy: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("this is no database at all, but a file in use\n" * 50)
    args = ("check", "-i", healthy, "--store", str(file), "--no-progress")
    done = volact(*args, "-o", "json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["summary"]["healthy"] == 3
    (note,) = document["notes"]
    assert note == (
        f"this run is not stored: store {file}: the file is not a database "
        "(give --store another file)"
    )
    assert done.stderr == f"volact: {note}\n"


def test_a_failure_of_the_store_is_the_least_of_what_can_be_wrong(
    mendable: str, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("this is no database at all, but a file in use\n" * 50)
    done = volact("check", "-i", mendable, "--store", str(file), "--no-progress")
    assert done.returncode == 3
    assert "this run is not stored" in done.stderr


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("mysql://h/d", "mysql://h/d is not a store (give a file, or postgresql://user@host/d"),
        (
            "postgresql://u@h:x/d",
            "postgresql://u@h:x/d is not a store (give a file, or",
        ),
        (
            "postgresql://u\udce9@h/d",
            "postgresql://u\\udce9@h/d is not a store (give a file, or",
        ),
        (
            "postgresql://u:s3cr3t@h/d",
            "--store contains a password, which other users can see in the list",
        ),
    ],
)
def test_words_that_name_no_store_start_nothing(healthy: str, word: str, said: str) -> None:
    for args in (("check", "-i", healthy), ("export",), ("prune", "--older-than", "1d")):
        done = volact(*args, "--store", word)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith(f"volact: {said}")
        assert "s3cr3t" not in done.stderr


def test_the_environment_names_a_store(
    healthy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "volact.db"
    monkeypatch.setenv("VOLACT_STORE", str(file))
    done = volact("check", "-i", healthy, "--no-progress")
    assert done.returncode == 0
    assert "saved as run" in done.stderr
    with open_store(str(file)) as store:
        assert len(NamesQuery().ask(store)) == 3


@pytest.mark.parametrize(
    "words",
    [
        ("history", "{}"), ("status", "--limit", "{}"), ("expiring", "--limit", "{}"),
        ("diff", "{}", "last"), ("forget", "{}", "--yes"), ("undo", "{}", "--yes"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_name_that_is_no_text_is_one_line(kept: Kept, words: tuple[str, ...]) -> None:
    """As a terminal with another encoding types it, and then no database takes it."""
    name, more = "b\udcfcro", ("-i", kept.inventory) if "undo" in words else ()
    done = volact(*(word.format(name) for word in words), *more, "--store", kept.url)
    said = "volact: 'b\\udcfcro': is not UTF-8 text\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_everything_is_exported(kept: Kept, tmp_path: Path) -> None:
    store = ("--store", kept.url)
    everything = lines(volact("export", *store, "--facts").stdout)
    kinds = [line["kind"] for line in everything]
    assert kinds.count("run") == 2
    assert kinds.count("row") == 12
    assert kinds.count("facts") > 12
    intents = [line for line in everything if line["kind"] == "intent"]
    assert intents
    assert all(step["before"] or step["do"] for line in intents for step in line["steps"])
    last = [line for line in everything if line["kind"] == "run"][-1]
    assert last["command"] == "activate"
    document = json.loads(volact("export", "last", *store, "-o", "json").stdout)
    (run,) = document["runs"]
    assert run["id"] == last["id"]
    assert [row["report"] for row in run["rows"]] == [
        line["report"] for line in everything if line["kind"] == "row" and line["run"] == run["id"]
    ]
    assert run["intents"]
    assert "facts" not in run
    whole = json.loads(volact("export", *store, "-o", "json", "--facts").stdout)
    assert [len(run["rows"]) for run in whole["runs"]] == [6, 6]
    file = tmp_path / "rows.csv"
    assert volact("export", "last", *store, "-o", "csv", "--to", str(file)).stdout == ""
    table = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
    assert len(table) == 6
    assert {line["run"] for line in table} == {run["id"]}
    skews = {row["report"]["name"]: row["report"]["clock_skew_s"] for row in run["rows"]}
    assert {line["name"]: line["clock_skew_s"] for line in table} == {
        name: "" if skew is None else str(skew) for name, skew in skews.items()
    }
    assert {line["verdict"] for line in table} <= {"healthy", "attention", "failed"}


def test_an_empty_store_is_exported_and_pruned(store_url: str, tmp_path: Path) -> None:
    with open_store(store_url):
        pass
    store = ("--store", store_url)
    assert json.loads(volact("export", *store, "-o", "json").stdout)["runs"] == []
    assert volact("export", *store).stdout == ""
    assert volact("export", "last", *store).returncode == 2
    pruned = json.loads(volact("prune", *store, "--older-than", "1d", "-o", "json").stdout)
    assert pruned == {"dry_run": False, "runs": 0, "thinned": 0, "rows": 0, "kept_runs": 0}
    absent = str(tmp_path / "no.db")
    for verb in (("export",), ("prune", "--older-than", "1d"), ("forget", "web-01", "-y")):
        missing = volact(*verb, "--store", absent)
        assert (missing.returncode, missing.stdout) == (2, "")
        assert missing.stderr.startswith(f"volact: the store {absent} is empty (to fill it: ")


def test_old_runs_are_pruned(healthy: str, store_url: str) -> None:
    for _ in range(2):
        volact("check", "-i", healthy, "--store", store_url)
    prune = ("prune", "--store", store_url)
    assert volact(*prune).returncode == 2
    assert volact(*prune, "--older-than", "soon").returncode == 2
    dry = volact(*prune, "--older-than", "1s", "--dry-run")
    assert dry.stdout.startswith("rows to delete: ")
    kept = json.loads(volact(*prune, "--older-than", "1h", "-o", "json").stdout)
    assert (kept["rows"], kept["kept_runs"]) == (0, 2)


def test_no_secret_is_kept(kept: Kept) -> None:
    """The lab's password is in its inventory; what opens it must be nowhere in the store."""
    text = Path(kept.inventory).read_text("utf-8")
    given = Path(kept.inventory).parent
    secrets_ = {
        file.read_text("utf-8").strip()
        for file in given.iterdir()
        if file.is_file() and "password" in file.name
    } | {line.split('"')[1] for line in text.splitlines() if line.startswith("password = ")}
    assert secrets_
    told = volact("export", "--store", kept.url, "--facts").stdout
    assert len(told) > 10_000
    raw = b"".join(path.read_bytes() for path in Path(kept.url).parent.glob("volact.db*"))
    assert raw or kept.url.startswith("postgresql:")
    for secret in secrets_:
        assert secret not in told
        assert secret.encode() not in raw
