"""Keys that are fetched: of a role of this machine, of a pod, of an assumed role.

The SDK's own credentials, asking within bounds: its own requests have none, and the
metadata service speaks without TLS, so that a neighbour on the network may answer.
"""

from __future__ import annotations

import http.client
import json
import urllib.request
from typing import Any

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import (
    Credential,
    CVMRoleCredential,
    DefaultTkeOIDCRoleArnProvider,
    OIDCRoleArnCredential,
    STSAssumeRoleCredential,
)
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from volact.bounded.http_client import BoundedHandler
from volact.bounded.http_session import bind_session
from volact.bounded.stream import Limits

_STS = Limits(most_bytes=256 * 1024, total_s=40.0)
_METADATA = Limits(most_bytes=64 * 1024, total_s=4.0)
_METADATA_URL = "http://metadata.tencentyun.com/latest/meta-data/cam/security-credentials/"


class MachineRole(CVMRoleCredential):  # type: ignore[misc]  # the SDK has no types
    """The role of the machine that volact runs on, by its metadata service."""

    def __init__(self, url: str = _METADATA_URL) -> None:
        super().__init__()
        self._url = url

    def get_role_name(self) -> str | None:
        """The role's name, ``None`` where there is none to be had."""
        if not self.role:
            self.role: str | None = fetch(self._url)
        return self.role or None

    def update_credential(self) -> None:
        """Fetch keys when those at hand end soon; none are a caller's to notice."""
        if not self._need_refresh():
            return
        role = self.get_role_name()
        try:
            told = json.loads(fetch(self._url + role) if role else "null")
            if told["Code"] == "Success":
                self._secret_id = str(told["TmpSecretId"])
                self._secret_key = str(told["TmpSecretKey"])
                self._token = str(told["Token"])
                self._expired_ts = int(told["ExpiredTime"])
        except (ValueError, TypeError, LookupError):
            return


class AssumedRole(STSAssumeRoleCredential):  # type: ignore[misc]
    """A role that is assumed with other keys."""

    def get_sts_tmp_role_arn(self) -> None:
        """Fetch keys of the role."""
        told = _call(
            self,
            Credential(self._long_secret_id, self._long_secret_key),
            "AssumeRole",
            {
                "RoleArn": self._role_arn,
                "RoleSessionName": self._role_session_name,
                "DurationSeconds": self._duration_seconds,
            },
        )
        _take(self, told, told["ExpiredTime"] - self._duration_seconds * 0.9)


class PodRole(OIDCRoleArnCredential):  # type: ignore[misc]
    """The identity of a pod of TKE, which is given a token in a file."""

    def refresh(self) -> None:
        """Fetch keys for the token."""
        if self._is_tke:
            self._init_from_tke()
        told = _call(
            self,
            None,
            "AssumeRoleWithWebIdentity",
            {
                "ProviderId": self._provider_id,
                "WebIdentityToken": self._web_identity_token,
                "RoleArn": self._role_arn,
                "RoleSessionName": self._role_session_name,
                "DurationSeconds": self._duration_seconds,
            },
            {"SkipSign": True},
        )
        _take(self, told, told["ExpiredTime"] - self._duration_seconds * 0.1)


def pod_role() -> Any:
    """The pod's identity, by the environment; ``OSError`` where a part of it is missing."""
    made = DefaultTkeOIDCRoleArnProvider().get_credential()
    made.__class__ = PodRole  # the provider names its class itself
    return made


def fetch(url: str) -> str:
    """A page of the metadata service, ``""`` when there is none; no redirect is followed."""
    opener = urllib.request.OpenerDirector()
    opener.add_handler(BoundedHandler(_METADATA))
    try:
        with opener.open(url, timeout=_METADATA.total_s) as answer:
            return str(answer.read().decode()) if answer.status == 200 else ""
    except (OSError, ValueError, http.client.HTTPException):
        return ""


def _call(
    role: Any, keys: Any, action: str, params: dict[str, Any], options: dict[str, Any] | None = None
) -> dict[str, Any]:
    http_profile = HttpProfile()
    http_profile.endpoint = role._endpoint
    profile = ClientProfile()
    profile.httpProfile = http_profile
    client = CommonClient(
        credential=keys,
        region=role._region,
        version=role._version,
        service=role._service,
        profile=profile,
    )
    bind_session(client.request.conn._session, _STS, "same-origin")
    told: dict[str, Any] = client.call_json(action, params, options=options or {})["Response"]
    return told


def _take(role: Any, told: dict[str, Any], expired: float) -> None:
    keys = told["Credentials"]
    role._token = keys["Token"]
    role._tmp_secret_id, role._tmp_secret_key = keys["TmpSecretId"], keys["TmpSecretKey"]
    role._expired_time = expired
