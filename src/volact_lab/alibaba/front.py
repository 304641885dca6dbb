"""The API's one door: HTTP in, signature and limits checked, an action done, JSON out."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from volact_lab.alibaba.actions import Answer, Ecs
from volact_lab.alibaba.estate import of_slot
from volact_lab.alibaba.signature import Account, Verifier
from volact_lab.instances.agent import Ran
from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.front import ApiFront
from volact_lab.instances.limits import Limits
from volact_lab.instances.powershell import run_powershell
from volact_lab.instances.tasks import Invocations, Pace
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.windows.machine import Machine
from volact_lab.winrm.http import Headers, Reply

VERSION = "2014-05-26"
MAX_OUTPUT = 24 * 1024
_JSON = "application/json;charset=utf-8"


class AlibabaFront(ApiFront):
    """ECS of all regions on one loopback port."""

    most_head = 64 * 1024  # every parameter is in the query

    def __init__(
        self,
        slots: Iterable[Slot],
        pool: Pool,
        regions: tuple[str, ...],
        *,
        others: Iterable[Instance] = (),
        pace: Pace | None = None,
    ) -> None:
        self.account = Account(f"LTAIlab{secrets.token_hex(8)}", secrets.token_hex(15))
        self.accounts = {self.account.access_key: self.account}
        estate = Estate(slots, of_slot, others)
        invocations = Invocations(pool, pace or Pace(), _run, MAX_OUTPUT, new_id="t-{:016x}".format)
        # The cloud publishes rates in each account's console only.
        super().__init__(estate, invocations, Limits({}, "Throttling.User"))
        self._regions = regions
        self._verifier = Verifier(self.accounts)
        self.ecs = Ecs(estate, invocations)

    async def _answer(self, target: str, headers: Headers, body: bytes) -> Reply:
        try:
            got = self._do(target, headers, body)
        except ApiFault as fault:
            told = {"Code": fault.code, "Message": fault.message, "RequestId": str(uuid.uuid4())}
            return Reply(400, json.dumps(told).encode(), _JSON)
        if isinstance(got, Reply):
            return got
        answer = {**got, "RequestId": str(uuid.uuid4())}
        return Reply(200, json.dumps(answer).encode(), _JSON)

    def _do(self, target: str, headers: Headers, body: bytes) -> Answer | Reply:
        action = headers.get("x-acs-action", "")
        self.calls[action] += 1
        caller = self._verifier.verify(target, headers, body, time.time())
        work = self.ecs.actions.get(action)
        if work is None or headers.get("x-acs-version") != VERSION:
            raise ApiFault("InvalidAction.NotFound", "The action is not found.")
        asked = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
        region = asked.get("RegionId", "")
        if region not in self._regions:
            raise ApiFault("InvalidRegionId.NotFound", "The region does not exist.")
        self.limits.admit(caller.access_key, region, action)
        if action in caller.denied:
            raise ApiFault("Forbidden.RAM", f"not authorized to perform ecs:{action}")
        trouble = self.mischief(action, dict(asked))
        if isinstance(trouble, ApiFault):
            raise trouble
        return trouble or work(asked, caller)


def _run(machine: Machine, task: str, script: bytes, limit_s: float) -> Ran:
    """Standard output and errors come through one pipe."""
    ran = run_powershell(machine, task, script, limit_s)
    return Ran(ran.exit_code, ran.output + ran.errors, ran.timed_out)
