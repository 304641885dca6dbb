"""What of an answer is a name, and what takes its place."""

from __future__ import annotations

from cProfile import Profile

import pytest

from volact.bundle.collect import names_of
from volact.bundle.pseudonyms import Pseudonyms
from volact.knowledge.load import load_profile, profile_names
from volact.model.server import Address, Credential, Server, SshRoute

CLOUDS = tuple(map(load_profile, profile_names()))
PRODUCT = "12e2cc50-2286-56d8-abf9-9dc7e922cfc6"


@pytest.fixture
def names() -> Pseudonyms:
    return Pseudonyms(CLOUDS, ["web-01", "bob"])


def test_a_name_has_one_pseudonym_wherever_it_stands(names: Pseudonyms) -> None:
    one = names.text("kms01.corp.example:1688")
    assert "kms01" not in one and "corp" not in one
    assert one.endswith(":1688")
    assert names.text("asked KMS01.CORP.EXAMPLE. twice") == f"asked {one[:-5]}. twice"


def test_a_short_name_and_its_whole_name_keep_their_label(names: Pseudonyms) -> None:
    names.learn("kms01")
    short = names.text("kms01")
    assert names.text("kms01.corp.example").startswith(f"{short}.")


def test_names_are_found_in_any_case_and_alphabet(names: Pseudonyms) -> None:
    names.learn("Bücher-7")
    assert names.text("SRV BÜCHER-7 bücher-7") == "SRV name3 name3"
    assert names.text("\u212aMS \u017frv WEB-01") == "\u212aMS \u017frv name1"
    names.learn("srv")
    assert "\u017frv" not in names.text("on \u017frv here")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("无法找到计算机web-01上的服务", "无法找到计算机name1上的服务"),
        ("主机kms01.corp.example无法访问", "主机name3.name4.name5无法访问"),
        (
            "ホストkms01.corp.example:1688に接続できません",
            "ホストname3.name4.name5:1688に接続できません",
        ),
        ("서버web-01에서", "서버name1에서"),
        ("地址2001:470::5无法访问", "地址2001:db8::1无法访问"),
        ("地址:2001:470::5无法访问", "地址:2001:db8::1无法访问"),
        ("地址8.8.4.4无法访问", "地址198.18.0.1无法访问"),
        (r"共享\\nas7\x", r"共享\\name3\x"),
        (r"路径:\\nas7\x", r"路径:\\name3\x"),
        ("对象CN=Contoso,DC=corp", "对象CN=name3,DC=name4"),
        ("主机kms.tencentyun.com:1688无法访问", "主机kms.tencentyun.com:1688无法访问"),
        ("程序sppsvc.exe的版本10.0.14393.0", "程序sppsvc.exe的版本10.0.14393.0"),
        ("bücher.corp.example", "name3.name4.name5"),
        ("xweb-01 ñweb-01 web-01é", "xweb-01 ñweb-01 web-01é"),
    ],
)
def test_a_name_is_found_beside_letters_of_any_language(
    names: Pseudonyms, text: str, shown: str
) -> None:
    assert names.text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "连接数据库一号失败",
        "服务器.corp.example",
        "kms.数据库一号.example",
        "SRV数据库一号",
        r"\\数据库一号\x",
    ],
)
def test_a_name_of_other_letters_goes_wherever_it_stands(names: Pseudonyms, text: str) -> None:
    names.learn("数据库一号")
    shown = names.text(text)
    assert not [one for one in ("数据库一号", "服务器", "corp", "example") if one in shown]


def test_a_fleet_of_names_is_not_searched_for_one_by_one(names: Pseudonyms) -> None:
    for number in range(2000):
        names.learn(f"server-{number}")
    with Profile() as counter:
        assert names.text("WEB-01 asked server-1999") == "name1 asked name2002"
    assert sum(one.callcount for one in counter.getstats()) < 200


@pytest.mark.parametrize(
    "text",
    [
        "kms.tencentyun.com:1688",
        "KMS1.tencentyun.com.",
        "time.windows.com,0x8",
        "kms.ovh.net",
        "169.254.169.250:1688",
        "10.0.0.5",
        "192.168.0.1",
        r"C:\Windows\System32\sppsvc.exe",
        "tokens.dat",
        "10.0.14393.0",
        "Windows(R) Operating System, VOLUME_KMSCLIENT channel",
        "D:(A;;FA;;;S-1-5-20)",
        "2026-01-31T08:00:00Z",
        "0xC004F074",
    ],
)
def test_what_every_volact_knows_stays(names: Pseudonyms, text: str) -> None:
    assert names.text(text) == text


def test_names_of_the_inventory_and_accounts_go(names: Pseudonyms) -> None:
    text = names.text(r"WEB-01: CORP\bob wrote C:\Users\bob.smith\x.js")
    assert "web-01" not in text.lower() and "bob" not in text and "smith" not in text


def test_a_public_address_becomes_a_reserved_one(names: Pseudonyms) -> None:
    first = names.text("8.8.4.4")
    assert first.startswith("198.18.") and names.text("8.8.4.4") == first
    assert names.text("2a00:1450:4001:81b::200e").startswith("2001:db8:")


def test_domain_sids_and_directory_names_go(names: Pseudonyms) -> None:
    sid = names.text("(A;;GA;;;S-1-5-21-1004336348-1177238915-682003330-512)")
    assert sid == "(A;;GA;;;S-1-5-21-1-1-1-512)"
    assert "Contoso" not in names.text("CN=Activation,DC=Contoso,DC=com")


