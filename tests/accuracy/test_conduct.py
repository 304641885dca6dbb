"""Every rule of conduct catches the plan that breaks it, and lets the right one pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from case_file import Allow, Case, load_cases
from case_server import clock_of, context_of, facts_of, knowledge_of
from conduct import RULES, Deed, breaches
from conduct_basis import BASIS, ORDER
from conduct_server import ASKING
from msgspec.structs import replace
from servers import PRODUCT_ID

from volact.core.steps import CONSENT_STEPS
from volact.core.steps import ORDER as PLANNED_ORDER
from volact.model.step import Step

CASES = {case.name: case for case in load_cases()}
HEALTHY = CASES["2019, licensed"]
NOT_LICENSED = CASES["never activated, notification"]
KEY_2022 = "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"


def step(do: str, **params: Any) -> Step:
    return Step(do=do, params=params)


def set_host(*hosts: str) -> Step:
    return step("set-kms-host", layer="service", hosts=list(hosts or ("kms.tencentyun.com:1688",)))


def key(text: str = KEY_2022, place: str = "20348/8", *, replace: bool = False) -> Step:
    return step("install-key", keys={place: text}, replace=replace)


def agreed(*kinds: str) -> Allow:
    return Allow(consent=kinds)


ACTIVATE, SYNC = step("activate"), step("sync-clock", within_s=60, raise_limits=False)
RAISE = step("sync-clock", within_s=60, raise_limits=True)
SOURCE = step("set-time-source", peers=["ntpupdate.tencentyun.com"])
GRANT = step("grant-execute", sid="S-1-5-20", deny=[])


class Planted(NamedTuple):
    """A plan that must be caught, on which server, and with which message."""

    name: str
    case: Case
    steps: tuple[Step, ...]
    said: str


def on(name: str, **changes: Any) -> Case:
    return replace(CASES[name], **changes)


PLANTED = [
    Planted(
        "beside an emulator",
        on("never activated, notification", kms="127.0.0.2"),
        (set_host(),),
        "KMS host is 127.0.0.2",
    ),
    Planted(
        "a licence until 2038",
        on("2019, licensed", days_left=4371),
        (ACTIVATE,),
        "longer than any",
    ),
    Planted(
        "set to tokens",
        on("activation forced to tokens"),
        (set_host(), ACTIVATE),
        "contact no KMS host",
    ),
    Planted("unknown step", NOT_LICENSED, (step("uninstall-key"),), "no step that the rules"),
    Planted("order", on("five hours behind"), (ACTIVATE, SYNC), "order is not safe"),
    Planted("healthy, activated", HEALTHY, (ACTIVATE,), "accepted host has licensed"),
    Planted("healthy, repointed", HEALTHY, (set_host(),), "accepted host has licensed"),
    Planted("healthy, service", HEALTHY, (step("start-service", name="sppsvc"),), "accepted host"),
    Planted("no word for name servers", NOT_LICENSED, (step("add-dns"),), "without consent"),
    Planted(
        "a member's name servers",
        on("foreign name servers on a member, agreed"),
        (step("add-dns"),),
        "name servers in a domain",
    ),
    Planted(
        "a last resort among others",
        on("never activated, notification", allow=agreed("rearm")),
        (step("rearm"), ACTIVATE),
        "together with other steps",
    ),
    Planted(
        "a MAK that a rebuild would lose",
        on("MAK used up, not licensed", allow=agreed("rebuild-token-store")),
        (step("rebuild-token-store"),),
        "would be lost",
    ),
    Planted(
        "before the restart", on("a restart is awaited after a rearm"), (ACTIVATE,), "a restart"
    ),
    Planted("a member's source", on("a member, five hours off"), (SOURCE,), "domain role 3"),
    Planted("a member's limits", on("a member, five hours off"), (RAISE,), "limits raised"),
    Planted("a controller's clock", on("a controller, five hours off"), (SYNC,), "domain role 5"),
    Planted("role unknown", on("the domain role, five hours off"), (SYNC,), "rests on os.role"),
    Planted("right clock", NOT_LICENSED, (SYNC,), "off by 0"),
    Planted(
        "policy's time source",
        on("policy names the time server, five hours off"),
        (SOURCE, SYNC),
        "set-time-source against group policy",
    ),
    Planted(
        "policy's limit",
        on("policy limits the correction to an hour, five hours off"),
        (SYNC,),
        "sync-clock against group policy",
    ),
    Planted(
        "policy's NoSync", on("policy says NoSync, five hours off"), (SYNC,), "against group policy"
    ),
    Planted(
        "policy's host",
        on("policy sets a company's host, not licensed"),
        (set_host(),),
        "set-kms-host against group policy",
    ),
    Planted(
        "under policy's host",
        on("policy sets a company's host, not licensed"),
        (ACTIVATE,),
        "host in force is kms.corp.example",
    ),
    Planted("retail key", on("retail key, not licensed"), (key(replace=True),), "without consent"),
    Planted(
        "licensed retail key, with consent",
        on("retail key, licensed, replacing allowed"),
        (key(replace=True),),
        "a key that is in use",
    ),
    Planted("a MAK", on("MAK used up, not licensed"), (key(replace=True),), "without consent"),
    Planted("the maker's key", on("the maker's key, not licensed"), (key(),), "without consent"),
    Planted("a retail key activated", on("retail key, not licensed"), (ACTIVATE,), "no KMS host"),
    Planted("a MAK repointed", on("MAK, licensed, a foreign host set"), (set_host(),), "licensed"),
    Planted("not marked", on("the Standard key on Datacenter"), (key(),), "not marked"),
    Planted(
        "another release's key",
        on("no key, 2022 Datacenter"),
        (key("WMDGN-G9PQG-XVVXX-R3X43-63DFG"),),
        "another key than the published one",
    ),
    Planted("no published key", on("23H2 without a key"), (key(),), "another key than"),
    Planted("no key", on("no key, 2022 Datacenter"), (ACTIVATE,), "without a key"),
    Planted("a KMS host", on("a KMS host that is not activated"), (set_host(),), "on a KMS host"),
    Planted("imported", on("imported image, not licensed"), (ACTIVATE,), "not to be entitled"),
    Planted("own licence", on("own licence, not licensed"), (set_host(),), "not to be entitled"),
    Planted("Google's own licence", on("Google Cloud, own licence"), (ACTIVATE,), "entitled"),
    Planted("not elevated", on("not elevated, not licensed"), (set_host(),), "without elevation"),
    Planted(
        "no script host", on("Windows Script Host off for the machine"), (ACTIVATE,), "no script"
    ),
    Planted(
        "a company's licence",
        on("a company's own host has licensed it, and the image is not known"),
        (set_host(), ACTIVATE),
        "without a word",
    ),
    Planted("stranger", NOT_LICENSED, (set_host("kms.evil.example:1688"),), "not the provider's"),
    Planted(
        "misprinted port",
        NOT_LICENSED,
        (set_host("kms.tencentyun.com:1668"),),
        "not the provider's",
    ),
    Planted(
        "out of reach",
        on("foreign host and KMS hosts refuse, 2022"),
        (set_host(),),
        "reaches none of the hosts",
    ),
    Planted("KMS refuses", on("the KMS hosts refuse"), (ACTIVATE,), "not known to be reached"),
    Planted(
        "KMS silent, licensed",
        on("licensed, but the KMS hosts are out of reach"),
        (ACTIVATE,),
        "not known to be reached",
    ),
    Planted(
        "foreign host",
        on("Azure's host on 2019, not licensed"),
        (ACTIVATE,),
        "in force is azkms.core.windows.net:1688",
    ),
    Planted(
        "hidden by the product",
        on("the product has a host of its own, 2019"),
        (set_host(), ACTIVATE),
        "in force is kms.corp.example",
    ),
    Planted(
        "nothing to clear",
        NOT_LICENSED,
        (step("clear-kms-host", layer="product", product=PRODUCT_ID),),
        "no foreign host is set for the product",
    ),
    Planted("clock off", on("five hours behind"), (ACTIVATE,), "more than four hours"),
    Planted("debugger", on("a debugger is set for sppsvc.exe"), (ACTIVATE,), "a debugger keeps"),
    Planted(
        "evaluation",
        on("2022 Datacenter evaluation, expired"),
        (key(), ACTIVATE),
        "on an evaluation edition",
    ),
    Planted(
        "another host for a release that is not known to be served",
        on("20H2, ends soon, and only another host is in reach"),
        (set_host("kms1.tencentyun.com:1688"), ACTIVATE),
        "build 19042 with edition number 145",
    ),
    Planted("1809", on("1809 and not 2019"), (ACTIVATE,), "build 17763 with edition number 145"),
    Planted(
        "Windows 11", on("Windows 11 with the build of 2025"), (ACTIVATE,), "edition number 48"
    ),
    Planted(
        "directory",
        on("licensed by Active Directory, a company's KMS host set"),
        (set_host(), ACTIVATE),
        "domain has licensed",
    ),
    Planted("products", on("the products, 2019"), (ACTIVATE,), "rests on products"),
    Planted(
        "policy unreadable",
        on("what group policy sets, not licensed"),
        (set_host(),),
        "rests on registry.policy_machine",
    ),
    Planted("build", on("the build, not licensed"), (set_host(),), "rests on os.build"),
    Planted(
        "reach", on("whether the KMS hosts are reached, foreign host"), (set_host(),), "on reach"
    ),
    Planted("status", on("the licence status"), (ACTIVATE,), "rests on products[0].LicenseStatus"),
    Planted("channel", on("the channel of the key"), (ACTIVATE,), "rests on products[0].Desc"),
    Planted(
        "server-wide host", on("the server-wide host, everywhere"), (ACTIVATE,), "licensing.machine"
    ),
    Planted(
        "permissions",
        on("the program's permissions, and licensing is silent"),
        (GRANT,),
        "rests on binary.sddl",
    ),
    Planted(
        "service unreadable",
        on("all services, and licensing is silent"),
        (step("start-service", name="sppsvc"),),
        "rests on services.sppsvc",
    ),
    Planted(
        "not disabled",
        NOT_LICENSED,
        (step("enable-service", name="sppsvc", start="delayed-auto"),),
        "which is not disabled",
    ),
    Planted("runs", NOT_LICENSED, (step("start-service", name="W32Time"),), "which runs"),
    Planted(
        "still disabled",
        on("sppsvc disabled"),
        (step("start-service", name="sppsvc"),),
        "which is disabled",
    ),
]


def judged(case: Case, steps: tuple[Step, ...]) -> tuple[str, ...]:
    ctx = context_of(case)
    return breaches(
        Deed(
            raw=facts_of(case),
            clock=clock_of(case),
            steps=steps,
            profile=knowledge_of(case).profile,
            images=ctx.images,
            policy=ctx.policy,
            errors=frozenset(case.expect.errors),
        )
    )


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_plan_that_breaks_a_rule_is_caught(planted: Planted) -> None:
    found = judged(planted.case, planted.steps)
    assert any(planted.said in breach for breach in found), found


def test_every_rule_has_been_seen_to_catch_something() -> None:
    catching = set()
    for planted in PLANTED:
        case, ctx = planted.case, context_of(planted.case)
        deed = Deed(
            raw=facts_of(case),
            clock=clock_of(case),
            steps=planted.steps,
            profile=knowledge_of(case).profile,
            images=ctx.images,
            policy=ctx.policy,
            errors=frozenset(case.expect.errors),
        )
        catching |= {rule.__name__ for rule in RULES if list(rule(deed))}
    assert catching == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("never activated, notification", (ACTIVATE,)),
        ("five hours behind", (SOURCE, SYNC, ACTIVATE)),
        ("three days off", (RAISE, ACTIVATE)),
        ("policy names the time server, five hours off", (SYNC, ACTIVATE)),
        ("no key, 2022 Datacenter", (key(), ACTIVATE)),
        ("Azure's host on 2019, not licensed", (set_host(), ACTIVATE)),
        ("none set, discovered a company's host", (set_host(), ACTIVATE)),
        ("five hours off, licensed", (SOURCE, SYNC)),
        ("20H2, licensed by the provider's host, ends soon", (ACTIVATE,)),
        ("imported image, overridden with a reason", (ACTIVATE,)),
        ("a member, twenty minutes off, not licensed", (ACTIVATE,)),
        ("2019, licensed", ()),
    ],
)
def test_a_right_plan_breaks_no_rule(name: str, steps: tuple[Step, ...]) -> None:
    assert judged(CASES[name], steps) == ()


def test_a_freed_service_excuses_the_products_and_nothing_else() -> None:
    case = CASES["sppsvc disabled"]
    enable = step("enable-service", name="sppsvc", start="delayed-auto")
    start = step("start-service", name="sppsvc")
    assert judged(case, (enable, start, ACTIVATE)) == ()
    assert "activate rests on products, which could not be read" in judged(case, (ACTIVATE,))
    with_host = judged(case, (enable, start, set_host(), ACTIVATE))
    assert "set-kms-host rests on products, which could not be read" in with_host


def test_the_planner_knows_no_step_that_the_rules_do_not() -> None:
    assert set(PLANNED_ORDER) <= set(ORDER), "a new step has its place in ORDER of conduct_basis"
    assert set(BASIS) == set(ORDER), "BASIS of conduct_basis says on which facts each step rests"
    assert {*CONSENT_STEPS} == {*ASKING}, "ASKING of conduct_server has the steps of --allow"
