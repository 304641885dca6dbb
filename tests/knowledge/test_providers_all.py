"""Every provider file: one case each, and the mistakes that the check must see.

What a new provider needs is in docs/providers.md, "Adding one to volact".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from volact.errors import DataError
from volact.knowledge.check import check_profiles, check_text, check_together
from volact.knowledge.files import ProviderFile
from volact.knowledge.load import decode, load_profile, load_releases, profile_names
from volact.model.profile import HostPort, Profile

ROOT = Path(__file__).resolve().parents[2]
LTSC = ("2008", "2008 R2", "2012", "2012 R2", "2016", "2019", "2022", "2025")


@dataclass(frozen=True)
class Case:
    """What must come out of one provider's file."""

    name: str
    kms: str  # preferred on every release, "" when none
    kms_on: dict[str, str] = field(default_factory=dict)  # where a release differs
    also: tuple[str, ...] = ()  # accepted besides the preferred one
    ntp: str = ""  # what a clock repair would set
    maker: str = ""  # the maker in the firmware, "" when that does not identify it
    entitlement: str = "none"
    from_metadata: str = ""
    route: str = ""


CASES = (
    Case(
        "alibaba",
        "kms.cloud.aliyuncs.com:1688",
        ntp="ntp.cloud.aliyuncs.com",
        maker="Alibaba Cloud",
        from_metadata="http://100.100.100.200/latest/meta-data/kms-server",
    ),
    Case(
        "aws",
        "169.254.169.250:1688",
        also=("169.254.169.251:1688",),
        ntp="169.254.169.123",
        maker="Amazon EC2",
        route="169.254.169.250",
        entitlement="metadata",
    ),
    Case(
        "azure",
        "azkms.core.windows.net:1688",
        also=("kms.core.windows.net:1688",),
        ntp="time.windows.com",
        entitlement="edition",
    ),
    Case(
        "azure-china",
        "kms.core.chinacloudapi.cn:1688",
        also=("azkms.core.chinacloudapi.cn:1688",),
        entitlement="edition",
    ),
    Case(
        "azure-us-gov",
        "kms.core.usgovcloudapi.net:1688",
        also=("azkms.core.usgovcloudapi.net:1688",),
        entitlement="edition",
    ),
    Case(
        "gcp",
        "kms.windows.googlecloud.com:1688",
        ntp="metadata.google.internal",
        maker="Google",
        entitlement="metadata",
    ),
    Case("generic", ""),
    Case("ibm", "kms.adn.networklayer.com:1688", ntp="time.adn.networklayer.com"),
    Case(
        "jd",
        "169.254.169.250:1688",
        from_metadata="http://169.254.169.254/metadata/latest/attributes/activation/KMS",
        route="169.254.169.250",
    ),
    Case("oracle", "169.254.169.253:1688", ntp="169.254.169.254", route="169.254.169.253"),
    Case(
        "otc",
        "kms.eu-de.otc-service.com:1688",
        also=("kms.eu-nl.otc-service.com:1688", "100.125.4.21:1688"),
        ntp="ntp01.eu-de.otc-service.com",
    ),
    Case("ovh", "kms.cloud.ovh.net:1688", also=("kms.ovh.net:1688",)),
    Case(
        "tencent",
        "kms.tencentyun.com:1688",
        kms_on={"2016": "kms1.tencentyun.com:1688"},
        ntp="ntpupdate.tencentyun.com",
        maker="Tencent Cloud",
        entitlement="image",
        route="169.254.0.0",
    ),
    Case("ucloud", "hb06.kms.ucloud.cn:1688", also=("yg.kms.ucloud.cn:1688",)),
    Case("yandex", "kms.cloud.yandex.net:1688", maker="Yandex"),
)

# The maker's name in firmware, and the provider that it means: "" for none.
VENDORS = {case.maker: case.name for case in CASES if case.maker} | {
    "Alibaba Cloud ECS": "alibaba",
    "Google Compute Engine": "gcp",
    "Microsoft Corporation": "",
    "Virtual Machine": "",
    "American Megatrends Inc.": "",
    "QEMU": "",
    "SeaBIOS": "",
    "Xen": "",
    "OpenStack Foundation": "",
    "Red Hat": "",
    "VMware, Inc.": "",
    "innotek GmbH": "",
    "Dell Inc.": "",
    "HPE": "",
    "EFI Development Kit II / OVMF": "",
}


