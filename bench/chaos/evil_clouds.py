"""Clouds whose APIs mean harm: the lab's own, in a process of its own, whose answers are changed.

Everything about an answer is right but one thing, so each gets as far as it can: signatures
are checked, scripts run, tasks end.  ``hostile_clouds`` starts it and checks the servers.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import re
import sys
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]

from corpus import COPIED_FROM, SCHEMES, action_of, cloud_servers, recorded  # noqa: E402  (after the path)

from volact_lab.cloud import lab_clouds  # noqa: E402
from volact_lab.instances.agent import Ran  # noqa: E402
from volact_lab.instances.faults import ApiFault  # noqa: E402
from volact_lab.lab import Lab  # noqa: E402
from volact_lab.windows.machine import Machine  # noqa: E402
from volact_lab.windows.spec import Spec  # noqa: E402
from volact_lab.winrm.http import Headers, Reply  # noqa: E402

_READY = ("DescribeInstanceInformation", "DescribeCloudAssistantStatus", "GET virtualMachines",
          "DescribeAutomationAgentStatus")  # fmt: skip
_START = ("SendCommand", "RunCommand", "PUT runCommands")
_RESULT = ("ListCommandInvocations", "GetCommandInvocation", "DescribeInvocationResults",
           "DescribeInvocationTasks", "GET runCommands")  # fmt: skip
_OUTPUTS = ("StandardOutputContent", "Output", "output")
_ENDED = re.compile(rb'"(Success|SUCCESS|Succeeded)"')

Change = Callable[[bytes], bytes]
# By name which actions are answered otherwise, and how.
Acts = dict[str, tuple[tuple[str, ...], Change]]


def _each(value: Any, change: Callable[[str, Any], Any], key: str = "") -> Any:
    """A document with every value that holds no other changed."""
    if isinstance(value, dict):
        return {name: _each(item, change, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_each(item, change, key) for item in value]
    return change(key, value)


def _values(change: Callable[[str, Any], Any]) -> Change:
    return lambda body: json.dumps(_each(json.loads(body), change)).encode()


def _wrong_type(_key: str, value: Any) -> Any:
    return [{}] if isinstance(value, str) else {"": str(value)}


def _copied_output() -> Change:
    """What a server of another run wrote, in the place of each output."""
    said = recorded(1, "healthy", 5)[0].decode("utf-8")
    coded = base64.b64encode(said.encode()).decode()

    def change(key: str, value: Any) -> Any:
        if key not in _OUTPUTS or not value:
            return value
        return coded if key == "Output" else said

    return _values(change)


def _pages(token: Callable[[], str]) -> Change:
    """A page that says that more follow."""

    def change(body: bytes) -> bytes:
        answer = json.loads(body)
        for part in (answer, answer.get("Invocation"), answer.get("Response")):
            if isinstance(part, dict):
                part |= {"NextToken": token(), "TotalCount": 10**9}
        return json.dumps(answer).encode()

    return change


def _other_instance(body: bytes) -> bytes:
    return re.sub(rb'("InstanceId": "[a-z]+-)(\w+)', lambda m: m[1] + m[2][::-1], body)


def _still_running(body: bytes) -> bytes:
    running = {b"Success": b'"Running"', b"SUCCESS": b'"RUNNING"', b"Succeeded": b'"Running"'}
    said = _ENDED.sub(lambda m: running[m[1]], body)
    # Of SSM alone a task is told of twice, and in words of its own.
    return said.replace(b'"Running"', b'"InProgress"') if b"StatusDetails" in body else said


def _acts() -> Acts:
    count = itertools.count()
    return {
        "cut": (_READY, lambda body: body[: len(body) // 2]),
        "nested": (_START, lambda _: b"[" * 200_000),
        "nested-objects": (_RESULT, lambda _: b'{"a":' * 200_000),
        "many-values": (_RESULT, lambda _: b'{"x":[' + b"{}," * 2_600_000 + b"{}]}"),
        "wrong-types": (_RESULT, _values(_wrong_type)),
        "nothing": (_RESULT, lambda _: b"{}"),
        "copied-output": (_RESULT, _copied_output()),
        "other-instance": (_RESULT, _other_instance),
        "same-page": (_RESULT, _pages(lambda: "again")),
        "pages-without-end": (_RESULT, _pages(lambda: f"page-{next(count)}")),
        "still-running": (_RESULT, _still_running),
        "throttled": (_RESULT, lambda body: body),
    }


# Azure names no instance in an answer, and has no pages of tasks; Tencent's have no tokens.
_NOT_OF = {"other-instance": ("azure",), "same-page": ("azure", "tat"),
           "pages-without-end": ("azure",)}  # fmt: skip
# They end with the server's time.
SLOW = frozenset({"other-instance", "pages-without-end", "still-running", "throttled"})


def _harm(front: Any, name: str, actions: tuple[str, ...], change: Change) -> None:
    """Change the answers of an API, an ``ApiFront``."""
    said: dict[str, Reply] = {}

    def tamper(target: str, headers: Headers, reply: Reply) -> Reply:
        action = action_of(target, headers)
        if action not in actions or reply.status >= 300:
            return reply
        said[action] = reply
        return replace(reply, body=change(reply.body))

    def mischief(action: str, asked: dict[str, Any]) -> ApiFault | Reply | None:
        if action in actions and name == "throttled":
            return ApiFault(front.limits.code, "slow down")
        # A further page is the first once more: the lab knows no such page.
        return said.get(action) if asked.get("NextToken") or asked.get("Offset") else None

    front.tamper, front.mischief = tamper, mischief


# Of two servers of each cloud, the names of acts: each has the other's answers, or both have
# those of the second.
_EXCHANGED, _COPIED = ("exchanged", "exchanged-too"), ("copied", COPIED_FROM)


def _exchange(front: Any, machines: Sequence[Machine], *, copied: bool) -> None:
    """Run each script on the other server, or on the second alone, once for both."""
    run, guard = front.invocations.runner, threading.Lock()
    others = {one.spec.name: other for one, other in zip(machines, machines[::-1], strict=True)}
    scripts: Counter[str] = Counter()
    answers: dict[int, Ran] = {}

    def elsewhere(machine: Machine, task: str, script: bytes, limit_s: float) -> Ran:
        if not copied:
            return run(others[machine.spec.name], task, script, limit_s)  # type: ignore[no-any-return]
        with guard:
            scripts[machine.spec.name] += 1
            number = scripts[machine.spec.name]
            if number not in answers:
                answers[number] = run(machines[1], task, script, limit_s)
            return answers[number]

    front.invocations.runner = elsewhere


def _servers(seed: int, *names: str) -> tuple[Spec, ...]:
    schemes = tuple(scheme for scheme in SCHEMES if scheme not in _NOT_OF.get(names[0], ()))
    drawn = cloud_servers(seed, len(names), schemes)
    return tuple(
        replace(spec, name=f"{spec.transport}-{names[number // len(schemes)]}")
        for number, spec in enumerate(drawn)
    )


def _parts(path: Path) -> str:
    """The servers of an inventory, each with the account that all of it has."""
    said = tomllib.loads(path.read_text("utf-8"))
    clouds = {cloud.scheme: cloud.provider for cloud in lab_clouds()}
    text = ""
    for server in said["server"]:
        own = f"{clouds[server['address'].partition(':')[0]]}-"
        account = {k: v for k, v in said["defaults"].items() if k.startswith(own)}
        lines = (f"{key} = {json.dumps(value)}\n" for key, value in {**server, **account}.items())
        text += f"\n[[server]]\n{''.join(lines)}"
    return text


async def _serve(folder: Path, seed: int, acts: Acts) -> None:
    async with AsyncExitStack() as stack:
        good = await stack.enter_async_context(Lab("healthy", cloud_servers(seed, 2), seed))
        good.write_inventory(folder / "good.toml")
        parts = ""
        for number, (name, act) in enumerate(acts.items(), 1):
            servers = _servers(seed + number, name)
            lab = await stack.enter_async_context(Lab("healthy", servers, seed + number))
            for front in lab.clouds.values():
                _harm(front, name, *act)
            lab.write_inventory(folder / f"{name}.toml")
            parts += _parts(folder / f"{name}.toml")
        for number, names in enumerate((_EXCHANGED, _COPIED), len(acts) + 1):
            servers = _servers(seed + number, *names)
            lab = await stack.enter_async_context(Lab("healthy", servers, seed + number))
            for scheme, front in lab.clouds.items():
                machines = [lab.machine(f"{scheme}-{name}") for name in names]
                _exchange(front, machines, copied=names == _COPIED)
            lab.write_inventory(folder / f"{names[0]}.toml")
            parts += _parts(folder / f"{names[0]}.toml")
        (folder / "clouds.toml").write_text(parts, "utf-8")
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("--quick", action="store_true")
    wanted = parser.parse_args()
    acts = {n: act for n, act in _acts().items() if not (wanted.quick and n in SLOW)}
    asyncio.run(_serve(wanted.folder, wanted.seed, acts))


if __name__ == "__main__":
    main()
