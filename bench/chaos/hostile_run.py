"""Servers and APIs that send without end, beside six healthy servers, in 512 MB.

    python bench/chaos/hostile_run.py [--seed 1]

The real program checks them all in one run.  Each hostile peer has to have a row with
an error, the healthy ones have to be healthy, and memory has to stay where it is in a
run over the healthy ones alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]

from evil_http import (  # noqa: E402  (after the path)
    FLOODS,
    SLOW,
    compressed,
    endless_replies,
    evil,
    leads_to,
    trickling,
)
from evil_ssh import evil_ssh  # noqa: E402
from hostile_check import MOST_MB, checked, outcome, print_found  # noqa: E402
from lab_process import Peephole  # noqa: E402
from memory_limit import Ended  # noqa: E402

# What the hostile ones may cost on top of the healthy ones: answers within their bounds, in
# several copies, each in a thread.
_MORE_MB = 160
# The process that sends one message through apprise.
_SENDER_MB = 110
_DEADLINE_S, _CONNECT_S, _LONGEST_S = 30, 12, 240.0
# Of all channels of --notify, one after another; on a busy machine they start slowly.
_NOTIFY_S = 80
_NEIGHBOURS = 6
_WEBHOOKS = (FLOODS["endless-body"], compressed, FLOODS["endless-headers"], trickling)
_CHANNELS = 7
_KINDS = ("auth", "connect", "protocol", "timeout")


@dataclass
class Found:
    """What one run showed."""

    rows: dict[str, str] = field(default_factory=dict)  # verdict or error kind, by name
    seconds: dict[str, float] = field(default_factory=dict)
    alone: Ended | None = None
    ended: Ended | None = None
    wrong: list[str] = field(default_factory=list)


def meet(seed: int) -> Found:
    """The healthy servers alone, then all of them."""
    found = Found()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "known_hosts").touch()
        lab = stack.enter_context(Peephole(folder, "healthy", _NEIGHBOURS, seed))
        text = lab.inventory.read_text("utf-8")
        found.alone, alone = _checked(folder, text, "alone")
        hostile = _hostile(stack)
        text += "".join(hostile.values())
        found.ended, rows = _checked(folder, text, "all", _channels(stack))
    found.rows = {row["name"]: outcome(row) for row in rows}
    found.seconds = {row["name"]: row["elapsed_s"] for row in rows}
    _judge(found, {row["name"]: outcome(row) for row in alone}, list(hostile))
    return found


def _hostile(stack: ExitStack) -> dict[str, str]:
    """Names of hostile peers, each with its part of the inventory."""
    elsewhere = stack.enter_context(evil(FLOODS["endless-body"]))
    says = {**FLOODS, **SLOW, "compressed": compressed, "redirect": leads_to(elsewhere.port)}
    parts: dict[str, str] = {}
    for name, say in says.items():
        port = stack.enter_context(evil(say)).port
        parts[f"winrm-{name}"] = f'address = "winrm://127.0.0.1:{port}"\n'
        port = stack.enter_context(evil(say)).port
        parts[f"tat-{name}"] = (
            'address = "tat://ap-jakarta/ins-00000001"\n'
            f'tencent-endpoint = "http://127.0.0.1:{port}"\n'
        )
    for name, port in stack.enter_context(evil_ssh()).items():
        parts[name] = f'address = "ssh://127.0.0.1:{port}"\n'
    login = 'user = "Administrator"\npassword-env = "HOSTILE_PW"\n'
    return {n: f'\n[[server]]\nname = "{n}"\n{login}{part}' for n, part in parts.items()}


def _channels(stack: ExitStack) -> list[str]:
    """Services that are to be notified: webhooks, and through apprise by HTTP and SMTP."""
    answers = {"http": _WEBHOOKS, "json": _WEBHOOKS[:2]}
    urls = [
        f"{scheme}://127.0.0.1:{stack.enter_context(evil(say)).port}/"
        for scheme, says in answers.items()
        for say in says
    ]
    mail = stack.enter_context(evil(endless_replies, greets=True)).port
    login = "smtp=127.0.0.1&from=a@b.cd&to=e@f.gh&mode=insecure"
    return [*urls, f"mailto://u:p@127.0.0.1:{mail}?{login}"]


def _checked(
    folder: Path, inventory: str, name: str, notify: Sequence[str] = ()
) -> tuple[Ended, list[dict[str, Any]]]:
    words = ["--deadline", str(_DEADLINE_S), "--connect-timeout", str(_CONNECT_S)]
    words += ["--known-hosts", str(folder / "known_hosts"), "--host-key-policy", "accept-new"]
    words += [word for url in notify for word in ("--notify", url)]
    env = {"HOSTILE_PW": "not-a-secret"}
    path = folder / f"{name}.toml"
    return checked(path, inventory, words, env, _LONGEST_S)


def _judge(found: Found, healthy: dict[str, str], hostile: list[str]) -> None:
    assert found.alone is not None
    assert found.ended is not None
    wrong = found.wrong
    if len(healthy) != _NEIGHBOURS or set(healthy.values()) != {"healthy"}:
        wrong.append(f"the neighbours alone: {healthy} {found.alone.err[-500:]}")
    for name in healthy:
        if found.rows.get(name) != "healthy":
            wrong.append(f"{name} is {found.rows.get(name)} beside hostile peers")
    for name in hostile:
        if found.rows.get(name) not in _KINDS:
            wrong.append(f"{name} is {found.rows.get(name)}")
    sent = found.ended.err.count("not sent")
    if sent != _CHANNELS:
        wrong.append(f"{sent} of {_CHANNELS} channels are told as not sent")
    if found.ended.code not in (3, 4):
        wrong.append(f"exit code {found.ended.code}: {found.ended.err[-500:]}")
    if found.ended.peak_mb > min(MOST_MB, found.alone.peak_mb + _MORE_MB + _SENDER_MB):
        wrong.append(f"{found.ended.peak_mb} MB, {found.alone.peak_mb} MB without hostile peers")
    if found.ended.wall_s > 2 * _DEADLINE_S + _NOTIFY_S + found.alone.wall_s:
        wrong.append(f"took {found.ended.wall_s:.0f} s")


def table(found: Found) -> str:
    """The hostile peers by how they were reported, as Markdown."""
    assert found.alone is not None
    assert found.ended is not None
    lines = ["| hostile peer | WinRM | TAT API | SSH |", "|---|---|---|---|"]
    names = dict.fromkeys(n.partition("-")[2] for n in found.rows if n.startswith(_WAYS))
    for name in names:
        told = " | ".join(_told(found, way + name) for way in _WAYS)
        lines.append(f"| {name} | {told} |")
    held = "a control group" if found.ended.limited else "no control group here: measured only"
    lines.append(
        f"\n{_NEIGHBOURS} healthy neighbours: {_healthy(found)} healthy. Memory at most "
        f"{found.ended.peak_mb} MB of {MOST_MB} ({held}); without hostile peers "
        f"{found.alone.peak_mb} MB. {_CHANNELS} channels of --notify that send without end: "
        f"each told as not sent. {found.ended.wall_s:.0f} s; without them "
        f"{found.alone.wall_s:.0f} s. Wrong: {len(found.wrong)}."
    )
    return "\n".join(lines)


_WAYS = ("winrm-", "tat-", "ssh-")


def _told(found: Found, name: str) -> str:
    return f"{found.rows[name]}, {found.seconds[name]:.1f} s" if name in found.rows else ""


def _healthy(found: Found) -> int:
    return sum(outcome == "healthy" for outcome in found.rows.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    found = meet(parser.parse_args().seed)
    return print_found(table(found), found.wrong)


if __name__ == "__main__":
    sys.exit(main())
