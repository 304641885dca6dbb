"""The API's one door: HTTPS in, token and limits checked, an action done, JSON out."""

from __future__ import annotations

import json
import re
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from volact_lab.azure.estate import of_slot
from volact_lab.azure.machines import MAX_OUTPUT, Machines
from volact_lab.azure.tokens import Principal, Tokens
from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.front import ApiFront
from volact_lab.instances.limits import Limits
from volact_lab.instances.powershell import run_powershell
from volact_lab.instances.tasks import Invocations, Pace
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.winrm.http import Headers, Reply
from volact_lab.winrm.identity import Authority

VERSIONS = {"Compute": "2024-07-01", "Network": "2024-05-01"}
# The buckets of a subscription; that they fill again by 25 and 10 a second is not modelled.
PER_SECOND = {"GET": 250, "PUT": 200, "DELETE": 200}
_JSON = "application/json; charset=utf-8"
_TOKEN = re.compile(r"/([^/]+)/(v2\.0/\.well-known/openid-configuration|oauth2/v2\.0/token)")
_RESOURCE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+))?/providers"
    r"/Microsoft\.(?P<provider>Compute/virtualMachines|Network/networkInterfaces)"
    r"(?:/(?P<machine>[^/]+)(?:/runCommands/(?P<command>[^/]+))?)?"
)
_STATUS = {
    "InvalidAuthenticationToken": 401,
    "ExpiredAuthenticationToken": 401,
    "AuthorizationFailed": 403,
    "ResourceNotFound": 404,
    "SubscriptionNotFound": 404,
    "Conflict": 409,
    "OperationNotAllowed": 409,
    "TooManyRequests": 429,
    "InternalServerError": 500,
}


class AzureFront(ApiFront):
    """Resource Manager and the identity platform on one loopback port."""

    def __init__(
        self,
        slots: Iterable[Slot],
        pool: Pool,
        *,
        others: Iterable[Instance] = (),
        pace: Pace | None = None,
    ) -> None:
        authority = Authority("volact lab azure")
        self.authority_pem = authority.own.pem
        self.tokens = Tokens()
        estate = Estate(slots, of_slot, others)
        invocations = Invocations(pool, pace or Pace(), run_powershell, -MAX_OUTPUT)
        limits = Limits(PER_SECOND, "TooManyRequests")
        super().__init__(estate, invocations, limits, _context(authority))
        self.machines = Machines(estate, invocations)

    async def _answer(self, target: str, headers: Headers, body: bytes) -> Reply:
        place = urlsplit(target)
        token = _TOKEN.fullmatch(place.path)
        try:
            if token is not None:
                return self._token(token[1], token[2], dict(parse_qsl(body.decode())))
            return self._resource(headers, place.path, dict(parse_qsl(place.query)), body)
        except ApiFault as fault:
            if token is not None:
                told = {"error": fault.code, "error_description": fault.message}
                return _reply(400 if fault.code != "invalid_client" else 401, told)
            error = {"code": fault.code, "message": fault.message}
            return _reply(_STATUS.get(fault.code, 400), {"error": error})

    def _token(self, tenant: str, what: str, asked: dict[str, str]) -> Reply:
        self.calls["token"] += not what.startswith("v2.0")
        if what.startswith("v2.0"):
            return _reply(200, self.tokens.configuration(tenant, self.endpoint))
        return _reply(200, self.tokens.give(tenant, asked, self.endpoint))

    def _resource(self, headers: Headers, path: str, query: dict[str, str], body: bytes) -> Reply:
        method = headers[":method"]
        by = self.tokens.check(headers.get("authorization", ""))
        found = _RESOURCE.fullmatch(path)
        if found is None:
            raise ApiFault("NotFound", "There is no such path.")
        about = {name: unquote(value or "") for name, value in found.groupdict().items()}
        provider, _, kind = about["provider"].partition("/")
        if query.get("api-version") != VERSIONS[provider]:
            raise ApiFault("InvalidApiVersionParameter", "The api-version is not valid.")
        action = f"{method} {'runCommands' if about['command'] else kind}"
        self.calls[action] += 1
        self.limits.admit(by.client_id, about["subscription"], method)
        if action in by.denied:
            raise ApiFault("AuthorizationFailed", f"not authorized to perform {action}")
        trouble = self.mischief(action, {**about, **query})
        if isinstance(trouble, ApiFault):
            raise trouble
        return trouble or self._do(method, about, query, body, by)

    def _do(
        self,
        method: str,
        about: dict[str, str],
        query: dict[str, str],
        body: bytes,
        by: Principal,
    ) -> Reply:
        scope = "/".join(filter(None, (about["subscription"], about["group"])))
        if not about["machine"]:
            return self._list(scope, about, query)
        machine = self.machines.find(scope, about["machine"])
        command = about["command"]
        match method, bool(command), query.get("$expand"):
            case "GET", False, "instanceView":
                return _reply(200, self.machines.show(machine))
            case "GET", True, "instanceView":
                return _reply(200, self.machines.state(machine, command))
            case "PUT", True, None:
                return _reply(201, self.machines.start(machine, command, json.loads(body), by))
            case "DELETE", True, None:
                self.machines.delete(machine, command)
                return Reply(202)
        raise ApiFault("BadRequest", "A limit of the lab: this is not modelled.")

    def _list(self, scope: str, about: dict[str, str], query: dict[str, str]) -> Reply:
        network = about["provider"].startswith("Network")
        rows, more = self.machines.page(scope, int(query.get("$skiptoken", "0")), network=network)
        answer: dict[str, Any] = {"value": rows}
        if more is not None:
            group = f"/resourceGroups/{about['group']}" if about["group"] else ""
            answer["nextLink"] = (
                f"{self.endpoint}/subscriptions/{about['subscription']}{group}/providers/Microsoft."
                f"{about['provider']}?api-version={query['api-version']}&$skiptoken={more}"
            )
        return _reply(200, answer)


def _context(authority: Authority) -> ssl.SSLContext:
    signed = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.write_bytes(signed.pem + signed.key_pem)
        context.load_cert_chain(path)
    return context


def _reply(status: int, answer: object) -> Reply:
    return Reply(status, json.dumps(answer).encode(), _JSON)
