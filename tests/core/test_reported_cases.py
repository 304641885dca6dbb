"""Failures that people reported of servers in clouds: the true cause comes first, the remedy fits.

Each names where it was reported or documented.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from servers import TIMEOUT, context, facts_of, product, server

from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.findings import diagnose
from volact.knowledge.load import load_profile, profile_names
from volact.model.finding import Finding
from volact.model.profile import HostPort
from volact.model.step import StepResult

AWS_HOST, AZURE_HOST = "169.254.169.250", "azkms.core.windows.net"
NOW_ISH = "2026-01-31T07:00:00Z"


def ctx(provider: str = "tencent") -> Context:
    return replace(context(provider), clouds=tuple(map(load_profile, profile_names())))


def found(
    raw: dict[str, Any], context: Context | None = None, results: tuple[StepResult, ...] = ()
) -> dict[str, Finding]:
    findings = diagnose(assess(facts_of(raw), context or ctx(), results))
    return {finding.id: finding for finding in findings}


def silent(provider: str) -> dict[str, Any]:
    """Not licensed, and none of the provider's KMS hosts answers."""
    hosts = load_profile(provider).all_kms_hosts()
    return server(
        "2019",
        licensed=False,
        kms=hosts[0].host,
        time__rtu=1,
        reach={str(host): TIMEOUT for host in hosts},
    )


def reasoned(code: int, channel: str = "VOLUME_KMSCLIENT") -> dict[str, Any]:
    """Not licensed, for this reason, and no attempt is on record."""
    one = product("2019", licensed=False, channel=channel, LicenseStatusReason=code)
    return server("2019", products=[one], events={"12288": None, "12289": None, "8198": None})


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("aws", "security groups and network ACLs do not filter them"),
        ("azure", "AzurePlatformLKM"),
        ("gcp", "Private Google Access"),
    ],
)
def test_what_the_cloud_asks_of_the_path_is_told_where_its_kms_host_is_silent(
    provider: str, told: str
) -> None:
    """AWS: VPC user guide; Azure: network security groups; Google: sample of the route."""
    remedy = found(silent(provider), ctx(provider))["kms-unreachable"].remedy
    assert told in remedy
    assert "Test-NetConnection" in remedy


@pytest.mark.parametrize("release", ["2008 R2", "2012", "2025"])
def test_the_task_scheduler_is_enabled_in_the_registry(release: str) -> None:
    """Its security descriptor gives administrators no right to change its configuration."""
    raw = server(release, services__Schedule=["Stopped", "Disabled"])
    remedy = found(raw)["service-disabled"].remedy
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\Schedule"
    assert f'reg add "{key}" /v Start /t REG_DWORD /d 2 /f' in remedy
    assert "restart" in remedy
    assert "sc config" not in remedy and "DelayedAutoStart" not in remedy


V2 = r'"C:\Program Files\Amazon\EC2Launch\EC2Launch.exe" run-task add-routes'


@pytest.mark.parametrize(
    ("release", "told"),
    [
        ("2012 R2", ""),
        ("2016", "EC2Launch v1: powershell"),
        ("2019", "EC2Launch v1: powershell"),
        ("2022", f"EC2Launch v2: {V2}"),
        ("2025", f"EC2Launch v2: {V2}"),
    ],
)
def test_the_launch_agent_of_the_release_sets_the_routes_of_aws(release: str, told: str) -> None:
    """AWS's images: EC2Config until 2012 R2, then EC2Launch, v2 from 2022 on."""
    hosts = load_profile("aws").all_kms_hosts()
    raw = server(
        release,
        licensed=False,
        kms=hosts[0].host,
        time__rtu=1,
        reach={str(host): TIMEOUT for host in hosts},
        routes=[["0.0.0.0", "0.0.0.0", "10.0.0.1"]],
    )
    remedy = found(raw, ctx("aws"))["provider-route-missing"].remedy
    assert ("own way" in remedy) is bool(told)
    assert told in remedy
    assert ("Ec2Launch.psd1" in remedy) is ("v1" in told)


@pytest.mark.parametrize("release", ["2008", "2008 R2", "2012", "2012 R2", "2025"])
def test_the_path_is_tried_with_what_the_release_has(release: str) -> None:
    """Test-NetConnection came with 2012 R2."""
    raw = server(release, licensed=False, reach={"kms.tencentyun.com:1688": TIMEOUT})
    remedy = found(raw)["kms-unreachable"].remedy
    socket = "(New-Object Net.Sockets.TcpClient).Connect('kms.tencentyun.com',1688)"
    early = release in ("2008", "2008 R2", "2012")
    assert (f'powershell -Command "{socket}"' in remedy) is early
    assert ("Test-NetConnection kms.tencentyun.com -Port 1688" in remedy) is not early