def named(case: Case) -> str:
    return case.name


def profiles() -> tuple[Profile, ...]:
    return tuple(load_profile(name) for name in profile_names())


def test_every_file_has_its_case() -> None:
    names = [case.name for case in CASES]
    assert names == sorted(profile_names()), "each file has its Case in CASES, ordered by name"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_preferred_and_accepted_hosts(case: Case) -> None:
    """The first host of the release is the preferred one, the others are accepted."""
    profile = load_profile(case.name)
    assert set(profile.releases) >= set(LTSC), "a profile of volact's own has all these releases"
    for release in profile.releases:
        hosts = [str(host) for host in profile.kms_hosts(release)]
        assert hosts[:1] == ([case.kms_on.get(release, case.kms)] if case.kms else [])
        assert set(hosts) >= set(case.also)
    assert all(profile.owns(host.host) for host in profile.all_kms_hosts())


@pytest.mark.parametrize("case", CASES, ids=named)
def test_time_source_route_and_entitlement(case: Case) -> None:
    profile = load_profile(case.name)
    assert "".join(profile.ntp[:1]) == case.ntp
    assert "".join(route.destination for route in profile.routes[:1]) == case.route
    assert profile.metadata.get(profile.kms_from_metadata, "") == case.from_metadata
    assert profile.entitlement.kind == case.entitlement
    told = profile.entitlement.text or profile.entitlement.kind == "image"
    assert told, "`text` of [entitlement] says how the licence can be told"


@pytest.mark.parametrize(("vendor", "owner"), VENDORS.items())
def test_firmware_names_one_cloud_or_none(vendor: str, owner: str) -> None:
    """Words of the firmware must do: no cloud's address may be asked to find out."""
    found = [p.name for p in profiles() if any(word in vendor.lower() for word in p.bios)]
    assert found == ([owner] if owner else [])


def test_the_files_are_without_mistakes() -> None:
    assert [str(problem) for problem in check_profiles()] == []


def test_aws_and_jd_say_that_they_share_an_address() -> None:
    """Or a server would be taken for the other cloud's by its KMS address."""
    assert load_profile("aws").same_address_as == ("jd",)
    assert load_profile("jd").same_address_as == ("aws",)
    owners = [p.name for p in profiles() if p.owns("169.254.169.250")]
    assert owners == ["aws", "jd"]


@pytest.mark.parametrize(
    ("host", "owners"),
    [
        ("kms.core.windows.net", ["azure"]),
        ("AZKMS.core.windows.net.", ["azure"]),
        ("gd02.kms.ucloud.cn", ["ucloud"]),
        ("notkms.ucloud.cn", []),
        ("kms.ucloud.cn.example.com", []),
        ("vpc.cloud.aliyuncs.com", ["alibaba"]),
        ("100.100.3.8", []),
        ("kms.example.com", []),
    ],
)
def test_whose_kms_host_it_is_by_name(host: str, owners: list[str]) -> None:
    """Address ranges take no part: other clouds use 100.64.0.0/10 too."""
    assert [p.name for p in profiles() if p.owns(host)] == owners


def test_generic_has_no_host_until_one_is_named() -> None:
    profile = load_profile("generic")
    assert profile.discovery == "dns"
    assert profile.all_kms_hosts() == ()
    mine = profile.with_kms_hosts((HostPort("kms.example.com"), HostPort("2001:db8::1", 1690)))
    assert mine.discovery == "explicit"
    assert [str(h) for h in mine.kms_hosts("2016")] == [
        "kms.example.com:1688",
        "[2001:db8::1]:1690",
    ]


def test_a_named_host_is_the_only_accepted_one() -> None:
    mine = load_profile("alibaba").with_kms_hosts((HostPort("kms.example.com"),))
    assert mine.kms_from_metadata == ""
    assert mine.owns("kms.example.com")
    assert not mine.owns("kms.cloud.aliyuncs.com")


def test_a_product_line_has_its_own_host_only() -> None:
    """The host of the other product line does not activate."""
    dedicated = load_profile("ovh").sub_cloud("dedicated")
    assert [str(host) for host in dedicated.kms_hosts("2022")] == ["kms.ovh.net:1688"]
    assert not dedicated.owns("kms.cloud.ovh.net")
    dutch = load_profile("otc").sub_cloud("eu-nl")
    assert dutch.ntp == ("ntp01.eu-nl.otc-service.com", "ntp02.eu-nl.otc-service.com")
    with pytest.raises(KeyError):
        dutch.sub_cloud("eu-de")


