"""Channels, products, clocks and releases: the questions that many rules ask."""

from __future__ import annotations

from typing import Any

import pytest
from servers import CLOCK, MISSING, NOW_S, context, facts_of, product, server, unreadable

from volact.core.assessment import assess
from volact.core.assessment.channel import channel_of
from volact.core.assessment.clock import measured_skew
from volact.core.assessment.licence import licence_of, status_word
from volact.core.assessment.system import edition_by_partial, gvlk_for, licensing_service, role_of
from volact.core.rows import language_tag
from volact.knowledge.load import load_editions
from volact.model.fact import Known, value_of
from volact.model.facts import Clock, Product


@pytest.mark.parametrize(
    ("description", "channel", "kind"),
    [
        ("Windows(R) Operating System, VOLUME_KMSCLIENT channel", None, "kms-client"),
        ("Windows(R) Operating System, VOLUME_KMS_2012-R2 channel", None, "kms-host"),
        ("Windows(R) Operating System, VOLUME_MAK channel", None, "mak"),
        ("Windows(R) Operating System, RETAIL channel", None, "retail"),
        ("Windows(R) Operating System, OEM_SLP channel", None, "oem"),
        ("Windows(R) Operating System, OEM_DM channel", None, "oem"),
        ("Windows(R) Operating System, TIMEBASED_EVAL channel", None, "eval"),
        ("Windows(R), VIRTUAL_MACHINE_ACTIVATION channel", None, "avma"),
        ("", "Volume:GVLK", "kms-client"),
        ("", "Volume:CSVLK", "kms-host"),
        ("", "Retail:TB:Eval", "eval"),
        ("", "Retail", "retail"),
        ("Windows", None, "unknown"),
    ],
)
def test_the_channel_of_a_key(description: str, channel: str | None, kind: str) -> None:
    made = Product(description=Known(description))
    if channel:
        made = Product(description=Known(description), channel=Known(channel))
    assert channel_of(made) == kind


def test_add_ons_and_other_applications_are_no_windows_licence() -> None:
    office = "0ff1ce15-a989-479d-af46-f275c6370663"
    facts = facts_of(
        server(
            products=[
                product(ID="esu", LicenseIsAddon=True),
                product(ID="office", ApplicationID=office),
                product(ID="windows"),
            ]
        )
    )
    assert [value_of(p.facts.id) for p in licence_of(facts).products] == ["windows"]


def test_the_kms_clients_say_whether_it_is_licensed() -> None:
    facts = facts_of(
        server(
            products=[
                product(ID="retail", channel="RETAIL", licensed=False),
                product(ID="client"),
            ]
        )
    )
    assert [value_of(p.facts.id) for p in licence_of(facts).subjects] == ["client"]


def test_the_licensed_product_stands_for_the_server() -> None:
    facts = facts_of(server(products=[product(ID="one", licensed=False), product(ID="two")]))
    main = licence_of(facts).main
    assert main and value_of(main.facts.id) == "two"


@pytest.mark.parametrize(
    ("products", "key"),
    [
        ([], False),
        ([product()], True),
        (unreadable(), None),
        ([product(LicenseIsAddon=unreadable())], None),
        ([product(LicenseIsAddon=True)], False),
    ],
)
def test_is_there_a_key(products: Any, key: bool | None) -> None:
    assert licence_of(facts_of(server(products=products))).has_key is key


def test_a_key_of_unreadable_kind_is_undetermined() -> None:
    blind = product("2012", Description=unreadable())
    assert licence_of(facts_of(server("2012", products=[blind]))).undetermined
    with_channel = product("2016", Description=unreadable())
    assert not licence_of(facts_of(server(products=[with_channel]))).undetermined


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (server(), "accepted"),
        (server(kms="kms.elsewhere.example"), "other"),
        (server(licensed=False), "none"),
        (server(products=[]), "none"),
        (server(products=unreadable()), "unknown"),
        (server(registry__policy_machine=unreadable()), "unknown"),
        (server(products=[product(channel="VOLUME_MAK")]), "other"),
        (server(products=[product(LicenseStatus=6)]), "none"),
    ],
)
def test_by_whom_it_is_licensed(raw: dict[str, Any], where: str) -> None:
    assert assess(facts_of(raw), context()).standing == where


