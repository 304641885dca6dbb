"""From the file for a run-command to the report of its output, on simulated servers."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from cli_run import Done, volact
from lab_world import command, place

from volact.agent.pasted import MAX_BYTES
from volact_lab.windows.machine import Machine


def written(service: str, folder: Path, *more: str) -> list[Path]:
    """The files that ``script --for`` writes, for servers of the lab's cloud."""
    file = folder / f"{service}.out"
    done = volact("script", "--for", service, "--provider", "tencent", "--to", str(file), *more)
    assert done.returncode == 0, done.stderr
    paths = [Path(line.split("  ", 1)[1]) for line in done.stdout.splitlines()]
    assert all(path.exists() for path in paths)
    return paths


def carried(service: str, paths: list[Path]) -> bytes:
    """The ``.bat`` that the service's own engine would make of the files."""
    texts = [path.read_text("ascii").replace("\r\n", "\n") for path in paths]
    if service == "gcp":
        return paths[0].read_bytes()
    if service == "aws-ssm":
        texts = ["\n".join(json.loads(texts[0])["Parameters"]["commands"])]
    inside = "".join(re.findall(r"@'\n(.*?)\n'@", text, re.DOTALL)[0] for text in texts)
    if service == "alibaba":
        return zlib.decompress(base64.b64decode(inside), -15)
    return inside.replace("\n", "\r\n").encode()


async def ran(script: bytes, *servers: tuple[str, ...]) -> list[str]:
    """What the script prints on simulated servers with these faults."""
    here = await place()
    try:
        return [
            await _one(here.machine(*faults, name=f"web-{number:02}"), script)
            for number, faults in enumerate(servers, 1)
        ]
    finally:
        await here.surroundings.stop()


async def _one(machine: Machine, script: bytes) -> str:
    path = f"{machine.temp}\\volact-x.bat"
    machine.files.write(path, script)
    done = await command(machine, f'cmd.exe /d /c "{path}"')
    return done.stdout.decode("ascii")


def as_output(service: str, outputs: list[str]) -> str:
    """The outputs in the form in which the service gives them out."""
    if service == "aws-ssm":
        return "\n".join(json.dumps({"StandardOutputContent": o}, indent=4) for o in outputs)
    if service == "azure-run-command":
        rows = [{"value": [{"code": "…/StdOut/succeeded", "message": o}]} for o in outputs]
        return "\n".join(json.dumps(row, indent=2) for row in rows)
    if service == "alibaba":
        results = [{"Output": base64.b64encode(o.encode()).decode()} for o in outputs]
        return json.dumps({"Invocation": {"InvocationResults": {"InvocationResult": results}}})
    log = "2026/01/31 08:00:00 GCEMetadataScripts: windows-startup-script-bat: "
    return "\n".join(f"{log}{line}" for o in outputs for line in o.splitlines())


