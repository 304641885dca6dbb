"""Targets: what a cloud's API, WinRM services, KMS hosts and time servers answer."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from corpus import as_json
from fuzz_base import Target
from pypsrp.wsman import WSMan

from volact.cloud.tencent import cvm, listing, tat
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.declaration import CLOUD, TencentSettings
from volact.cloud.tencent.failures import failure
from volact.cloud.tencent.keys import Keys
from volact.cloud.tencent.run_command import LIMITS, finished, outcome, status_of, unfit
from volact.endpoints import ntp, rpc
from volact.errors import TransportError
from volact.inventory import cloud_list
from volact.threads import BlockingCalls
from volact.transports.base import Raw
from volact.transports.failures import translated as ssh_translated
from volact.transports.run_command.invocation import raw_of
from volact.transports.sftp import Sftp, done, handle_of, path_of
from volact.transports.winrm.failures import translated
from volact.transports.winrm.shell import CommandStop, RemoteShell

T = TypeVar("T")

_KEYS = {"TENCENTCLOUD_SECRET_ID": "AKIDsomething", "TENCENTCLOUD_SECRET_KEY": "some-key"}

_INSTANCE = {
    "InstanceId": "ins-1a2b3c4d", "InstanceName": "web-01", "ImageId": "img-6fp83vpb",
    "OsName": "Windows Server 2019", "InstanceState": "RUNNING", "LicenseType": "TencentCloud",
    "PrivateIpAddresses": ["10.0.0.5"], "Placement": {"Zone": "ap-jakarta-1", "ProjectId": 0},
    "VirtualPrivateCloud": {"VpcId": "vpc-1", "SubnetId": "subnet-1"},
    "Tags": [{"Key": "team", "Value": "=1+1"}],
}  # fmt: skip
_IMAGE = {
    "ImageId": "img-6fp83vpb", "ImageType": "PUBLIC_IMAGE", "ImageSource": "OFFICIAL",
    "LicenseType": "TencentCloud", "Platform": "Windows", "OsName": "Windows Server 2019",
}  # fmt: skip
_TASK = {
    "InvocationId": "inv-1", "InvocationTaskId": "invt-1", "InstanceId": "ins-1a2b3c4d",
    "TaskStatus": "SUCCESS", "ErrorInfo": "",
    "TaskResult": {"ExitCode": 0, "Output": "Vk9MQUNUMSA=", "Dropped": 0},
}  # fmt: skip
_AGENT = {
    "InstanceId": "ins-1a2b3c4d", "AgentStatus": "Online", "Version": "1.0",
    "Environment": "Windows", "LastHeartbeatTime": "2026-11-24T08:00:00Z",
}  # fmt: skip


class _Calls(Calls):
    """The calls without threads and pauses; every client gives these answers."""

    def __init__(self, **answers: Any) -> None:
        super().__init__("ap-jakarta", Keys(TencentSettings(), _KEYS), BlockingCalls(1), ())
        self._answers = answers
        self.pages = 0

    def client(self, service: str) -> Any:
        return self

    def call_json(self, action: str, _asked: Any) -> Any:
        return {"Response": self._answers.get(action, {})}

    async def paced(self, action: str, call: Callable[[], T], *, safe: bool) -> T:
        self.pages += 1
        if self.pages > 8:
            raise failure("InternalError", "the API never comes to an end")
        return call()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise TransportError("protocol", "no JSON: the SDK refuses it itself") from error
    return value if isinstance(value, dict) else {"InstanceSet": value}


def _listing(data: bytes) -> None:
    """Instances and images of a region, and the servers that come of them."""
    said = _object(data)
    calls = _Calls(DescribeInstances=said, DescribeImages=said)
    source = cloud_list.ListSource(cloud=CLOUD, scopes=("ap-jakarta",))
    instances = _loop().run_until_complete(cvm.instances(calls, {}))
    images = _loop().run_until_complete(cvm.images(calls, {}))
    rows = {row.image_id: row for row in images}
    cloud_list.inventory_of(source, [listing.server_list("ap-jakarta", instances, rows)])


def _tasks(data: bytes) -> None:
    """Tasks and agents of TAT, and what they mean for a server."""
    said = _object(data)
    calls = _Calls(DescribeInvocationTasks=said, DescribeAutomationAgentStatus=said)
    for task in _loop().run_until_complete(tat.tasks(calls, ["invt-1"])):
        end = raw_of(outcome(task), LIMITS, 1.0, 2.0) if finished(task) else status_of(task)
        assert isinstance(end, Raw | str) or "\n" not in end.line()
    for agent in _loop().run_until_complete(tat.agents(calls, ["ins-1"])).values():
        unfit_ = unfit(agent, agent.agent_status)
        assert unfit_ is None or "\n" not in unfit_.line()


_SOAP = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell">'
    "<s:Header><a:RelatesTo>RELATES</a:RelatesTo></s:Header><s:Body>{}</s:Body></s:Envelope>"
)
_SHELL = _SOAP.format('<w:Selector Name="ShellId">ABC-1</w:Selector>')
_COMMAND = _SOAP.format(
    "<rsp:CommandResponse><rsp:CommandId>C-1</rsp:CommandId></rsp:CommandResponse>"
)
_OUTPUT = _SOAP.format(
    '<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="C-1">Vk9MQUNUMQ==</rsp:Stream>'
    '<rsp:CommandState State="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/'
    'Done"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>'
)
_ID = re.compile(rb"uuid:[0-9A-Fa-f-]{36}")


class _Service:
    """A WinRM service whose answers are given; it repeats the question's id where asked to."""

    endpoint = "https://server.example:5986/wsman"

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)

    def send(self, message: bytes, **_: Any) -> bytes:
        found = _ID.search(message)
        answer = self._answers.pop(0) if self._answers else b""
        return answer.replace(b"RELATES", found[0] if found else b"")

    def close(self) -> None:
        """Nothing is open."""