def test_the_hosts_of_a_cloud_are_no_pinned_addresses() -> None:
    """Addresses that a cloud has moved are for firewalls; only names are ever set."""
    for name in ("azure", "azure-china", "azure-us-gov", "gcp", "ibm"):
        profile = load_profile(name)
        assert profile.kms_ranges
        assert all(not host.host[0].isdigit() for host in profile.all_kms_hosts())


def test_releases_of_generic_are_all_with_a_client_key() -> None:
    """One's own host may serve the semi-annual releases too."""
    supported = {release.name for release in load_releases() if release.supported}
    assert set(load_profile("generic").releases) == supported


SOUND = """
name = "nimbus"
title = "Nimbus"
releases = ["2016", "2022"]
ntp = ["time.nimbus.example"]
dns = ["192.0.2.53"]
dns_zone = "nimbus.example"
bios = ["nimbus cloud"]
kms_suffixes = ["kms.nimbus.example"]
kms_ranges = ["198.51.100.0/24"]
kms_from_metadata = "kms"
date_url = "http://192.0.2.1/"
same_address_as = []
[[kms]]
releases = ["*"]
hosts = ["a.kms.nimbus.example:1688", "203.0.113.9:1688"]
[[sub_cloud]]
name = "north"
title = "Nimbus North"
hosts = ["203.0.113.9:1688"]
[[routes]]
destination = "203.0.113.0"
mask = "255.255.255.0"
[[routes_command]]
releases = ["2022"]
tool = "Nimbus Agent"
command = "nimbus routes"
[metadata]
kms = "http://192.0.2.1/kms"
[metadata_headers]
X-Nimbus = "yes"
[entitlement]
kind = "metadata"
text = "It says so."
metadata = "kms"
entitled = ["paid"]
own = ["mine"]
""" + "".join(
    f'[[source]]\nfact = "{fact}"\ntext = "a page"\nconfidence = "official"\n'
    for fact in (
        "releases: 2016, 2022",
        "ntp: time.nimbus.example",
        "dns: 192.0.2.53",
        "dns_zone: nimbus.example",
        "bios: maker",
        "kms: a.kms.nimbus.example:1688 and 203.0.113.9:1688",
        "kms_suffixes: kms.nimbus.example",
        "kms_ranges: 198.51.100.0/24",
        "kms_from_metadata: kms",
        "date_url: clock",
        "sub_clouds: north",
        "routes: one",
        "routes_command: nimbus routes",
        "metadata: kms",
        "entitlement: by metadata",
    )
)

