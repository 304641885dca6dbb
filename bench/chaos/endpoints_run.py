"""KMS hosts, time servers, DNS, metadata, lists of instances and roles that send without end.

    python bench/chaos/endpoints_run.py

volact's own code asks them at once, the list of each further cloud in a process of its own,
in 512 MB, with one of each kind that is in order beside them.  Each hostile one has to be
told from those in order, in time, and memory has to stay flat.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

sys.path[:0] = [str(Path(__file__).parent)]

import evil_endpoints as peers  # noqa: E402  (after the path)
from evil_http import (  # noqa: E402
    FLOODS,
    SLOW,
    Say,
    compressed,
    evil,
    leads_to,
    with_success,
)
from memory_limit import Ended, run  # noqa: E402

from volact.cloud.alibaba.declaration import AlibabaSettings  # noqa: E402
from volact.cloud.aws.declaration import AwsSettings  # noqa: E402
from volact.cloud.azure.declaration import AzureSettings  # noqa: E402
from volact.cloud.base import ApiError, ListServers  # noqa: E402
from volact.cloud.calls import PacedCalls  # noqa: E402
from volact.cloud.tencent.calls import Calls  # noqa: E402
from volact.cloud.tencent.declaration import TencentSettings  # noqa: E402
from volact.cloud.tencent.keys import Keys as TencentKeys  # noqa: E402
from volact.cloud.tencent.listing import CvmList  # noqa: E402
from volact.cloud.tencent.roles import AssumedRole, fetch  # noqa: E402
from volact.endpoints.dns import probe_dns  # noqa: E402
from volact.endpoints.kms import probe_kms  # noqa: E402
from volact.endpoints.ntp import probe_ntp  # noqa: E402
from volact.model.profile import HostPort  # noqa: E402
from volact.threads import BlockingCalls  # noqa: E402

_MOST_MB, _LONGEST_S, _WAIT_S = 512, 180.0, 15.0
# Twenty bodies of 2 MB, in several copies, and a list of 64 MB, should all be held at once:
# which of them are is for the machine's load to decide.
_FLAT_MB = 480
# What was answered, and after how many seconds, by kind and name.
Outcomes = dict[str, tuple[str, float]]
_HERE = "127.0.0.1"
_KEYS = {"TENCENTCLOUD_SECRET_ID": "AKIDhostile", "TENCENTCLOUD_SECRET_KEY": "key"}
_GOOD = {"kms good": "ok", "ntp good": "ok", "dns good": "ok", "metadata good": "an answer"}
_HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
_LISTED = json.dumps({"Response": {"TotalCount": 0, "RequestId": "r"}})
_ROLE = {"Credentials": {"Token": "t", "TmpSecretId": "i", "TmpSecretKey": "k"}}
_ASSUMED = json.dumps({"Response": {**_ROLE, "ExpiredTime": 1 << 40, "RequestId": "r"}})
_GOOD |= {"cvm good": "0 instances", "sts good": "keys"}


# The lists of the further clouds: each gets the floods, and lists of its own form.
_LISTS = ("ec2", "ecs", "arm")
_GOOD |= {f"{kind} good": "0 instances" for kind in _LISTS}
_ENV = {
    "AWS_ACCESS_KEY_ID": "AKIA0",
    "AWS_SECRET_ACCESS_KEY": "some-key",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "L0",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "some-key",
}


def _page(text: str) -> Say:
    def say(send: peers.Send) -> None:
        send(_HEAD % len(text) + text.encode())

    return say


def _endless_list(send: peers.Send) -> None:
    """Pages without end, each of which claims that more follow, with names of 8 KB."""
    row = {"InstanceName": "n" * 8000, "OsName": "o" * 8000}
    rows = [{"InstanceId": f"ins-{time.monotonic_ns():x}{n:04}", **row} for n in range(100)]
    _page(json.dumps({"Response": {"TotalCount": 10**9, "InstanceSet": rows, "RequestId": "r"}}))(
        send
    )


def _listed(kind: str, rows: int, token: str) -> str:
    """A page of a cloud's list, with names of 8 KB, in its own form."""
    long, here = "n" * 8000, time.monotonic_ns()
    if kind == "ec2":
        row = "<item><instancesSet><item><instanceId>i-{}</instanceId><tagSet><item><key>k</key>"
        row += f"<value>{long}</value></item></tagSet></item></instancesSet></item>"
        rows_ = "".join(row.format(f"{here:x}{n}") for n in range(rows))
        more = f"<nextToken>{token}</nextToken>" if token else ""
        answer = f"<reservationSet>{rows_}</reservationSet>{more}"
        return f"<DescribeInstancesResponse>{answer}</DescribeInstancesResponse>"
    if kind == "ecs":
        found = [{"InstanceId": f"i-{here:x}{n}", "InstanceName": long} for n in range(rows)]
        images = {"Images": {"Image": []}, "TotalCount": 0, "RequestId": "r"}
        return json.dumps({"Instances": {"Instance": found}, **images, "NextToken": token})
    vm = {"location": "x", "properties": {}, "tags": {"k": long}}
    machines = [{"id": f"/{here:x}{n}", "name": f"vm-{n}", **vm} for n in range(rows)]
    return json.dumps({"value": machines, "nextLink": f"/list?{token}" if token else None})


