"""Who signed a request: AWS Signature Version 4, verified from its documentation.

Written without reading the client's code: the canonical request comes from the
bytes that arrived.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from volact_lab.instances.faults import ApiFault

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[a-z0-9]+)/aws4_request, SignedHeaders=(?P<headers>[a-z0-9;-]+), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_NEEDED = frozenset({"host", "x-amz-date"})
MAX_AGE_S = 300


@dataclass(frozen=True, slots=True)
class Account:
    """A pair of keys; with ``token`` they are temporary.  ``denied`` is what IAM forbids."""

    access_key: str
    secret_key: str
    token: str = ""
    denied: frozenset[str] = frozenset()  # actions, or instances


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose request it is, for which service and region."""

    account: Account
    service: str
    region: str


def verify(
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    accounts: Mapping[str, Account],
    now: float,
) -> Signed:
    """The account that signed it; ``ApiFault`` when no known one did."""
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    signed = match["headers"].split(";") if match else []
    if match is None or not set(signed) >= _NEEDED or sorted(signed) != signed:
        raise ApiFault("IncompleteSignatureException", "Authorization is not as it must be.")
    stamp = headers.get("x-amz-date", "")
    _check_time(stamp, match["date"], now)
    account = accounts.get(match["id"])
    token = headers.get("x-amz-security-token", "")
    if (
        account is None
        or account.token != token
        or (token and "x-amz-security-token" not in signed)
    ):
        raise ApiFault("UnrecognizedClientException", "The security token is invalid.")
    scope = f"{match['date']}/{match['region']}/{match['service']}/aws4_request"
    canonical = hashlib.sha256(_canonical(target, headers, signed, body)).hexdigest()
    key = f"AWS4{account.secret_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{canonical}"
    if not hmac.compare_digest(_hmac(key, text).hex(), match["signature"]):
        raise ApiFault(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        )
    return Signed(account, match["service"], match["region"])


def _canonical(target: str, headers: Mapping[str, str], signed: list[str], body: bytes) -> bytes:
    if target != "/":
        raise ApiFault(
            "IncompleteSignatureException", "These services have one path, without a query."
        )
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed)
    payload = hashlib.sha256(body).hexdigest()
    return f"POST\n/\n\n{lines}\n{';'.join(signed)}\n{payload}".encode()


def _check_time(stamp: str, date: str, now: float) -> None:
    try:
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ApiFault("IncompleteSignatureException", "X-Amz-Date is no date.") from error
    if abs(now - moment.timestamp()) > MAX_AGE_S or stamp[:8] != date:
        raise ApiFault("InvalidSignatureException", "Signature expired: the clock is off.")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
