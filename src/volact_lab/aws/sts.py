"""AssumeRole of STS, version 2011-06-15: a form in, XML out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, MutableMapping

from volact_lab.aws.ec2 import xml
from volact_lab.aws.signature import Account, Signed
from volact_lab.instances.faults import ApiFault

VERSION = "2011-06-15"
_LIFE_S = 3600


class Sts:
    """Hands out temporary keys, which are then known."""

    def __init__(self, accounts: MutableMapping[str, Account]) -> None:
        self._accounts = accounts

    def assume_role(self, asked: Mapping[str, str], caller: Signed) -> bytes:
        """Keys that are allowed what the caller's are."""
        if not asked.get("RoleArn", "").startswith("arn:") or not asked.get("RoleSessionName"):
            raise ApiFault("ValidationError", "RoleArn and RoleSessionName are needed.")
        own = Account(
            f"ASIALAB{secrets.token_hex(6).upper()}",
            secrets.token_hex(20),
            secrets.token_hex(40),
            caller.account.denied,
        )
        self._accounts[own.access_key] = own
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _LIFE_S))
        keys = {
            "AccessKeyId": own.access_key,
            "SecretAccessKey": own.secret_key,
            "SessionToken": own.token,
            "Expiration": until,
        }
        return xml("AssumeRoleResponse", {"AssumeRoleResult": {"Credentials": {**keys}}})
