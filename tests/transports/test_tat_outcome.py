"""What the words of the API mean: pure, without any API."""

from __future__ import annotations

import base64

import pytest

from volact.cloud.tencent.run_command import LIMITS, UNFINISHED, finished, status_of, unfit
from volact.cloud.tencent.run_command import outcome as outcome_of
from volact.cloud.tencent.tat import Agent, Task, TaskResult
from volact.errors import TransportError
from volact.transports.base import Raw
from volact.transports.run_command.invocation import CommandInvocation, raw_of

DOCUMENTED = (
    *("PENDING", "DELIVERING", "DELIVER_DELAYED", "DELIVER_FAILED", "START_FAILED", "RUNNING"),
    *("SUCCESS", "FAILED", "TIMEOUT", "TASK_TIMEOUT", "CANCELLING", "CANCELLED", "TERMINATED"),
)


def outcome(task: Task, asked: float, answered: float) -> Raw | TransportError:
    return raw_of(outcome_of(task), LIMITS, asked, answered)


def task(status: str, output: str | None = "", **result: int) -> Task:
    return Task(
        invocation_id="inv-1",
        invocation_task_id="invt-1",
        instance_id="ins-1",
        task_status=status,
        error_info="why\nthough",
        task_result=TaskResult(output=output, **result),
    )


def test_every_documented_status_is_unfinished_or_has_a_meaning_of_its_own() -> None:
    assert set(DOCUMENTED) > UNFINISHED
    for status in set(DOCUMENTED) - UNFINISHED:
        assert finished(task(status))
        result = outcome(task(status), 1.0, 2.0)
        if isinstance(result, TransportError):
            assert result.kind != "protocol", status
            assert result.line().isprintable()


@pytest.mark.parametrize("status", ["SUCCESS", "FAILED"])
def test_what_ran_to_its_end_gives_its_output_with_any_exit_code(status: str) -> None:
    output = base64.b64encode(b"\xc4\xe3 VOLACT1").decode()
    raw = outcome(task(status, output, exit_code=3), 1.0, 2.0)
    assert raw == Raw(b"\xc4\xe3 VOLACT1", b"", 3, 1.0, 2.0)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (task("SUCCESS", None), "brought no output"),
        (task("SUCCESS", "%%%"), "not Base64"),
        (task("SUCCESS", "QUJD", dropped=17), "dropped 17 bytes"),
        (task("SUCCESS", base64.b64encode(bytes(24 * 1024 + 1)).decode()), "dropped the rest"),
    ],
)
def test_output_that_is_not_whole_is_a_protocol_error(result: Task, says: str) -> None:
    error = outcome(result, 1.0, 2.0)
    assert isinstance(error, TransportError)
    assert (error.kind, says in error.message) == ("protocol", True)


def test_a_state_that_cannot_be_known_is_no_reason() -> None:
    online = Agent(instance_id="ins-1", agent_status="Online", environment="Windows")
    assert unfit(online, None) is None
    assert unfit(online, "RUNNING") is None


@pytest.mark.parametrize(
    ("agent", "state", "says"),
    [
        (Agent(instance_id="i", agent_status="Online"), "STOPPED", "its state is STOPPED"),
        (Agent(instance_id="i", agent_status="Offline"), "RUNNING", "is Offline (last heartbeat"),
        (Agent(instance_id="i"), None, "is unknown"),
        (None, "RUNNING", "no TAT agent is known"),
        (None, "", "its state is unknown"),
    ],
)
def test_why_an_instance_cannot_be_asked(agent: Agent | None, state: str | None, says: str) -> None:
    error = unfit(agent, state)
    assert error is not None
    assert (error.kind, says in error.message) == ("connect", True)


async def test_where_a_task_stands() -> None:
    assert CommandInvocation("ins-1", name="x", time_s=1).status == "not begun"
    assert status_of(task("RUNNING")) == "RUNNING: why though"
