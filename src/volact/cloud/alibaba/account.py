"""An account of Alibaba Cloud with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from volact.cloud.account import by_region
from volact.cloud.alibaba.calls import Calls
from volact.cloud.alibaba.listing import EcsList
from volact.cloud.alibaba.run_command import AssistantCommand
from volact.cloud.alibaba.sdk import Keys

account_of, check_account, open_account = by_region(Keys, Calls, AssistantCommand, EcsList)
