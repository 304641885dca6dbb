"""The agent's script: what it computes without asking Windows anything."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from script import Script

from volact.agent.render import PARTS

# An object literal takes "__proto__" for something else than a key.
KEYS = st.text().filter(lambda key: key != "__proto__")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**52), 2**52) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
LINE = Script("host", "json")
NET = Script("host", "registry", "wmi", "net")
EVENTS = Script("host", "events")
ACL = Script("host", "registry", "wmi", "services", "server", "steps", "file_acl")
CLOCK = Script(
    "host",
    "registry",
    "wmi",
    "services",
    "net",
    "server",
    "steps",
    "file_acl",
    "time_source",
    "clock",
)
FACTS = Script("host", "registry", "wmi", "net", "licensing", "licensing_facts")


@given(JSON)
def test_the_answer_line_is_ascii_and_says_its_length_and_checksum(value: object) -> None:
    line = LINE.call("answerLine", {"facts": value})
    assert line.isascii()
    assert line.isprintable()
    word, length, checksum, body = line.split(" ", 3)
    assert (word, int(length)) == ("VOLACT1", len(body))
    assert int(checksum, 16) == zlib.crc32(body.encode())
    assert len(checksum) == 8
    assert json.loads(body) == {"facts": value}


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("kms.example.test:1689", "kms.example.test", 1689),
        ("kms.example.test", "kms.example.test", 1688),
        ("[2001:db8::1]:1700", "[2001:db8::1]", 1700),
        ("[2001:db8::1]", "[2001:db8::1]", 1688),
        (" 10.0.0.1:1688 ", "10.0.0.1", 1688),
    ],
)
def test_hosts_are_taken_apart(text: str, name: str, port: int) -> None:
    assert NET.call("splitHost", text) == {"name": name, "port": port}


@pytest.mark.parametrize("text", ["", "a b", "http://kms", "::1", "kms:", "kms:x", "[x]:1"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="Error"):
        NET.call("splitHost", text)


@pytest.mark.parametrize(
    ("name", "port", "joined"),
    [
        ("KMS.Example.test.", 1688, "kms.example.test:1688"),
        ("kms", None, "kms:1688"),
        ("kms", 0, "kms:1688"),
        ("kms", "1668", "kms:1668"),
        ("2001:db8::1", 1688, "[2001:db8::1]:1688"),
        ("[2001:db8::1]", 1, "[2001:db8::1]:1"),
    ],
)
def test_a_stored_host_is_put_together(name: str, port: object, joined: str) -> None:
    assert NET.call("joinHost", name, port) == joined


def event(number: int, at: str, *data: str) -> str:
    items = "".join(f"<Data>{item}</Data>" for item in data)
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        "<Provider Name='Microsoft-Windows-Security-SPP'/>"
        f"<EventID Qualifiers='49152'>{number}</EventID>"
        f"<TimeCreated SystemTime='{at}'/></System><EventData>{items}</EventData></Event>"
    )


def test_an_event_carries_its_number_in_the_log() -> None:
    xml = event(12289, "2026-01-31T08:00:00.000Z", "0x0").replace(
        "</System>", "<EventRecordID>4711</EventRecordID></System>"
    )
    assert EVENTS.call("newestEvents", xml)["12289"] == ["2026-01-31T08:00:00Z", ["0x0"], 4711]


def request(id: str, code: str, at: str = "2026-01-31T08:00:00.000Z") -> str:
    fields = (code, "0x0", "kms:1688", "cmid", "2026/01/31 08:00", "0", "5", "0", id, "5")
    return event(12288, at, ", ".join(fields))


def test_each_product_keeps_its_newest_pair() -> None:
    # Newest first: Office asked twice, the second time in vain; Windows was answered.
    xml = "".join(
        [
            request("OFFICE-1", "0x800706BA"),
            event(12289, "2026-01-31T07:59:00.000Z", "0xC004F038, 0x0"),
            request("OFFICE-1", "0x0"),
            event(12289, "2026-01-31T07:58:00.000Z", "0x00000000, 0x0, 1"),
            request("Windows-1", "0x00000000"),
            request("windows-1", "0xC004F074"),
        ]
    )
    found = EVENTS.call("newestEvents", xml)
    codes = {key: value and value[1][0] for key, value in found.items()}
    assert codes == {
        "12288": "0x800706BA",
        "12289": "0xC004F038",
        "8198": None,
        "12288 office-1": "0x0",
        "12289 office-1": "0xC004F038",
        "12288 windows-1": "0x00000000",
        "12289 windows-1": "0x00000000",
    }


def test_each_application_keeps_its_newest_failure() -> None:
    app = "RuleId=a;Action=AutoActivate;AppId={};SkuId=b"
    office, windows = "0ff1ce15-a989-479d-af46-f275c6370663", "55C92734-d682-4d71-983e-d6ec3f16059f"
    found = EVENTS.call(
        "newestEvents",
        event(8198, "2026-01-31T08:00:00.000Z", "hr=0xC004F074", app.format(office))
        + event(8198, "2026-01-31T07:00:00.000Z", "hr=0x8007232B", app.format(windows)),
    )
    assert found["8198"][1][0] == "hr=0xC004F074"
    assert found[f"8198 {windows.lower()}"][1][0] == "hr=0x8007232B"


def test_the_newest_event_of_each_kind_counts() -> None:
    xml = "".join(
        [
            event(12288, "2026-01-31T08:00:00.123456700Z", "0xC004F074, 0x00000000, kms:1688, , 5"),
            event(12288, "2026-01-30T08:00:00.000Z", "0x0, old"),
            event(8198, "2026-01-29T08:00:00.000Z", "hr=0xC004F074", "RuleId=a;Action=b&amp;c"),
            event(900, "2026-01-28T08:00:00.000Z"),
        ]
    )
    assert EVENTS.call("newestEvents", xml) == {
        "12288": ["2026-01-31T08:00:00Z", ["0xC004F074", "0x00000000", "kms:1688", "", "5"]],
        "12289": None,
        "8198": ["2026-01-29T08:00:00Z", ["hr=0xC004F074", "RuleId=a;Action=b&c"]],
    }


def test_event_data_in_elements_of_their_own_and_with_quotes_of_either_kind() -> None:
    xml = event(12289, "2026-01-31T08:00:00Z", "0x0", "0x0", "1", "0", "50").replace("'", '"')
    assert EVENTS.call("newestEvents", xml)["12289"][1] == ["0x0", "0x0", "1", "0", "50"]


@given(st.text(max_size=400))
def test_no_event_text_breaks_the_reader(text: str) -> None:
    found = EVENTS.call("newestEvents", f"<Event {text}<EventID>12288</EventID>")
    assert set(found) == {"12288", "12289", "8198"}


def test_event_fields_are_bounded() -> None:
    xml = event(12288, "2026-01-31T08:00:00Z", *(["x" * 500] * 30))
    fields = EVENTS.call("newestEvents", xml)["12288"][1]
    assert [len(field) for field in fields] == [120] * 16


DEFAULT = (
    "D:PAI(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"
    "(A;;0x1200a9;;;BA)(A;;0x1200a9;;;SY)(A;;0x1200a9;;;BU)(A;;0x1200a9;;;AC)"
)


@pytest.mark.parametrize(
    ("sddl", "may"),
    [
        (DEFAULT, True),
        (DEFAULT + "(D;;FX;;;NS)", False),
        ("D:PAI(D;;WP;;;S-1-5-20)(A;;FA;;;NS)", False),
        ("D:(D;;FA;;;WD)(A;;FA;;;BU)", False),
        ("D:(D;;FW;;;NS)(A;;FA;;;BU)", True),  # writing is denied, not executing
        ("D:(D;IO;FX;;;NS)(A;;FX;;;NS)", True),  # for children only
        ("D:(A;;FA;;;BA)(A;;FA;;;SY)", False),
        ("D:(A;;FR;;;BU)", False),
        ("D:(A;;GX;;;AU)", True),
    ],
)
def test_who_may_execute_the_licensing_program(sddl: str, may: bool) -> None:
    assert ACL.call("mayExecute", sddl, "S-1-5-20", ["S-1-5-20"]) is may


def test_a_denial_of_a_named_account_counts() -> None:
    sddl = DEFAULT + "(D;;FX;;;S-1-5-80-1-2-3-4-5)"
    assert ACL.call("mayExecute", sddl, "S-1-5-20", []) is True
    assert ACL.call("mayExecute", sddl, "S-1-5-20", ["S-1-5-80-1-2-3-4-5"]) is False


_HOSTILE_PEERS: list[object] = ['a" & calc', "a|b", "%PATH%", "", [], "-x"]


def test_time_peers_get_their_flags_and_nothing_else_passes() -> None:
    assert CLOCK.call("peerList", "a.example.test b.example.test,0x9") == [
        "a.example.test,0x8",
        "b.example.test,0x9",
    ]
    assert CLOCK.call("peerList", ["fd00::1"]) == ["fd00::1,0x8"]
    for hostile in _HOSTILE_PEERS:
        with pytest.raises(Exception, match="Error"):
            CLOCK.call("peerList", hostile)


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        ({"type": "NTP", "peers": "A.example.test,0x9  b.example.test,0x8"}, True),
        ({"type": "NT5DS", "peers": "a.example.test,0x9 b.example.test,0x8"}, False),
        ({"type": "NTP", "peers": "time.windows.com,0x9"}, False),
        ({"type": "NTP", "peers": None}, False),
        ({"type": {"!": 2147942405}, "peers": {"!": 2147942405}}, False),
    ],
)
def test_a_time_source_is_compared_by_its_hosts(source: dict[str, object], taken: bool) -> None:
    wanted = ["a.example.test,0x8", "b.example.test,0x8"]
    assert CLOCK.call("takesTimeFrom", source, wanted) is taken


def test_product_values_are_kept_short() -> None:
    assert FACTS.call("productValue", "LicenseStatusReason", -1073418220) == 0xC004F014
    assert FACTS.call("productValue", "LicenseIsAddon", False) is False
    assert FACTS.call("productValue", "LicenseStatus", 0) == 0
    assert FACTS.call("productValue", "MachineURL", "http://kms.evil.test/a?b") == "kms.evil.test"
    assert FACTS.call("productValue", "Name", "x" * 999) == "x" * 300


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Name", None),
        ("Name", ""),
        ("EvaluationEndDate", "16010101000000.000000-000"),
        ("ExtendedGrace", -1),
        ("ExtendedGrace", 4294967295),
        ("KeyManagementServicePort", 0),
        ("MachineURL", "https://activation.sls.microsoft.com/SLActivateProduct"),
        ("ProductKeyURL", "http://go.microsoft.com/fwlink/?LinkID=88341"),
    ],
)
def test_what_says_none_or_as_usual_is_left_out(name: str, value: object) -> None:
    expression = f"String(productValue({json.dumps(name)}, {json.dumps(value)}))"
    assert FACTS.text(expression) == "undefined"


@pytest.mark.parametrize(
    ("code", "hresult"),
    [(0, None), (5, 0x80070005), (-2147023834, 0x80070426), (0x80070422, 0x80070422)],
)
def test_exit_codes_of_tools(code: int, hresult: int | None) -> None:
    assert LINE.call("toolFailure", code) == hresult


@pytest.mark.parametrize("mode", list(PARTS))
def test_squeezing_changes_nothing_that_an_engine_sees(mode: str) -> None:
    """Every part loads both ways and defines the same names."""
    names = "Object.getOwnPropertyNames(globalThis).sort().join()"
    parts = [part for part in PARTS[mode] if part not in ("probe", "apply", "person")]  # type: ignore[index]
    assert Script(*parts).text(names) == Script(*parts, squeezed=False).text(names)


DOCUMENT = '{ "billingProducts" : [ "bp-1", "bp-2" ], "imageId" : null }'
FIELDS = Script("host", "token")


@pytest.mark.parametrize(
    ("name", "value"),
    [("billingProducts", "bp-1 bp-2"), ("imageId", "null"), ("region", None)],
)
def test_a_field_of_a_document(name: str, value: str | None) -> None:
    assert FIELDS.call("fieldOf", DOCUMENT, name) == value


@pytest.mark.parametrize("text", ["", "<html>sign in</html>", '{ "billingProducts" : [ "bp-1'])
def test_what_is_no_document_has_no_fields_to_be_absent(text: str) -> None:
    with pytest.raises(Exception, match="Error"):
        FIELDS.call("fieldOf", text, "region")


@pytest.mark.parametrize(
    ("before", "after", "was_set"),
    [(18000, 0, True), (18000, 18003, False), (None, 18000, False), (18000, None, False)],
)
def test_an_error_that_is_measured_a_second_otherwise_is_no_change(
    before: int | None, after: int | None, was_set: bool
) -> None:
    line = "Last Successful Sync Time: 9/11/2025 2:32:05 PM"
    assert CLOCK.call("wasSet", {"skew": after, "at": line}, before, {"at": line}) is was_set
