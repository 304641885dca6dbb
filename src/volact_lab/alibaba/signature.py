"""Who signed a request: ACS3-HMAC-SHA256, verified from its documentation.

Written without reading the client's code: the canonical request comes from the
bytes that arrived.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from volact_lab.instances.faults import ApiFault

_AUTHORIZATION = re.compile(
    r"ACS3-HMAC-SHA256 Credential=(?P<id>[^,]+),SignedHeaders=(?P<headers>[a-z0-9;-]+),"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_NEEDED = frozenset(
    {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"}
    | {"x-acs-content-sha256"}
)
MAX_AGE_S = 900


@dataclass(frozen=True, slots=True)
class Account:
    """A pair of keys; with ``token`` they are temporary.  ``denied`` is what RAM forbids."""

    access_key: str
    secret_key: str
    token: str = ""
    denied: frozenset[str] = frozenset()  # actions, or instances


@dataclass
class Verifier:
    """Verifies the requests to one API; no nonce is taken twice."""

    accounts: dict[str, Account]
    _nonces: set[str] = field(default_factory=set)

    def verify(self, target: str, headers: Mapping[str, str], body: bytes, now: float) -> Account:
        """The account that signed a request; ``ApiFault`` when no known one did."""
        match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        signed = match["headers"].split(";") if match else []
        if match is None or not set(signed) >= _NEEDED or sorted(signed) != signed:
            raise ApiFault("IncompleteSignature", "The request signature is not complete.")
        _check_time(headers.get("x-acs-date", ""), now)
        account = self.accounts.get(match["id"])
        if account is None:
            raise ApiFault("InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        if account.token != headers.get("x-acs-security-token", ""):
            raise ApiFault("InvalidSecurityToken.Malformed", "The security token is wrong.")
        canonical = hashlib.sha256(_canonical(target, headers, signed, body)).hexdigest()
        text = f"ACS3-HMAC-SHA256\n{canonical}"
        key = account.secret_key.encode()
        if not hmac.compare_digest(
            hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), match["signature"]
        ):
            raise ApiFault("SignatureDoesNotMatch", "The signature does not match.")
        nonce = headers["x-acs-signature-nonce"]
        if nonce in self._nonces:
            raise ApiFault("SignatureNonceUsed", "The nonce was used already.")
        self._nonces.add(nonce)
        return account


def _canonical(target: str, headers: Mapping[str, str], signed: list[str], body: bytes) -> bytes:
    parts = urlsplit(target)
    pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
    lines = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in signed)
    payload = hashlib.sha256(body).hexdigest()
    if headers.get("x-acs-content-sha256") != payload:
        raise ApiFault("SignatureDoesNotMatch", "The digest of the body is another.")
    return f"POST\n{parts.path}\n{query}\n{lines}\n{';'.join(signed)}\n{payload}".encode()


def _check_time(stamp: str, now: float) -> None:
    try:
        moment = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ApiFault("InvalidTimeStamp.Format", "The timestamp is malformed.") from error
    if abs(now - moment.timestamp()) > MAX_AGE_S:
        raise ApiFault("InvalidTimeStamp.Expired", "The timestamp is expired.")