def test_product_ids_stay_and_machine_ids_go(names: Pseudonyms) -> None:
    cmid = "b6f5866e-368f-4993-b5f1-a64596b866aa"
    raw = {
        "os": {"name": "SRV7", "domain": "corp.example"},
        "products": [{"ID": PRODUCT, "KeyManagementServiceMachine": "kms01"}],
        "licensing": {"cmid": cmid, "machine": "kms01"},
        "events": {"12288": ["2026-01-31T08:00:00Z", ["0x0", f"kms01:1688,{cmid},{PRODUCT}"], 7]},
        "reach": {"kms01:1688": 0},
        "reached": {"kms01:1688": ["http", 4]},
        "resolved": {"kms01": ["kms01.corp.example", "10.0.0.5"]},
    }
    facts = names.facts(raw)
    assert facts["products"][0]["ID"] == PRODUCT
    shown = str(facts)
    assert cmid not in shown and "kms01" not in shown and "SRV7" not in shown
    host = facts["licensing"]["machine"]
    assert facts["products"][0]["KeyManagementServiceMachine"] == host
    assert list(facts["reach"]) == list(facts["reached"]) == [f"{host}:1688"]
    assert list(facts["resolved"]) == [host]
    assert facts["resolved"][host][0].startswith(f"{host}.")
    assert PRODUCT in facts["events"]["12288"][1][1]


def test_hosts_without_a_dot_go_wherever_they_stand(names: Pseudonyms) -> None:
    event = ["2026-01-31T08:00:00Z", ["0x0", "0x0", "kmsoffice:1688", "id"]]
    raw = {"online": {"proxy": "proxy01:8080"}, "events": {"12288 office": event}}
    shown = str(names.facts(raw))
    assert "proxy01" not in shown and "kmsoffice" not in shown


def test_firewall_rules_lose_their_names_and_descriptions(names: Pseudonyms) -> None:
    rule = "v2.10|Action=Block|Dir=Out|Protocol=6|RPort=1688|Name=Contoso lockdown|Desc=by Bob|"
    assert names.text(rule) == "v2.10|Action=Block|Dir=Out|Protocol=6|RPort=1688|Name=rule 1|"


def test_domains_that_end_like_a_program_go(names: Pseudonyms) -> None:
    shown = names.text("kms.contoso.com asked more.com")
    assert "contoso" not in shown


@pytest.mark.parametrize(
    "text",
    ["asked 8.8.4.4.", "2a00::1", "2a00::", "from 2a00:1450::5.", "[2a00::1]:1688"],
)
def test_a_public_address_goes_however_it_is_written(names: Pseudonyms, text: str) -> None:
    shown = names.text(text)
    assert "2a00" not in shown and "8.8.4.4" not in shown
    assert "198.18." in shown or "2001:db8:" in shown


@pytest.mark.parametrize(
    "text", ["08:00:00", "::1", "::", "fe80::1", "a::b::c", "00:16:3e:aa:bb:cc"]
)
def test_what_only_looks_like_a_public_address_stays(names: Pseudonyms, text: str) -> None:
    assert names.text(text) == text


def test_sids_of_entra_id_go(names: Pseudonyms) -> None:
    assert names.text("(A;;GA;;;S-1-12-1-11-22-33-44)") == "(A;;GA;;;S-1-12-1-1-1-1-1)"


def test_hosts_of_shares_and_home_folders_go(names: Pseudonyms) -> None:
    shown = names.text(r"\\nas7\tools\dbg.exe /home/tom.kay/.ssh/id \\.\pipe\x \\?\C:\x")
    assert "nas7" not in shown and "tom" not in shown
    assert shown.endswith(r"/.ssh/id \\.\pipe\x \\?\C:\x")


def test_a_directory_name_with_a_comma_goes(names: Pseudonyms) -> None:
    assert "Secret" not in names.text(r"CN=Contoso\, Secret,DC=contoso,DC=local")


def test_hosts_of_urls_asset_tags_and_the_domain_of_accounts_go(names: Pseudonyms) -> None:
    raw = {
        "os": {"domain": "contoso.example", "asset": "C0FFEE-17"},
        "products": [{"ID": PRODUCT, "ProcessorURL": "licences"}],
        "events": {"8198": ["2026-01-31T08:00:00Z", [r"CONTOSO\svc"], 4]},
    }
    shown = str(names.facts(raw)).lower()
    assert not [name for name in ("contoso", "c0ffee", "licences") if name in shown]


def test_what_tells_a_cloud_stays(names: Pseudonyms) -> None:
    raw = {
        "os": {"asset": "7783-7084-3265-9085-8269-3286-77"},
        "metadata": {"environment": "AzureChinaCloud"},
    }
    assert names.facts(raw) == raw


def test_accounts_and_jump_hosts_of_the_inventory_are_names() -> None:
    server = Server(
        name="web",
        address=Address(scheme="ssh", host="h", user=r"CORP\tom"),
        credential=Credential(user="kay@contoso.example"),
        ssh=SshRoute(jump=(Address(scheme="ssh", host="bastion", user="door"),)),
    )
    known = set(names_of([server]))
    assert {"CORP", "tom", "kay", "contoso.example", "bastion", "door"} <= known
