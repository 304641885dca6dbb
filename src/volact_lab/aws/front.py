"""The API's one door: HTTP in, signature and limits checked, an action done, an answer out."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from volact_lab.aws import ec2, ssm, sts
from volact_lab.aws.estate import of_slot
from volact_lab.aws.signature import Account, Signed, verify
from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.front import ApiFront
from volact_lab.instances.limits import Limits
from volact_lab.instances.powershell import run_powershell
from volact_lab.instances.tasks import Invocations, Pace
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.winrm.http import Headers, Reply

_MOST_OUTPUT = 1024 * 1024
# AWS publishes none for these actions.
PER_SECOND = {
    "SendCommand": 10,
    "ListCommandInvocations": 20,
    "GetCommandInvocation": 40,
    "CancelCommand": 10,
    "DescribeInstanceInformation": 10,
    "DescribeInstances": 20,
}
_JSON = "application/x-amz-json-1.1"


class AwsFront(ApiFront):
    """SSM, EC2 and STS of all regions on one loopback port."""

    def __init__(
        self,
        slots: Iterable[Slot],
        pool: Pool,
        regions: tuple[str, ...],
        *,
        others: Iterable[Instance] = (),
        pace: Pace | None = None,
    ) -> None:
        self.account = Account(f"AKIALAB{secrets.token_hex(6).upper()}", secrets.token_hex(20))
        self.accounts = {self.account.access_key: self.account}
        estate = Estate(slots, of_slot, others)
        invocations = Invocations(
            pool, pace or Pace(), run_powershell, _MOST_OUTPUT, new_id=ssm.new_id
        )
        super().__init__(estate, invocations, Limits(PER_SECOND, "ThrottlingException"))
        self._regions = regions
        self.ssm = ssm.Ssm(estate, invocations)
        self.ec2 = ec2.Ec2(estate)
        self._forms = {
            ("DescribeInstances", ec2.VERSION): self.ec2.describe_instances,
            ("AssumeRole", sts.VERSION): sts.Sts(self.accounts).assume_role,
        }

    async def _answer(self, target: str, headers: Headers, body: bytes) -> Reply:
        service, _, action = headers.get("x-amz-target", "").partition(".")
        if service:
            return self._json(target, headers, body, action)
        return self._xml(target, headers, body)

    def _json(self, target: str, headers: Headers, body: bytes, action: str) -> Reply:
        try:
            caller = self._admitted(target, headers, body, "ssm", action)
            work = self.ssm.actions.get(action)
            if work is None or headers.get("content-type") != _JSON:
                raise ApiFault("UnknownOperationException", "There is no such operation.")
            asked: dict[str, Any] = json.loads(body)
            trouble = self._trouble(action, asked)
            return trouble or Reply(200, json.dumps(work(asked, caller)).encode(), _JSON)
        except ApiFault as fault:
            told = {"__type": f"com.amazonaws.ssm#{fault.code}", "message": fault.message}
            return Reply(400, json.dumps(told).encode(), _JSON)

    def _xml(self, target: str, headers: Headers, body: bytes) -> Reply:
        asked = dict(parse_qsl(body.decode(), keep_blank_values=True))
        action = asked.get("Action", "")
        try:
            service = "sts" if action == "AssumeRole" else "ec2"
            caller = self._admitted(target, headers, body, service, action)
            work = self._forms.get((action, asked.get("Version", "")))
            if work is None:
                raise ApiFault("InvalidAction", "The action is not valid for this web service.")
            trouble = self._trouble(action, asked)
            return trouble or Reply(200, work(asked, caller), "text/xml")
        except ApiFault as fault:
            text = (
                f"<Response><Errors><Error><Code>{escape(fault.code)}</Code>"
                f"<Message>{escape(fault.message)}</Message></Error></Errors>"
                "<RequestID>lab</RequestID></Response>"
            )
            return Reply(400, text.encode(), "text/xml")

    def _admitted(
        self, target: str, headers: Headers, body: bytes, service: str, action: str
    ) -> Signed:
        """Who asks, if it may."""
        self.calls[action] += 1
        caller = verify(target, headers, body, self.accounts, time.time())
        if caller.service != service or caller.region not in self._regions:
            raise ApiFault("InvalidSignatureException", "Credential should be scoped otherwise.")
        self.limits.admit(caller.account.access_key, caller.region, action)
        if action in caller.account.denied:
            raise ApiFault("AccessDeniedException", f"not authorized to perform: {action}")
        return caller

    def _trouble(self, action: str, asked: dict[str, Any]) -> Reply | None:
        trouble = self.mischief(action, asked)
        if isinstance(trouble, ApiFault):
            raise trouble
        return trouble
