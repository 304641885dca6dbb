"""An account of AWS with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from volact.cloud.account import by_region
from volact.cloud.aws.calls import Calls
from volact.cloud.aws.listing import Ec2List
from volact.cloud.aws.run_command import SsmCommand
from volact.cloud.aws.sdk import Keys

account_of, check_account, open_account = by_region(Keys, Calls, SsmCommand, Ec2List)
