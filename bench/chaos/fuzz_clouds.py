"""Targets: what the APIs of AWS, Alibaba Cloud and Azure answer; Tencent's are ``fuzz_services``'.

The answers begin as the lab's, through each SDK's own decoder to what volact makes of them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar

import botocore.parsers
import botocore.session
from alibabacloud_ecs20140526 import models
from corpus import as_json, cloud_answers
from fuzz_base import Target

from volact.agent.packed_answer import Part
from volact.cloud.alibaba import assistant
from volact.cloud.alibaba import run_command as alibaba
from volact.cloud.alibaba.calls import Calls as AlibabaCalls
from volact.cloud.alibaba.declaration import CLOUD as ALIBABA
from volact.cloud.alibaba.listing import EcsList
from volact.cloud.aws import run_command as aws
from volact.cloud.aws import ssm
from volact.cloud.aws.calls import Calls as AwsCalls
from volact.cloud.aws.declaration import CLOUD as AWS
from volact.cloud.aws.listing import Ec2List
from volact.cloud.azure import run_command as azure
from volact.cloud.azure import vm
from volact.cloud.azure.calls import LIMITS as AZURE_LIMITS
from volact.cloud.azure.calls import Calls as AzureCalls
from volact.cloud.azure.declaration import CLOUD as AZURE
from volact.cloud.azure.listing import VmList
from volact.cloud.base import Cloud, ListServers, TaskOutput
from volact.cloud.calls import PacedCalls
from volact.cloud.failures import INSIDE, error_of
from volact.errors import TransportError
from volact.inventory import cloud_list
from volact.threads import BlockingCalls
from volact.transports.base import Raw
from volact.transports.run_command.invocation import raw_of

T = TypeVar("T")
_MOST_PAGES = 8
_SCOPE = "0a1b2c3d-1111-4222-8333-0123456789ab/lab-web"


class _Keys:
    """The keys of an account, whose clients give the answers; each action has one."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers

    def redact(self, text: str) -> str:
        return text


class _AtOnce(PacedCalls):
    """Calls without threads and pauses."""

    pages = 0

    async def paced(self, action: str, call: Callable[[], T], *, safe: bool) -> T:
        self.pages += 1
        if self.pages > _MOST_PAGES:
            raise error_of("InternalError", "the API never comes to an end", INSIDE, str)
        return call()


class _AwsKeys(_Keys):
    def client(self, service: str, _region: str) -> Any:
        return SimpleNamespace(_make_api_call=lambda name, _asked: self._call(service, name))

    def _call(self, service: str, name: str) -> Any:
        model = _model(service)
        parser = botocore.parsers.create_parser(model.metadata["protocol"])
        said = {"body": self.answers[0], "headers": {}, "status_code": 200}
        return parser.parse(said, model.operation_model(name).output_shape)


@cache
def _model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


class _Aws(_AtOnce, AwsCalls):
    def __init__(self, data: bytes) -> None:
        super().__init__("eu-west-1", _AwsKeys(data), BlockingCalls(1), ())


class _Alibaba(_AtOnce, AlibabaCalls):
    def __init__(self, data: bytes) -> None:
        super().__init__("cn-hangzhou", _Keys(), BlockingCalls(1), ())  # type: ignore[arg-type]
        self._data = data

    def client(self, service: str) -> Any:
        return self

    def __getattr__(self, action: str) -> Callable[[Any], Any]:
        kind = getattr(models, f"{action.title().replace('_', '')}ResponseBody")
        return lambda _request: SimpleNamespace(body=kind().from_map(json.loads(self._data)))


class _AzureKeys(_Keys):
    def send(self, *_asked: object) -> Any:
        return SimpleNamespace(status_code=200, read=lambda: self.answers[0])


def _azure(data: bytes) -> AzureCalls:
    paced = _AtOnce(AZURE_LIMITS, BlockingCalls(1), ())
    return AzureCalls(_SCOPE, _AzureKeys(data), paced)  # type: ignore[arg-type]


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _listed(cloud: Cloud, scope: str, listing: ListServers) -> None:
    """The instances of a list, and the servers that come of them."""
    found = _loop().run_until_complete(listing.list_servers({}))
    cloud_list.inventory_of(cloud_list.ListSource(cloud=cloud, scopes=(scope,)), [found])


