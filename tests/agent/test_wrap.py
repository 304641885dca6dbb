"""What other clouds' run-commands are given: the very same script comes out of it."""

from __future__ import annotations

import base64
import json
import re
import zlib

import pytest
import tree_sitter
import tree_sitter_powershell

from volact.agent.render import render
from volact.agent.request import new_request
from volact.agent.wrap import (
    CLOUDS,
    SERVICES,
    Wrapped,
    answering_powershell,
    further_powershell,
    packed_powershell,
    waiting_powershell,
    wrap,
)
from volact.core.standalone import standalone_steps
from volact.knowledge.load import knowledge_for

# A command of Cloud Assistant, after Base64; the rest of a part is the PowerShell around it.
ALIBABA_BYTES = 18 * 1024
POWERSHELL = ("aws-ssm", "azure-run-command", "alibaba")


def script(mode: str, cloud: str) -> bytes:
    knowledge = knowledge_for(cloud)
    if mode == "probe":
        return render(new_request("probe", knowledge.profile, id="0123456789abcdef"))
    steps = standalone_steps(knowledge)
    return render(new_request("standalone", knowledge.profile, steps, id="0123456789abcdef"))


def wrapped(service: str, mode: str = "probe") -> tuple[bytes, Wrapped]:
    text = script(mode, CLOUDS[service])
    return text, wrap(service, text, title=f"volact {mode} 0123456789abcdef", deadline_s=120)


def powershell(service: str, made: Wrapped) -> list[str]:
    """The PowerShell of each file, with plain line ends."""
    texts = [data.decode("ascii") for data in made.files]
    if service == "aws-ssm":
        texts = ["\n".join(json.loads(texts[0])["Parameters"]["commands"])]
    return [text.replace("\r\n", "\n") for text in texts]


def here_strings(text: str) -> list[str]:
    """What PowerShell takes for the contents of @'...'@: up to the line that begins with '@."""
    return re.findall(r"@'\n(.*?)\n'@", text, re.DOTALL)


@pytest.mark.parametrize("mode", ["probe", "standalone"])
@pytest.mark.parametrize("service", ["aws-ssm", "azure-run-command"])
def test_a_plain_script_is_in_it_as_it_is(service: str, mode: str) -> None:
    text, made = wrapped(service, mode)
    (source,) = powershell(service, made)
    (inside,) = here_strings(source)
    assert inside.replace("\n", "\r\n").encode() == text


@pytest.mark.parametrize("mode", ["probe", "standalone"])
def test_a_packed_script_comes_out_of_its_parts(mode: str) -> None:
    text, made = wrapped("alibaba", mode)
    parts = [here_strings(source)[0] for source in powershell("alibaba", made)]
    packed = base64.b64decode("".join(parts).replace("\n", ""), validate=True)
    assert zlib.decompress(packed, -15) == text
    assert len(parts) > 1
    assert [("WriteAllText" in s) for s in powershell("alibaba", made)] == [
        number == 0 for number in range(len(parts))
    ]


@pytest.mark.parametrize("mode", ["probe", "standalone"])
@pytest.mark.parametrize("cloud", ["alibaba", "tencent", "generic"])
def test_every_part_is_as_small_as_cloud_assistant_takes(cloud: str, mode: str) -> None:
    made = wrap("alibaba", script(mode, cloud), title="volact x", deadline_s=120)
    assert max(len(base64.b64encode(data)) for data in made.files) <= ALIBABA_BYTES


@pytest.mark.parametrize("service", POWERSHELL)
def test_the_file_gets_a_name_that_cannot_be_foreseen(service: str) -> None:
    *_, last = powershell(service, wrapped(service)[1])
    assert "[Guid]::NewGuid()" in last
    assert last.endswith("/d /c $file\nexit $LASTEXITCODE\n") or service == "aws-ssm"


def test_the_request_of_ssm() -> None:
    _, made = wrapped("aws-ssm")
    document = json.loads(made.files[0])
    assert document["DocumentName"] == "AWS-RunPowerShellScript"
    assert document["Comment"] == "volact probe 0123456789abcdef"
    assert document["Parameters"]["executionTimeout"] == ["180"]
    assert all(isinstance(line, str) for line in document["Parameters"]["commands"])
    assert made.files[0].isascii()


@pytest.mark.parametrize(
    "text",
    [
        packed_powershell(b"@echo off\r\n"),
        answering_powershell(b"@echo off\r\n", "volact-0123456789abcdef-01234567"),
        further_powershell("volact-0123456789abcdef-01234567", 8000, 3),
        waiting_powershell("C:\\Windows\\Temp\\volact-1.bin", size=9, wait_s=60),
    ],
    ids=["packed", "answering", "further", "waiting"],
)
def test_a_script_that_is_sent_is_powershell(text: str) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(text.encode()).root_node.has_error
    assert parser.parse(text.replace(")", "", 1).encode()).root_node.has_error
    assert "{{" not in text
    assert text.isascii()


def test_google_cloud_takes_the_script_itself() -> None:
    text, made = wrapped("gcp")
    assert made.files == (text,)
    assert "RESTARTS" in made.note


def test_every_service_says_how_it_is_run() -> None:
    assert set(SERVICES) == set(CLOUDS)
    for service in SERVICES:
        _, made = wrapped(service)
        assert any("{file}" in line for line in made.run)
