"""Where an account's API is.  Pure.

Each service has a host of its own, in two sites: ``tat.tencentcloudapi.com``
and ``tat.intl.tencentcloudapi.com``.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from volact.cloud.tencent.settings import Site, TencentSettings
from volact.errors import InputError

Service = Literal["tat", "cvm", "sts"]

_DOMAINS: dict[Site, str] = {
    "domestic": "tencentcloudapi.com",
    "international": "intl.tencentcloudapi.com",
}
_URL = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?P<port>:\d{1,5})?/?"
)
_HERE = re.compile(r"localhost|127(?:\.\d{1,3}){3}|\[::1\]")


class Endpoint(msgspec.Struct, frozen=True):
    """Scheme and host (with its port) of one service."""

    scheme: str
    host: str

    @property
    def url_or_host(self) -> str:
        """As the SDK takes it where it has no place for a scheme."""
        return self.host if self.scheme == "https" else f"{self.scheme}://{self.host}"


def endpoint_of(account: TencentSettings, service: Service) -> Endpoint:
    """The endpoint of a service; ``InputError`` for a URL that is not one."""
    if not account.endpoint:
        return Endpoint("https", f"{service}.{_DOMAINS[account.site]}")
    text = account.endpoint.replace("{service}", service)
    match = _URL.fullmatch(text)
    if match is None:
        raise InputError(
            f"{account.endpoint!r} is not an endpoint",
            "write https://host or https://{service}.host",
        )
    scheme = match["scheme"] or "https"
    # A signed request can be read and kept back on the network: only where there
    # is no network in between is http good enough.
    if scheme == "http" and not _HERE.fullmatch(match["host"]):
        raise InputError(f"{account.endpoint}: http leads to this machine only", "write https://")
    return Endpoint(scheme, f"{match['host']}{match['port'] or ''}")