@pytest.mark.parametrize("service", ["aws-ssm", "azure-run-command", "gcp", "alibaba"])
def test_from_the_file_to_the_report(tmp_path: Path, service: str) -> None:
    script = carried(service, written(service, tmp_path))
    outputs = asyncio.run(ran(script, (), ("kms-host-wrong",)))
    answers = tmp_path / "answers"
    answers.write_text(as_output(service, outputs), "utf-8")
    done = volact("read-answer", str(answers), "--provider", "tencent", "--output", "json")
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    rows = {row["name"]: row for row in document["servers"]}
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "WEB-01": "healthy",
        "WEB-02": "attention",
    }
    assert {row["provider"] for row in rows.values()} == {"tencent"}
    assert all(row["executions"] == 1 for row in rows.values())
    assert rows["WEB-01"]["address"].startswith(f"{answers} line ")
    ids = {finding["id"] for finding in rows["WEB-02"]["findings"]}
    assert "kms-host-wrong" in ids


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plain outputs of a healthy server and one with a foreign KMS host."""
    folder = tmp_path_factory.mktemp("answers")
    script = carried("gcp", written("gcp", folder))
    file = folder / "answers.txt"
    file.write_text("\n".join(asyncio.run(ran(script, (), ("kms-host-wrong",)))))
    return file


def read(*args: str) -> tuple[int, dict[str, Any]]:
    done = volact("read-answer", *args, "--output", "json")
    return done.returncode, json.loads(done.stdout)


def test_the_cloud_is_told_by_the_servers_themselves(answers: Path) -> None:
    code, document = read(str(answers))
    assert code == 3
    assert {row["provider"] for row in document["servers"]} == {"tencent"}


def test_a_plan_and_what_would_be_typed(answers: Path) -> None:
    _, document = read(str(answers), "--mode", "plan", "--provider", "tencent")
    assert document["command"] == "plan"
    healthy, foreign = document["servers"]
    assert healthy["plan"] == []
    assert "set-kms-host" in [step["do"] for step in foreign["plan"]]
    done = volact("read-answer", str(answers), "--provider", "tencent", "--format", "commands")
    assert "slmgr.vbs -skms kms" in done.stdout
    assert done.stdout.startswith("rem WEB-01")


def test_commands_in_the_dialect_that_is_chosen(answers: Path) -> None:
    words = ("read-answer", str(answers), "--provider", "tencent")
    done = volact(*words, "--format", "commands", "--dialect", "powershell")
    (untried,) = (line for line in done.stdout.splitlines() if "not run on a Windows" in line)
    assert untried.startswith("rem ")
    assert "-MethodName SetKeyManagementServiceMachine" in done.stdout
    assert "slmgr" not in done.stdout
    refused = volact(*words, "--dialect", "powershell")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--format commands" in refused.stderr


def test_reports_are_the_usual_ones(answers: Path, tmp_path: Path) -> None:
    page, table = tmp_path / "r.html", tmp_path / "r.csv"
    done = volact(
        "read-answer", str(answers), "--report", f"html={page}", "--report", f"csv={table}"
    )
    assert "HEALTHY  1 server" in done.stdout
    assert "WEB-02" in page.read_text("utf-8")
    assert table.read_text("utf-8").count("WEB-0") >= 2


def todo(done: Done) -> list[str]:
    """What the note on one server says is to be done, without the breaks of its lines."""
    lines = [" ".join(line.split()) for line in done.stdout.split("To do", 1)[1].splitlines()]
    return [line for line in lines if line]


def test_what_to_do_about_one_server_is_what_can_be_done_by_hand(
    answers: Path, tmp_path: Path
) -> None:
    (tmp_path / "one").write_text(answers.read_text().splitlines()[-1])
    asked = ("read-answer", str(tmp_path / "one"), "--provider", "tencent")
    advice = todo(volact(*asked))
    assert advice == [
        "To see what to type on the server:",
        f"volact {' '.join(asked)} --format commands",
    ]


def test_an_answer_that_is_cut_short_is_to_be_read_again(answers: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").write_text(answers.read_text()[:700])
    done = volact("read-answer", str(tmp_path / "cut"))
    assert done.returncode == 4
    assert todo(done) == ["see the message above; then:", f"volact read-answer {tmp_path / 'cut'}"]


def test_consent_that_only_activate_takes_is_not_advised(tmp_path: Path) -> None:
    script = carried("gcp", written("gcp", tmp_path))
    file = tmp_path / "retail.txt"
    file.write_text("\n".join(asyncio.run(ran(script, ("key-retail",)))))
    done = volact("read-answer", str(file), "--mode", "plan", "--provider", "tencent")
    assert done.returncode == 3
    assert "slmgr.vbs -ipk" in done.stdout
    assert "volact read-answer" not in done.stdout


def test_twins_are_told_apart_and_damage_is_a_row(answers: Path, tmp_path: Path) -> None:
    first, second = (line for line in answers.read_text().splitlines() if "VOLACT1" in line)
    twin = second.replace("WEB-02", "WEB-01")
    body = twin.split(" ", 3)[3]
    twin = f"VOLACT1 {len(body)} {zlib.crc32(body.encode()):08x} {body}"
    file = tmp_path / "more.txt"
    file.write_text(f"{first}\n{twin}\n{first[:700]}\n")
    code, document = read(str(file))
    assert code == 4
    assert [row["name"] for row in document["servers"]] == [
        *("WEB-01", "WEB-01-2"),
        f"{file} line 3",
    ]
    error = document["servers"][2]["error"]
    assert error["kind"] == "protocol"
    assert "the answer is cut short: " in error["message"]


def renamed(line: str, name: str, ms: int) -> str:
    """The same answer from a server of another name, which took another time."""
    document = json.loads(line.split(" ", 3)[3])
    document["ms"] = ms
    document["facts"]["os"]["name"] = name
    body = json.dumps(document, separators=(",", ":"))
    return f"VOLACT1 {len(body)} {zlib.crc32(body.encode()):08x} {body}"


def test_a_number_makes_no_name_that_another_server_has(answers: Path, tmp_path: Path) -> None:
    line = next(line for line in answers.read_text().splitlines() if "VOLACT1" in line)
    named = ["WEB", "WEB", "WEB-2", "WEB-2", "WEB"]
    file = tmp_path / "more.txt"
    file.write_text("\n".join(renamed(line, name, ms) for ms, name in enumerate(named)))
    _, document = read(str(file))
    assert [row["name"] for row in document["servers"]] == [
        *("WEB", "WEB-3", "WEB-2", "WEB-2-2", "WEB-4")
    ]


def test_of_a_file_that_is_too_large_no_part_is_left_out(
    answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "large.txt"
    file.write_bytes(answers.read_bytes())
    with file.open("r+b") as stream:
        stream.truncate(MAX_BYTES + 1)
    done = volact("read-answer", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    said = f"volact: {file}: larger than 64 MB (split it into several files)\n"
    assert done.stderr == said
    with file.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        piped = volact("read-answer")
    assert (piped.returncode, piped.stderr) == (2, said.replace(str(file), "standard input"))


def test_an_answer_in_two_files_is_one_server(answers: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.txt"
    again.write_bytes(answers.read_bytes())
    _, document = read(str(answers), str(again), str(answers))
    assert [row["name"] for row in document["servers"]] == ["WEB-01", "WEB-02"]


def test_a_file_without_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.write_text("nothing of it\n")
    done = volact("read-answer", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"volact: {file}: contains no answer of volact (")
    missing = volact("read-answer", str(tmp_path / "missing"))
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)


def test_files_for_services_are_the_same_every_time_and_never_overwritten(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in written("alibaba", tmp_path)]
    assert len(first) > 1
    done = volact(
        "script", "--for", "alibaba", "--provider", "tencent", "--to", str(tmp_path / "alibaba.out")
    )
    assert done.returncode == 2
    assert "already exists" in done.stderr
    assert [path.read_bytes() for path in written("alibaba", tmp_path, "--force")] == first


def test_no_part_is_written_where_another_one_is_in_the_way(tmp_path: Path) -> None:
    first, second, *_ = written("alibaba", tmp_path)
    first.unlink()
    done = volact(
        "script", "--for", "alibaba", "--provider", "tencent", "--to", str(tmp_path / "alibaba.out")
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert str(second) in done.stderr
    assert not first.exists()


def test_the_services_own_cloud_is_meant_unless_told(tmp_path: Path) -> None:
    done = volact("script", "--for", "aws-ssm", "--to", str(tmp_path / "x.json"))
    assert done.returncode == 0
    assert "169.254.169.250" in (tmp_path / "x.json").read_text()
    assert "volact read-answer answers.json --provider aws" in done.stderr
    assert "aws ssm send-command" in done.stderr


def test_a_standalone_file_for_a_service_activates(tmp_path: Path) -> None:
    script = carried("aws-ssm", written("aws-ssm", tmp_path, "--mode", "standalone"))
    (output,) = asyncio.run(ran(script, ("kms-host-wrong",)))
    assert "VOLACT1" not in output
    assert "ACTIVATED" in output


def test_a_plain_probe_for_any_other_tool(tmp_path: Path) -> None:
    file = tmp_path / "probe.bat"
    args = ("--mode", "probe", "--provider", "tencent", "--to", str(file))
    assert volact("script", *args).returncode == 0
    (output,) = asyncio.run(ran(file.read_bytes(), ()))
    assert output.startswith("VOLACT1 ")
