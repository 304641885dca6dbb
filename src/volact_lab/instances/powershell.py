"""PowerShell, as far as a run-command is given it: one script that unpacks a ``.bat``.

There is no PowerShell here.  Every line but the packed text must be the one that was
written from PowerShell's documentation, or the lab reports what it does not model.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import time
import uuid
import zlib

from volact_lab.errors import LabError
from volact_lab.instances.agent import SYSTEM_TEMP, Command, Ran, run_file
from volact_lab.windows.machine import Machine

_UNPACK = """\
$from = New-Object IO.Compression.DeflateStream((New-Object IO.MemoryStream(,$data)), \
[IO.Compression.CompressionMode]::Decompress)
$name = 'volact-' + [Guid]::NewGuid().ToString('N') + '.bat'
$file = Join-Path ([IO.Path]::GetTempPath()) $name
$to = New-Object IO.FileStream($file, [IO.FileMode]::CreateNew)
$block = New-Object byte[] 4096
while (($count = $from.Read($block, 0, $block.Length)) -gt 0) { $to.Write($block, 0, $count) }
$to.Close()
$ErrorActionPreference = 'Continue'
$lines = & "$env:SystemRoot\\System32\\cmd.exe" /d /c $file
"""
_PLAIN = """\
[Console]::Out.Write(($lines -join "`r`n") + "`r`n")
exit $LASTEXITCODE
"""
_PACKED = """\
$code = $LASTEXITCODE
$data = [Text.Encoding]::UTF8.GetBytes(($lines -join "`r`n") + "`r`n")
$into = New-Object IO.MemoryStream
$packer = New-Object IO.Compression.GZipStream($into, \
[IO.Compression.CompressionMode]::Compress)
$packer.Write($data, 0, $data.Length)
$packer.Close()
$text = [Convert]::ToBase64String($into.ToArray())
$first = [Math]::Min(4000, $text.Length)
$second = [Math]::Min(4000, $text.Length - $first)
[Console]::Out.Write('volact:' + $text.Length + ':' + $text.Substring(0, $first))
if ($second) { [Console]::Error.Write('volact:' + $text.Substring($first, $second)) }
exit $code
"""
_WHOLE = """\
$ErrorActionPreference = 'Stop'
$data = [Convert]::FromBase64String(@'
@text@
'@)
"""
_WAITING = """\
$ErrorActionPreference = 'Stop'
$part = '@path@'
$until = [DateTime]::UtcNow.AddSeconds(@wait@)
$data = $null
while ($null -eq $data -or $data.Length -ne @size@) {
  if ([DateTime]::UtcNow -gt $until) { [Console]::Out.Write('@missing@'); exit 250 }
  Start-Sleep -Milliseconds 200
  try { $data = [IO.File]::ReadAllBytes($part) } catch { $data = $null }
}
[IO.File]::Delete($part)
"""


def _form(text: str) -> re.Pattern[str]:
    return re.compile(re.sub("@([a-z]+)@", r"(?P<\1>[^'<>]+?)", re.escape(text)))


_FORMS = (
    _form(_WHOLE + _UNPACK + _PLAIN),
    _form(_WAITING + _UNPACK + _PLAIN),
    _form(_WHOLE + _UNPACK + _PACKED),
)
_TRIES_S = 0.05
_PIECE = 4000


def run_powershell(machine: Machine, _task: str, script: bytes, limit_s: float) -> Ran:
    """Run what is in a script, in the form of ``agent.Runner``."""
    data = _data(machine, _read(script))
    if isinstance(data, Ran):
        return data
    path = f"{SYSTEM_TEMP}\\volact-{uuid.uuid4().hex}.bat"
    machine.files.write(path, _inflated(data))
    command = Command(f"/d /c {path}", "C:\\Windows\\System32", 2)
    ran = run_file(machine, command, limit_s)
    # PowerShell reads lines, and writes them with an end of its own.
    text = ran.output.decode(machine.language.oem, "replace")
    lines = re.split("\r\n|\n|\r", text)
    if lines and not lines[-1]:
        lines.pop()
    whole = "\r\n".join(lines) + "\r\n"
    if b"$packer" not in script:
        return Ran(ran.exit_code, machine.encode(whole), ran.timed_out, ran.errors)
    output, errors = _packed(whole)
    return Ran(ran.exit_code, output, ran.timed_out, ran.errors + errors)


def _packed(whole: str) -> tuple[bytes, bytes]:
    """What goes to the output and to the errors; no more than a piece to each."""
    text = base64.b64encode(gzip.compress(whole.encode()))
    first, second = text[:_PIECE], text[_PIECE : 2 * _PIECE]
    return b"volact:%d:%s" % (len(text), first), b"volact:" + second if second else b""


def unpacked(script: bytes) -> bytes:
    """The ``.bat`` in a script; ``LabError`` for any other PowerShell."""
    return _inflated(_decoded(_read(script)["text"]))


def _read(script: bytes) -> dict[str, str]:
    """The places of a form that is known."""
    text = script.decode("utf-8").replace("\r\n", "\n").rstrip("\n") + "\n"
    for form in _FORMS:
        match = form.fullmatch(text)
        if match is not None:
            return match.groupdict()
    raise LabError(f"PowerShell other than the known one is not modelled: {text[:200]!r}")


def _data(machine: Machine, places: dict[str, str]) -> bytes | Ran:
    """What is packed in the script, or in a file that it waits for."""
    if "text" in places:
        return _decoded(places["text"])
    until = time.monotonic() + float(places["wait"]) * machine.world.patience
    while True:
        path = places["path"]
        data = machine.files.read(path) if machine.files.is_file(path) else b""
        if len(data) == int(places["size"]):
            machine.files.delete(path)
            return data
        if time.monotonic() > until:
            return Ran(250, places["missing"].encode(), timed_out=False)
        time.sleep(_TRIES_S)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("\n", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise LabError(f"the packed text is not Base64: {error}") from error


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompress(data, -15)
    except zlib.error as error:
        raise LabError(f"what is packed does not unpack: {error}") from error
