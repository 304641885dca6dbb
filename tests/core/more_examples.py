"""Examples for rules about what is rarer: rights, firewalls, other clouds, odd editions.

Each is a name, a server, what is found on it (``id!`` error, ``id?`` warning,
``id`` info), and the context where it is not Tencent Cloud's.
"""

from __future__ import annotations

from typing import Any

from servers import (
    KMS,
    KMS1,
    OTHER_KMS,
    TIMEOUT,
    context,
    product,
    server,
    unreadable,
)

from volact.core.context import Context

HOUR = 3600
BIAS_S = 480 * 60  # the time zone of ``server()``
SILENT: dict[str, Any] = {"products": unreadable(), "licensing": unreadable()}
UNREACHED = {f"{KMS}:1688": TIMEOUT, f"{KMS1}:1688": TIMEOUT}

HEALTHY_RIGHTS: dict[str, Any] = {
    "profiles": ["S-1-5-18", "S-1-5-19", "S-1-5-20"],
    "profile_key": "D:(A;;0xf003f;;;S-1-5-20)(A;;0xf003f;;;S-1-5-18)",
    "hive": "D:(A;;0xf003f;;;S-1-5-20)(A;;0xf003f;;;S-1-5-18)",
    "enum_root": "D:(A;;0xf003f;;;S-1-5-18)(A;;0x20019;;;S-1-5-32-545)",
    "plugplay": "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCLCSWLOCRRC;;;SU)",
    "dcom": None,
}
# 01 00 04 80 ..., with one entry for Administrators alone.
NO_SELF = (
    "0100048034000000440000000000000014000000"
    + "02002000010000000000"
    + ("18000700000001020000000000052000000020020000")
)
OPEN: dict[str, Any] = {"service": "Running", "blocking": [], "block": [], "allow": []}
BLOCK_1688 = "v2.10|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=1688|Name=no KMS|"


def silent(**rights: Any) -> dict[str, Any]:
    """Licensing runs and does not answer."""
    asked = {**HEALTHY_RIGHTS, **rights}
    return server("2019", services__sppsvc=["Running", "Auto"], rights=asked, **SILENT)


def both(outcome: str, ms: int | None) -> dict[str, Any]:
    """Both KMS hosts, tried with one outcome."""
    return {f"{name}:1688": [outcome, ms] for name in (KMS, KMS1)}


def walled(**firewall: Any) -> dict[str, Any]:
    """No KMS host answers, and the firewall was asked."""
    return server("2019", licensed=False, reach=UNREACHED, firewall={**OPEN, **firewall})


def cloud(name: str, host: str, **changes: Any) -> dict[str, Any]:
    """A server of another provider, licensed by this host unless changed."""
    kms = changes.pop("kms", host)
    reach = changes.pop("reach", {f"{host}:1688": 0} if host else {})
    return server("2019", kms=kms, reach=reach, metadata={}, routes=[], dns=[], **changes)


WATERMARK = "azure-edition-watermark?"


def azure_edition(
    genuine: int, release: str = "2022", *, licensed: bool = True, **changes: Any
) -> dict[str, Any]:
    """Datacenter: Azure Edition in Azure; ``genuine`` is its product's GenuineStatus."""
    host = "azkms.core.windows.net"
    keyed = product(release, licensed=licensed, kms=host, partial="KHMXV", GenuineStatus=genuine)
    known: dict[str, Any] = {
        "os__sku": 407,
        "products": [keyed],
        "reach": {f"{host}:1688": 0},
        "metadata": {"environment": "AzurePublicCloud", "public-ip": "20.0.0.1"},
    }
    return server(release, kms=host, **known | changes)


def forced(kind: int, **changes: Any) -> dict[str, Any]:
    keyed = product("2019", licensed=False, VLActivationTypeEnabled=kind)
    return server("2019", products=[keyed], **changes)


def answered(
    code: str, host: str = f"{KMS}:1688", *, flags: str = "0x0", bound: str = "0"
) -> dict[str, Any]:
    at = "2026-01-31T07:00:00Z"
    request = ["0x00000000", "0x0", host, "cmid", "2026/01/31 07:00", "0", "5", "0", "id", "5"]
    return {"12288": [at, request], "12289": [at, [code, flags, bound, "0", "4"]], "8198": None}


def undiscovered(code: str) -> dict[str, Any]:
    at = "2026-01-31T07:00:00Z"
    return {"12288": None, "12289": None, "8198": [at, [f"hr={code}"]]}


