"""A whole bundle of a server whose texts are Chinese and Japanese: no name in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from volact.bundle.collect import bundle_of, names_of
from volact.bundle.document import Bundle, decode, encode
from volact.bundle.pseudonyms import Pseudonyms
from volact.bundle.replay import replay
from volact.core.facts import read_facts
from volact.errors import AnswerError
from volact.knowledge.load import load_profile, profile_names
from volact.model.server import Address, Credential, Server
from volact.pipeline import Job, Outcome, judge_facts, row_without_result

RECEIVED = Path(__file__).parents[1] / "bundles" / "lab-hard.json"
NAMES = ("web01", "kms01", "contoso", "nas7", "zhang", "数据库一号", "2a00:1450", "8.8.4.4")
TEXTS = (
    "计算机WEB01上的用户zhang无法启动服务",
    "主机kms01.contoso.example无法访问，地址2a00:1450::5或8.8.4.4",
    "ホストkms01.contoso.example:1688に接続できません",
    r"共享\\nas7\logs上没有文件",
    "从数据库一号收到的对象CN=Web01,DC=contoso",
)


@pytest.fixture(scope="module")
def made() -> Bundle:
    servers = decode(RECEIVED.read_bytes(), RECEIVED.name).servers
    (seen,) = (one for one in servers if one.name == "server-3")
    raw = dict(seen.facts or {})
    raw["os"] = {**raw["os"], "name": "WEB01", "domain": "contoso.example"}
    raw["events"] = {**raw["events"], "8198": ["2026-11-23T22:49:27Z", list(TEXTS), 1]}
    answered, lost = (
        Server(
            name=name,
            address=Address(scheme="ssh", host=name),
            credential=Credential(user="CONTOSO\\zhang"),
        )
        for name in ("web01", "数据库一号")
    )
    at = datetime.fromisoformat(seen.at)
    outcome = judge_facts(answered, read_facts(raw, seen.clock), Job(mode="plan"), at)
    error = AnswerError("protocol", " ".join(TEXTS))
    row = row_without_result(lost, error.kind, error.message)
    return bundle_of(
        [outcome, Outcome(server=lost, report=row)],
        {"web01": raw},
        Pseudonyms(map(load_profile, profile_names()), names_of([answered, lost])),
    )


def test_no_name_is_in_a_bundle_of_chinese_and_japanese_texts(made: Bundle) -> None:
    text = encode(made).decode().casefold()
    assert [name for name in NAMES if name in text] == []
    assert "无法启动服务" in text and "に接続できません" in text


def test_it_is_judged_as_the_server_was(made: Bundle) -> None:
    again = replay(made.servers[0], "here")
    assert again.same and "kms-host-wrong" in again.before.findings