def test_every_status_has_a_word() -> None:
    words = [status_word(number) for number in range(8)]
    assert words[1] == "licensed"
    assert words[5] == "notification"
    assert words[7] == "status-7"
    assert len(set(words)) == 8


@pytest.mark.parametrize(
    ("asked", "answered", "utc", "skew"),
    [
        (0.0, 1.0, 0.5, 0),  # taken between asking and answering
        (0.0, 1.0, 301.0, 300),  # ahead of the answer
        (0.0, 60.0, -300.0, -300),  # behind the question
        (0.0, 600.0, 500.0, 0),  # a slow network is no evidence
    ],
)
def test_the_skew_nearest_to_zero(asked: float, answered: float, utc: float, skew: int) -> None:
    raw = server(time={"utc": int((NOW_S + utc) * 1000)})
    assert measured_skew(facts_of(raw, Clock(NOW_S + asked, NOW_S + answered))) == skew


def test_the_skew_without_a_clock_of_volacts_own() -> None:
    assert measured_skew(facts_of(server(skew_s=3600), None)) == pytest.approx(3600, abs=5)
    assert measured_skew(facts_of(server(time__ref=MISSING), None)) is None


def test_the_clock_that_speaks_for_the_server_is_believed() -> None:
    ahead = Clock(CLOCK.asked - 18_000, CLOCK.answered - 18_000)  # volact's own clock is wrong
    assert measured_skew(facts_of(server(), ahead)) == 0


@pytest.mark.parametrize(
    ("number", "role"),
    [(0, "standalone"), (1, "member"), (2, "standalone"), (3, "member"), (4, "controller")],
)
def test_domain_roles(number: int, role: str) -> None:
    assert role_of(facts_of(server(role=number)).os) == role


@pytest.mark.parametrize(
    ("build", "sku", "release"),
    [
        (6002, 7, "2008"),
        (7601, 8, "2008 R2"),
        (9600, 12, "2012 R2"),
        (14393, 50, "2016"),
        (17763, 8, "2019"),
        (17763, 145, "1809"),
        (17763, 146, "1809"),
        (19042, 145, "20H2"),
        (26100, 407, "2025"),
        (17763, 4, ""),  # a client Windows shares the build
        (9600, 28, ""),
        (12345, 8, ""),
    ],
)
def test_the_release_by_build_and_edition(build: int, sku: int, release: str) -> None:
    assert (
        assess(facts_of(server(os__build=build, os__sku=sku)), context()).system.release_name
        == release
    )


def test_a_shared_build_is_not_guessed() -> None:
    shared = facts_of(server("2019", os__sku=unreadable()))
    alone = facts_of(server("2022", os__sku=unreadable()))
    assert assess(shared, context()).system.release_name == ""
    assert assess(alone, context()).system.release_name == "2022"


@pytest.mark.parametrize(
    ("build", "sku", "tail"),
    [
        (14393, 8, "8XDDG"),
        (14393, 12, "8XDDG"),
        (14393, 7, "KHKQY"),
        (17763, 145, "CWH2D"),
        (17763, 8, "63DFG"),
        (6003, 36, "6FFFJ"),
        (25398, 8, None),
        (14393, 79, None),
    ],
)
def test_the_key_by_build_and_edition(build: int, sku: int, tail: str | None) -> None:
    os = facts_of(server(os__build=build, os__sku=sku)).os
    edition = gvlk_for(os, load_editions())
    assert (edition.gvlk[-5:] if edition else None) == tail


def test_an_edition_by_the_end_of_its_key() -> None:
    found = edition_by_partial("J464C", load_editions())
    assert found and (found.release, found.title) == ("2019", "Standard")
    assert edition_by_partial("XXXXX", load_editions()) is None


def test_the_licensing_service_of_each_release() -> None:
    assert licensing_service(facts_of(server("2008")).os) == "slsvc"
    assert licensing_service(facts_of(server("2008 R2")).os) == "sppsvc"


def test_languages() -> None:
    tags = [language_tag(lcid) for lcid in (1033, 2052, 1057, 1041, 1031, 1027, 9999)]
    # Serbian has two scripts, and Python's tag for both names a region that is none.
    assert [language_tag(lcid) for lcid in (2074, 3098)] == ["und-x-lcid2074", "und-x-lcid3098"]
    assert tags == ["en-US", "zh-CN", "id-ID", "ja-JP", "de-DE", "ca-ES", "und-x-lcid9999"]
