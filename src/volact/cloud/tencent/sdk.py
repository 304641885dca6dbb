"""The SDK's clients, with the settings that volact needs.

No client retries: what may be asked twice is known in ``calls``.
"""

from __future__ import annotations

import logging
from typing import Any

from tencentcloud.common.abstract_client import LOGGER_NAME
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from volact.bounded.http_session import bind_session
from volact.bounded.stream import Limits
from volact.cloud.tencent.declaration import Service, TencentSettings, endpoint_of

_REQUEST_S = 20
LIMITS = Limits(most_bytes=8 * 1024 * 1024, total_s=2 * _REQUEST_S, most_values=250_000)
_VERSIONS: dict[Service, str] = {"tat": "2020-10-28", "cvm": "2017-03-12"}


def make_client(service: Service, account: TencentSettings, region: str, credential: Any) -> Any:
    """A client of one service in one region; it may be used by several threads."""
    # At its most talkative the SDK writes whole requests, tokens among them.
    logging.getLogger(LOGGER_NAME).setLevel(logging.WARNING)
    endpoint = endpoint_of(account, service, region)
    http = HttpProfile(
        protocol=endpoint.scheme,
        endpoint=endpoint.host,
        reqTimeout=_REQUEST_S,
        keepAlive=True,
        certification=True,  # else certifi's authorities alone, not those of the environment
    )
    # The region breaker would send requests to another region's endpoint.
    profile = ClientProfile(httpProfile=http, language="en-US", disable_region_breaker=True)
    client = CommonClient(service, _VERSIONS[service], credential, region, profile)
    # One client serves many threads; an answer holds a hundred rows at most.
    bind_session(client.request.conn._session, LIMITS, "same-origin")
    return client
