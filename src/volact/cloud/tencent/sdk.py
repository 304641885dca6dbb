"""The SDK's clients, with the settings that volact needs.

No client retries: what may be asked twice is known in ``calls``.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

from tencentcloud.common.abstract_client import LOGGER_NAME
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312.cvm_client import CvmClient
from tencentcloud.tat.v20201028.tat_client import TatClient

from volact.bounded.http_session import bind_session
from volact.bounded.stream import Limits
from volact.cloud.tencent.declaration import Service, TencentSettings, endpoint_of

_REQUEST_S = 20
LIMITS = Limits(most_bytes=8 * 1024 * 1024, total_s=2 * _REQUEST_S, most_values=250_000)
_CLIENTS: dict[Service, Any] = {"tat": TatClient, "cvm": CvmClient}


def make_client(service: Service, account: TencentSettings, region: str, credential: Any) -> Any:
    """A client of one service in one region; it may be used by several threads."""
    # At its most talkative the SDK writes whole requests, tokens among them.
    logging.getLogger(LOGGER_NAME).setLevel(logging.WARNING)
    # Of a field that is newer than itself the SDK warns, in the server's own words.
    warnings.filterwarnings("ignore", r"(?s).* fileds are useless\.", module=r"tencentcloud\.")
    endpoint = endpoint_of(account, service, region)
    http = HttpProfile(
        protocol=endpoint.scheme, endpoint=endpoint.host, reqTimeout=_REQUEST_S, keepAlive=True
    )
    # The region breaker would send requests to another region's endpoint.
    profile = ClientProfile(httpProfile=http, language="en-US", disable_region_breaker=True)
    client = _CLIENTS[service](credential, region, profile)
    # One client serves many threads; an answer holds a hundred rows at most.
    bind_session(client.request.conn._session, LIMITS, "same-origin")
    return client
