"""What every action of the API is: parameters and a caller in, an answer out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from volact_lab.tencent.parameters import Parameters
from volact_lab.tencent.signature import Account

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and of which region."""

    account: Account
    region: str


Action = Callable[[Parameters, Caller], Answer]
