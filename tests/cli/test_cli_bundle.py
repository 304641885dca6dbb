"""``volact bundle`` and ``volact replay`` as they are typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_run import volact

from volact.bundle.document import Judged

BUNDLE = Path(__file__).parents[1] / "bundles" / "lab-hard.json"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copy(BUNDLE, tmp_path / "b.json"))


def test_a_bundle_of_a_server_that_is_not_there_says_why_without_its_name(
    tmp_path: Path, closed_port: int
) -> None:
    file = tmp_path / "b.json"
    target = f"ssh://bob@localhost:{closed_port}"
    done = volact("bundle", target, "--to", str(file), "--provider", "tencent")
    assert done.returncode == 4, done.stderr
    server = json.loads(file.read_text())["servers"][0]
    assert (server["name"], server["judged"]["error"]) == ("server-1", "connect")
    assert server["facts"] is None and "bob" not in file.read_text()
    assert str(file) in done.stderr and done.stdout == ""
    again = volact("replay", str(file))
    assert again.returncode == 0 and "1 unchanged" in again.stdout


def test_a_bundle_replaces_no_file(bundle: Path) -> None:
    before = bundle.read_bytes()
    done = volact("bundle", "ssh://localhost", "--to", str(bundle))
    assert done.returncode == 2 and str(bundle) in done.stderr
    assert bundle.read_bytes() == before


def test_replay_names_what_is_judged_differently(bundle: Path) -> None:
    document = json.loads(bundle.read_text())
    judged = document["servers"][0]["judged"]
    found = dict(judged["findings"])
    judged["findings"] = {"clock-set-back": "error"}
    judged["verdict"] = "failed"
    judged["plan"] = ["rearm"]
    bundle.write_text(json.dumps(document))
    done = volact("replay", str(bundle))
    assert done.returncode == 3
    assert "11 unchanged, 1 changed" in done.stdout
    assert "resolved: clock-set-back" in done.stdout and "plan: rearm -> " in done.stdout
    assert all(name in done.stdout for name in found)
    assert "putusan: gagal -> " in volact("replay", str(bundle), "--lang", "id").stdout
    data = json.loads(volact("replay", str(bundle), "--output", "json").stdout)
    assert [row["same"] for row in data[0]["servers"]].count(False) == 1


def test_a_server_that_a_stopped_run_never_began_with_is_judged_alike(bundle: Path) -> None:
    document = json.loads(bundle.read_text())
    judged = {"provider": None, "verdict": "not-started", "error": "not-begun"}
    document["servers"][0] |= {"facts": None, "judged": judged, "message": "interrupted"}
    bundle.write_text(json.dumps(document))
    done = volact("replay", str(bundle))
    assert (done.returncode, "12 unchanged, 0 changed" in done.stdout) == (0, True), done.stdout
    assert volact("replay", str(bundle), "--update").returncode == 0
    assert json.loads(bundle.read_text())["servers"][0]["judged"]["verdict"] == "not-started"


@pytest.mark.parametrize("field", ["volact", "name", "verdict", "error", "plan"])
def test_replay_writes_nothing_that_a_terminal_obeys(bundle: Path, field: str) -> None:
    hostile = "\x1b]0;title\x07\u202e\x9b2J"
    document = json.loads(bundle.read_text())
    server = document["servers"][0]
    where = {"volact": document, "name": server}.get(field, server["judged"])
    where[field] = [hostile] if field == "plan" else hostile
    server["judged"]["provider"] = "aws"
    bundle.write_text(json.dumps(document))
    text = volact("replay", str(bundle)).stdout
    data = volact("replay", str(bundle), "--output", "json").stdout
    assert "provider: aws -> tencent" in text
    assert "\\x1b]0;title" in text
    assert not set(text + data) & set(hostile.replace("]0;title", "").replace("2J", ""))
    assert "\\u001b]0;title" in data


DIFFERENT = {
    "provider": ("aws", "provider: aws -> tencent"),
    "verdict": ("failed", "verdict: failed -> "),
    "findings": ({"clock-set-back": "error"}, "resolved: clock-set-back"),
    "plan": (["rearm"], "plan: rearm -> "),
    "refusals": (["not-entitled"], "refused: not-entitled -> "),
    "error": ("connect", "error: connect -> -"),
}


@pytest.mark.parametrize("field", Judged.__struct_fields__)
def test_replay_names_every_part_that_is_judged_differently(bundle: Path, field: str) -> None:
    value, named = DIFFERENT[field]
    document = json.loads(bundle.read_text())
    document["servers"][0]["judged"][field] = value
    bundle.write_text(json.dumps(document))
    assert named in volact("replay", str(bundle)).stdout


def test_a_bundle_that_an_editor_gave_a_byte_order_mark_is_read(bundle: Path) -> None:
    bundle.write_text(bundle.read_text("utf-8"), "utf-8-sig")
    assert volact("replay", str(bundle)).returncode == 0


def test_update_accepts_todays_judgement(bundle: Path) -> None:
    document = json.loads(bundle.read_text())
    document["servers"][0]["judged"]["verdict"] = "failed"
    bundle.write_text(json.dumps(document))
    assert volact("replay", str(bundle), "--update").returncode == 0
    assert volact("replay", str(bundle)).returncode == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"zzz",
        b"[1]",
        b'{"bundle": 99}',
        b'{"bundle": 1}',
        b'{"bundle": 1, "volact": "1", "python": "3", "servers": [{"name": "a"}]}',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_bundle_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "b.json"
    file.write_bytes(content)
    done = volact("replay", str(file))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and str(file) in done.stderr


def test_facts_that_no_agent_answers_are_one_clear_line(bundle: Path) -> None:
    document = json.loads(bundle.read_text())
    document["servers"][0]["facts"]["products"] = 7
    bundle.write_text(json.dumps(document))
    done = volact("replay", str(bundle))
    assert done.returncode == 2 and "server-1" in done.stderr


def test_a_kms_host_that_is_none_is_one_clear_line(bundle: Path) -> None:
    document = json.loads(bundle.read_text())
    document["servers"][0]["asked"]["kms_hosts"] = ["a/b"]
    bundle.write_text(json.dumps(document))
    done = volact("replay", str(bundle))
    assert done.returncode == 2
    assert done.stderr == f"volact: {bundle}: server-1: 'a/b' is not a host or host:port\n"
