"""The data files: complete, unique, and strict about their own shape."""

from __future__ import annotations

import re

import pytest

from volact.errors import DataError, InputError
from volact.knowledge.files import EditionFile, ErrorFile, ReleaseFile, SymbolFile
from volact.knowledge.load import (
    decode,
    knowledge_for,
    load_editions,
    load_errors,
    load_profile,
    load_releases,
)
from volact.model.profile import HostPort

# How many codes of the table each first word stands for; together 164.
FACILITIES = {
    0x8000: 1,
    0x8008: 1,
    0x803F: 1,
    0xC000: 1,
    0xC004: 80,
    0x8004: 22,
    0x8007: 47,
    0x8009: 1,
    0x8033: 9,
    0xC002: 1,
}
EVENTS = {
    *(1003, 12288, 12289, 12290, 12291, 12293, 12321, 16384, 16385),
    *(8196, 8198, 8200, 8205, 8206, 8208, 8229, 8230, 8233),
}


def explained() -> dict[int, str]:
    """The codes of the table: not the names, the events or volact's own additions."""
    own = {0x80004001, 0x80070032, 0x80072F78, 0x8001011F}
    return {
        code: info.symbol
        for code, info in load_errors().items()
        if info.family not in ("name-only", "event")
        and code >> 16 != 0x4004
        and code not in own
        and not 0x8004E102 <= code <= 0x8004E10E
    }


def test_all_164_codes_are_explained() -> None:
    counts: dict[int, int] = {}
    for code in explained():
        counts[code >> 16] = counts.get(code >> 16, 0) + 1
    assert sum(counts.values()) == 164
    assert counts == FACILITIES


def test_no_field_of_an_explanation_is_empty() -> None:
    for info in load_errors().values():
        assert info.symbol and info.family and info.meaning and info.source, hex(info.code)
        assert info.confidence in ("official", "inferred"), hex(info.code)
        if info.family != "name-only":
            assert info.causes and all(info.causes) and info.remedy, hex(info.code)
            assert info.meaning.endswith(".") and info.remedy.endswith((".", "?")), hex(info.code)


def test_the_events_are_explained() -> None:
    events = {code for code, info in load_errors().items() if info.family == "event"}
    assert events == EVENTS


def test_the_names_of_all_licensing_codes_are_known() -> None:
    symbols = [info.symbol for info in load_errors().values()]
    assert sum(symbol.startswith(("SL_", "E_RM")) for symbol in symbols) >= 414
    assert load_errors()[0xC004F074].symbol == "SL_E_VL_BINDING_SERVICE_UNAVAILABLE"


@pytest.mark.parametrize("code", [0xC004E016, 0xC004F014, 0xC004F034, 0xC004F069])
def test_a_client_key_on_an_evaluation_is_told_as_that(code: int) -> None:
    info = load_errors()[code]
    assert any("evaluation edition" in cause for cause in info.causes)
    assert "DISM /Online /Set-Edition" in info.remedy


def test_no_explanation_points_elsewhere() -> None:
    text = " ".join(f"{i.meaning} {i.remedy} {i.causes}" for i in load_errors().values())
    assert not re.search(r"\b[Ss]ection \d|\bAs [0-9A-F]{4}\b|\[[CDIU]\]", text)


@pytest.mark.parametrize("code", [0x80070422, 0x8007042D, 0x80041315])
def test_a_service_that_only_the_system_configures_is_repaired_in_the_registry(code: int) -> None:
    """sppsvc from 2012 on and Schedule: ``sc config`` by an administrator is denied."""
    remedy = load_errors()[code].remedy
    name = "Schedule" if code == 0x80041315 else "sppsvc"
    assert rf'reg add "HKLM\SYSTEM\CurrentControlSet\Services\{name}"' in remedy
    assert "restart the server" in remedy
    assert "sc config Schedule" not in remedy
    assert "sc config sppsvc" not in remedy.replace("Server 2008 R2: sc config sppsvc", "")


def test_the_41_keys_are_told_apart_by_their_end() -> None:
    editions = load_editions()
    assert len(editions) == 41
    assert len({edition.gvlk[-5:] for edition in editions}) == 41


def test_build_and_edition_number_name_one_key() -> None:
    pairs = [(b, s) for e in load_editions() for b in e.builds for s in e.skus]
    assert len(pairs) == len(set(pairs))


def test_unconfirmed_edition_names_are_marked() -> None:
    confirmed = {e.edition_id for e in load_editions() if e.edition_id_confidence == "official"}
    assert confirmed == {"ServerStandard", "ServerDatacenter"}


