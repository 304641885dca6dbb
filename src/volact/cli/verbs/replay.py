"""``volact replay``: bundles judged again, offline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from volact.bundle.document import MAX_BYTES, Bundle, Judged, decode, encode
from volact.bundle.replay import Replayed
from volact.bundle.replay import replay as replay_server
from volact.cli.atomic_file import write_whole
from volact.cli.console import use_stdout
from volact.cli.options.tools import ReplayOptions
from volact.errors import unreadable
from volact.model.text import Text, count, listed, ready, say
from volact.report.json_document import encode as encode_line
from volact.report.terminal_safe import plain
from volact.words import tr

_DIFFERENT = 3


def replay(options: ReplayOptions) -> int:
    """Judge bundles again with today's rules, and show what changed."""
    bundles = [(file, decode(_content(file), file)) for file in options.files]
    judged = [
        (file, bundle, [replay_server(server, file) for server in bundle.servers])
        for file, bundle in bundles
    ]
    out = use_stdout(options.output)
    if options.output == "json":
        out.write(_json(judged))
    else:
        out.writelines(_text(file, bundle, servers) for file, bundle, servers in judged)
    if options.update:
        for file, bundle, servers in judged:
            write_whole(Path(file), encode(_updated(bundle, servers)))
        return 0
    same = all(server.same for _, _, servers in judged for server in servers)
    return 0 if same else _DIFFERENT


def _content(file: str) -> bytes:
    try:
        with Path(file).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(error, file) from error


def _updated(bundle: Bundle, servers: list[Replayed]) -> Bundle:
    pairs = zip(bundle.servers, servers, strict=True)
    rows = tuple(msgspec.structs.replace(row, judged=again.after) for row, again in pairs)
    return msgspec.structs.replace(bundle, servers=rows)


def _json(judged: list[tuple[str, Bundle, list[Replayed]]]) -> str:
    document = [
        {
            "file": file,
            "volact": bundle.volact,
            "servers": [
                {"name": one.name, "same": one.same, "before": one.before, "after": one.after}
                for one in servers
            ],
        }
        for file, bundle, servers in judged
    ]
    return f"{msgspec.json.format(encode_line(document), indent=2)}\n"


def _text(file: str, bundle: Bundle, servers: list[Replayed]) -> str:
    changed = [server for server in servers if not server.same]
    lines = [
        tr(
            say(
                "{file}: {servers} of volact {version}: {same} unchanged, {changed} changed",
                file=file,
                servers=count(len(servers), "{n} server", "{n} servers"),
                version=bundle.volact,
                same=len(servers) - len(changed),
                changed=len(changed),
            )
        )
    ]
    for server in changed:
        lines += [f"  {server.name}", *(f"    {tr(line)}" for line in _changes(server))]
    return "".join(f"{plain(line)}\n" for line in lines)


def _changes(server: Replayed) -> Iterable[Text]:
    before, after = server.before, server.after
    for what, old, new in (
        ("provider", before.provider, after.provider),
        ("error", before.error, after.error),
    ):
        if old != new:
            yield say("{what}: {was} -> {now}", what=ready(what), was=old or "-", now=new or "-")
    if before.verdict != after.verdict:
        was, now = ready(before.verdict), ready(after.verdict)
        yield say("verdict: {was} -> {now}", was=was, now=now)
    added = sorted(set(after.findings) - set(before.findings))
    gone = sorted(set(before.findings) - set(after.findings))
    if added:
        yield say("new: {what}", what=listed(added))
    if gone:
        yield say("resolved: {what}", what=listed(gone))
    for name in sorted(set(before.findings) & set(after.findings)):
        if before.findings[name] != after.findings[name]:
            was, now = ready(before.findings[name]), ready(after.findings[name])
            yield say("{what}: {was} -> {now}", what=name, was=was, now=now)
    yield from _lists(before, after)


def _lists(before: Judged, after: Judged) -> Iterable[Text]:
    if before.plan != after.plan:
        yield say("plan: {was} -> {now}", was=_words(before.plan), now=_words(after.plan))
    if before.refusals != after.refusals:
        was, now = _words(before.refusals), _words(after.refusals)
        yield say("refused: {was} -> {now}", was=was, now=now)


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "-"
