"""Policies: who approves, what schedules may repair, what is refused with one line."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from volact.client.wire import RunSpec, Verb
from volact.core.context import Policy
from volact.errors import InputError
from volact.model.server import Address, Server
from volact.service.policies import (
    POLICY_TYPES,
    ApprovalPolicy,
    NotificationChannel,
    NotificationPolicy,
    RepairPolicy,
    RetentionPolicy,
    approval_reason,
    check_policy,
    scheduled_run,
)


def server(name: str = "a", provider: str = "", tags: tuple[str, ...] = ()) -> Server:
    return Server(name=name, address=Address(scheme="ssh", host=name), provider=provider, tags=tags)


def run(verb: Verb = "activate", **values: Any) -> RunSpec:
    return RunSpec(verb=verb, inventory="fleet", **values)


def needs_approval(policy: ApprovalPolicy, spec: RunSpec, servers: Sequence[Server]) -> bool:
    return approval_reason(policy, spec, servers) is not None


def test_without_limits_nothing_needs_approval() -> None:
    assert not needs_approval(ApprovalPolicy(), run(), [server()] * 10_000)


@pytest.mark.parametrize(
    ("verb", "needed"), [("check", False), ("plan", False), ("activate", True), ("undo", True)]
)
def test_only_runs_that_change_servers_need_approval(verb: Verb, needed: bool) -> None:
    assert needs_approval(ApprovalPolicy(most_servers=0), run(verb), [server()]) is needed


def test_as_many_servers_as_allowed_need_none() -> None:
    policy = ApprovalPolicy(most_servers=2)
    assert not needs_approval(policy, run(), [server("a"), server("b")])
    assert needs_approval(policy, run(), [server("a"), server("b"), server("c")])


def test_one_server_with_the_tag_is_enough() -> None:
    policy = ApprovalPolicy(tags=("prod",))
    assert needs_approval(policy, run(), [server(), server(tags=("web", "prod"))])
    assert not needs_approval(policy, run(), [server(tags=("production",))])


@pytest.mark.parametrize(
    ("provider", "needed"),
    [("ovh", True), ("ovh/dedicated", True), ("ovhx", False), ("aws", False)],
)
def test_a_provider_includes_its_parts(provider: str, needed: bool) -> None:
    assert (
        needs_approval(ApprovalPolicy(providers=("ovh",)), run(), [server(provider=provider)])
        is needed
    )


def test_a_server_of_an_unknown_provider_needs_approval_where_providers_do() -> None:
    policy = ApprovalPolicy(providers=("ovh",), tags=("prod",))
    servers = [server("a", "aws"), server("b")]
    assert str(approval_reason(policy, run(), servers)) == (
        "it has servers whose provider is not known, such as b; check them, "
        "or name it in the inventory"
    )
    known = [*servers, server("c", "ovh")]
    assert str(approval_reason(policy, run(), known)) == "it has servers of ovh"
    for other in (ApprovalPolicy(tags=("prod",)), ApprovalPolicy(providers=("ovh",), verbs=())):
        assert approval_reason(other, run(), servers) is None


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        (Policy(consent=frozenset({"rearm"})), "rearm"),
        (Policy(replace_key=True), "replace-key"),
        (Policy(override_entitlement="bought"), "override-entitlement"),
    ],
)
def test_what_a_run_allows_may_need_approval(policy: Policy, word: str) -> None:
    spec = run(policy=policy)
    assert (
        str(approval_reason(ApprovalPolicy(consents=(word,)), spec, [server()]))
        == f"it allows {word}"
    )
    assert not needs_approval(ApprovalPolicy(), spec, [server()])


def test_schedules_repair_only_where_policy_allows_it() -> None:
    with pytest.raises(InputError, match="schedules may not repair"):
        scheduled_run(RepairPolicy(), run())
    assert scheduled_run(RepairPolicy(), run("check")) == run("check")
    with pytest.raises(InputError, match="undo"):
        scheduled_run(RepairPolicy(allowed=True), run("undo", undo="r1"))


def test_a_repair_by_schedule_has_canaries_and_a_limit_of_failures() -> None:
    policy = RepairPolicy(allowed=True, canary="2", max_failures="5%")
    made = scheduled_run(policy, run())
    assert (made.canary, made.max_failures) == ("2", "5%")
    assert scheduled_run(policy, run(canary="9")).canary == "9"


def test_a_schedule_allows_no_more_than_the_policy() -> None:
    asked = run(policy=Policy(replace_key=True, consent=frozenset({"rearm"})))
    with pytest.raises(InputError, match=r"may not allow rearm$"):
        scheduled_run(RepairPolicy(allowed=True, consents=("replace-key",)), asked)
    policy = RepairPolicy(allowed=True, consents=("replace-key", "rearm"))
    assert scheduled_run(policy, asked).policy == asked.policy


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (ApprovalPolicy(consents=("reboot",)), "consents: reboot: not known"),
        (RepairPolicy(consents=("override-entitlement",)), "no schedule overrides"),
        (RepairPolicy(max_failures="many"), "max_failures"),
        (RepairPolicy(canary="120%"), "canary"),
        (RepairPolicy(canary="0"), "canary: give at least one server"),
        (RepairPolicy(canary="3:abc"), "canary: "),
        (RepairPolicy(canary="1:2"), "canary: "),
        (RetentionPolicy(runs="long"), "runs long: not a duration"),
        (RetentionPolicy(facts="0d"), "facts 0d"),
        (NotificationPolicy(expiring=""), "expiring"),
    ],
)
def test_a_wrong_value_is_one_clear_line(policy: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        check_policy(policy)
    assert "\n" not in str(caught.value)


def test_the_defaults_are_valid_and_survive_their_form_in_the_table() -> None:
    for kind in POLICY_TYPES.values():
        policy = kind()
        check_policy(policy)
        assert msgspec.json.decode(msgspec.json.encode(policy), type=kind) == policy


@pytest.mark.parametrize("word", ["https://hooks.example/secret", "env:NAME", "", "A B"])
def test_a_channel_names_a_variable_and_holds_no_url(word: str) -> None:
    text = msgspec.json.encode({"variable": word})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=NotificationChannel)