def test_every_keyed_build_belongs_to_a_release() -> None:
    builds = {build for release in load_releases() for build in release.builds}
    assert {build for edition in load_editions() for build in edition.builds} <= builds


def test_tencent_says_what_the_document_says() -> None:
    profile = load_profile("tencent")
    kms, kms1 = HostPort("kms.tencentyun.com"), HostPort("kms1.tencentyun.com")
    assert profile.kms_hosts("2016") == (kms1, kms)
    for release in ("2008", "2012", "2019", "2022"):
        assert profile.kms_hosts(release) == (kms, kms1)
    assert profile.ntp[0] == "ntpupdate.tencentyun.com"
    assert profile.misprinted_ports == (1668,)
    assert all(host.port == 1688 for host in profile.all_kms_hosts())
    assert profile.dns == ("183.60.83.19", "183.60.82.98")
    assert profile.image_key in profile.metadata
    assert profile.script_name == "activate-win.bat"


def test_knowledge_is_read_once() -> None:
    assert knowledge_for("tencent") is knowledge_for("tencent")


def test_an_unknown_provider_gets_a_near_miss() -> None:
    with pytest.raises(InputError, match="unknown provider 'tencnt'") as caught:
        load_profile("tencnt")
    assert caught.value.hint == "did you mean tencent?"


EDITION = """
source = "s"
confidence = "official"
[[edition]]
release = "2016"
title = "t"
edition_id = "e"
builds = [1]
skus = [7]
gvlk = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE"
"""
ERROR = """
[[error]]
code = "0xC004F074"
symbol = "s"
family = "f"
meaning = "m"
causes = ["c"]
remedy = "r"
source = "s"
confidence = "official"
"""


def test_an_edition_file_that_is_right() -> None:
    assert decode("x.toml", EDITION, EditionFile)[0].skus == (7,)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (EDITION.replace("AAAAA-", ""), r"edition\[0\]\.gvlk"),
        (EDITION + EDITION.split('"official"')[1], r"edition\[1\]\.gvlk: occurs twice"),
        (EDITION.replace("[7]", '["7"]'), r"\$\.edition\[0\]\.skus\[0\]"),
        (EDITION.replace("official", "surely"), "confidence"),
        (EDITION.replace("source", "sauce"), "sauce"),
        ("edition = ", "x.toml"),
    ],
)
def test_an_edition_file_that_is_wrong_names_the_key(text: str, key: str) -> None:
    with pytest.raises(DataError, match=f"x.toml: .*{key}|{key}") as caught:
        decode("x.toml", text, EditionFile)
    assert caught.value.where == "x.toml"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (ERROR.replace("0xC004F074", "C004F074"), r"error\[0\]\.code"),
        (ERROR.replace('remedy = "r"', 'remedy = ""'), r"error\[0\]: .* empty field"),
        (ERROR.replace('causes = ["c"]', "causes = []"), r"error\[0\]: .* empty field"),
        (ERROR.replace("official", "maybe"), r"error\[0\]\.confidence"),
    ],
)
def test_an_error_file_that_is_wrong_names_the_key(text: str, key: str) -> None:
    with pytest.raises(DataError, match=key):
        decode("x.toml", text, ErrorFile)


def test_other_files_that_are_wrong() -> None:
    head = 'source = "s"\nconfidence = "official"\n'
    with pytest.raises(DataError, match=r"release\[0\]\.builds"):
        decode("x.toml", f'{head}[[release]]\nname = "a"\nbuilds = []', ReleaseFile)
    twice = '[[release]]\nname = "a"\nbuilds = [1]\n'
    with pytest.raises(DataError, match="occurs twice"):
        decode("x.toml", head + twice + twice, ReleaseFile)
    with pytest.raises(DataError, match="C004"):
        decode("x.toml", f'{head}[symbols]\nC004 = "X"', SymbolFile)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("kms.example", "kms.example", 1688),
        ("kms.example:1689", "kms.example", 1689),
        ("[2001:db8::1]:1689", "2001:db8::1", 1689),
        ("[2001:db8::1]", "2001:db8::1", 1688),
        ("2001:db8::1", "2001:db8::1", 1688),
        (" 10.0.0.1 ", "10.0.0.1", 1688),
    ],
)
def test_hosts_and_ports(text: str, host: str, port: int) -> None:
    parsed = HostPort.parse(text)
    assert parsed == HostPort(host, port)
    assert HostPort.parse(str(parsed)) == parsed


@pytest.mark.parametrize("text", ["", "a:b", "http://kms", "kms:0", "kms:65536", "[::1]x", "a b"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|port"):
        HostPort.parse(text)
