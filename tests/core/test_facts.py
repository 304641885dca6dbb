"""Reading an answer: known, absent, unreadable; strict types, unknown keys passed over."""

from __future__ import annotations

from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from servers import CLOCK, server

from volact.core.facts import GROUPS, PRODUCT_FIELDS, read_facts
from volact.errors import AnswerError
from volact.model.fact import ABSENT, NOT_ASKED, Known, Unreadable
from volact.model.facts import (
    BinaryFacts,
    Event,
    Facts,
    FirewallFacts,
    GroundFacts,
    LicensingFacts,
    OnlineFacts,
    OsFacts,
    Product,
    RegistryFacts,
    RightsFacts,
    Route,
    ServiceFact,
    StoreFacts,
    TimeFacts,
    WshFacts,
)

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "os": OsFacts,
    "time": TimeFacts,
    "licensing": LicensingFacts,
    "registry": RegistryFacts,
    "binary": BinaryFacts,
    "rights": RightsFacts,
    "store": StoreFacts,
    "firewall": FirewallFacts,
    "online": OnlineFacts,
    "wsh": WshFacts,
    "ground": GroundFacts,
}


def test_nothing_said_is_unreadable_never_absent() -> None:
    assert read_facts({}, None) == Facts()


def test_the_four_ways_to_say_a_fact() -> None:
    os = read_facts({"os": {"build": 14393, "sku": None, "role": {"!": 0x80070005}}}, None).os
    assert os.build == Known(14393)
    assert os.sku == ABSENT
    assert os.role == Unreadable(0x80070005)
    assert os.caption == NOT_ASKED


def test_a_group_that_failed_makes_all_of_it_unreadable() -> None:
    licensing = read_facts({"licensing": {"!": 0x80041010}}, None).licensing
    assert {getattr(licensing, name) for name in GROUPS["licensing"]} == {Unreadable(0x80041010)}


def test_a_group_that_is_absent_makes_all_of_it_absent() -> None:
    assert read_facts({"licensing": None}, None).licensing.machine == ABSENT


def test_unknown_keys_are_passed_over() -> None:
    facts = read_facts({"os": {"build": 1, "colour": "blue"}, "weather": {"rain": True}}, None)
    assert facts.os.build == Known(1)


def test_products_a_property_left_out_was_null() -> None:
    product = one_product({"ID": "x", "LicenseStatus": 1})
    assert product.status == Known(1)
    assert product.reason == ABSENT


@pytest.mark.parametrize(
    "missing",
    [
        {"ProductKeyChannel": 0x80041017, "IAID": 0x80041017},
        [0x80041017, "ProductKeyChannel IAID"],
    ],
)
def test_products_a_property_that_the_release_lacks_is_unreadable(missing: Any) -> None:
    product = one_product({"ID": "x", "!": missing})
    assert product.channel == Unreadable(0x80041017)
    assert product.other["IAID"] == Unreadable(0x80041017)


def test_products_keep_every_further_property() -> None:
    product = one_product({"ID": "x", "VLRenewalInterval": 10080, "TrustedTime": "2026"})
    assert product.other == {"VLRenewalInterval": Known(10080), "TrustedTime": Known("2026")}


def test_products_that_could_not_be_asked() -> None:
    assert read_facts({"products": {"!": 0x80041010}}, None).products == Unreadable(0x80041010)
    assert read_facts({"products": []}, None).products == Known(())


