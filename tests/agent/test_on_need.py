"""When the agent asks more: what it goes by, and how it reads rules, rights and hosts."""

from __future__ import annotations

from typing import Any

import pytest
from script import Script

from volact.core.findings.emulator import ODD_SERVICES

REACHED, TIMED_OUT = ["connected", 12], ["filtered", 3010]
PARTS = (
    "host",
    "registry",
    "wmi",
    "services",
    "net",
    "server",
    "network_facts",
    "on_need",
    "facts",
    "firewall",
    "online",
)
NEED = Script(*PARTS)

HEALTHY: dict[str, Any] = {
    "licensing": {"machine": "kms"},
    "products": [{"LicenseStatusReason": 0x4004F040}],
    "events": {"12288": ["2026-01-31T08:00:00Z", ["0x00000000"]], "12289": None, "8198": None},
    "reached": {"kms:1688": REACHED},
}


def codes(**changes: Any) -> list[int]:
    facts = {**HEALTHY, **changes}
    return [code for code in NEED.call("codesSeen", facts, changes.pop("results", None)) if code]


def test_a_healthy_server_shows_no_code_of_trouble() -> None:
    assert codes() == [0x4004F040]
    assert NEED.call("networkFailed", HEALTHY) is False


def test_every_place_where_a_code_may_show() -> None:
    found = codes(
        licensing={"!": 0x80041002},
        products=[{"LicenseStatusReason": 0xC004F00F}],
        events={
            "12288": ["t", ["0x800706BA", "0"]],
            "12289": None,
            "8198": ["t", ["hr=0x80070005", "RuleId=x"]],
        },
    )
    assert found == [0x80041002, 0xC004F00F, 0x800706BA, 0x80070005]


def test_the_step_that_just_failed_counts_and_others_do_not() -> None:
    results = [
        {"do": "activate", "hresult": 0x80070005},
        {"do": "set-kms-host", "hresult": 0x80072EE2},
    ]
    assert NEED.call("codesSeen", {**HEALTHY, "events": None}, results)[-1] == 0x80070005


def test_groups_that_could_not_be_asked_are_no_rows() -> None:
    facts = {"licensing": {"!": 1}, "products": {"!": 2}, "events": {"!": 3}}
    assert NEED.call("codesSeen", facts) == [1, 2]


@pytest.mark.parametrize(
    ("code", "damaged"),
    [
        (0xC004E002, True),
        (0x8004E101, True),
        (0x8004E10E, True),
        (0x8004E10F, False),
        (0xC004F038, False),
    ],
)
def test_codes_of_a_damaged_store(code: int, damaged: bool) -> None:
    assert NEED.call("isStoreCode", code) is damaged


@pytest.mark.parametrize(
    ("reach", "event", "failed"),
    [
        ({"a:1688": TIMED_OUT, "b:1688": REACHED}, "0x00000000", False),
        ({"a:1688": TIMED_OUT, "b:1688": TIMED_OUT}, "0x00000000", True),
        ({"a:1688": REACHED}, "0x800706BA", True),
        ({"a:1688": REACHED}, "0xC004F06C", False),
        ({}, "0x00000000", False),
        (None, "0x00000000", False),
    ],
)
def test_when_the_network_failed(
    reach: dict[str, list[object]] | None, event: str, failed: bool
) -> None:
    events = {"12288": ["t", [event]]}
    assert NEED.call("networkFailed", {"reached": reach, "events": events}) is failed


RULE = "v2.10|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=1688|Name=x|"


@pytest.mark.parametrize(
    ("rule", "blocking", "opening"),
    [
        (RULE, True, False),
        (RULE.replace("Active=TRUE", "Active=FALSE"), False, False),
        (RULE.replace("Dir=Out", "Dir=In"), False, False),
        (RULE.replace("Action=Block", "Action=Allow"), False, True),
        (RULE.replace("Action=Block", "Action=Allow").replace("1688", "443"), False, False),
        ("v2.10|Action=Allow|Active=TRUE|Dir=Out|Name=all|", False, True),
        ("v2.10|Action=Allow|Active=TRUE|Dir=Out|App=C:\\x.exe|", False, False),
        (RULE.replace("RPort=1688", "RPort2_10=444-1000|RPort2_10=1002-5000"), True, False),
        (RULE.replace("RPort=1688", "RPort=80|RPort=443"), False, False),
        (RULE.replace("RPort=1688", "RPort=80|RPort=1688"), True, False),
        (RULE.replace("Protocol=6", "Protocol=17"), False, False),
        (RULE + "App=%SystemRoot%\\system32\\SppExtComObj.Exe|", True, False),
        (RULE + "App=%SystemRoot%\\system32\\svchost.exe|Svc=bits|", False, False),
        (RULE + "Svc=sppsvc|", True, False),
        (RULE + "Svc=*|", True, False),
        (RULE + "App=System|", True, False),
    ],
)
def test_rules_are_told_by_their_fields(rule: str, blocking: bool, opening: bool) -> None:
    assert NEED.text(f"chosenRules([{rule!r}], BLOCKING).length === 1") == str(blocking)
    assert NEED.text(f"chosenRules([{rule!r}], OPENING).length === 1") == str(opening)


