"""The output of a script, packed for a run-command that keeps 4,096 bytes of each stream.  Pure.

The PowerShell that packs it and the functions that unpack it.  The text is Base64 of gzip,
which has a checksum.  8,000 characters come at once: half of them in the output, half in the
errors, each after a mark; the mark in the output says how long the whole text is.  A longer
one stays in a file on the server, of which further scripts give the other parts.
"""

from __future__ import annotations

import base64
import re
import zlib

import msgspec

PART = 4000  # characters of each stream
AT_ONCE = 2 * PART
MOST = 40_000  # no answer that is taken has a longer text
_FIRST = re.compile(rb"volact:(\d{1,8}):([^:]*)\Z")
_SECOND = re.compile(rb"volact:([^:]*)\Z")

# In the system's temporary folder only administrators read what the system has written.
_KEPT = "$kept = Join-Path ([IO.Path]::GetTempPath()) '{name}.txt'"
_SHOW = f"""\
$first = [Math]::Min({PART}, $text.Length - $start)
$second = [Math]::Min({PART}, $text.Length - $start - $first)
[Console]::Out.Write('volact:' + $text.Length + ':' + $text.Substring($start, $first))
if ($second) {{ [Console]::Error.Write('volact:' + $text.Substring($start + $first, $second)) }}"""
RUN_PACKED = f"""\
$ErrorActionPreference = 'Continue'
$lines = & "$env:SystemRoot\\System32\\cmd.exe" /d /c $file
$code = $LASTEXITCODE
$data = [Text.Encoding]::UTF8.GetBytes(($lines -join "`r`n") + "`r`n")
$into = New-Object IO.MemoryStream
$packer = New-Object IO.Compression.GZipStream($into, \
[IO.Compression.CompressionMode]::Compress)
$packer.Write($data, 0, $data.Length)
$packer.Close()
$text = [Convert]::ToBase64String($into.ToArray())
{_KEPT}
$long = $text.Length -gt {AT_ONCE} -and $text.Length -le {MOST}
if ($long) {{ [IO.File]::WriteAllText($kept, $text) }}
$start = 0
{_SHOW}
exit $code"""
FURTHER = f"""\
$ErrorActionPreference = 'Stop'
{_KEPT}
$text = [IO.File]::ReadAllText($kept)
$start = {{start}}
{_SHOW}
if ($start + {AT_ONCE} -ge $text.Length) {{ [IO.File]::Delete($kept) }}
exit {{code}}
"""


class Part(msgspec.Struct, frozen=True):
    """What has come of a text: ``size`` is that of the whole, ``stderr`` what else was written."""

    size: int
    text: bytes
    stderr: bytes = b""

    @property
    def goes_on(self) -> bool:
        """Whether the server has more of it in a file."""
        return len(self.text) < self.size and AT_ONCE < self.size <= MOST


def part_of(stdout: bytes, stderr: bytes, before: bytes = b"") -> Part | None:
    """The text up to and with this part; ``None`` where the output is not in this form."""
    first = _FIRST.search(stdout)
    if first is None:
        return None
    text, second = first[2].strip(), _SECOND.search(stderr)
    if second is not None:
        text, stderr = text + second[1].strip(), stderr[: second.start()]
    return Part(int(first[1]), before + text, stderr)


def unpacked(part: Part, most: int) -> tuple[bytes, int]:
    """The output in a text to which nothing more comes, and how many bytes are dropped.

    Args:
        part: the text.
        most: bytes of output that are taken; what is more is dropped.

    Returns:
        -1 dropped bytes where it is not known how many.

    Raises:
        ValueError: the text is damaged.
    """
    if len(part.text) < part.size:
        return b"", -1
    unpacker = zlib.decompressobj(31)
    try:
        whole = unpacker.decompress(base64.b64decode(part.text, validate=True), most)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if unpacker.unconsumed_tail:
        return whole, -1
    if not unpacker.eof:
        raise ValueError("it has no end")
    return whole, 0
