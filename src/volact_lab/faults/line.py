"""Faults of the connection: the server behind it is in order.

What the lab's SSH server makes of each is in ``volact_lab.ssh``.
"""

from __future__ import annotations

from volact_lab.faults.base import Fault, always

FAULTS = (
    Fault("auth", always(), "unreachable", line="auth", error="auth"),
    Fault("host-key", always(), "unreachable", line="host-key", error="host-key-changed"),
    Fault("refused", always(), "unreachable", line="refused", error="connect"),
    Fault("hang", always(), "unreachable", line="hang", error="timeout"),
    Fault("truncated", always(), "unreachable", line="truncated", error="protocol"),
    Fault("garbled", always(), "unreachable", line="garbled", error="protocol"),
)