def _told(result: TaskOutput | TransportError | None, limits: Any) -> None:
    """What a result means for a server, in one line."""
    if result is not None:
        end = raw_of(result, limits, 1.0, 2.0)
        assert isinstance(end, Raw) or "\n" not in end.line()


def _unfit(error: TransportError | None) -> None:
    assert error is None or "\n" not in error.line()


def _ec2(data: bytes) -> None:
    _listed(AWS, "eu-west-1", Ec2List(_Aws(data)))


def _ssm_agents(data: bytes) -> None:
    for agent in _loop().run_until_complete(ssm.agents(_Aws(data), ["i-1"])).values():
        _unfit(aws.unfit(agent))


def _ssm_tasks(data: bytes) -> None:
    for task in _loop().run_until_complete(ssm.tasks_of(_Aws(data), "c-1")):
        assert "\n" not in aws.ended(task).line()
    task = ssm.Task(command_id="c-1", instance_id="i-1", status="Success")
    _told(aws.output(_loop().run_until_complete(ssm.output_of(_Aws(data), task))), aws.LIMITS)


def _ecs_list(data: bytes) -> None:
    _listed(ALIBABA, "cn-hangzhou", EcsList(_Alibaba(data)))


def _assistant(data: bytes) -> None:
    if b'"Invocation"' in data:
        for task in _loop().run_until_complete(assistant.tasks_of(_Alibaba(data), "t-1")):
            _told(alibaba.outcome(task), alibaba.LIMITS)
        return
    for agent in _loop().run_until_complete(assistant.agents(_Alibaba(data), ["i-1"])).values():
        _unfit(alibaba.unfit(agent))


def _arm_list(data: bytes) -> None:
    _listed(AZURE, _SCOPE, VmList(_azure(data)))


def _arm_run(data: bytes) -> None:
    status, result = azure.outcome(
        _loop().run_until_complete(vm.state_of(_azure(data), "vm-1", "volact-1"))
    )
    assert "\n" not in status
    if not isinstance(result, Part):  # which goes on in another run
        _told(result, azure.LIMITS)


def _arm_machine(data: bytes) -> None:
    _unfit(azure.unfit(_loop().run_until_complete(vm.machine_of(_azure(data), "vm-1"))))


def _seeds(scheme: str, *actions: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [body for name in actions for body in cloud_answers()[scheme, name] if body]


def _lists() -> list[bytes]:
    return [body for body in cloud_answers()["azure", "GET virtualMachines"] if b'"value"' in body]


def _machines() -> list[bytes]:
    return [b for b in cloud_answers()["azure", "GET virtualMachines"] if b'"value"' not in b]


def _ecs_lists() -> list[bytes]:
    """Instances and images in one document, as both are read of it."""
    parts = [_seeds("ecs", name)()[0] for name in ("DescribeInstances", "DescribeImages")]
    return [as_json({**json.loads(parts[0]), **json.loads(parts[1])})]


TARGETS = (
    Target("ec2-list", "instances of AWS, in XML", "bytes", _seeds("ssm", "POST"), _ec2, 0.04),
    Target(
        "ssm-agents", "agents of SSM", "json",
        _seeds("ssm", "DescribeInstanceInformation"), _ssm_agents, 0.02,
    ),
    Target(
        "ssm-tasks", "tasks and outputs of SSM", "json",
        _seeds("ssm", "ListCommandInvocations", "GetCommandInvocation"), _ssm_tasks, 0.04,
    ),
    Target(
        "ecs-list", "instances and images of Alibaba Cloud", "json",
        _ecs_lists, _ecs_list, 0.03,
    ),
    Target(
        "ecs-tasks", "tasks and agents of Cloud Assistant", "json",
        _seeds("ecs", "DescribeInvocationResults", "DescribeCloudAssistantStatus"),
        _assistant, 0.04,
    ),
    Target(
        "arm-list", "machines and interfaces of Azure", "json",
        lambda: [*_seeds("azure", "GET networkInterfaces")(), *_lists()], _arm_list, 0.03,
    ),
    Target("arm-machine", "machines of Azure", "bytes", _machines, _arm_machine, 0.02),
    Target(
        "arm-run", "run-commands of Azure", "json", _seeds("azure", "GET runCommands"),
        _arm_run, 0.03,
    ),
)  # fmt: skip