def test_rules_are_few_and_short() -> None:
    rules = [RULE + "Desc=" + "x" * 900] * 20
    script = Script(*PARTS)
    script.text(f"String(rules = {rules!r})")
    found = script.text("chosenRules(rules, BLOCKING).join(' ')").split(" ")
    assert [len(rule) for rule in found] == [400] * 8


def test_bytes_are_hex() -> None:
    assert NEED.call("hexOf", [1, 0, 4, 128, 255]) == "01000480ff"
    assert len(NEED.call("hexOf", [7] * 2000)) == 1200


HOSTS = Script(*PARTS)


def asked(**ask: Any) -> Script:
    script = Script(*PARTS)
    for name, value in ask.items():
        script.text(f"String(REQUEST.ask.{name} = {value!r})".replace("True", "true"))
    return script


@pytest.mark.parametrize(
    ("named", "hosts"),
    [
        ("kms7.cloud.example", ["kms7.cloud.example:1688"]),
        ("KMS.Example.:1689", ["kms.example:1689"]),
        ("[2001:db8::1]:1688", ["[2001:db8::1]:1688"]),
        ("http://x/", []),
        ("two words", []),
        ("", []),
        (None, []),
        ({"!": 5}, []),
    ],
)
def test_the_host_that_metadata_names(named: Any, hosts: list[str]) -> None:
    script = asked(kms_from="kms-server")
    assert script.call("namedHost", {"kms-server": named}) == hosts


def test_no_host_is_taken_from_metadata_unasked() -> None:
    assert HOSTS.call("namedHost", {"kms-server": "kms.example"}) == []


def test_the_hosts_that_are_set_or_discovered() -> None:
    facts = {
        "licensing": {"machine": "KMS.Corp.example", "port": 0},
        "registry": {"discovered_name": "old.example", "discovered_port": "1689"},
        "products": [
            {"KeyManagementServiceMachine": "kms.corp.example"},
            {
                "DiscoveredKeyManagementServiceMachineName": "2001:db8::1",
                "DiscoveredKeyManagementServiceMachinePort": 1688,
            },
        ],
    }
    hosts = ["kms.corp.example:1688", "old.example:1689", "[2001:db8::1]:1688"]
    assert asked(present=True).call("presentHosts", facts) == hosts
    assert HOSTS.call("presentHosts", facts) == []


def settings(proxy: bytes, flags: int = 3) -> str:
    """WinHttpSettings: version, counter, flags, then texts behind their lengths."""
    numbers = (0x28, 0, flags, len(proxy))
    return str([*b"".join(number.to_bytes(4, "little") for number in numbers), *proxy, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("bytes_", "proxy"),
    [
        (settings(b"proxy.corp.example:8080"), "proxy.corp.example:8080"),
        (settings(b"", 1), None),
        ("null", None),
    ],
)
def test_the_proxy_of_winhttp(bytes_: str, proxy: str | None) -> None:
    script = Script(*PARTS)
    script.text(
        f"readValue = function () {{return {bytes_};}}; asList = function (v) {{return v;}}; ''"
    )
    assert script.call("winHttpProxy") == proxy


@pytest.mark.parametrize(
    ("product", "asked_for"),
    [
        ({"Description": "Windows(R), VOLUME_MAK channel", "LicenseStatus": 5}, True),
        ({"Description": "Windows(R), RETAIL channel", "LicenseStatus": 2}, True),
        ({"Description": "Windows(R), RETAIL channel", "LicenseStatus": 1}, False),
        ({"Description": "Windows(R), VOLUME_KMSCLIENT channel", "LicenseStatus": 5}, False),
    ],
)
def test_when_the_way_to_microsoft_matters(product: dict[str, Any], asked_for: bool) -> None:
    assert NEED.call("isOnline", product) is asked_for


def test_the_names_of_emulators_are_those_of_the_rule() -> None:
    assert NEED.text("ODD_SERVICES.join()") == ",".join(ODD_SERVICES)
