"""Targets: words of a command line, and short texts that are parsed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from fuzz_base import Target

from volact.cli.options.changes import RolloutOptions
from volact.cli.rollout import control_of
from volact.cli.sinks import parse_reports
from volact.cloud.tencent.declaration import CLOUD
from volact.core.explain import explain
from volact.core.span import parse_span
from volact.fleet.prepare import parse_kms_hosts
from volact.inventory.cloud_list import parse_filters, parse_source
from volact.inventory.keys import parse_jump
from volact.inventory.target import parse_address, parse_target
from volact.knowledge.load import load_errors
from volact.report.terminal_safe import csv_cell, plain

_EVIL = ("\x1b", "\x07", "\u202e", "\u2066", "\ufeff")


def _explain(data: bytes) -> None:
    explain(data.decode("utf-8", "replace")[:4096], load_errors())


def _address(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    parse_target(text)
    again = parse_address(str(parse_address(text)))
    assert str(again) == str(parse_address(text))


def _options(data: bytes) -> None:
    """One line for each option that has a language of its own."""
    text = data.decode("utf-8", "replace")
    which = len(data) % 9
    readers: tuple[Callable[[str], object], ...] = (
        lambda word: parse_kms_hosts([word], "--kms-host"),
        lambda word: parse_reports([word]),
        parse_jump,
        parse_source,
        lambda word: parse_filters(CLOUD, [word]),
        lambda word: parse_span(word, "--within"),
        lambda word: control_of(RolloutOptions(canary=word)),
        lambda word: control_of(RolloutOptions(max_failures=word)),
        lambda word: control_of(RolloutOptions(pace=word)),
    )
    readers[which](text)


def _safe(data: bytes) -> None:
    """Foreign text before a terminal or a spreadsheet sees it."""
    text = data.decode("utf-8", "surrogateescape")
    line, cell = plain(text), csv_cell(text)
    assert not any(sign in line for sign in _EVIL)
    assert all(char.isprintable() or unicodedata.category(char) == "Zs" for char in line)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def _codes() -> Sequence[bytes]:
    return [b"0xC004F074", b"-1073418124", b"12288", b"clock-skew", b"SL_E_RESPONSE", b"3221549172"]


def _addresses() -> Sequence[bytes]:
    return [
        b"ssh://Administrator@10.0.0.5:22", b"winrms://CORP%5Cx@web.example:5986/",
        b"ssh://[fe80::1%25eth0]:2222", b"tat://ap-jakarta/ins-1a2b3c4d", b"local",
    ]  # fmt: skip


def _lines() -> Sequence[bytes]:
    return [
        b"kms.example:1688", b"[2001:db8::1]:1688", b"html=/tmp/a.html", b"json=x",
        b"a@jump1:22,ssh://b@jump2", b"none", b"tencent:ap-jakarta,ap-singapore",
        b"vpc-id=vpc-1,vpc-2", b"tag:team=x", b"30d", b"12h", b"10%:1", b"30/m",
    ]  # fmt: skip


def _attacks() -> Sequence[bytes]:
    return [
        b"\x1b]0;owned\x07web-01\x1b[2J", "\u202etxt.exe".encode(), b"=cmd|' /c calc'!A0",
        b"-2+3", b"@SUM(A1)", b"\tx", b"<script>", b"web-01", "Сервер".encode(),
    ]  # fmt: skip


TARGETS = (
    Target("explain", "codes and names to be explained", "bytes", _codes, _explain, 0.005),
    Target("address", "addresses of servers", "bytes", _addresses, _address, 0.03),
    Target(
        "options",
        "options with a language of their own",
        "bytes",
        _lines,
        _options,
        0.03,
        typed=True,
    ),
    Target("plain", "foreign text for terminals and tables", "bytes", _attacks, _safe, 0.04),
)
