"""The API's one door: HTTP in, signature and limits checked, an action done, JSON out."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Iterable

from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.front import ApiFront
from volact_lab.instances.limits import Limits
from volact_lab.instances.tasks import Invocations, Pace
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.tencent import cvm, sts, tat
from volact_lab.tencent.action import Action, Answer, Caller
from volact_lab.tencent.agent import run_bat
from volact_lab.tencent.estate import of_slot
from volact_lab.tencent.parameters import Parameters
from volact_lab.tencent.signature import Account, Signed, verify
from volact_lab.winrm.http import Headers, Reply

MAX_OUTPUT = 24 * 1024
PER_SECOND = {
    "RunCommand": 20,
    "DescribeInvocationTasks": 20,
    "CancelInvocation": 20,
    "DescribeAutomationAgentStatus": 60,
    "DescribeInstances": 40,
    "DescribeImages": 40,
}


class TencentFront(ApiFront):
    """The API of all services and regions on one loopback port."""

    def __init__(
        self,
        slots: Iterable[Slot],
        pool: Pool,
        regions: tuple[str, ...],
        *,
        others: Iterable[Instance] = (),
        pace: Pace | None = None,
    ) -> None:
        self.account = Account(f"AKIDlab{secrets.token_hex(12)}", secrets.token_hex(16))
        self.accounts = {self.account.secret_id: self.account}
        super().__init__(
            Estate(slots, of_slot, others),
            Invocations(pool, pace or Pace(), run_bat, MAX_OUTPUT),
            Limits(PER_SECOND, "RequestLimitExceeded"),
        )
        self._regions = regions
        self._services: dict[str, tuple[str, dict[str, Action]]] = {
            "tat": (tat.VERSION, tat.Tat(self.estate, self.invocations).actions),
            "cvm": (cvm.VERSION, cvm.Cvm(self.estate).actions),
            "sts": (sts.VERSION, sts.Sts(self.accounts).actions),
        }

    async def _answer(self, _target: str, headers: Headers, body: bytes) -> Reply:
        try:
            got = self._do(headers, body)
        except ApiFault as fault:
            got = {"Error": {"Code": fault.code, "Message": fault.message}}
        if isinstance(got, Reply):
            return got
        answer = {"Response": {**got, "RequestId": str(uuid.uuid4())}}
        return Reply(200, json.dumps(answer).encode(), "application/json")

    def _do(self, headers: Headers, body: bytes) -> Answer | Reply:
        action = headers.get("x-tc-action", "")
        self.calls[action] += 1
        signed = verify(headers, body, self.accounts, time.time())
        work = self._action(action, headers, signed)
        region = headers.get("x-tc-region", "")
        if signed.service != "sts" and region not in self._regions:
            raise ApiFault("UnsupportedRegion", f"The region `{region}` is not supported.")
        self.limits.admit(signed.account.secret_id, region, action)
        if action in signed.account.denied:
            raise ApiFault(
                "UnauthorizedOperation.CamAuthFailed",
                f"You are not authorized to perform the operation ({signed.service}:{action}).",
            )
        asked = Parameters.of(body)
        trouble = self.mischief(action, dict(asked.values))
        if isinstance(trouble, ApiFault):
            raise trouble
        return trouble or work(asked, Caller(signed.account, region))

    def _action(self, name: str, headers: Headers, signed: Signed) -> Action:
        service = self._services.get(signed.service)
        if service is None:
            raise ApiFault("NoSuchProduct", f"There is no service `{signed.service}`.")
        version, actions = service
        if headers.get("x-tc-version") != version:
            raise ApiFault("NoSuchVersion", "The version does not exist.")
        if name not in actions:
            raise ApiFault("InvalidAction", f"The action `{name}` does not exist.")
        return actions[name]