SEMI_ANNUAL = {
    "1709": 16299,
    "1803": 17134,
    "1809": 17763,
    "1903": 18362,
    "1909": 18363,
    "2004": 19041,
    "20H2": 19042,
}


@pytest.mark.parametrize("build", SEMI_ANNUAL.values(), ids=SEMI_ANNUAL)
def test_aws_has_published_images_of_the_semi_annual_releases(build: int) -> None:
    raw = server("2019", licensed=False, kms=AWS_HOST, os__build=build, os__sku=145)
    assert "release-unsupported" not in found(raw, ctx("aws"))


def test_a_release_that_no_page_of_the_cloud_names_is_not_called_uncovered() -> None:
    """No list of releases is complete, so that its silence is no answer."""
    raw = server("2019", licensed=False, os__build=19042, os__sku=145)
    finding = found(raw)["release-unsupported"]
    assert finding.summary == (
        "volact does not know whether Tencent Cloud's KMS hosts serve Windows Server 20H2."
    )


def test_a_kms_host_of_ones_own_has_nothing_of_the_clouds() -> None:
    known = ctx("aws").knowledge
    own = known.profile.with_kms_hosts((HostPort("kms.corp.example"),))
    raw = server(
        "2019",
        licensed=False,
        kms="kms.corp.example",
        time__rtu=1,
        reach={"kms.corp.example:1688": TIMEOUT},
    )
    one = found(raw, replace(ctx("aws"), knowledge=replace(known, profile=own)))
    assert "link-local" not in one["kms-unreachable"].remedy


def accepted(host: str) -> dict[str, Any]:
    """TCP connects to this KMS host, and the last activation got no answer there."""
    fields = ["0xC004F074", "0x00000000", f"{host}:1688"]
    told = {"12288": [NOW_ISH, fields], "12289": None, "8198": None}
    return server("2019", licensed=False, kms=host, events=told, reach={f"{host}:1688": 0})


def test_something_between_is_the_first_cause_where_a_clouds_own_host_takes_connections() -> None:
    """An application rule of Azure Firewall let TCP 1688 connect, and no activation through."""
    one = found(accepted(AZURE_HOST), ctx("azure"))["kms-host-silent"]
    assert "in between" in one.summary
    assert "Look for what accepts TCP 1688 in place of the KMS host" in one.remedy
    assert "KMS administrator" not in one.remedy
    assert "public Azure address" in one.remedy


def test_the_service_is_the_first_cause_at_a_kms_host_of_ones_own() -> None:
    raw = accepted("kms.corp.example")
    known = ctx("generic").knowledge
    own = known.profile.with_kms_hosts((HostPort("kms.corp.example"),))
    one = found(raw, replace(ctx("generic"), knowledge=replace(known, profile=own)))
    assert "KMS administrator" in one["kms-host-silent"].remedy


def test_the_reason_that_windows_gives_has_its_remedy_where_no_attempt_says_more() -> None:
    """KB2704233: a policy's rights of Plug and Play make a genuine Windows seem not to be."""
    one = found(reasoned(0xC004F200))["not-licensed"]
    assert "rights-lost" in one.remedy
    assert "Repair the other findings first" not in one.remedy


def test_an_attempt_on_record_says_more_than_the_reason() -> None:
    raw = reasoned(0xC004F200)
    raw["events"]["12288"] = [NOW_ISH, ["0x8007232B", "0x00000000", "kms.tencentyun.com:1688"]]
    assert "rights-lost" not in found(raw)["not-licensed"].remedy


def test_a_mak_that_came_to_other_hardware_is_activated_again() -> None:
    """Microsoft on 0xC004F00F: with a MAK, activate again online or by telephone."""
    one = found(reasoned(0xC004F00F, "VOLUME_MAK"))["online-activation-failed"]
    assert one.evidence["why"] == "hardware"
    assert "other hardware (0xC004F00F)" in one.summary
    assert "that failed" not in one.summary
    assert "-ato" in one.remedy


def test_the_same_reason_is_no_matter_of_microsofts_for_a_kms_client() -> None:
    assert "online-activation-failed" not in found(reasoned(0xC004F00F))


def test_a_proxy_that_wants_a_login_is_told_by_its_own_code() -> None:
    """KB921471: 0x8004FE33."""
    one = found(reasoned(0x8004FE33, "VOLUME_MAK"))["online-activation-failed"]
    assert one.evidence["why"] == "proxy"


def test_missing_licence_files_of_the_server_are_not_the_kms_hosts_age() -> None:
    """0xC004F015 is what the KMS host's log has of a refusal; here it says what is missing here."""
    raw = server("2019", licensed=False)
    failed = (StepResult(do="activate", ok=False, hresult=0xC004F015),)
    one = found(raw, results=failed)
    assert "kms-host-too-old" not in one
    assert one["not-licensed"].remedy.startswith("On this server run slmgr.vbs -rilc")


