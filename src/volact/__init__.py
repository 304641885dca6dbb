"""volact keeps Windows Servers activated against their own cloud's KMS host."""

__version__ = "0.1.0"
