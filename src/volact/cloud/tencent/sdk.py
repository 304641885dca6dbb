"""The SDK's clients, with the settings that volact needs.

The only module besides ``keys`` that imports the SDK when it is called.  No
client retries: what may be asked twice is known in ``calls``.
"""

from __future__ import annotations

import logging
import warnings
from importlib.util import find_spec
from typing import Any

from volact.bounded.http_session import bind_session
from volact.bounded.stream import Limits
from volact.cloud.tencent.declaration import CLOUD
from volact.cloud.tencent.endpoint import Service, endpoint_of
from volact.cloud.tencent.settings import TencentSettings

_REQUEST_S = 20
LIMITS = Limits(most_bytes=8 * 1024 * 1024, total_s=2 * _REQUEST_S)


def need_sdk() -> None:
    """``InputError`` when the extra is not installed."""
    for name in ("tencentcloud", "tencentcloud.common", "tencentcloud.tat", "tencentcloud.cvm"):
        if find_spec(name) is None:
            raise CLOUD.missing_sdk()


def make_client(service: Service, account: TencentSettings, region: str, credential: Any) -> Any:
    """A client of one service in one region; it may be used by several threads."""
    from tencentcloud.common.abstract_client import LOGGER_NAME  # noqa: PLC0415  (an extra)
    from tencentcloud.common.profile.client_profile import ClientProfile  # noqa: PLC0415
    from tencentcloud.common.profile.http_profile import HttpProfile  # noqa: PLC0415

    # At its most talkative the SDK writes whole requests, tokens among them.
    logging.getLogger(LOGGER_NAME).setLevel(logging.WARNING)
    # Of a field that is newer than itself the SDK warns, in the server's own words.
    warnings.filterwarnings("ignore", r"(?s).* fileds are useless\.", module=r"tencentcloud\.")
    endpoint = endpoint_of(account, service)
    http = HttpProfile(
        protocol=endpoint.scheme, endpoint=endpoint.host, reqTimeout=_REQUEST_S, keepAlive=True
    )
    # The region breaker would send requests to another region's endpoint.
    profile = ClientProfile(httpProfile=http, language="en-US", disable_region_breaker=True)
    client = _class_of(service)(credential, region, profile)
    # One client serves many threads; an answer holds a hundred rows at most.
    bind_session(client.request.conn._session, LIMITS, "same-origin")
    return client


def _class_of(service: Service) -> Any:
    if service == "tat":
        from tencentcloud.tat.v20201028.tat_client import TatClient  # noqa: PLC0415

        return TatClient
    from tencentcloud.cvm.v20170312.cvm_client import CvmClient  # noqa: PLC0415

    return CvmClient