def _winrm(data: bytes) -> None:
    """Shell, command, output: one of the answers is odd."""
    which = len(data) % 3
    good = [_SHELL.encode(), _COMMAND.encode(), _OUTPUT.encode()]
    good[which] = data
    wsman = WSMan("server.example", auth="ntlm", username="u", password="p")
    wsman.transport = _Service(*good)  # type: ignore[assignment]  # its two methods are used
    shell = RemoteShell(wsman, lambda: None)
    with translated():
        shell.open()
        shell.run("x", b"", CommandStop(time.monotonic() + 0.05))


async def _sftp_answers(data: bytes) -> None:
    """The answers to a script being put there, all at once and then the end."""
    session = Sftp()
    asked = (session.start_folder(), session.create("a"), *session.write_all(b"h", b"x"))
    session.data_received(data, None)
    session.connection_lost(None)
    with ssh_translated():
        await path_of(asked[0])
        await handle_of(asked[1])
        for waiting in asked[2:]:
            await done(waiting)


def _sftp(data: bytes) -> None:
    _loop().run_until_complete(_sftp_answers(data))


def _rpc(data: bytes) -> None:
    header = data[: rpc.HEADER_SIZE].ljust(rpc.HEADER_SIZE, b"\0")
    size = rpc.fragment_size(header)
    if size is None:
        raise TransportError("protocol", "no DCE/RPC")
    rpc.read_answer(header + data[rpc.HEADER_SIZE :].ljust(size - rpc.HEADER_SIZE, b"\0"))


def _ntp(data: bytes) -> None:
    sent = bytes(40) + data[24:32].ljust(8, b"\0")
    ntp.read_packet("ntp.example", "169.254.0.2", sent, data, 1_790_000_000.0)


_SFTP = (
    b"\0\0\0\x05\x02\0\0\0\x03"  # version
    b"\0\0\0\x19\x68\0\0\0\x01\0\0\0\x01\0\0\0\x04/C:/\0\0\0\0\0\0\0\0"  # a name
    b"\0\0\0\x0d\x66\0\0\0\x02\0\0\0\x04abcd"  # a handle
    + b"".join(b"\0\0\0\x11\x65\0\0\0%c\0\0\0\0\0\0\0\0\0\0\0\0" % n for n in (3, 4))
)
_ACK = bytes.fromhex(
    "05000c0310000000440000000100000000100010000000000500313638380000000100000000000000"
    "045d888aeb1cc9119fe808002b10486002000000"
)
_NTP = bytes.fromhex("240300e8000000100000001d47505300") + bytes(range(32))


def _listing_seeds() -> Sequence[bytes]:
    whole = {"TotalCount": 1, "InstanceSet": [_INSTANCE], "ImageSet": [_IMAGE], "RequestId": "r"}
    two = {**whole, "InstanceSet": [_INSTANCE, {**_INSTANCE, "InstanceId": "ins-2"}]}
    return [as_json(whole), as_json(two)]


def _task_seeds() -> Sequence[bytes]:
    base = {"TotalCount": 1, "AutomationAgentSet": [_AGENT], "RequestId": "r"}
    ends = ("SUCCESS", "FAILED", "TIMEOUT", "START_FAILED", "RUNNING", "TERMINATED")
    return [as_json({**base, "InvocationTaskSet": [{**_TASK, "TaskStatus": end}]}) for end in ends]


TARGETS = (
    Target("cvm-list", "instances and images of the API", "json", _listing_seeds, _listing, 0.04),
    Target("tat-tasks", "tasks and agents of the API", "json", _task_seeds, _tasks, 0.05),
    Target(
        "winrm", "answers of a WinRM service", "bytes",
        lambda: [_SHELL.encode(), _COMMAND.encode(), _OUTPUT.encode()], _winrm, 0.05,
    ),
    Target("sftp", "answers of an SFTP server", "bytes", lambda: [_SFTP], _sftp, 0.05),
    Target("kms-bind", "answers of a KMS host", "bytes", lambda: [_ACK], _rpc, 0.03),
    Target("ntp", "answers of a time server", "bytes", lambda: [_NTP], _ntp, 0.03),
)  # fmt: skip
