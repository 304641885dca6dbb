"""Scenario files of the lab, and which of them is meant when none is named."""

DEFAULT = "tencent"
