"""Which KMS host counts: layers, spelling of hosts, what is reachable."""

from __future__ import annotations

from typing import Any

import pytest
from servers import (
    KMS,
    KMS1,
    MISSING,
    OTHER_KMS,
    REFUSED,
    TIMEOUT,
    UNRESOLVED,
    changed,
    context,
    facts_of,
    product,
    server,
    unreadable,
)

from volact.core.assessment import assess
from volact.core.assessment.hosts import HostNames, same_host
from volact.core.assessment.kms import reach_of
from volact.core.assessment.kms_setting import KmsSetting, kms_layers, service_setting
from volact.core.assessment.licence import licence_of
from volact.core.steps.kms_names import host_values, kms_names
from volact.model.fact import ABSENT, Known, Unreadable
from volact.model.profile import HostPort


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("kms.tencentyun.com", "KMS.TENCENTYUN.COM.", True),
        ("kms.tencentyun.com:1688", "kms.tencentyun.com", True),
        ("kms.tencentyun.com:1668", "kms.tencentyun.com", False),
        ("kms.tencentyun.com", "kms1.tencentyun.com", False),
        ("[2001:db8::1]:1688", "2001:0db8:0:0::0001", True),
        ("[2001:db8::1]", "2001:db8::2", False),
        ("10.0.0.1", "10.0.0.1:1688", True),
    ],
)
def test_hosts_are_compared_as_dns_and_ip_do(one: str, other: str, same: bool) -> None:
    assert same_host(HostPort.parse(one), HostPort.parse(other)) is same
    assert HostNames().same(HostPort.parse(one), HostPort.parse(other)) is same


@pytest.mark.parametrize(
    ("shown", "registry", "values"),
    [
        (1688, None, {"host": None}),  # so Windows 10.0.17134 says where none is set
        (0, None, {"host": None}),
        (1688, "1688", {"host": None, "port": 1688}),
        (1688, unreadable(0x80070005), {"host": None, "port": 1688}),  # not known to be none
        (1690, None, {"host": None, "port": 1690}),
        (unreadable(0x80041017), "9" * 5000, {"host": None}),  # more than Python makes a number of
    ],
)
def test_whether_a_port_is_set_is_for_the_registry_to_say(
    shown: int, registry: Any, values: dict[str, Any]
) -> None:
    raw = server(kms=None, licensing__port=shown, registry__port=registry)
    assert host_values(kms_names(facts_of(raw), None), None) == values


RESOLVED = {
    "kms01": ("kms01.corp.example", "10.0.0.5"),
    "sunk": ("sunk", "127.0.0.1"),
    "hole": ("hole", "0.0.0.0"),
}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("kms01", "kms01.corp.example", True),
        ("kms02", "kms02.corp.example", True),  # by the server's own domain
        ("kms02", "kms02.other.example", False),
        ("kms01.corp.example", "10.0.0.5", False),  # it was asked for under its short name
        ("kms01", "10.0.0.5", True),
        ("kms01:1689", "10.0.0.5", False),
        ("sunk", "127.0.0.1", False),  # this server itself is no KMS host's address
        ("hole", "sunk", False),
    ],
)
def test_one_host_has_several_names(one: str, other: str, same: bool) -> None:
    names = HostNames(domain="corp.example", found=RESOLVED)
    assert names.same(HostPort.parse(one), HostPort.parse(other)) is same
    assert names.same(HostPort.parse(other), HostPort.parse(one)) is same


def setting_of(raw: dict[str, Any]) -> Any:
    facts = facts_of(raw)
    return licence_of(facts).products[0].kms


POLICY: dict[str, Any] = {
    "registry__policy_machine": "policy.example",
    "registry__policy_port": "1700",
}
OWN = [product("2019", kms="own.example", port=0)]
FOUND = [product("2019", kms=None, DiscoveredKeyManagementServiceMachineName="dns.example")]
SENT, ANSWERED = "2026-01-31T07:00:00Z", "2026-01-31T07:00:01Z"
TRIED = [SENT, ["0x00000000", "0x0", "tried.example:1688"], 900]
BOUND = [ANSWERED, ["0x00000000", "0x0", "1", "0", "50"], 901]


@pytest.mark.parametrize(
    ("changes", "host", "layer"),
    [
        ({**POLICY, "products": OWN}, "policy.example:1700", "policy"),
        ({"products": OWN}, "own.example:1688", "product"),
        ({}, f"{KMS}:1688", "service"),
        ({"kms": None, "products": FOUND}, "dns.example:1688", "discovered"),
        (
            {"kms": None, "events__12288": TRIED, "events__12289": BOUND},
            "tried.example:1688",
            "event",
        ),
    ],
)
def test_the_strongest_layer_counts(changes: dict[str, Any], host: str, layer: str) -> None:
    found = setting_of(server("2019", **changes))
    assert isinstance(found, Known)
    assert (str(found.value.host), found.value.layer) == (host, layer)


def tried_and(request: list[str], response: Any) -> Any:
    told = {"12288": [SENT, request, 900], "12289": response, "8198": None}
    return setting_of(server("2019", kms=None, events=told))


