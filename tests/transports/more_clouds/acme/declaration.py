"""A cloud of which nothing is as usual: three parts of an address, one machine a call."""

from __future__ import annotations

from volact.cloud.base import AccountOption, Cloud, ListingSyntax
from volact.errors import InputError
from volact.model.server import AccountSettings

_WORD = "[a-z][a-z0-9]*"


class AcmeSettings(AccountSettings, frozen=True, kw_only=True):
    tenant: str = ""
    key_file: str = ""


def _check_tenant(text: str) -> None:
    if not text.isalnum():
        raise InputError(f"{text!r} is not a tenant")


CLOUD = Cloud(
    name="generic",  # a cloud has a profile of its own; this one borrows
    title="Acme",
    extra="acme",
    module="volact.cloud.acme.account",
    scheme="acme",
    variables="ACME_",
    unproven="",
    place=f"{_WORD}/{_WORD}/{_WORD}",
    place_shown="a subscription, a group and a machine",
    place_example="sub/group/machine",
    settings=AcmeSettings,
    options=(
        AccountOption(name="tenant", help="Whose Acme it is.", check=_check_tenant),
        AccountOption(name="key_file", help="Acme's key.", metavar="FILE", is_path=True),
    ),
    listing=ListingSyntax(scope="group", pattern=f"{_WORD}/{_WORD}", example="sub/group"),
)