def _lists(kind: str) -> dict[str, Say]:
    """Lists that never end, each of whose pages says that more follow."""
    count = itertools.count(1)

    def of(rows: int, token: Callable[[], str]) -> Say:
        def say(send: peers.Send) -> None:
            _page(_listed(kind, rows, token()))(send)

        return say

    return {
        f"{kind} good": of(0, str),
        f"{kind} endless-list": of(100, lambda: f"t{next(count)}"),
        f"{kind} same-page": of(1, lambda: "again"),
    }


def _floods(stack: ExitStack) -> dict[str, Say]:
    without_end = {**FLOODS, **SLOW, "compressed": compressed}
    http = {name: with_success(say) for name, say in without_end.items()}
    http["redirect"] = leads_to(stack.enter_context(evil(FLOODS["endless-body"])).port)
    return http


def _started_list(stack: ExitStack, kind: str, *, quick: bool) -> dict[str, int]:
    """The APIs of one further cloud, each with its port."""
    slow = SLOW if quick else {}
    says = {f"{kind} {name}": say for name, say in _floods(stack).items()} | _lists(kind)
    return {
        name: stack.enter_context(evil(say)).port
        for name, say in says.items()
        if name.partition(" ")[2] not in slow
    }


def _started(stack: ExitStack, *, quick: bool) -> dict[str, int]:
    """All other peers by kind and name, each with its port."""
    http = _floods(stack)
    tcp = {
        f"{kind} {name}": say for kind in ("metadata", "cvm", "sts") for name, say in http.items()
    }
    if quick:  # each of them has the 40 s of a call
        tcp = {
            name: say
            for name, say in tcp.items()
            if not name.startswith(("cvm trickling", "sts trickling"))
        }
    tcp |= {f"kms {name}": say for name, say in peers.KMS.items()}
    tcp |= {"metadata good": _page("a role"), "cvm good": _page(_LISTED)}
    tcp |= {"sts good": _page(_ASSUMED)}
    tcp |= {"cvm endless-list": _endless_list, "kms good": peers.accepts}
    udp = {f"ntp {name}": answers for name, answers in peers.NTP.items()}
    udp |= {f"dns {name}": answers for name, answers in peers.DNS.items()}
    udp |= {"ntp good": peers.gives_time, "dns good": peers.resolves}
    ports = {name: stack.enter_context(evil(say)).port for name, say in tcp.items()}
    ports |= {name: stack.enter_context(peers.by_udp(one)) for name, one in udp.items()}
    for name, say in peers.DNS_BY_TCP.items():
        ports[f"dns {name}"] = stack.enter_context(peers.by_both(say))
    stranger = peers.by_udp(peers.DNS["enormous"], stranger=True)
    ports["dns stranger"] = stack.enter_context(stranger)
    return ports


def _metadata(url: str) -> str:
    return "an answer" if fetch(f"{url}/") else "nothing"


def _assumed(endpoint: str) -> str:
    role = AssumedRole("AKIDhostile", "key", "arn", "chaos", 7200, endpoint=endpoint)
    try:
        role.get_sts_tmp_role_arn()
    except Exception as error:  # as ``Calls`` takes every exception of the SDK
        return type(error).__name__
    return "keys" if role._token else "nothing"


async def _outcome(name: str, port: int, threads: BlockingCalls) -> str:
    kind = name.partition(" ")[0]
    if kind == "kms":
        return (await probe_kms(HostPort(_HERE, port), _WAIT_S)).word
    if kind == "ntp":
        return (await probe_ntp(_HERE, port, _WAIT_S)).word
    if kind == "dns":
        return (await probe_dns(_HERE, "kms.example.test", port, _WAIT_S)).word
    if ask := {"metadata": _metadata, "sts": _assumed}.get(kind):
        return await threads.run(partial(ask, f"http://{_HERE}:{port}"))
    try:
        listed = await _list_of(kind, f"http://{_HERE}:{port}", threads).list_servers({})
    except ApiError as error:
        return error.kind
    return f"{len(listed.instances)} instances"


