"""The agent's reach test on Wine's WinHTTP against real servers and a real firewall.

Wine keeps no time-out for an answer, so a server that stays silent to the end is
``unknown`` there; on Windows the answer's time-out shows that it is connected.
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


@pytest.mark.parametrize(
    ("where", "told"),
    [
        pytest.param(lambda w: w.at(at.ENDPOINT_MAPPER), "connected", id="Samba, port 135"),
        pytest.param(lambda w: w.at(w.samba_port), "connected", id="Samba, dynamic port"),
        pytest.param(lambda w: w.at(at.LISTENERS["hangs up"]), "connected", id="hangs up"),
        pytest.param(lambda w: w.at(at.LISTENERS["resets"]), "connected", id="resets"),
        pytest.param(lambda w: w.at(at.LISTENERS["naks"]), "connected", id="bind_nak"),
        pytest.param(lambda w: w.at(at.LISTENERS["http"]), "http", id="HTTP"),
        pytest.param(lambda w: w.at(at.LISTENERS["silent"]), "unknown", id="never speaks"),
        pytest.param(lambda w: w.at(at.CLOSED), "refused", id="closed port"),
        pytest.param(lambda w: w.at(at.RESET), "refused", id="REJECT, reset"),
        pytest.param(lambda w: w.at(at.PORT_UNREACHABLE), "refused", id="REJECT, port"),
        pytest.param(lambda w: w.at(at.PROHIBITED), "refused", id="REJECT, prohibited"),
        pytest.param(lambda w: w.at(at.DROPPED), "filtered", id="DROP"),
        pytest.param(lambda w: f"{w.vacant}:1688", "filtered", id="no such host"),
        pytest.param(lambda _w: "kms.volact.invalid:1688", "name", id="no such name"),
    ],
)
def test_each_server_has_its_outcome(
    wine: WineServer, world: NetworkWorld, where: Callable[[NetworkWorld], str], told: str
) -> None:
    assert outcome(wine, where(world)) == told


def test_a_reset_that_overtakes_the_connection_may_read_as_refused(
    wine: WineServer, world: NetworkWorld
) -> None:
    """Which of the two the client's own system reports first is not for the agent to decide."""
    assert outcome(wine, world.at(at.LISTENERS["resets at once"])) in ("connected", "refused")


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
