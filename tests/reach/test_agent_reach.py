"""The agent's reach test on Wine's WinHTTP against real servers and a real firewall.

Wine keeps no time-out for an answer, so a server that stays silent to the end is
``unknown`` there; on Windows the answer's time-out shows that it is connected.  What is
refused is so at once, as Linux does it, a closed port of the server itself as well: so
quick an end tells nothing there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import network_world as at
import pytest
from asking import apply, probe
from network_world import NetworkWorld
from wine_server import WineServer

CONNECT_MS = 1500


def outcome(wine: WineServer, host: str) -> str:
    facts = probe(wine, kms=[host], connect_ms=CONNECT_MS)
    assert set(facts["reach"]) == {host}
    return str(facts["reached"][host][0])


AT_ONCE = "unknown or refused"  # by how busy the computer is
Where = Callable[[NetworkWorld], str]
OUTCOMES: dict[str, tuple[Where, str]] = {
    "Samba, port 135": (lambda w: w.at(at.ENDPOINT_MAPPER), "connected"),
    "Samba, dynamic port": (lambda w: w.at(w.samba_port), "connected"),
    "hangs up": (lambda w: w.at(at.LISTENERS["hangs up"]), "connected"),
    "resets": (lambda w: w.at(at.LISTENERS["resets"]), "connected"),
    "bind_nak": (lambda w: w.at(at.LISTENERS["naks"]), "connected"),
    "HTTP": (lambda w: w.at(at.LISTENERS["http"]), "http"),
    "never speaks": (lambda w: w.at(at.LISTENERS["silent"]), "unknown"),
    "closed port": (lambda w: w.at(at.CLOSED), AT_ONCE),
    "REJECT, reset": (lambda w: w.at(at.RESET), AT_ONCE),
    "REJECT, port": (lambda w: w.at(at.PORT_UNREACHABLE), AT_ONCE),
    "REJECT, prohibited": (lambda w: w.at(at.PROHIBITED), AT_ONCE),
    "DROP": (lambda w: w.at(at.DROPPED), "filtered"),
    "no such host": (lambda w: f"{w.vacant}:1688", "filtered"),
    "no such name": (lambda _w: "kms.volact.invalid:1688", "name"),
}
IN_ONE_PROBE = 7  # a probe tries eight hosts at most


@pytest.fixture(scope="module")
def outcomes(wine: WineServer, world: NetworkWorld) -> dict[str, str]:
    """What the agent tells of each host."""
    hosts, told = [where(world) for where, _ in OUTCOMES.values()], {}
    for first in range(0, len(hosts), IN_ONE_PROBE):
        asked = hosts[first : first + IN_ONE_PROBE]
        facts = probe(wine, kms=asked, connect_ms=CONNECT_MS)
        assert set(facts["reach"]) == set(asked)
        told.update({host: str(facts["reached"][host][0]) for host in asked})
    return told


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_server_has_its_outcome(
    outcomes: dict[str, str], world: NetworkWorld, name: str
) -> None:
    where, told = OUTCOMES[name]
    assert outcomes[where(world)] in told.split(" or ")


def test_a_refusal_that_takes_its_time_is_one(wine: WineServer, world: NetworkWorld) -> None:
    facts = probe(wine, kms=[world.at(at.REFUSED_LATE)], connect_ms=3000)
    assert facts["reached"][world.at(at.REFUSED_LATE)][0] == "refused"


def test_a_reset_that_overtakes_the_connection_may_read_as_refused(
    wine: WineServer, world: NetworkWorld
) -> None:
    """Which of the two the client's own system reports first is not for the agent to decide."""
    assert outcome(wine, world.at(at.LISTENERS["resets at once"])) in (
        "connected",
        "refused",
        "unknown",
    )


def test_impackets_server_is_connected(wine: WineServer, impacket: str) -> None:
    assert outcome(wine, impacket) == "connected"


SPP = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"


@pytest.fixture
def clean_registry(wine: WineServer) -> Iterator[WineServer]:
    yield wine
    wine.delete_key(SPP)


def test_a_host_that_only_waits_is_set(clean_registry: WineServer, world: NetworkWorld) -> None:
    hosts = [world.at(at.DROPPED), world.at(at.ENDPOINT_MAPPER)]
    step = {"do": "set-kms-host", "layer": "service", "hosts": hosts}
    (result,) = apply(clean_registry, step, connect_ms=CONNECT_MS).results
    assert (result.ok, result.changed, result.after["host"]) == (True, True, hosts[1])


def test_a_host_of_uncertain_reach_is_tried_and_put_back(
    clean_registry: WineServer, world: NetworkWorld
) -> None:
    """Wine has no licensing, so the activation that is to prove the host fails."""
    host = world.at(at.LISTENERS["silent"])
    before = "kms.before.example"
    clean_registry.set_registry(SPP, "KeyManagementServiceName", before)
    trial = {"do": "set-kms-host", "layer": "service", "hosts": [host]}
    (refused,) = apply(clean_registry, trial, connect_ms=CONNECT_MS).results
    assert (refused.ok, refused.changed) == (False, False)
    answer = apply(
        clean_registry,
        {**trial, "unproven": True},
        {"do": "activate", "unless_failed": ["set-kms-host"]},
        {"do": "put-back-kms-host", "layer": "service", "if_failed": ["activate"]},
        connect_ms=CONNECT_MS,
    )
    tried, activated, put_back = answer.results
    assert (tried.ok, tried.changed, tried.after["host"]) == (True, True, host)
    assert not activated.ok
    assert (put_back.ok, put_back.changed) == (True, True)
    assert put_back.before["host"] == host
    assert put_back.after == tried.before
    assert clean_registry.registry(SPP, "KeyManagementServiceName") == f"REG_SZ {before}"
    assert clean_registry.registry(SPP, "KeyManagementServicePort") is None