MISTAKES = [
    ('name = "nimbus"', 'name = "cirrus"', "name: is 'cirrus', must be that of the file"),
    ('title = "Nimbus"\n', 'title = " "\n', "title: is empty"),
    ('"2016", "2022"]', '"2016", "2021"]', "releases: '2021' is not in releases.toml"),
    ('"2016", "2022"]', '"2016", "2016"]', "releases: '2016' occurs twice"),
    ('releases = ["*"]', 'releases = ["2016"]', "kms: no rule gives '2022' a host"),
    ('releases = ["*"]', 'releases = ["*", "2019"]', "'2019' is not among the profile's releases"),
    (
        'releases = ["*"]',
        'releases = ["*", "2022", "2022"]',
        "kms[0].releases: '2022' occurs twice",
    ),
    (
        "[[sub_cloud]]",
        '[[kms]]\nreleases = ["2022"]\nhosts = ["203.0.113.9"]\n[[sub_cloud]]',
        "kms[1].releases: '2022' never gets here: an earlier rule takes it",
    ),
    ('"203.0.113.9:1688"]\n[[sub', '"a.kms.nimbus.example:1688"]\n[[sub', "occurs twice"),
    (
        "a.kms.nimbus.example:1688",
        "a.kms_.nimbus.example:1688",
        "neither a DNS name nor an address",
    ),
    ("a.kms.nimbus.example:1688", "a.kms.nimbus.example:70000", "out of range 1..65535"),
    ("a.kms.nimbus.example:1688", "a b:1688", "is not a host or host:port"),
    ("a.kms.nimbus.example:1688", "256.1.1.1:1688", "neither a DNS name nor an address"),
    ('title = "Nimbus"', 'title = "N"\nmisprinted_ports = [1688]', "calls a misprint"),
    ('"a.kms.nimbus.example:1688", "203', '"b.kms.nimbus.example:1688", "203', "no source of the"),
    ('hosts = ["203.0.113.9:1688"]', 'hosts = ["203.0.113.8:1688"]', "is in no kms rule"),
    ('hosts = ["203.0.113.9:1688"]', "hosts = []", "needs at least one host"),
    ('ntp = ["time.nimbus.example"]', 'ntp = ["http://time"]', "ntp: 'http://time' is neither"),
    (
        'ntp = ["time',
        'ntp = ["TIME.nimbus.example", "time',
        "ntp: 'time.nimbus.example' occurs twi",
    ),
    ('dns = ["192.0.2.53"]', 'dns = ["ns.nimbus.example"]', "is not an address"),
    ('releases = ["2022"]', 'releases = ["2019"]', "routes_command: '2019' is not among the prof"),
    ('dns = ["192.0.2.53"]', "dns = []", "dns_zone: needs dns"),
    ('"nimbus.example"\nbios', '".nimbus.example"\nbios', "dns_zone: '.nimbus.example' is not a"),
    ('mask = "255.255.255.0"', 'mask = "255.255.0.0"', "is not a network"),
    ('mask = "255.255.255.0"', 'mask = "255.255.255.0"\nvia = "moon"', "'moon' is none of"),
    ('mask = "255.255.255.0"', 'mask = "255.255.255.0"\nwhen = "often"', "'often' is none of"),
    (
        '["198.51.100.0/24"]',
        '["198.51.100.7/24"]',
        "kms_ranges: '198.51.100.7/24' is not a network",
    ),
    ('["198.51.100.0/24"]', '["198.51.100.0"]', "kms_ranges: '198.51.100.0' is not a network"),
    ('["kms.nimbus.example"]', '[".kms.nimbus.example"]', "kms_suffixes: '.kms.nimbus.example'"),
    ('["kms.nimbus.example"]', '["example"]', "kms_suffixes: 'example' is not a domain"),
    (
        'kms = "http://192.0.2.1/kms"',
        'kms = "ftp://192.0.2.1/"',
        "metadata.kms: 'ftp://192.0.2.1/'",
    ),
    ('kms = "http://192.0.2.1/kms"', 'kms = "http://[::1/"', "is not an http or https URL"),
    ('date_url = "http://192.0.2.1/"', 'date_url = "192.0.2.1"', "date_url: '192.0.2.1' is not an"),
    ('X-Nimbus = "yes"', '"X Nimbus" = "yes"', "metadata_headers.X Nimbus: is not an HTTP header"),
    ('kms_from_metadata = "kms"', 'kms_from_metadata = "km"', "'km' is not a key of [metadata]"),
    ('metadata = "kms"\nent', 'metadata = "no"\nent', "entitlement.metadata: 'no' is not a key"),
    ('own = ["mine"]', 'own = ["paid"]', "entitlement: 'paid' stands for both licences"),
    ('kind = "metadata"', 'kind = "wish"', "entitlement.kind: 'wish' is none of image, metadata"),
    ('kind = "metadata"', 'kind = "image"', "kind is image, but no image_key"),
    ('bios = ["nimbus cloud"]', 'bios = ["QEMU"]', "bios: 'qemu' names a hypervisor"),
    ('bios = ["nimbus cloud"]', 'bios = ["nim"]', "bios: 'nim' is too short"),
    ('fact = "bios: maker"', 'fact = "notes: maker"', "bios: has no [[source]]"),
    ('fact = "entitlement: by metadata"', 'fact = "notes: a"', "entitlement: has no [[source]]"),
    ('fact = "bios: maker"', 'fact = "bios"', "source: of 'bios' says nothing"),
    ('fact = "routes: one"', 'fact = "one"', "'one' does not begin with a key and a colon"),
    ('fact = "routes: one"', 'fact = "images: one"', "is about a key that the file does not have"),
    ('fact = "routes: one"', 'fact = "metadata: kms"', "source: 'metadata: kms' occurs twice"),
    ('confidence = "official"', 'confidence = "sure"', "'sure' is none of official, third-party"),
    ('title = "Nimbus"', 'titel = "Nimbus"', "unknown field `titel`"),
    ('title = "Nimbus"', "title = 7", "Expected `str`, got `int`"),
    ('title = "Nimbus"', 'title = "Nimbus"\ndiscovery = "magic"', "discovery: 'magic' is none of"),
    ('name = "nimbus"', "name = ", "file: "),
]


