"""An account of Tencent Cloud with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from volact.cloud.account import by_region
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.keys import Keys
from volact.cloud.tencent.listing import CvmList
from volact.cloud.tencent.run_command import TatCommand

account_of, check_account, open_account = by_region(Keys, Calls, TatCommand, CvmList)
