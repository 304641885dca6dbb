"""Tencent Cloud as the cloud of the lab's servers: its names."""

from __future__ import annotations

import string

from volact_lab.cloud import LabCloud
from volact_lab.tencent.images import LICENSE

HOME = LabCloud(
    provider="tencent",
    is_home=True,
    id_prefix="ins-",
    id_letters=string.ascii_lowercase + string.digits,
    id_length=8,
    scheme="tat",
    maker="Tencent Cloud",
    model="CVM",
    license=LICENSE,
    module="volact_lab.tencent.api",
)
