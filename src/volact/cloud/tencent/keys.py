"""Where the keys of an account are found: the places where the SDK looks, in its order.

The environment, a file of profiles, the role of the machine that volact runs
on, the identity of a TKE pod.  Keys stay inside the SDK's own credential
objects; nothing here prints one, and ``redact`` takes them out of what others
print.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from volact.bounded.files import own_path
from volact.cloud.failures import without
from volact.cloud.key_files import profile_in
from volact.cloud.tencent.declaration import Service, TencentSettings, endpoint_of
from volact.cloud.tencent.roles import AssumedRole, MachineRole, pod_role
from volact.cloud.tencent.sdk import make_client
from volact.errors import InputError
from volact.model.text import say

ID, KEY = "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"
TOKENS = ("TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN")
FILES = ("~/.tencentcloud/credentials", "/etc/tencentcloud/credentials")
_ROLE_S = 5.0
_SESSION = "volact"

KeySource = Callable[[], Any]


class Keys:
    """The keys of one account; ``credential`` is the SDK's own object.

    ``InputError`` for what is known to be wrong before any call.  ``role`` asks the machine's
    own metadata service, which takes a while where there is none: it is the last resort.
    """

    def __init__(
        self,
        settings: TencentSettings,
        environ: Mapping[str, str] | None = None,
        *,
        role: KeySource | None = None,
    ) -> None:
        self._settings = settings
        self._role = role or _machine_role
        self.credential = _named(settings, os.environ if environ is None else environ)

    def find(self) -> None:
        """Ask this machine's role where nothing else has keys; ``InputError`` for none."""
        self.credential = self.credential or _in_time(self._role)
        if self.credential is None:
            raise InputError(
                say("no Tencent Cloud credentials were found"),
                say(
                    "set {id} and {key}, or write {file}, or give this machine a CAM role",
                    id=ID,
                    key=KEY,
                    file=FILES[0],
                ),
            )

    def client(self, service: Service, region: str) -> Any:
        """A client of one service in one region; it may be used by several threads."""
        return make_client(service, self._settings, region, self.credential)

    def redact(self, text: str) -> str:
        """The text without what must not be seen in it."""
        # What the object holds now: its public properties may fetch new keys.
        own = vars(self.credential).items()
        return without(text, [value for name, value in own if "secret" in name or "token" in name])


def _named(account: TencentSettings, env: Mapping[str, str]) -> Any:
    """The credential that settings, environment or the usual files name, ``None`` for none."""
    if not account.credentials and not account.profile:
        found = _from_environment(env)
        if found is not None:
            return found
    path = _file(account)
    found = _from_file(path, account) if path is not None else None
    return found or _from_identity(env)


def _from_environment(env: Mapping[str, str]) -> Any:
    secret_id, secret_key = env.get(ID, ""), env.get(KEY, "")
    if bool(secret_id) != bool(secret_key):
        missing = KEY if secret_id else ID
        raise InputError(
            say("the environment variable {name} is not set", name=missing),
            say("it goes with the other"),
        )
    if not secret_id:
        return None
    # The SDK's own reader of the environment knows no token.
    token = next((env[name] for name in TOKENS if env.get(name)), None)
    return _credential(secret_id, secret_key, token, where="environment")


def _file(account: TencentSettings) -> Path | None:
    if account.credentials:
        return own_path(account.credentials)
    found = (Path(name).expanduser() for name in FILES)
    path = next((path for path in found if path.is_file()), None)
    if path is None and account.profile:
        raise InputError(
            say(
                "there is no profile {profile}: {file} does not exist",
                profile=repr(account.profile),
                file=FILES[0],
            ),
            say("create it, or name a file with tencent-credentials"),
        )
    return path


def _from_file(path: Path, account: TencentSettings) -> Any:
    """A section with secret_id, secret_key and perhaps token or role_arn."""
    name = account.profile or "default"
    found = profile_in(path, name, needed=bool(account.credentials or account.profile))
    if found is None:
        return None
    values = {key: value.strip().strip("\"'") for key, value in found.items()}
    where = f"{path} [{name}]"
    secret_id, secret_key = values.get("secret_id", ""), values.get("secret_key", "")
    if not secret_id or not secret_key:
        raise InputError(say("has no secret_id and secret_key"), where=where)
    if values.get("role_arn"):
        return _assumed(account, secret_id, secret_key, values["role_arn"])
    return _credential(secret_id, secret_key, values.get("token") or None, where=where)


def _credential(secret_id: str, secret_key: str, token: str | None, *, where: str) -> Any:
    try:
        return credential.Credential(secret_id, secret_key, token)
    except TencentCloudSDKException as error:
        raise InputError(
            say("the Tencent Cloud keys are not usable: {message}", message=error.message),
            where=where,
        ) from error


def _assumed(account: TencentSettings, secret_id: str, secret_key: str, role: str) -> Any:
    """Keys of a role, which the SDK fetches and renews with those of the file."""
    endpoint = endpoint_of(account, "sts")
    # The SDK has no place for a scheme here, and takes a URL all the same.
    url_or_host = endpoint.host if endpoint.scheme == "https" else endpoint.url
    return AssumedRole(secret_id, secret_key, role, _SESSION, endpoint=url_or_host)


def _from_identity(env: Mapping[str, str]) -> Any:
    """A pod of TKE is given a token in a file."""
    if not env.get("TKE_ROLE_ARN"):
        return None
    try:
        return pod_role()
    except OSError as error:
        raise InputError(
            say("the identity of this pod is not usable: {error}", error=str(error))
        ) from error


def _machine_role() -> Any:
    return MachineRole().get_credential()


def _in_time(role: KeySource) -> Any:
    """The SDK asks without a limit: elsewhere than in the cloud that may hang."""
    box: list[Any] = []
    thread = threading.Thread(target=lambda: box.append(role()), daemon=True)
    thread.start()
    thread.join(_ROLE_S)
    return box[0] if box else None
