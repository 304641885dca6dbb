"""What the API answers to questions about schedules and saved views."""

from __future__ import annotations

import msgspec

from volact.client.wire import ScheduleInfo, ViewInfo


class ScheduleList(msgspec.Struct, frozen=True, kw_only=True):
    """All schedules, by name."""

    items: tuple[ScheduleInfo, ...]


class ViewList(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's own views and the shared ones, by name."""

    items: tuple[ViewInfo, ...]