def test_a_sound_file_has_no_problem() -> None:
    """Or the mistakes below would prove nothing."""
    assert check_text("nimbus", SOUND) == ()


@pytest.mark.parametrize(("before", "after", "complaint"), MISTAKES)
def test_planted_mistakes_are_found(before: str, after: str, complaint: str) -> None:
    """Each names the file, the key and what is wrong."""
    assert before in SOUND
    problems = check_text("nimbus", SOUND.replace(before, after, 1))
    lines = [str(problem) for problem in problems]
    assert any(complaint in line for line in lines), lines
    assert all(line.startswith("providers/nimbus.toml: ") for line in lines)


def test_a_file_with_nothing_but_a_discovery_needs_no_host() -> None:
    hosts = 'hosts = ["a.kms.nimbus.example:1688", "203.0.113.9:1688"]'
    without = SOUND.replace(f'[[kms]]\nreleases = ["*"]\n{hosts}\n', "")
    assert "kms: there is no rule" in str(check_text("nimbus", without)[0])
    decode("nimbus", without.replace("same_add", 'discovery = "dns"\nsame_add'), ProviderFile)
    with pytest.raises(DataError, match="kms: there is no rule"):
        decode("nimbus", without, ProviderFile)


def test_mistakes_between_two_files() -> None:
    """Shared words and addresses show only when both files are seen."""
    one = decode("nimbus", SOUND, ProviderFile)
    two = decode(
        "cirrus",
        SOUND.replace('"nimbus"', '"cirrus"').replace(
            "same_address_as = []", 'same_address_as = ["x"]'
        ),
        ProviderFile,
    )
    lines = [str(problem) for problem in check_together((one, two))]
    assert "providers/nimbus.toml: title: is also that of cirrus" in lines
    assert "providers/nimbus.toml: bios: 'nimbus cloud' also matches what cirrus looks for" in lines
    shared = "same_address_as: cirrus has a KMS host at the same address"
    assert f"providers/nimbus.toml: {shared}" in lines
    assert "providers/cirrus.toml: same_address_as: there is no provider 'x'" in lines
    far = decode(
        "far", SOUND.replace("same_address_as = []", 'same_address_as = ["aws"]'), ProviderFile
    )
    known = (far, load_profile("aws"), load_profile("jd"))
    lines = [str(problem) for problem in check_together(known)]
    assert lines == [
        "providers/nimbus.toml: same_address_as: aws has no KMS host at the same address"
    ]


def listed(values: tuple[str, ...]) -> str:
    return "<br>".join(f"`{value}`" for value in values) or "not known"


def table_row(profile: Profile) -> str:
    """The row of docs/providers.md; the page must have exactly this one."""
    hosts = tuple(str(host) for host in profile.all_kms_hosts())
    shown = listed(hosts) if hosts else "yours, or found by DNS"
    if profile.kms_from_metadata:
        shown += f"<br>first of all what metadata `{profile.kms_from_metadata}` says"
    time = listed(profile.ntp[:1]) + (
        f" and {len(profile.ntp) - 1} more" if profile.ntp[1:] else ""
    )
    maker = listed(profile.bios) if profile.bios else "no"
    sure = ", ".join(
        dict.fromkeys(s.confidence for s in profile.sources if s.fact.startswith("kms:"))
    )
    cells = (f"`{profile.name}`", profile.title, shown, sure or "-", time, maker)
    return f"| {' | '.join(cells)} | {profile.entitlement.kind} |"


@pytest.mark.parametrize("name", profile_names())
def test_the_page_has_the_row_of_every_provider(name: str) -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8").splitlines()
    row = table_row(load_profile(name))
    assert row in page, f"docs/providers.md needs this row:\n{row}"


def test_the_page_has_rows_for_no_other_server() -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    table = page.partition("## The providers")[2].partition("##")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) == len(profile_names()), "docs/providers.md has a row for each, once"