def test_the_rest_of_an_answer() -> None:
    facts = read_facts(
        {
            "services": {"sppsvc": ["Stopped", "Auto"], "slsvc": None},
            "reach": {"kms:1688": 0, "other:1688": {"!": 0x80004001}},
            "events": {
                "12288": ["2026-01-31T08:00:00Z", ["0x0"]],
                "12289": None,
                "8198": ["2026-01-31T08:00:00Z", [], 4711],
            },
            "routes": [["0.0.0.0", "0.0.0.0", "10.0.0.1"]],
            "dns": ["10.0.0.2"],
            "elevated": True,
        },
        CLOCK,
    )
    assert facts.services == {"sppsvc": Known(ServiceFact("Stopped", "Auto")), "slsvc": ABSENT}
    assert facts.reach == {"kms:1688": Known(0), "other:1688": Unreadable(0x80004001)}
    assert facts.events["12288"] == Known(Event("2026-01-31T08:00:00Z", ("0x0",)))
    assert facts.events["12289"] == ABSENT
    assert facts.events["8198"] == Known(Event("2026-01-31T08:00:00Z", (), 4711))
    assert facts.routes == Known((Route("0.0.0.0", "0.0.0.0", "10.0.0.1"),))
    assert facts.dns == Known(("10.0.0.2",))
    assert facts.elevated == Known(True)
    assert facts.clock == CLOCK


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ({"os": {"build": "14393"}}, "os.build"),
        ({"os": {"build": True}}, "os.build"),
        ({"os": {"build": 2**32}}, "os.build"),
        ({"time": {"utc": 2**62}}, "time.utc"),
        ({"products": [{"GracePeriodRemaining": 2**62}]}, "products[0].GracePeriodRemaining"),
        ({"products": [{"Strange": 2**64}]}, "products[0].Strange"),
        ({"os": {"caption": 5}}, "os.caption"),
        ({"os": []}, "os"),
        ({"os": {"build": {"!": "x"}}}, "os.build.!"),
        ({"elevated": 1}, "elevated"),
        ({"dns": "10.0.0.1"}, "dns"),
        ({"dns": [1]}, "dns"),
        ({"routes": [["a", "b"]]}, "routes"),
        ({"services": {"sppsvc": ["Stopped"]}}, "services.sppsvc"),
        ({"services": []}, "services"),
        ({"events": {"12288": ["x"]}}, "events.12288"),
        ({"products": {}}, "products"),
        ({"products": ["x"]}, "products[0]"),
        ({"products": [{"LicenseStatus": "1"}]}, "products[0].LicenseStatus"),
        ({"products": [{"Strange": [1]}]}, "products[0].Strange"),
        ({"products": [{"!": "x"}]}, "products[0].!"),
        ({"reach": {"kms:1688": "open"}}, "reach.kms:1688"),
        ({"licensing": {"caching": 0}}, "licensing.caching"),
    ],
)
def test_a_wrong_type_is_a_protocol_error_that_names_the_place(
    raw: dict[str, Any], where: str
) -> None:
    with pytest.raises(AnswerError) as caught:
        read_facts(raw, None)
    assert caught.value.kind == "protocol"
    assert f" {where} must be " in caught.value.message


@pytest.mark.parametrize("group", list(GROUPS))
def test_the_fields_are_those_of_the_model(group: str) -> None:
    assert set(GROUPS[group]) == {field.name for field in msgspec.structs.fields(STRUCTS[group])}


@pytest.mark.parametrize(
    "raw",
    [
        {"products": [{"ID": "x\r\nshutdown /r /t 0"}]},
        {"products": [{"ID": "x & calc"}]},
        {"products": [{"ID": "-x"}]},
        {"products": [{"ID": ""}]},
        {"binary": {"path": 'C:\\x" & calc & "'}},
        {"binary": {"path": "C:\\x\r\nformat c:"}},
        {"store": {"path": "C:\\x\x1b]0;y"}},
    ],
)
def test_what_would_end_a_command_is_no_fact(raw: dict[str, Any]) -> None:
    with pytest.raises(AnswerError, match="must be a"):
        read_facts(raw, None)


def test_windows_own_names_are_facts() -> None:
    raw: dict[str, Any] = {
        "products": [{"ID": "21c56779-b449-4d20-adfc-eece0e1ad74b"}],
        "binary": {"path": "D:\\Wïn (x86) & co\\System32\\sppsvc.exe"},
    }
    facts = read_facts(raw, None)
    assert facts.binary.path == Known(raw["binary"]["path"])


_READERS = {
    str: ("text", "path"),
    int: ("integer", "moment"),
    bool: ("boolean",),
    tuple[str, ...]: ("texts",),
}


@pytest.mark.parametrize("group", list(GROUPS))
def test_the_readers_are_those_of_the_model(group: str) -> None:
    hints = get_type_hints(STRUCTS[group])
    for name, read in GROUPS[group].items():
        known = next(part for part in get_args(hints[name]) if get_origin(part) is Known)
        (wanted,) = get_args(known)
        assert read.__name__ in _READERS[wanted], name


def test_product_fields_are_those_of_the_model() -> None:
    wanted = {field.name for field in msgspec.structs.fields(Product)} - {"other"}
    assert {field for field, _ in PRODUCT_FIELDS.values()} == wanted


def test_facts_can_be_stored_and_read_back() -> None:
    facts = read_facts(server("2008"), CLOCK)
    assert msgspec.json.decode(msgspec.json.encode(facts), type=Facts) == facts


def one_product(raw: dict[str, Any]) -> Product:
    products = read_facts({"products": [raw]}, None).products
    assert isinstance(products, Known)
    return products.value[0]
