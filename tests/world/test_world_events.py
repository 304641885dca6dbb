"""Licensing events as wevtutil.exe writes them, beside what the lab writes.

No 12288 was found in full.  Its provider's other events show the form: single quotes, an
``EventSourceName``, qualifiers by severity, fractions of 7 or 9 digits, elements without a
name, line ends inside them, an ``EventData`` with nothing in it.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from script import Script

from volact_lab.windows.events import SPP, Event, EventLog

EVENTS = Script("host", "events")
_HEAD = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-Security-SPP'"
    " Guid='{{E23B33B0-C8C9-472C-A5F9-F2BDFEA0F156}}'"
    " EventSourceName='Software Protection Platform Service'/>"
    "<EventID Qualifiers='{qualifiers}'>{id}</EventID>"
    "<Version>0</Version><Level>{level}</Level>"
    "<Task>0</Task><Opcode>0</Opcode><Keywords>0x80000000000000</Keywords>"
    "<TimeCreated SystemTime='{at}'/><EventRecordID>{record}</EventRecordID><Correlation/>"
    "<Execution ProcessID='0' ThreadID='0'/><Channel>Application</Channel>"
    "<Computer>win10.windomain.local</Computer><Security/></System>"
)


def real(id: int, data: str, *, at: str, level: int = 4, record: int = 7603) -> str:
    """An event in the form that https://github.com/cea-sec/openwec keeps in its tests."""
    qualifiers = {4: 16384, 2: 49152}[level]
    head = _HEAD.format(qualifiers=qualifiers, id=id, level=level, at=at, record=record)
    return f"{head}<EventData>{data}</EventData></Event>\r\n"


# https://whatdoesthiscodedo.com/g/375de61 (a workstation's own event 8198)
FAILED = real(
    8198,
    "<Data>hr=0x800704CF</Data><Data>RuleId=31e71c49-8da7-4a2f-ad92-45d98a1c79ba;"
    "Action=AutoActivate;AppId=55c92734-d682-4d71-983e-d6ec3f16059f;"
    "SkuId=4de7cb65-cdf1-4de9-8ae8-e3cce27b9f2c;NotificationInterval=1440;Trigger=UserLogon;"
    "SessionId=2</Data>",
    at="2025-08-30T03:50:25.5412832Z",
    level=2,
    record=53,
)


def test_a_failed_activation_as_windows_wrote_it() -> None:
    at, data, record = EVENTS.call("newestEvents", FAILED)["8198"][:3]
    assert (at, data[0], record) == ("2025-08-30T03:50:25Z", "hr=0x800704CF", 53)
    assert data[1].startswith("RuleId=31e71c49")


@pytest.mark.parametrize("fraction", ["5412832", "845649700", ""])
def test_fractions_of_a_second_in_every_length(fraction: str) -> None:
    at = f"2025-08-30T03:50:25{'.' * bool(fraction)}{fraction}Z"
    told = EVENTS.call("newestEvents", real(12288, "<Data>0x0, 0x0, kms:1688</Data>", at=at))
    assert told["12288"][0] == "2025-08-30T03:50:25Z"


def test_other_events_of_the_provider_and_odd_data_disturb_nothing() -> None:
    text = (
        real(16394, "", at="2026-07-25T08:12:45.4058740Z", level=2)
        + real(
            1003,
            "<Data>55c92734-d682-4d71-983e-d6ec3f16059f</Data><Data>\n"
            "1: 3f4c0546-36c6-46a8-a37f-be13cdd0cf25, 1, 1 [(0 [0xC004E003, 0, 0])]\n\n</Data>",
            at="2022-12-14T16:05:59.7074374Z",
        )
        + FAILED
    )
    told = EVENTS.call("newestEvents", text)
    assert told["8198"][1][0] == "hr=0x800704CF"
    assert told["12288"] is None


def shape(xml: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements of System in their order, with the names of their attributes."""
    system = next(iter(ElementTree.fromstring(xml)))
    return [(re.sub(r"{.*}", "", item.tag), tuple(item.attrib)) for item in system]


@pytest.mark.parametrize(("level", "id"), [(4, 12288), (2, 8198)])
def test_the_lab_writes_events_as_windows_does(level: int, id: int) -> None:
    log = EventLog("SERVER-01")
    log.add(Event(id, 1_769_846_400.25, ("0x00000000, 0x00000000, kms:1688",), SPP, level))
    written = log.xml(log.newest_first())
    known = real(id, "", at="2026-01-31T08:00:00.2500000Z", level=level)
    assert shape(written) == shape(known)
    qualifiers = re.search(r"Qualifiers='\d+'", written)
    assert qualifiers
    assert qualifiers[0] in known
    assert re.search(r"SystemTime='2026-01-31T08:00:00\.\d{7}(\d\d)?Z'", written)
