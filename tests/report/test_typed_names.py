"""Names that others chose, in commands that are printed to be copied."""

from __future__ import annotations

import io
import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_run import volact
from report_samples import HOW, unreachable
from store_samples import keep, row

from volact.inventory.choose import select
from volact.model.server import Address, Server
from volact.report.next_step import next_step
from volact.report.store_reports.store_text import AskedStore, StoreText
from volact.transports.hostkeys import KnownHosts
from volact.typed import is_typable, limit_word

_EXPANDED = [
    "web$(Start-Process calc)", "web`ncalc", "web%PATH%", 'a" --allow rearm "b', "a“;calc;”b",
]  # fmt: skip
_MEANING_MORE = ["web,all", "all", "!db", "&db", "a:!db", "web*", "w[e]b", "w?b"]


def meant(word: str, *names: str) -> list[str]:
    servers = [Server(name=name, address=Address(scheme="ssh", host="h")) for name in names]
    return [server.name for server in select(tuple(servers), [word])]


@pytest.mark.parametrize("name", _EXPANDED)
def test_a_name_that_a_shell_of_windows_expands_is_typed_as_a_glob(name: str) -> None:
    word = limit_word(name, "win32")
    assert not set(word) & set('$`%"“”„')
    assert meant(word, "all", "web", name, "web1(Start-Process calc)") == [name]
    assert (is_typable(name, "win32"), is_typable(name, "linux")) == (False, True)
    assert limit_word(name, "linux") == name


@pytest.mark.parametrize("platform", ["linux", "win32"])
@pytest.mark.parametrize("name", _MEANING_MORE)
def test_a_name_that_means_more_in_a_limit_is_typed_as_a_glob(name: str, platform: str) -> None:
    """Consent that is given to one server would reach others."""
    assert meant(limit_word(name, platform), "web", "db", name, "web-1", "w1b", "a") == [name]


@pytest.mark.parametrize("name", ["web-01", "10.0.0.5:2222", "a&b", "it's", "日本 1", "a:b"])
def test_an_ordinary_name_is_typed_as_it_is(name: str) -> None:
    assert (limit_word(name, "win32"), limit_word(name, "linux")) == (name, name)


def test_the_next_command_holds_nothing_that_a_shell_expands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    command = next_step([unreachable(_EXPANDED[0]), unreachable("db,all")], HOW)[-1]
    limit = '--limit "web[!0-9A-Za-z._-](Start-Process calc),db[!0-9A-Za-z._-]all"'
    assert limit in command


def test_a_host_that_a_shell_expands_is_in_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownHosts(tmp_path / "known", "strict")
    assert known.forget("h$(calc)", 22).endswith("-R 'h$(calc)'")
    monkeypatch.setattr(sys, "platform", "win32")
    assert known.forget("h$(calc)", 22) == ""
    assert known.forget("h.test", 22).endswith("-R h.test")


@pytest.mark.parametrize(
    "name", [*_MEANING_MORE, "[q]", "-x", "--yes", "db,web-1", "it's", "web-1"]
)
def test_the_commands_of_a_store_mean_this_server_alone(tmp_path: Path, name: str) -> None:
    url = str(tmp_path / "v.db")
    keep(url, "aa11", *map(row, dict.fromkeys([name, "web-1", "web-2", "q", "db", "all"])))
    out = io.StringIO()
    text = StoreText(out, datetime(2027, 1, 1, tzinfo=UTC), asked=AskedStore(store=url))
    text.if_gone(name)
    text.history_of(name)
    commands = [shlex.split(line.partition(": ")[2])[1:] for line in out.getvalue().splitlines()]
    (forget, *name_of), (history, *rest) = commands
    forgotten = json.loads(volact(forget, "-o", "json", "--dry-run", *name_of).stdout)
    looks = json.loads(volact(history, "-o", "json", *rest).stdout)
    assert forgotten["servers"] == [name]
    assert (looks["server"], len(looks["looks"])) == (name, 1)
