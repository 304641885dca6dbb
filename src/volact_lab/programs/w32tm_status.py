"""What ``w32tm /query /status /verbose`` prints, in the languages of the lab.

The lines, their order and the numbers are those that users of real servers show; German lines
are so long that w32tm divides them.  Captions that were never seen are made up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from volact_lab.windows.clock import Clock
from volact_lab.windows.language import Language
from volact_lab.windows.w32time import TimeService

_ERRORS = ("done", "no-data", "stale", "too-big")


@dataclass(frozen=True, slots=True)
class _Words:
    captions: tuple[str, ...]
    no_warning: str
    not_synchronized: str
    unspecified: str
    date: str
    colon: str = ": "
    width: int = 0


_ENGLISH = _Words(
    (
        *("Leap Indicator", "Stratum", "Precision", "Root Delay", "Root Dispersion"),
        *("ReferenceId", "Last Successful Sync Time", "Source", "Poll Interval"),
        *("Phase Offset", "ClockRate", "State Machine", "Time Source Flags", "Server Role"),
        *("Last Sync Error", "Time since Last Good Sync Time"),
    ),
    "no warning",
    "not synchronized",
    "unspecified",
    "%m/%d/%Y %I:%M:%S %p",
)
_WORDS = {
    "zh": _Words(
        (
            *("Leap 指示符", "层次", "精度", "根延迟", "根分散"),
            *("引用 ID", "上次成功同步时间", "源", "轮询间隔"),
            *("相位偏移", "时钟速率", "状态机", "时间源标志", "服务器角色"),
            *("上次同步错误", "上次成功同步以来的时间"),
        ),
        "无警告",
        "未同步",
        "未指定",
        "%Y/%m/%d %H:%M:%S",
    ),
    "ja": _Words(
        (
            *("閏インジケーター", "階層", "精度", "ルート遅延", "ルート分散"),
            *("参照 ID", "最終正常同期時刻", "ソース", "ポーリング間隔"),
            *("フェーズ オフセット", "クロック レート", "ステート マシン", "タイム ソース フラグ"),
            *("サーバーの役割", "最終同期エラー", "最終正常同期時刻からの時間"),
        ),
        "警告なし",
        "未同期",
        "未指定",
        "%Y/%m/%d %H:%M:%S",
    ),
    "de": _Words(
        (
            *("Sprungindikator", "Stratum", "Präzision", "Stammverzögerung", "Stammabweichung"),
            *("Referenz-ID", "Letzte erfolgreiche Synchronisierungszeit", "Quelle"),
            *("Abrufintervall", "Phasenversatz", "Taktrate", "Statuscomputer"),
            *("Zeitquellenkennzeichen", "Serverrolle", "Letzter Synchronisierungsfehler"),
            "Zeit seit der letzten erfolgreichen Synchronisierung",
        ),
        "keine Warnung",
        "nicht synchronisiert",
        "nicht angegeben",
        "%d.%m.%Y %H:%M:%S",
        colon=" : ",
        width=79,
    ),
}


def status_lines(language: Language, service: TimeService, clock: Clock) -> list[str]:
    """The lines, in the language of Windows."""
    words = _WORDS.get(language.tag, _ENGLISH)
    lines = []
    for caption, value in zip(
        words.captions, _values(words, language, service, clock), strict=True
    ):
        line = f"{caption}{words.colon}{value}"
        while words.width and len(line) > words.width:
            cut = line.rindex(" ", 0, words.width)
            lines.append(line[:cut])
            line = line[cut + 1 :]
        lines.append(line)
    return [*lines[:9], "", *lines[9:]] if not words.width else lines


def _values(words: _Words, language: Language, service: TimeService, clock: Clock) -> list[str]:
    said = (language.done, language.time_no_data, language.time_stale, language.time_too_far)
    error = _ERRORS.index(service.outcome)
    at = service.synced_at
    since = 10.0402148 if at is None else max(0.0, clock.now() - at)
    return [
        f"3({words.not_synchronized})" if at is None else f"0({words.no_warning})",
        f"0 ({words.unspecified})" if at is None else "4 (secondary reference - syncd by (S)NTP)",
        "-23 (119.209ns per tick)",
        "0.0000000s" if at is None else "0.0154902s",
        "0.0000000s" if at is None else "7.7773722s",
        f"0x00000000 ({words.unspecified})"
        if at is None
        else "0x14653909 (source IP:  20.101.57.9)",
        words.unspecified if at is None else time.strftime(words.date, time.gmtime(at)),
        "Local CMOS Clock" if at is None else f"{service.source},0x8",
        "10 (1024s)",
        "0.0000000s",
        "0.0156250s",
        "0 (Unset)" if at is None else "1 (Hold)" if error else "2 (Sync)",
        "0 (None)",
        "0 (None)",
        f"{error} ({said[error]})",
        f"{since:.7f}s",
    ]