@pytest.mark.parametrize("zero", ["0x00000000", "0x0"])
def test_a_success_is_one_in_either_spelling(zero: str) -> None:
    response = [ANSWERED, [zero, "0x8", "1", "0", "50", "120", "10080"], 901]
    found = tried_and([zero, "0x8", " tried.example:1688"], response)
    assert found == Known(KmsSetting(HostPort("tried.example"), "event"))


@pytest.mark.parametrize(
    "response",
    [
        None,
        [ANSWERED, ["0x00000000", "0x0", "1"], 899],  # of the request before it
        [ANSWERED, ["0xC004F042", "0x0", "0", "0", "0"], 901],
        [ANSWERED, ["0x0", "0x4000008", "0", "0", "4", "120", "10080"], 901],
        [ANSWERED, ["0x0", "0x8", "0", "0", "50", "120", "10080"], 901],
    ],
)
def test_a_request_that_was_sent_is_no_success_yet(response: Any) -> None:
    assert tried_and(["0x00000000", "0x8", "tried.example:1688"], response) == ABSENT


def test_whether_it_was_a_success_may_be_unreadable() -> None:
    found = tried_and(["0x0", "0x8", "tried.example:1688"], unreadable())
    assert isinstance(found, Unreadable)
    failed = tried_and(["0x800706BA", "0x8", "tried.example:1688"], unreadable())
    assert failed == ABSENT


def test_no_layer_names_a_host() -> None:
    assert setting_of(server("2019", kms=None)) == ABSENT


@pytest.mark.parametrize("path", ["registry__policy_machine", "registry__policy_port"])
def test_an_unreadable_layer_hides_those_below(path: str) -> None:
    raw = changed(server("2019", **POLICY), {path: unreadable()})
    assert isinstance(setting_of(raw), Unreadable)


def test_an_unreadable_product_hides_the_server() -> None:
    broken = product("2019", KeyManagementServiceMachine=unreadable())
    assert isinstance(setting_of(server("2019", products=[broken])), Unreadable)


def test_2008_has_no_product_layer_and_its_port_is_in_the_registry() -> None:
    found = setting_of(server("2008", port=1700))
    assert found == Known(KmsSetting(HostPort(KMS, 1700), "service"))


def test_the_registry_speaks_where_wmi_does_not() -> None:
    facts = facts_of(server("2019", kms=OTHER_KMS, licensing=unreadable()))
    assert service_setting(facts) == Known(KmsSetting(HostPort(OTHER_KMS), "service"))
    assert kms_layers(facts).server == service_setting(facts)


def test_brackets_do_not_matter() -> None:
    setting = service_setting(facts_of(server("2019", kms="[2001:db8::1]")))
    assert isinstance(setting, Known)
    assert setting.value.host == HostPort("2001:db8::1")


def test_a_blank_is_a_part_of_the_name_as_it_is_to_windows() -> None:
    setting = service_setting(facts_of(server("2019", kms="kms.tencentyun.com ")))
    assert isinstance(setting, Known)
    assert setting.value.host == HostPort("kms.tencentyun.com ")


def test_nothing_but_blanks_is_no_host() -> None:
    assert service_setting(facts_of(server("2019", kms="  "))) == ABSENT


@pytest.mark.parametrize(
    ("code", "reach"),
    [
        (0, "yes"),
        (0x80072F78, "yes"),
        (0x80072EFE, "yes"),
        (0x80072746, "yes"),
        (UNRESOLVED, "unresolved"),
        (REFUSED, "refused"),
        (TIMEOUT, "timeout"),
        (0x80004005, "unknown"),
        (unreadable(), "unknown"),
        (None, "unknown"),
        (MISSING, "unknown"),
    ],
)
def test_what_an_http_try_tells(code: Any, reach: str) -> None:
    facts = facts_of(server(**{"reach__kms.tencentyun.com:1688": code}))
    assert reach_of(facts.reach, HostPort(KMS)) == reach


def test_what_was_tried_counts_for_every_spelling_of_the_host() -> None:
    tried = {"kms.tencentyun.com:1688": REFUSED, "no host": 0}
    facts = facts_of(server(reach=tried))
    assert reach_of(facts.reach, HostPort("KMS.Tencentyun.com.")) == "refused"
    assert reach_of(facts.reach, HostPort(KMS, 1700)) == "unknown"


def test_reachable_hosts_stay_in_order() -> None:
    facts, ctx = facts_of(server("2016")), context()
    assert assess(facts, ctx).kms.reached == (HostPort(KMS1), HostPort(KMS))


def test_a_host_of_the_providers_own_domain_is_accepted() -> None:
    facts, ctx = facts_of(server("2019")), context("ucloud")
    known = assess(facts, ctx).kms.accepted
    own = next(iter(ctx.knowledge.profile.kms_suffixes), "")
    assert own
    assert assess(facts, ctx).kms.is_accepted(HostPort(f"elsewhere.{own}"))
    assert not assess(facts, ctx).kms.is_accepted(HostPort(f"elsewhere.{own}", 1700))
    assert not assess(facts, ctx).kms.is_accepted(HostPort(f"not{own}"))
    assert all(assess(facts, ctx).kms.is_accepted(host) for host in known)