def tried(left: int | None, code: str = "0x800706BA", host: str = f"{KMS}:1688") -> dict[str, Any]:
    """Licensed, and a request an hour ago that no host answered."""
    at = "2026-01-31T07:00:00Z"
    return server(
        "2019",
        products=[product("2019", GracePeriodRemaining=left)],
        events={"12288": [at, [code, "0x0", host]], "12289": None, "8198": None},
    )


def former(
    host: str = f"{OTHER_KMS}:1688",
    *,
    answer: str | None = "0x00000000",
    left: int | None = 257_760,
    at: str = "2026-01-30T08:00:00Z",
) -> dict[str, Any]:
    """Licensed, the provider's host is set, and the newest activation a day ago was another's."""
    response = [at, [answer, "0x0", "1"]] if answer else None
    return server(
        "2019",
        products=[product("2019", GracePeriodRemaining=left)],
        events={"12288": [at, ["0x00000000", "0x0", host]], "12289": response, "8198": None},
    )


def avma(*, licensed: bool = False, **os: str) -> dict[str, Any]:
    channel = "VIRTUAL_MACHINE_ACTIVATION"
    keyed = product("2019", licensed=licensed, channel=channel, partial="H8PYJ")
    firmware: dict[str, Any] = {f"os__{name}": text for name, text in os.items()}
    return server("2019", products=[keyed], **firmware)


AWS, AZURE, GENERIC = context("aws"), context("azure"), context("generic")
AWS_HOST = "169.254.169.250"
UNKNOWN = "entitlement-unknown"

NOW_ISH = "2026-01-31T07:00:00Z"


def asked(code: str, **changes: Any) -> dict[str, Any]:
    """Not licensed, and the last request to the host that is set met this code."""
    fields = [code, "0x00000000", "kms.tencentyun.com:1688"]
    told = {"12288": [NOW_ISH, fields], "12289": None, "8198": None}
    return server("2019", licensed=False, events=told, **changes)


def keyed(channel: str, code: int, **changes: Any) -> dict[str, Any]:
    """A key of this channel that is not activated, for this reason."""
    one = product("2019", licensed=False, channel=channel, LicenseStatusReason=code)
    return server("2019", products=[one], **changes)


