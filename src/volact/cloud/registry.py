"""The clouds that volact knows: every folder beside this file that declares one.

Inventories, transports and the command line read this one registry.  Reading
it imports declarations alone; a cloud's SDK is imported by ``module_of``.

    cloud = cloud_named("aws")
    account = await open_account(cloud, cloud.settings())
    print(await account.list_servers("eu-west-1").list_servers({}))
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from volact import cloud as _folder
from volact.cloud.base import Cloud, CloudModule


@cache
def clouds() -> tuple[Cloud, ...]:
    """Every cloud, sorted by name."""
    names = sorted(item.name for item in iter_modules(_folder.__path__) if item.ispkg)
    found = (import_module(f"{_folder.__name__}.{name}.declaration").CLOUD for name in names)
    return tuple(cast(Cloud, item) for item in found)


def cloud_of_scheme(scheme: str) -> Cloud | None:
    """The cloud whose run-command a scheme of addresses means, ``None`` for other schemes."""
    return next((cloud for cloud in clouds() if cloud.scheme == scheme), None)


def cloud_named(name: str) -> Cloud | None:
    """The cloud of that name."""
    return next((cloud for cloud in clouds() if cloud.name == name), None)


def module_of(cloud: Cloud) -> CloudModule:
    """The cloud's own code; ``InputError`` where its SDK is not installed."""
    try:
        return cast(CloudModule, import_module(cloud.module))
    except ModuleNotFoundError as error:
        if (error.name or "volact").partition(".")[0] == "volact":
            raise
        raise cloud.missing_sdk() from error
