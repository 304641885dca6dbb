"""Inputs of any size in shapes that tempt a reader into squaring its time."""

from __future__ import annotations

from collections.abc import Callable


def _many(line: bytes, before: bytes = b"", after: bytes = b"") -> Callable[[int], bytes]:
    """A line many times over; ``#`` in it is its number."""
    return lambda size: before + b"".join(_numbered(line, n) for n in range(size)) + after


def _numbered(line: bytes, number: int) -> bytes:
    return line.replace(b"#", b"%d" % number)


SHAPES: dict[tuple[str, str], Callable[[int], bytes]] = {
    ("ansible-ini", "many hosts"): _many(b"h# ansible_host=1.1.1.1\n", b"[web]\n"),
    ("ansible-ini", "one host again and again"): _many(b"a b=c\n", b"[web]\n"),
    ("ansible-ini", "a line of many variables"): _many(b" v#=1", b"[web]\nh"),
    ("ansible-ini", "groups in groups"): _many(b"[g#:children]\ng#1\n", b"[g]\nh\n"),
    ("ansible-ini", "open brackets"): _many(b"[a"),
    ("csv", "many servers"): _many(b"a#,1.1.1.1\n", b"name,address\n"),
    ("csv", "one name for all"): _many(b"a,1.1.1.1\n", b"name,address\n"),
    ("csv", "many columns"): _many(b",x", b"name,address", b"\na,1.1.1.1\n"),
    ("csv", "a quote that never ends"): _many(b"a,1\n", b'name,address\n"'),
    ("toml", "many servers"): _many(b'[[server]]\nname="a#"\naddress="ssh://h"\n'),
    ("toml", "one name for all"): _many(b'[[server]]\nname="a"\naddress="ssh://h"\n'),
    ("toml", "open brackets"): _many(b"[", b"x="),
    ("ansible-yaml", "many hosts"): _many(b"  h#: {ansible_host: a}\n", b"all:\n hosts:\n"),
    ("ansible-yaml", "open brackets"): _many(b"["),
    ("read-answer", "beginnings of answers"): _many(b"VOLACT1 10 00000000 {"),
    ("read-answer", "a cut answer and a quote"): _many(b"> abc\n", b"VOLACT1 24000 00000000 {\n"),
    ("read-answer", "cut answers"): _many(b"VOLACT1 24000 00000000 {a\n"),
    ("read-answer", "cut answers in JSON"): _many(b'["VOLACT1 24000 00000000 {a"]\n'),
    ("read-answer", "escapes"): _many(b"\\u0056&amp;"),
    ("answer-bytes", "lines"): _many(b"VOLACT1\n"),
    ("sddl", "many entries"): _many(b"(A;;FA;;;BA)", b"D:"),
    ("sddl", "open brackets"): _many(b"(", b"D:"),
    ("explain", "a long word"): _many(b"0xC004F074"),
    ("address", "a long host"): _many(b"a.", b"ssh://"),
    ("plain", "escapes"): _many(b"\x1b[31m"),
}
