"""Every manner of a KMS host: what the agent's try shows; an activation works behind each."""

from __future__ import annotations

import pytest
from lab_world import Place, agent, step

from volact_lab.hosts.manners import MANNERS, Manner, stays_silent

KMS = "kms.tencentyun.com:1688"
OUTCOMES: dict[Manner, str] = {
    "hangs up": "connected",
    "waits": "connected",
    "naks": "connected",
    "stays silent": "connected",
    "http": "http",
}


def forms(manner: Manner) -> tuple[tuple[str, int], ...]:
    return (("kms-manner", MANNERS.index(manner)), ("refused-after", 0))


@pytest.mark.parametrize("manner", MANNERS)
async def test_what_a_try_tells(here: Place, manner: Manner) -> None:
    facts = (await agent(here.machine(release="2019", forms=forms(manner)))).facts
    assert facts["reached"][KMS][0] == OUTCOMES[manner]
    assert here.errors == []


@pytest.mark.parametrize("manner", MANNERS)
async def test_an_activation_works_behind_it(here: Place, manner: Manner) -> None:
    machine = here.machine("kms-host-wrong", release="2019", forms=forms(manner))
    answer = await agent(
        machine,
        step("set-kms-host", layer="service", hosts=[KMS], unproven=True),
        step("activate", unless_failed=["set-kms-host"]),
        step("put-back-kms-host", layer="service", if_failed=["activate"]),
    )
    set_host, activated, put_back = answer.results
    assert (set_host.ok, activated.ok) == (True, True)
    assert (put_back.ok, put_back.changed, put_back.note) == (True, False, "not needed")
    assert machine.licensing.machine() == "kms.tencentyun.com"


async def test_a_host_on_trial_is_put_back_as_it_was(here: Place) -> None:
    """HTTP at the port, and behind it a host that refuses."""
    machine = here.machine("kms-count", release="2019", forms=forms("http"))
    machine.licensing.set_machine("KMS.Corp.Example")
    answer = await agent(
        machine,
        step("set-kms-host", layer="service", hosts=[KMS], unproven=True),
        step("activate", unless_failed=["set-kms-host"]),
        step("put-back-kms-host", layer="service", if_failed=["activate"]),
    )
    set_host, activated, put_back = answer.results
    assert (set_host.changed, activated.ok, put_back.changed) == (True, False, True)
    assert put_back.after == set_host.before
    assert machine.licensing.machine() == "KMS.Corp.Example"
    assert "12288" in answer.facts["events"]


def test_a_short_request_is_met_with_silence_by_hosts_that_wait() -> None:
    """As measured of Samba and impacket."""
    short = b"GET / HTTP/1.1\r\nHost: kms:1688\r\n\r\n"
    long = b"GET /aaa!!" + b"a" * 8481
    assert stays_silent("waits", short)
    assert not stays_silent("waits", long)
    assert stays_silent("naks", short)
    assert not stays_silent("naks", long)
    assert not stays_silent("hangs up", short)
