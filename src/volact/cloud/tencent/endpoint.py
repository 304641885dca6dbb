"""Where an account's API is.  Pure.

Each service has a host of its own, in two sites: ``tat.tencentcloudapi.com``
and ``tat.intl.tencentcloudapi.com``.
"""

from __future__ import annotations

from typing import Literal

from volact.cloud.endpoint import Endpoint, read_endpoint
from volact.cloud.tencent.settings import Site, TencentSettings

Service = Literal["tat", "cvm", "sts"]

_DOMAINS: dict[Site, str] = {
    "domestic": "tencentcloudapi.com",
    "international": "intl.tencentcloudapi.com",
}


def endpoint_of(account: TencentSettings, service: Service) -> Endpoint:
    """The endpoint of a service; ``InputError`` for a URL that is not one."""
    return read_endpoint(account.endpoint or f"{service}.{_DOMAINS[account.site]}", service)
