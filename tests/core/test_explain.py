"""A code in any spelling, an event, a finding; near misses for the rest."""

from __future__ import annotations

import msgspec
import pytest

from volact.core.explain import classes, explain, named_in, near_misses, of_class, parse_code
from volact.core.findings import BY_ID
from volact.errors import InputError
from volact.knowledge.load import load_errors
from volact.model.profile import ErrorInfo

ERRORS = load_errors()


@pytest.mark.parametrize(
    "text",
    [
        "0xC004F074",
        "0xc004f074",
        "0XC004F074",
        "C004F074",
        "c004f074",
        "-1073418124",
        "3221549172",
        "  0xC004F074 ",
        "SL_E_VL_BINDING_SERVICE_UNAVAILABLE",
        "sl_e_vl_binding_service_unavailable",
    ],
)
def test_every_spelling_of_a_code_gives_the_same_answer(text: str) -> None:
    found = explain(text, ERRORS)
    assert found == explain("0xC004F074", ERRORS)
    assert found.forms == ("0xC004F074", "-1073418124", "3221549172")
    assert found.symbol == "SL_E_VL_BINDING_SERVICE_UNAVAILABLE"
    assert found.causes[0].startswith("It covers other faults")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("80070005", 0x80070005),
        ("0x5", 5),
        ("12288", 12288),
        ("-2147024891", 0x80070005),
        ("5000000000", None),
        ("-5000000000", None),
        ("0xC004F0741", None),
        ("C004F07", None),
        ("kms", None),
        ("", None),
    ],
)
def test_what_is_a_code(text: str, code: int | None) -> None:
    assert parse_code(text) == code


def test_a_number_that_python_does_not_read_is_no_code() -> None:
    assert parse_code("9" * 5000) is None


@pytest.mark.parametrize("id", sorted(BY_ID))
def test_every_finding_is_explained(id: str) -> None:
    found = explain(id, ERRORS)
    assert found.kind == "finding"
    assert found.meaning and found.remedy
    assert found.page == f"docs/findings/{id}.md"


EVENTS = [info.code for info in ERRORS.values() if info.family == "event"]


@pytest.mark.parametrize("id", EVENTS)
def test_events_are_explained_by_their_id(id: int) -> None:
    found = explain(str(id), ERRORS)
    assert (found.kind, found.name) == ("event", f"event {id}")
    assert found.forms == ()


@pytest.mark.parametrize(
    ("printed", "code"),
    [("5", 0x80070005), ("1058", 0x80070422), ("1168", 0x80070490), ("1722", 0x800706BA)],
)
def test_the_number_that_sc_net_and_dism_print_is_a_windows_error(printed: str, code: int) -> None:
    assert explain(printed, ERRORS) == explain(hex(code), ERRORS)


def test_a_number_that_is_neither_an_event_nor_explained_is_no_windows_error() -> None:
    with pytest.raises(InputError):
        explain("10016", ERRORS)


def test_a_kms_activation_that_ran_out_is_the_first_cause_of_out_of_tolerance() -> None:
    """slmgr.vbs itself words that state as "KMS license expired or hardware out of tolerance"."""
    found = explain("0xC004F00F", ERRORS)
    assert "180 days" in found.causes[0]
    assert "hardware" not in found.meaning


@pytest.mark.parametrize("code", ["0xC004F00F", "0xC004F200"])
def test_rights_that_a_policy_took_from_plug_and_play_are_a_cause(code: str) -> None:
    assert any("Plug and Play" in cause for cause in explain(code, ERRORS).causes)


def test_a_code_known_by_name_only_says_so() -> None:
    found = explain("0xC004B001", ERRORS)
    assert found.symbol == "SL_E_SRV_INVALID_PUBLISH_LICENSE"
    assert "only the name" in found.meaning


def test_a_windows_error_that_is_in_no_table_is_left_to_windows() -> None:
    found = explain("0x800704D3", ERRORS)
    assert found.remedy == "On any Windows: net helpmsg 1235"
    assert found.confidence == "inferred"


