"""The output of a script, packed for a run-command that keeps 4,096 bytes of each stream.  Pure.

The PowerShell that packs it and the function that unpacks it.  The text is
Base64 of gzip, which has a checksum: its first part is in the output, what is left in the
errors, each after a mark; the mark in the output says how long the text is.
"""

from __future__ import annotations

import base64
import re
import zlib

PART = 4000  # characters of each stream
_FIRST = re.compile(rb"volact:(\d{1,8}):([^:]*)\Z")
_SECOND = re.compile(rb"volact:([^:]*)\Z")

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
$first = [Math]::Min({PART}, $text.Length)
$second = [Math]::Min({PART}, $text.Length - $first)
[Console]::Out.Write('volact:' + $text.Length + ':' + $text.Substring(0, $first))
if ($second) {{ [Console]::Error.Write('volact:' + $text.Substring($first, $second)) }}
exit $code"""


def answered(stdout: bytes, stderr: bytes, most: int) -> tuple[bytes, bytes, int] | None:
    """The output and the errors of the script, and how many bytes are dropped.

    Args:
        stdout, stderr: the streams of the PowerShell.
        most: bytes of output that are taken; what is more is dropped.

    Returns:
        ``None`` where the output is not in this form; -1 dropped bytes where
        more are missing than is known.

    Raises:
        ValueError: the text is damaged.
    """
    first = _FIRST.search(stdout)
    if first is None:
        return None
    size, text = int(first[1]), first[2].strip()
    if size > len(text):
        second = _SECOND.search(stderr)
        if second is not None:
            text, stderr = text + second[1].strip(), stderr[: second.start()]
        if len(text) < size:
            return b"", stderr, -1
    unpacker = zlib.decompressobj(31)
    try:
        whole = unpacker.decompress(base64.b64decode(text, validate=True), most)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if unpacker.unconsumed_tail:
        return whole, stderr, -1
    if not unpacker.eof:
        raise ValueError("it has no end")
    return whole, stderr, 0