def _list_of(kind: str, url: str, threads: BlockingCalls) -> ListServers:
    """A list of a cloud, whose SDK is loaded by the process that asks it alone."""
    if kind == "ec2":
        from volact.cloud.aws import sdk as aws_sdk  # noqa: PLC0415
        from volact.cloud.aws.calls import Calls as AwsCalls  # noqa: PLC0415
        from volact.cloud.aws.listing import Ec2List  # noqa: PLC0415

        own = aws_sdk.Keys(AwsSettings(endpoint=url))
        return Ec2List(AwsCalls("eu-west-1", own, threads, ()))
    if kind == "ecs":
        from volact.cloud.alibaba import sdk as alibaba_sdk  # noqa: PLC0415
        from volact.cloud.alibaba.calls import Calls as AlibabaCalls  # noqa: PLC0415
        from volact.cloud.alibaba.listing import EcsList  # noqa: PLC0415

        keys = alibaba_sdk.Keys(AlibabaSettings(endpoint=url))
        return EcsList(AlibabaCalls("cn-hangzhou", keys, threads, ()))
    if kind == "arm":
        from volact.cloud.azure import sdk as azure_sdk  # noqa: PLC0415
        from volact.cloud.azure.calls import LIMITS as AZURE_LIMITS  # noqa: PLC0415
        from volact.cloud.azure.calls import Calls as AzureCalls  # noqa: PLC0415
        from volact.cloud.azure.listing import VmList  # noqa: PLC0415

        token = SimpleNamespace(token="some-token", expires_on=1 << 40)
        credential = SimpleNamespace(get_token=lambda *_scopes, **_more: token)
        azure = azure_sdk.Keys(AzureSettings(endpoint=url), credential)
        return VmList(AzureCalls("subscription", azure, PacedCalls(AZURE_LIMITS, threads, ())))
    account = TencentKeys(TencentSettings(endpoint=url), _KEYS)
    return CvmList(Calls("ap-jakarta", account, threads, ()))


async def _ask(ports: dict[str, int]) -> dict[str, tuple[str, float]]:
    threads = BlockingCalls(len(ports))
    begun = time.monotonic()

    async def one(name: str, port: int) -> tuple[str, float]:
        return await _outcome(name, port, threads), time.monotonic() - begun

    asked = (one(name, port) for name, port in ports.items())
    return dict(zip(ports, await asyncio.gather(*asked), strict=True))


def meet(*, quick: bool = False) -> tuple[Ended, Outcomes, list[str]]:
    """All peers: how the processes ended, the outcomes, and what is wrong."""
    ended, found, wrong = _met(partial(_started, quick=quick))
    for kind in _LISTS:
        more = _met(partial(_started_list, kind=kind, quick=quick))
        longest = ended.wall_s + more[0].wall_s
        ended = replace(ended, peak_mb=max(ended.peak_mb, more[0].peak_mb), wall_s=longest)
        found, wrong = found | more[1], wrong + more[2]
    return ended, found, wrong


def _met(start: Callable[[ExitStack], dict[str, int]]) -> tuple[Ended, Outcomes, list[str]]:
    with ExitStack() as stack:
        ports = start(stack)
        words = [sys.executable, __file__, json.dumps(ports)]
        ended = run(words, {**os.environ, **_ENV}, _MOST_MB, _LONGEST_S)
    found: Outcomes = json.loads(ended.out) if ended.code == 0 else {}
    wrong = []
    for name in ports:
        # Many addresses in one datagram are an answer like any other.
        good = "ok" if name == "dns compressed" else _GOOD.get(name, "")
        told = found[name][0] if name in found else f"lost, {ended.code}: {ended.err[-300:]}"
        if told != good if good else told in ("", *_GOOD.values()):
            wrong.append(f"{name} is {told}")
    if ended.peak_mb > _FLAT_MB:
        wrong.append(f"{ended.peak_mb} MB")
    return ended, found, wrong


def table(ended: Ended, found: Outcomes, wrong: list[str]) -> str:
    """The outcomes by kind, as Markdown."""
    lines = ["| asked from here | hostile peer: outcome |", "|---|---|"]
    for kind in dict.fromkeys(name.partition(" ")[0] for name in found):
        told = (
            f"{name.partition(' ')[2]}: {word}, {seconds:.1f} s"
            for name, (word, seconds) in found.items()
            if name.startswith(f"{kind} ")
        )
        lines.append(f"| {kind} | {'; '.join(sorted(told))} |")
    held = "a control group" if ended.limited else "no control group here: measured only"
    lines.append(
        f"\n{len(found)} peers, all of a kind at once: memory at most {ended.peak_mb} MB of "
        f"{_MOST_MB} ({held}), {ended.wall_s:.0f} s. Wrong: {len(wrong)}."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(_ask(json.loads(sys.argv[1])))))
    else:
        shown = meet()
        print(table(*shown), *(f"WRONG {line}" for line in shown[2]), sep="\n")
        sys.exit(int(bool(shown[2])))