MORE: list[tuple[str, dict[str, Any], str, Context | None]] = [
    # hosts, Microsoft, the domain, forgery
    ("the host's clock", asked("0xC004F06C"), "not-licensed! kms-host-clock-wrong?", None),
    ("TCP answers, KMS does not", asked("0x800706BA"), "not-licensed! kms-host-silent?", None),
    (
        "a MAK without activations",
        keyed("VOLUME_MAK", 0xC004C020),
        "key-wrong-channel! online-activation-failed! not-licensed!",
        None,
    ),
    (
        "no activation object",
        keyed("VOLUME_KMSCLIENT", 0xC004F081),
        "directory-activation-failed! not-licensed!",
        None,
    ),
    (
        "a KMS host of its own",
        server("2019", kms="127.0.0.2"),
        "emulator-suspected! kms-host-wrong! licensed-by-other-kms!",
        None,
    ),
    (
        "Azure, no way out",
        server(
            "2022",
            licensed=False,
            kms="azkms.core.windows.net",
            reach={"azkms.core.windows.net:1688": TIMEOUT, "kms.core.windows.net:1688": TIMEOUT},
            metadata={"environment": "AzurePublicCloud", "public-ip": ""},
        ),
        f"kms-unreachable! not-licensed! azure-outbound-missing? {UNKNOWN}",
        AZURE,
    ),
    (
        "Azure Edition, metadata cut off",
        server(
            "2022",
            kms="azkms.core.windows.net",
            os__sku=407,
            reach={"azkms.core.windows.net:1688": 0},
            metadata={"environment": unreadable(TIMEOUT)},
        ),
        "azure-edition-unproven?",
        AZURE,
    ),
    ("Azure Edition, found not genuine", azure_edition(1), WATERMARK, AZURE),
    ("Azure Edition 2025, found not genuine", azure_edition(2, "2025"), WATERMARK, AZURE),
    ("Azure Edition, genuine", azure_edition(0), "", AZURE),
    ("Azure Edition, never asked", azure_edition(0xFFFFFFFF), "", AZURE),
    (
        "Azure Edition, found not genuine and not licensed",
        azure_edition(1, licensed=False),
        "not-licensed!",
        AZURE,
    ),
    (
        "Azure Edition, found not genuine, metadata cut off",
        azure_edition(1, metadata={"environment": unreadable(TIMEOUT)}),
        "azure-edition-unproven?",
        AZURE,
    ),
    (
        "another edition in Azure, found not genuine",
        azure_edition(1, os__sku=8),
        UNKNOWN,
        AZURE,
    ),
    # rights
    ("all rights are there", silent(), "fact-unreadable!", None),
    (
        "no profile of NETWORK SERVICE",
        silent(profiles=["S-1-5-18", "S-1-5-19"]),
        "rights-lost!",
        None,
    ),
    (
        "the hive is closed to its owner",
        silent(hive="D:(A;;0xf003f;;;S-1-5-18)(A;;0xf003f;;;S-1-5-32-544)"),
        "rights-lost!",
        None,
    ),
    (
        "NETWORK SERVICE is denied its profile's key",
        silent(profile_key="D:(D;;0x20019;;;S-1-5-20)(A;;0xf003f;;;S-1-5-32-545)"),
        "rights-lost!",
        None,
    ),
    (
        "services may not query PlugPlay",
        silent(plugplay="D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCLCSWLOCRRC;;;IU)"),
        "rights-lost!",
        None,
    ),
    (
        "SYSTEM may not enumerate",
        silent(enum_root="D:(A;;0x20019;;;S-1-5-32-545)"),
        "rights-lost!",
        None,
    ),
    ("DCOM without SELF", silent(dcom=NO_SELF), "rights-lost!", None),
    (
        "DCOM with SELF",
        silent(dcom=NO_SELF + "0000140007000000" + "01010000000000050a000000"),
        "fact-unreadable!",
        None,
    ),
    (
        "a DACL that is not understood",
        silent(hive="D:(XA;;0xf003f;;;S-1-5-20;(a==b))"),
        "fact-unreadable!",
        None,
    ),
    (
        "a right is lost and it is licensed still",
        server("2019", rights={**HEALTHY_RIGHTS, "plugplay": "D:(A;;CCLC;;;SY)"}),
        "rights-lost?",
        None,
    ),
    (
        "2008 R2, the store is closed",
        server(
            "2008 R2",
            services__sppsvc=["Running", "Auto"],
            rights=HEALTHY_RIGHTS,
            store={"path": "C:\\store", "sddl": "D:(A;;FA;;;SY)(A;;FA;;;BA)"},
            **SILENT,
        ),
        "rights-lost!",
        None,
    ),
    (
        "2019, the same rights of the store prove nothing",
        server(
            "2019",
            services__sppsvc=["Running", "Auto"],
            rights=HEALTHY_RIGHTS,
            store={"path": "C:\\store", "sddl": "D:(A;;FA;;;SY)(A;;FA;;;BA)"},
            **SILENT,
        ),
        "fact-unreadable!",
        None,
    ),
    # what a try at a KMS host's port means, besides its code
    (
        "a host that waits for more is connected, with any code",
        server("2019", licensed=False, reach=UNREACHED, reached=both("connected", 1003)),
        "not-licensed!",
        None,
    ),
    (
        "a try that tells nothing accuses no host",
        server("2019", licensed=False, reach=UNREACHED, reached=both("unknown", None)),
        "not-licensed!",
        None,
    ),
    (
        "no answer to the connection, twice",
        server("2019", licensed=False, reach=UNREACHED, reached=both("filtered", 3004)),
        "kms-unreachable! not-licensed!",
        None,
    ),
    (
        "the name server gives no answer",
        server("2019", licensed=False, reach=UNREACHED, reached=both("name", 6010)),
        "kms-name-unresolved! not-licensed!",
        None,
    ),
    (
        "something in between speaks HTTP",
        server("2019", licensed=False, reach=UNREACHED, reached=both("http", 3)),
        "not-licensed! kms-answered-by-http?",
        None,
    ),
    ("HTTP, on a licensed server", server("2019", reached=both("http", 3)), "", None),
    (
        "the host that is set refuses, of the other it is not certain",
        server(
            "2019",
            licensed=False,
            reached={f"{KMS}:1688": ["refused", 2], f"{KMS1}:1688": ["unknown", None]},
        ),
        "kms-unreachable! not-licensed!",
        None,
    ),
    # firewall
    ("silent, and no rule about it", walled(), "kms-unreachable! not-licensed!", None),
    (
        "a rule for TCP 1688",
        walled(block=[BLOCK_1688]),
        "firewall-blocks-kms! kms-unreachable! not-licensed!",
        None,
    ),
    (
        "a rule for a range of ports",
        walled(block=[BLOCK_1688.replace("1688", "1000-2000")]),
        "firewall-blocks-kms! kms-unreachable! not-licensed!",
        None,
    ),
    (
        "a rule for UDP",
        walled(block=[BLOCK_1688.replace("Protocol=6", "Protocol=17")]),
        "kms-unreachable! not-licensed!",
        None,
    ),
    (
        "a rule for another program",
        walled(block=[BLOCK_1688 + "App=C:\\games\\game.exe|"]),
        "kms-unreachable! not-licensed!",
        None,
    ),
    (
        "a rule for other addresses",
        walled(block=[BLOCK_1688 + "RA4=203.0.113.0/255.255.255.0|"]),
        "kms-unreachable! not-licensed!",
        None,
    ),
    (
        "a rule, but the firewall does not run",
        walled(block=[BLOCK_1688], service="Stopped"),
        "kms-unreachable! not-licensed!",
        None,
    ),
    (
        "nothing goes out by default",
        walled(blocking=["PublicProfile"]),
        "firewall-blocks-kms! kms-unreachable! not-licensed!",
        None,
    ),
    (
        "nothing but KMS goes out by default",
        walled(
            blocking=["PublicProfile"],
            allow=["v2.10|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=1688|Name=KMS|"],
        ),
        "kms-unreachable! not-licensed!",
        None,
    ),
    (
        "a rule for sppsvc.exe, which others do not notice",
        server(
            "2019",
            licensed=False,
            firewall={**OPEN, "block": [BLOCK_1688 + "App=%SystemRoot%\\system32\\sppsvc.exe|"]},
            events={
                "12288": ["2026-01-31T07:00:00Z", ["0x800706BA", "0x0", f"{KMS}:1688"]],
                "12289": None,
                "8198": None,
            },
        ),
        "firewall-blocks-kms! not-licensed!",
        None,
    ),
    # the clock
    (
        "behind by the time zone",
        server(skew_s=-BIAS_S, time__seed=0),
        "clock-skew! rtc-utc-mismatch?",
        None,
    ),
    (
        "ahead by the time zone, read as UTC",
        server(skew_s=BIAS_S, time__seed=0, time__rtu=1),
        "clock-skew! rtc-utc-mismatch?",
        None,
    ),
    (
        "west of Greenwich the hardware clock's UTC puts it ahead",
        server(skew_s=5 * HOUR, time__seed=0, time__bias=-300, time__zone="Eastern Standard Time"),
        "clock-skew! rtc-utc-mismatch?",
        None,
    ),
    ("ahead by the time zone", server(skew_s=BIAS_S, time__seed=0), "clock-skew!", None),
    ("behind by an hour more", server(skew_s=-BIAS_S - HOUR, time__seed=0), "clock-skew!", None),
    (
        "in UTC itself",
        server(skew_s=-BIAS_S, time__seed=0, time__bias=0, time__zone="UTC"),
        "clock-skew!",
        None,
    ),
    (
        "AWS, another time zone",
        cloud("aws", AWS_HOST),
        f"rtc-utc-mismatch? {UNKNOWN}",
        AWS,
    ),
    ("AWS, told so", cloud("aws", AWS_HOST, time__rtu=1), UNKNOWN, AWS),
    ("AWS, in UTC", cloud("aws", AWS_HOST, time__bias=0), UNKNOWN, AWS),
    # keys
    ("a key for AVMA", avma(maker="Tencent Cloud"), "key-avma! not-licensed!", None),
    (
        "a key for AVMA on Hyper-V",
        avma(maker="Microsoft Corporation", model="Virtual Machine"),
        "key-avma! not-licensed!",
        None,
    ),
    ("licensed by AVMA", avma(licensed=True), "licensed-by-own-key", None),
    (
        "licensed by a retail key",
        server("2019", products=[product("2019", channel="RETAIL", partial="ABCDE")]),
        "licensed-by-own-key",
        None,
    ),
    (
        "a MAK and a client key side by side",
        server(
            "2019",
            products=[
                product("2019"),
                product("2019", channel="VOLUME_MAK", partial="ABCDE", licensed=False, ID="mak"),
            ],
        ),
        "several-keys",
        None,
    ),
    # editions and releases
    (
        "23H2, not licensed",
        server("2019", licensed=False, os__build=25398),
        "release-without-gvlk! not-licensed!",
        None,
    ),
    (
        "Azure Edition at Tencent",
        server("2022", sku=407, products=[product("2022", licensed=False, partial="KHMXV")]),
        "azure-edition-elsewhere! not-licensed!",
        None,
    ),
    (
        "Azure Edition at Tencent, licensed",
        server("2022", sku=408, products=[product("2022", partial="KHMXV")]),
        "azure-edition-elsewhere?",
        None,
    ),
    (
        "Azure Edition in Azure",
        cloud("azure", "azkms.core.windows.net", sku=407),
        "",
        AZURE,
    ),
    # KMS
    ("Active Directory only", forced(1), "activation-type-forced! not-licensed!", None),
    ("tokens only", forced(3), "activation-type-forced! not-licensed!", None),
    ("KMS only", forced(2), "not-licensed!", None),
    (
        "the host does not know 2025",
        server("2025", licensed=False, events=answered("0xC004F042")),
        "kms-host-too-old! not-licensed!",
        None,
    ),
    (
        "a host that is to be replaced does not know 2025",
        server("2025", licensed=False, kms=OTHER_KMS, events=answered("0xC004F042", OTHER_KMS)),
        "kms-host-wrong! not-licensed!",
        None,
    ),
    (
        "DNS names no host",
        cloud("generic", "", kms=None, licensed=False, events=undiscovered("0x8007232B")),
        f"kms-not-discovered! not-licensed! {UNKNOWN}",
        GENERIC,
    ),
    (
        "a workgroup server without a suffix",
        cloud("generic", "", kms=None, licensed=False, events=undiscovered("0x8007007B")),
        f"kms-not-discovered! not-licensed! {UNKNOWN}",
        GENERIC,
    ),
    (
        "DNS was not what failed",
        cloud("generic", "", kms=None, licensed=False, events=undiscovered("0x800706BA")),
        f"not-licensed! {UNKNOWN}",
        GENERIC,
    ),
    (
        "Azure's host by its address",
        cloud("azure", "20.118.99.224", reach={"azkms.core.windows.net:1688": 0}),
        f"kms-host-pinned? {UNKNOWN}",
        AZURE,
    ),
    (
        "Azure's host by its address, not licensed",
        cloud("azure", "20.118.99.224", licensed=False, reach={"azkms.core.windows.net:1688": 0}),
        f"kms-host-wrong! not-licensed! {UNKNOWN}",
        AZURE,
    ),
    (
        "the attempt at the host that is set failed",
        tried(150_000),
        "activation-failed! renewal-overdue?",
        None,
    ),
    (
        "licensed, and Windows found too few machines in the answer",
        server("2022", events=answered("0x0", flags="0x4000008")),
        "activation-failed!",
        None,
    ),
    (
        "licensed, and the answer bound nothing",
        server("2022", events=answered("0x0", flags="0x8")),
        "activation-failed!",
        None,
    ),
    (
        "not licensed, and Windows found too few machines in the answer",
        server("2022", licensed=False, events=answered("0x0", flags="0x4000008")),
        "kms-host-refuses! not-licensed!",
        None,
    ),
    (
        "not licensed, and the answer bound nothing",
        server("2022", licensed=False, events=answered("0x0", flags="0x8")),
        "not-licensed!",
        None,
    ),
    (
        "no host is set, and the provider's has refused",
        server("2019", kms=None, events=answered("0xC004F042")),
        "kms-host-wrong!",
        None,
    ),
    (
        "no host is set, and the provider's has activated",
        server("2019", kms=None, events=answered("0x0", bound="1")),
        "",
        None,
    ),
    ("the term of the licence cannot be read", tried(None), "activation-failed!", None),
    ("renewed since the attempt failed", tried(259_170), "", None),
    ("the attempt failed at another host", tried(257_000, host=OTHER_KMS), "", None),
    ("the request was sent, and nothing more is known", tried(257_000, "0x0"), "", None),
    ("another host's success", former(), "licensed-by-former-kms?", None),
    ("another host's answer that did not come", former(answer=None), "", None),
    ("another host's refusal", former(answer="0xC004F038"), "", None),
    ("renewed since another host's success", former(left=259_170), "", None),
    ("an old licence, and another host's success", former(left=240_000), "", None),
    ("another host's success, the term unreadable", former(left=None), "", None),
    ("another host's success, its time unknown", former(at="?"), "", None),
    ("the other of the provider's hosts", former(f"{KMS1}:1688"), "", None),
    ("the provider's host at another port", former(f"{KMS}:1689"), "", None),
    ("the events cannot be read", former() | {"events": unreadable()}, "", None),
]

__all__ = ["BIAS_S", "HEALTHY_RIGHTS", "MORE", "silent", "walled"]