def test_a_kms_host_that_answers_so_is_too_old() -> None:
    told = {"12289": [NOW_ISH, ["0xC004F015", "0x00000000", "0"]], "8198": None}
    assert "kms-host-too-old" in found(server("2019", licensed=False, events=told))


def avma_on_hyper_v(**changes: Any) -> dict[str, Any]:
    """A key for AVMA that is not activated, on a guest of Hyper-V."""
    channel = "VIRTUAL_MACHINE_ACTIVATION"
    one = product("2019", licensed=False, channel=channel, partial="H8PYJ")
    firmware: dict[str, Any] = {
        "os__maker": "Microsoft Corporation",
        "os__model": "Virtual Machine",
    }
    return server("2019", products=[one], **firmware, **changes)


@pytest.mark.parametrize("provider", ["azure", "azure-china", "azure-us-gov"])
def test_no_hyper_v_host_is_to_be_activated_in_azure(provider: str) -> None:
    """Microsoft: 0xC004FD01 and 0xC004FD02 in Azure, which does not support AVMA."""
    one = found(avma_on_hyper_v(), ctx(provider))["key-avma"]
    assert f"{load_profile(provider).title} does not support it" in one.summary
    assert "Hyper-V host" not in f"{one.summary} {one.remedy}"
    assert "--replace-key" in one.remedy and "-ipk" in one.remedy


def test_in_a_cloud_without_hyper_v_only_a_host_of_ones_own_can_be_activated() -> None:
    """The other clouds' own servers are no guests of Hyper-V: this one is on a rented machine."""
    remedy = found(avma_on_hyper_v())["key-avma"].remedy
    assert remedy.startswith("If a volume licence covers this server")
    assert "only where the Hyper-V host is your own" in remedy


def test_on_premises_the_hyper_v_host_is_to_be_activated() -> None:
    remedy = found(avma_on_hyper_v(), ctx("generic"))["key-avma"].remedy
    assert remedy.startswith("Activate the Hyper-V host")


def refused(code: str, host: str) -> dict[str, Any]:
    """Not licensed: the KMS host that is set has answered with this code."""
    request = ["0x00000000", "0x0", f"{host}:1688"]
    events = {"12288": [NOW_ISH, request], "12289": [NOW_ISH, [code, "0x0"]], "8198": None}
    return server("2025", licensed=False, kms=host, reach={f"{host}:1688": 0}, events=events)


REFUSALS = [
    ("0xC004F042", "kms-host-too-old"),
    ("0xC004F015", "kms-host-too-old"),
    ("0xC004F038", "kms-host-refuses"),
    ("0xC004F041", "kms-host-refuses"),
]


@pytest.mark.parametrize(("code", "id"), REFUSALS)
def test_a_refusal_of_the_clouds_own_kms_host_is_a_matter_for_its_support(
    code: str, id: str
) -> None:
    """A customer has no say in the cloud's KMS host, and there is no other to use."""
    told = found(refused(code, AZURE_HOST), ctx("azure"))
    assert "ask Microsoft Azure's support" in told[id].remedy
    assert "the licence cannot be seen from the server" in told[id].remedy
    for remedy in (told[id].remedy, told["not-licensed"].remedy):
        assert "KMS administrator" not in remedy
        assert "own KMS host; a private host" not in remedy


@pytest.mark.parametrize(("code", "id"), REFUSALS)
def test_a_refusal_of_a_companys_kms_host_is_a_matter_for_its_administrator(
    code: str, id: str
) -> None:
    told = found(refused(code, "kms.corp.example"), ctx("generic"))
    assert told[id].remedy.startswith("KMS administrator: ")


def test_the_refusal_of_another_clouds_kms_host_is_not_one_of_the_provider() -> None:
    """A server that was moved, and still asks Azure."""
    told = found(refused("0xC004F041", AZURE_HOST), ctx("tencent"))
    assert "support" not in told["kms-host-refuses"].remedy


def test_extended_updates_need_no_key_in_azure() -> None:
    """Microsoft: how to get Extended Security Updates for Windows Server."""
    addon = product("2012 R2", licensed=False, LicenseIsAddon=True)
    raw = server("2012 R2", products=[product("2012 R2"), addon | {"ID": "addon"}])
    remedy = found(raw)["addon-not-licensed"].remedy
    assert "Azure" in remedy and "Arc" in remedy


def test_a_renewal_that_was_never_tried_points_at_the_task_that_starts_it() -> None:
    """Scripts that optimise images disable the licensing service's tasks."""
    raw = server("2019", products=[product("2019", GracePeriodRemaining=200_000)])
    assert "SvcRestartTask" in found(raw)["renewal-overdue"].remedy
