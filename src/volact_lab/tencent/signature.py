"""Who signed a request: TC3-HMAC-SHA256, verified from its documentation.

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
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<date>\d{4}-\d\d-\d\d)/(?P<service>[a-z]+)"
    r"/tc3_request, SignedHeaders=(?P<headers>[a-z;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_NEEDED = frozenset({"content-type", "host"})
MAX_AGE_S = 300


@dataclass(frozen=True, slots=True)
class Account:
    """A pair of keys; with ``token`` they are temporary.  ``denied`` is what CAM forbids."""

    secret_id: str
    secret_key: str
    token: str = ""
    denied: frozenset[str] = frozenset()  # actions, or instances


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose request it is and for which service."""

    account: Account
    service: str


def verify(
    headers: Mapping[str, str], body: bytes, accounts: Mapping[str, Account], now: float
) -> Signed:
    """The account that signed it; ``ApiFault`` when no known one did."""
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    signed = match["headers"].split(";") if match else []
    if match is None or not set(signed) >= _NEEDED or sorted(signed) != signed:
        raise ApiFault(
            "AuthFailure.InvalidAuthorization", "Authorization in the request header is invalid."
        )
    stamp = headers.get("x-tc-timestamp", "")
    _check_time(stamp, match["date"], now)
    account = accounts.get(match["id"])
    if account is None:
        raise ApiFault("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    if account.token != headers.get("x-tc-token", ""):
        raise ApiFault("AuthFailure.TokenFailure", "The token is not the one of this key.")
    scope = f"{match['date']}/{match['service']}/tc3_request"
    canonical = _canonical(headers, signed, body)
    text = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    key = f"TC3{account.secret_key}".encode()
    for part in (match["date"], match["service"], "tc3_request"):
        key = _hmac(key, part)
    if not hmac.compare_digest(_hmac(key, text).hex(), match["signature"]):
        raise ApiFault(
            "AuthFailure.SignatureFailure",
            "The provided credentials could not be validated. "
            "Please check your signature is correct.",
        )
    return Signed(account, match["service"])


def _canonical(headers: Mapping[str, str], signed: list[str], body: bytes) -> bytes:
    lines = "".join(f"{name}:{headers.get(name, '').strip().lower()}\n" for name in signed)
    payload = hashlib.sha256(body).hexdigest()
    return f"POST\n/\n\n{lines}\n{';'.join(signed)}\n{payload}".encode()


def _check_time(stamp: str, date: str, now: float) -> None:
    seconds = int(stamp) if re.fullmatch(r"\d{1,11}", stamp) else 0
    same_day = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d") == date
    if abs(now - seconds) > MAX_AGE_S or not same_day:
        raise ApiFault(
            "AuthFailure.SignatureExpire",
            "The signature has expired: the timestamp is more than five minutes off.",
        )


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
