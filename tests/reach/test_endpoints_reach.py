"""``volact endpoints`` against the same real servers."""

from __future__ import annotations

from collections.abc import Callable

import network_world as at
import pytest
from network_world import NetworkWorld

from volact.endpoints.kms import probe_kms
from volact.model.profile import HostPort

pytestmark = pytest.mark.xdist_group("wine-world")  # with test_agent_reach: the world is made once


@pytest.mark.parametrize(
    ("where", "word"),
    [
        pytest.param(lambda w: w.at(at.ENDPOINT_MAPPER), "not-kms", id="Samba, port 135"),
        pytest.param(lambda w: w.at(w.samba_port), "not-kms", id="Samba, dynamic port"),
        pytest.param(lambda w: w.at(at.LISTENERS["hangs up"]), "closed", id="hangs up"),
        pytest.param(lambda w: w.at(at.LISTENERS["resets"]), "closed", id="resets"),
        pytest.param(lambda w: w.at(at.LISTENERS["http"]), "not-rpc", id="HTTP"),
        pytest.param(lambda w: w.at(at.LISTENERS["silent"]), "timeout", id="never speaks"),
        pytest.param(lambda w: w.at(at.CLOSED), "refused", id="closed port"),
        pytest.param(lambda w: w.at(at.RESET), "refused", id="REJECT, reset"),
        pytest.param(lambda w: w.at(at.PORT_UNREACHABLE), "refused", id="REJECT, port"),
        pytest.param(lambda w: w.at(at.PROHIBITED), "unreachable", id="REJECT, prohibited"),
        pytest.param(lambda w: w.at(at.DROPPED), "timeout", id="DROP"),
        pytest.param(lambda w: f"{w.vacant}:1688", "timeout", id="no such host"),
    ],
)
async def test_each_server_has_its_word(
    world: NetworkWorld, where: Callable[[NetworkWorld], str], word: str
) -> None:
    limit = 1.5 if word == "timeout" else 60.0
    health = await probe_kms(HostPort.parse(where(world)), limit)
    assert health.word == word


async def test_impackets_server_offers_the_interface(impacket: str) -> None:
    health = await probe_kms(HostPort.parse(impacket), 60.0)
    assert health.word == "ok"
