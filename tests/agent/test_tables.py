"""Tables that the script and the core both need hold the same in both languages."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

import quickjs

from volact.core.assessment.kms import REACHED_CODES
from volact.core.findings.store import STORE_CODES
from volact.core.sddl import NETWORK_SERVICE, SERVICE_GROUPS, network_service_token


def source(part: str) -> str:
    return resources.files("volact.agent").joinpath("source", f"{part}.js").read_text("ascii")


def value_of(part: str, name: str) -> Any:
    """What a ``var`` of a part holds: a list or an object of plain values."""
    literal = re.search(rf"var {name} = ([\[{{].*?[\]}}]);", source(part), re.DOTALL)
    assert literal, name
    return json.loads(str(quickjs.Context().eval(f"JSON.stringify({literal[1]})")))


def test_the_codes_of_a_damaged_store() -> None:
    assert re.search(r"code >= 0x8004E101 && code <= 0x8004E10E", source("on_need"))
    single = set(value_of("on_need", "DAMAGED_STORE"))
    assert single | set(range(0x8004E101, 0x8004E10F)) == STORE_CODES


def test_the_codes_of_a_host_that_was_reached() -> None:
    assert {0, *value_of("reach", "NOT_HTTP")} == REACHED_CODES


def test_the_accounts_that_the_licensing_service_acts_as() -> None:
    groups = value_of("file_acl", "SERVICE_GROUPS")
    assert tuple(groups) == SERVICE_GROUPS
    for service, own in value_of("file_acl", "SERVICE_SIDS").items():
        assert {*groups, own, NETWORK_SERVICE} == set(network_service_token(service)), service
