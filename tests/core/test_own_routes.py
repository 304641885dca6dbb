"""Routes by the server's own address, which Windows may show as 0.0.0.0: on the link."""

from __future__ import annotations

from typing import Any

import pytest
from servers import context, facts_of, server

from volact.core.steps.forecast import previous_values, promised
from volact.core.undo import outcome, plan_undo
from volact.model.facts import Facts
from volact.model.step import Step, StepResult
from volact.model.undo import AppliedStep, RunHistory

OWN = "10.0.0.5"
ON_LINK = "0.0.0.0"
TO = {"destination": "169.254.169.253", "mask": "255.255.255.255"}
ROUTE = {**TO, "gateway": OWN}
LINK = ["10.0.0.0", "255.255.255.0", ON_LINK]
REMOVE = Step(do="remove-route", params=ROUTE)


def facts_with(*hops: str, **changes: Any) -> Facts:
    routes = [LINK, *([*TO.values(), hop] for hop in hops)]
    return facts_of(server(addresses=[OWN], **{"routes": routes, **changes}))


def run(*, answered: bool) -> RunHistory:
    before, after = {**TO, "hops": ""}, {**TO, "hops": OWN}
    result = StepResult(do="add-route", ok=True, changed=True, before=before, after=after)
    step = AppliedStep(
        do="add-route", params=ROUTE, before=before, result=result if answered else None
    )
    return RunHistory(run="r1", steps=(step,))


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("shown", [OWN, ON_LINK])
def test_such_a_route_is_undone_as_it_was_added(shown: str, answered: bool) -> None:
    way = plan_undo(run(answered=answered), facts_with(shown))
    assert [restore.step for restore in way.restores] == [REMOVE]
    back = promised(facts_with(shown), (REMOVE,), context("oracle"))
    assert back == facts_with()
    assert outcome(way, back, ()).word == "undone"


@pytest.mark.parametrize("shown", [OWN, ON_LINK])
def test_its_hop_before_a_step_is_what_the_agent_reports(shown: str) -> None:
    assert previous_values(REMOVE, facts_with(shown)) == {**TO, "hops": OWN}


@pytest.mark.parametrize("changes", [{"addresses": ["10.0.0.9"]}, {"routes": [LINK]}])
def test_a_route_on_the_link_is_none_by_another_gateway(changes: dict[str, Any]) -> None:
    params = {**ROUTE, "destination": "10.0.0.0", "mask": "255.255.255.0", "gateway": "10.0.0.1"}
    facts = facts_of(server(**{"routes": [LINK], "addresses": [OWN], **changes}))
    step = Step(do="remove-route", params=params)
    assert previous_values(step, facts)["hops"] == ON_LINK
    assert promised(facts, (step,), context()) == facts
