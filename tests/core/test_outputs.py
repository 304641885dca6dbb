"""Rows, the provider of a server, and the list that the script carries."""

from __future__ import annotations

from typing import Any

import pytest
from servers import KMS, RELEASES, context, facts_of, product, server, unreadable

from volact.core.assessment import assess
from volact.core.detect import detect
from volact.core.rows import license_row, os_row
from volact.core.standalone import standalone_steps
from volact.core.steps import ORDER
from volact.knowledge.load import knowledge_for, load_profile, profile_names
from volact.model.profile import Profile
from volact.model.report import LicenseRow, OsRow
from volact.model.step import Step


def test_the_rows_of_a_healthy_server() -> None:
    facts, ctx = facts_of(server()), context()
    assert os_row(assess(facts, ctx)) == OsRow(
        release="2016", build=14393, edition="ServerDatacenter", language="en-US"
    )
    assert license_row(assess(facts, ctx)) == LicenseRow(
        status="licensed",
        channel="VOLUME_KMSCLIENT",
        partial_key="8XDDG",
        kms_host="kms1.tencentyun.com:1688",
        kms_source="service",
        expires="2026-07-27T10:00:00Z",  # 255,000 minutes after the moment of the probe
        cmid="9f7b1c55-2a5a-4b7e-9d3e-0c6f3a1b2c4d",
    )


def test_what_is_not_known_is_null() -> None:
    facts, ctx = facts_of({}), context()
    assert os_row(assess(facts, ctx)) == OsRow()
    assert license_row(assess(facts, ctx)) == LicenseRow()


def test_the_row_without_a_key_still_names_the_host() -> None:
    row = license_row(assess(facts_of(server("2019", products=[])), context()))
    assert (row.status, row.kms_host) == (None, f"{KMS}:1688")


def test_the_edition_by_its_number_where_the_registry_is_silent() -> None:
    facts = facts_of(server(os__edition=unreadable(), os__sku=13))
    assert os_row(assess(facts, context())).edition == "ServerStandardCor"


@pytest.mark.parametrize(
    ("changes", "expires"),
    [
        ({"GracePeriodRemaining": 0}, None),
        ({"GracePeriodRemaining": unreadable()}, None),
        ({"GracePeriodRemaining": 60}, "2026-01-31T09:00:00Z"),
    ],
)
def test_when_the_licence_ends(changes: dict[str, Any], expires: str | None) -> None:
    raw = server(products=[product(**changes)])
    assert license_row(assess(facts_of(raw), context())).expires == expires


@pytest.mark.parametrize(
    ("description", "channel"),
    [
        ("Windows(R) Operating System, VOLUME_MAK channel", "VOLUME_MAK"),
        ("Windows(R) Operating System, RETAIL channel", "RETAIL"),
        ("Windows(R) Operating System, OEM_SLP channel", "OEM_SLP"),
        ("Windows", "Volume:GVLK"),
    ],
)
def test_the_channel_is_a_token_not_a_translation(description: str, channel: str) -> None:
    raw = server(products=[product(Description=description)])
    assert license_row(assess(facts_of(raw), context())).channel == channel


def profiles() -> list[Profile]:
    return [load_profile(name) for name in profile_names()]


def test_a_server_says_whose_cloud_it_is_in() -> None:
    assert detect(facts_of(server()), profiles()).name == "tencent"


@pytest.mark.parametrize("maker", ["Other Ltd.", None, unreadable()])
def test_a_server_that_does_not_say_has_no_provider(maker: Any) -> None:
    assert detect(facts_of(server(os__maker=maker)), profiles()).name is None


def test_two_clouds_at_once_are_none() -> None:
    two = [
        Profile(name="one", title="", kms=(), releases=(), bios=("tencent",)),
        Profile(name="two", title="", kms=(), releases=(), bios=("cloud",)),
    ]
    assert detect(facts_of(server()), two).name is None


STEPS = standalone_steps(knowledge_for("tencent"))


def applies(step: Step, build: int) -> bool:
    low, high = step.params.get("builds", [0, 99_999])
    return bool(low <= build <= high)


def test_the_script_keeps_the_safe_order_for_every_release() -> None:
    for build, _ in RELEASES.values():
        kinds = [step.do for step in STEPS if applies(step, build)]
        licence = [ORDER.index(kind) for kind in kinds if ORDER.index(kind) > 3]
        assert licence == sorted(licence)
        assert kinds[-2:] == ["activate", "put-back-kms-host"]


@pytest.mark.parametrize("release", list(RELEASES))
def test_the_script_sets_one_list_of_hosts_per_release(release: str) -> None:
    build = RELEASES[release][0]
    hosts = [s.params["hosts"] for s in STEPS if s.do == "set-kms-host" and applies(s, build)]
    wanted = [str(host) for host in load_profile("tencent").kms_hosts(release)]
    assert hosts == [wanted]


def test_the_script_has_the_key_of_every_edition() -> None:
    keys = next(step.params["keys"] for step in STEPS if step.do == "install-key")
    assert keys["14393/8"] == "CB7KF-BWN84-R7R2Y-793K2-8XDDG"
    assert len(set(keys.values())) == 41
    assert next(s.params["replace"] for s in STEPS if s.do == "install-key") is False


@pytest.mark.parametrize(
    ("release", "service"), [("2008", "slsvc"), ("2008 R2", "sppsvc"), ("2025", "sppsvc")]
)
def test_the_script_enables_the_service_of_the_release(release: str, service: str) -> None:
    build = RELEASES[release][0]
    names = [
        step.params["name"]
        for step in STEPS
        if step.do == "enable-service" and applies(step, build) and "clock_off" not in step.params
    ]
    assert names == [service]


def test_the_script_touches_the_time_only_when_the_clock_is_off() -> None:
    timed = [s for s in STEPS if s.do in ("set-time-source", "sync-clock")]
    timed += [s for s in STEPS if s.params.get("name") == "W32Time"]
    assert len(timed) == 4
    assert all(step.params["clock_off"] == 300 for step in timed)


@pytest.mark.parametrize("provider", profile_names())
def test_the_script_can_be_made_for_every_provider(provider: str) -> None:
    steps = standalone_steps(knowledge_for(provider))
    assert [step.do for step in steps[-2:]] == ["activate", "put-back-kms-host"]
    hosts = knowledge_for(provider).profile.all_kms_hosts()
    assert any(step.do == "set-kms-host" for step in steps) is bool(hosts)
