"""Tencent Cloud: its declaration, and its API through its own SDK."""
