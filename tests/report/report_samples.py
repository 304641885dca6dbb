"""Rows as a run gives them: one of every verdict, and as many as a test wants."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from volact.model.finding import Finding
from volact.model.report import (
    ErrorRow,
    LicenseRow,
    OsRow,
    RunReport,
    ServerReport,
)
from volact.report.base import Invocation
from volact.report.run_counts import RunCounts

STARTED = "2026-01-31T08:00:00Z"
HOW = Invocation(
    volact="0.1.0", command="activate", run="01jx", started=STARTED, selector="-i lab.toml"
)

# A sign of an English line beside a Chinese character.
MIXED_SIGNS = re.compile("[一-鿿](?:, |: | \\()|(?:, |: |\\) ?)[一-鿿]")

SKEW = Finding(
    id="clock-skew",
    severity="error",
    summary="The clock is 5 hours ahead",
    evidence={"skew_s": 18000, "allowed_s": 240},
    repair="automatic",
)
POLICY = Finding(
    id="kms-host-set-by-policy",
    severity="error",
    summary="A group policy sets the KMS host",
    evidence={"machine": "kms.corp.example", "port": 1688},
    remedy="Change the KMS host in the group policy, then run gpupdate /force",
)
COUNT = Finding(
    id="not-licensed",
    severity="error",
    summary="Windows is not activated",
    evidence={"status": "notification", "reason": 0xC004F038},
    repair="automatic",
)
RETAIL = Finding(
    id="key-wrong-channel",
    severity="error",
    summary="A retail key is installed",
    evidence={"channel": "Retail", "partial_key": "3V66T"},
    repair="needs-consent",
)
KMS_HOST = Finding(
    id="kms-host-role",
    severity="info",
    summary="This server is itself a KMS host, so volact does not change it.",
    remedy="If this is meant, accept it: --ignore kms-host-role",
)
DNS = Finding(
    id="dns-not-provider",
    severity="warning",
    summary="The DNS servers are not the provider's",
    evidence={"dns": ["8.8.8.8", "1.1.1.1"]},
)


def healthy(name: str = "web-01", *, repaired: bool = False) -> ServerReport:
    results = (
        {
            "do": "sync-clock",
            "ok": True,
            "changed": True,
            "hresult": None,
            "before": {"skew_s": 18000},
            "after": {"skew_s": 0},
            "note": "",
        },
        {"do": "activate", "ok": True, "changed": True, "hresult": None, "before": {}, "after": {}},
    )
    return ServerReport(
        name=name,
        address="ssh://10.0.0.5:22",
        provider="tencent",
        verdict="healthy",
        os=OsRow(release="2016", build=14393, edition="ServerDatacenter", language="zh-CN"),
        license=LicenseRow(
            status="licensed",
            channel="VOLUME_KMSCLIENT",
            partial_key="8XDDG",
            kms_host="kms1.tencentyun.com:1688",
            expires="2026-07-30T08:00:00Z",
            cmid="5d3f1b58-1b0f-4f1c-9a4e-2f4e0c9b7a11",
        ),
        results=results if repaired else (),
        plan=({"do": "sync-clock", "because": ["clock-skew"], "within_s": 60},) if repaired else (),
        resolved=("clock-skew", "not-licensed") if repaired else (),
        reason="" if repaired else "Nothing to do: activated by an accepted KMS host.",
        executions=2 if repaired else 1,
        elapsed_s=0.4,
    )


def attention(name: str = "db-01", finding: Finding = POLICY) -> ServerReport:
    return ServerReport(
        name=name,
        address="ssh://10.0.1.7:22",
        provider="tencent",
        verdict="attention",
        os=OsRow(release="2019", build=17763, edition="ServerStandard", language="en-US"),
        license=LicenseRow(
            status="notification", channel="VOLUME_KMSCLIENT", kms_host="kms.corp.example:1688"
        ),
        findings=(finding, DNS),
        refusals=(
            {
                "finding": finding.id,
                "reason": "a retail key is replaced only with your word",
                "allow_with": "--replace-key" if finding is RETAIL else "",
            },
        )
        if finding.repair == "needs-consent"
        else (),
        plan=({"do": "sync-clock", "because": [finding.id]},)
        if finding.repair == "automatic"
        else (),
        executions=1,
        elapsed_s=0.5,
    )


def failed(name: str = "app-01") -> ServerReport:
    return ServerReport(
        name=name,
        address="ssh://10.0.2.9:22",
        provider="tencent",
        verdict="failed",
        os=OsRow(release="2012 R2", build=9600, edition="ServerStandard", language="de-DE"),
        license=LicenseRow(status="notification", channel="VOLUME_KMSCLIENT"),
        findings=(COUNT,),
        plan=({"do": "activate", "because": ["not-licensed"]},),
        results=({"do": "activate", "ok": False, "changed": False, "hresult": 0xC004F038},),
        executions=2,
        elapsed_s=1.1,
    )


def unreachable(name: str = "old-01") -> ServerReport:
    return ServerReport(
        name=name,
        address="ssh://10.0.3.1:22",
        provider="tencent",
        verdict="unreachable",
        error=ErrorRow(kind="auth", message="the server refused the password of Administrator"),
        elapsed_s=0.2,
    )


def one_of_each() -> list[ServerReport]:
    return [healthy(), healthy("web-02", repaired=True), attention(), failed(), unreachable()]


def fleet(count: int, seed: int = 1) -> list[ServerReport]:
    chance = random.Random(seed)
    kinds = ["h"] * 70 + ["r"] * 14 + ["p"] * 5 + ["k"] * 4 + ["f"] * 3 + ["u"] * 4
    make: dict[str, Callable[[str], ServerReport]] = {
        "h": healthy,
        "r": lambda name: healthy(name, repaired=True),
        "p": attention,
        "k": lambda name: attention(name, RETAIL),
        "f": failed,
        "u": unreachable,
    }
    return [make[chance.choice(kinds)](f"srv-{number:05d}") for number in range(1, count + 1)]


def run_of(servers: list[ServerReport], *, command: str = "activate") -> RunReport:
    return RunReport(
        volact="0.1.0",
        command=command,
        run="01jx",
        started=STARTED,
        elapsed_s=4.2,
        servers=tuple(servers),
        summary=RunCounts(servers).summary(),
    )
