"""The one action of STS that a client of other services needs."""

from __future__ import annotations

import secrets
import time
from collections.abc import MutableMapping

from volact_lab.tencent.action import Action, Answer, Caller
from volact_lab.tencent.parameters import Parameters
from volact_lab.tencent.signature import Account

VERSION = "2018-08-13"


class Sts:
    """Hands out temporary keys, which are then known."""

    def __init__(self, accounts: MutableMapping[str, Account]) -> None:
        self._accounts = accounts
        self.actions: dict[str, Action] = {"AssumeRole": self._assume_role}

    def _assume_role(self, asked: Parameters, caller: Caller) -> Answer:
        asked.need("RoleArn", str)
        asked.need("RoleSessionName", str)
        seconds = asked.get("DurationSeconds", int, 7200)
        asked.done()
        keys = Account(
            f"AKIDlabsts{secrets.token_hex(10)}",
            secrets.token_hex(16),
            secrets.token_hex(32),
            caller.account.denied,
        )
        self._accounts[keys.secret_id] = keys
        return {
            "Credentials": {
                "TmpSecretId": keys.secret_id,
                "TmpSecretKey": keys.secret_key,
                "Token": keys.token,
            },
            "ExpiredTime": int(time.time()) + seconds,
        }