def test_a_range_shares_its_entry_and_keeps_its_names() -> None:
    first, last = explain("0x8004E101", ERRORS), explain("0x8004E10E", ERRORS)
    assert first.meaning == last.meaning
    assert last.symbol == "SL_E_SFS_INVALID_TOKEN_DESCRIPTOR"


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("clock-skew-", "clock-skew"),
        ("kms-host-wrng", "kms-host-wrong"),
        ("0xC004F07", "0xC004F074"),
        ("not-licenced", "not-licensed"),
    ],
)
def test_near_misses(text: str, near: str) -> None:
    assert near in near_misses(text, ERRORS)
    with pytest.raises(InputError) as caught:
        explain(text, ERRORS)
    assert "did you mean" in caught.value.hint


def test_nothing_near_gets_examples() -> None:
    with pytest.raises(InputError) as caught:
        explain("what is this", ERRORS)
    assert "0xC004F074" in caught.value.hint
    assert "\n" not in caught.value.line()


EXPLAINED = [i for i in ERRORS.values() if i.family not in ("name-only", "event")]
OWED = ("code", "symbol", "class", "meaning", "causes", "remedy", "source", "confidence")


@pytest.mark.parametrize("info", EXPLAINED, ids=lambda info: hex(info.code))
def test_no_field_of_a_code_is_empty(info: ErrorInfo) -> None:
    document = msgspec.to_builtins(explain(hex(info.code), ERRORS))
    assert all(document[field] for field in OWED)
    assert all(cause.strip() for cause in document["causes"])
    assert document["class"] == document["family"] == info.family


def test_every_code_is_in_exactly_one_class() -> None:
    known = classes(ERRORS)
    assert sum(known.values()) == len(ERRORS)
    listed = [one.name for name in known for one in of_class(name, ERRORS)]
    assert len(listed) == len(ERRORS)
    assert "0x80072AF9" in [one.code for one in of_class("dns", ERRORS)]


def test_an_unknown_class_is_named_with_those_spelt_alike() -> None:
    with pytest.raises(InputError, match="there is no class 'dsn'") as caught:
        of_class("dsn", ERRORS)
    assert "dns" in caught.value.hint


MESSAGE = (
    "The client has sent an activation request to the key management service machine. Info: "
    "{code}, 0x00000000, kms1:1688, c004f00f-1111-2222-3333-444455556666, 20261128, 0, 2, 120"
)


@pytest.mark.parametrize("code", ["0xC004F074", "C004F074", "-1073418124", "3221549172"])
def test_a_message_of_windows_is_explained_by_the_code_in_it(code: str) -> None:
    assert explain(MESSAGE.format(code=code), ERRORS).code == "0xC004F074"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("错误代码0x8007232B", "0x8007232B"),
        ("错误:0xC004F074软件授权服务报告无法激活该计算机", "0xC004F074"),
        ("エラー0xC004F074が発生しました", "0xC004F074"),
        ("오류 0xC004F074가 발생했습니다", "0xC004F074"),
        ("错误代码C004F074。", "0xC004F074"),
        ("错误-1073418124，请重试", "0xC004F074"),
        ("符号SL_E_INVALID_PRODUCT_KEY的含义", "0xC004F050"),
        ("-1073418124 (0xC004F074)", "0xC004F074"),
        ("-1073418124,", "0xC004F074"),
    ],
)
def test_a_code_is_found_beside_letters_of_any_language(text: str, code: str) -> None:
    assert explain(text, ERRORS).code == code


def test_everything_that_a_text_names_is_found_once() -> None:
    text = MESSAGE.format(code="0x8007232B") + " 0xC004F074 [kms-unreachable] hr=0x8007232B"
    text += " SL_E_INVALID_PRODUCT_KEY"
    names = [one.name for one in named_in(text, ERRORS)]
    assert names == ["0x8007232B", "0xC004F074", "kms-unreachable", "0xC004F050"]


@pytest.mark.parametrize("text", ["", "kms1:1688", "c004f074-1111", "0xC004F0749", "20261128 5"])
def test_what_only_looks_like_a_code_is_none(text: str) -> None:
    assert named_in(text, ERRORS) == ()
