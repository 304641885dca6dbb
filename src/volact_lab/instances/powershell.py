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
$kept = Join-Path ([IO.Path]::GetTempPath()) '@kept@'
$long = $text.Length -gt 8000 -and $text.Length -le 40000
if ($long) { [IO.File]::WriteAllText($kept, $text) }
$start = 0
"""
_SHOW = """\
$first = [Math]::Min(4000, $text.Length - $start)
$second = [Math]::Min(4000, $text.Length - $start - $first)
[Console]::Out.Write('volact:' + $text.Length + ':' + $text.Substring($start, $first))
if ($second) { [Console]::Error.Write('volact:' + $text.Substring($start + $first, $second)) }
"""
_FURTHER = f"""\
$ErrorActionPreference = 'Stop'
$kept = Join-Path ([IO.Path]::GetTempPath()) '@kept@'
$text = [IO.File]::ReadAllText($kept)
$start = @start@
{_SHOW}\
if ($start + 8000 -ge $text.Length) {{ [IO.File]::Delete($kept) }}
exit @code@
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
    _form(_WHOLE + _UNPACK + _PACKED + _SHOW + "exit $code\n"),
    _form(_FURTHER),
)
_TRIES_S = 0.05
_PIECE, _KEPT = 4000, 40_000


def run_powershell(machine: Machine, _task: str, script: bytes, limit_s: float) -> Ran:
    """Run what is in a script, in the form of ``agent.Runner``."""
    places = _read(script)
    if "start" in places:
        return _further(machine, places)
    data = _data(machine, places)
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
    if "kept" not in places:
        return Ran(ran.exit_code, machine.encode(whole), ran.timed_out, ran.errors)
    packed = base64.b64encode(gzip.compress(whole.encode()))
    if 2 * _PIECE < len(packed) <= _KEPT:
        machine.files.write(f"{SYSTEM_TEMP}\\{places['kept']}", packed)
    output, errors = _shown(packed, 0)
    return Ran(ran.exit_code, output, ran.timed_out, ran.errors + errors)


def _further(machine: Machine, places: dict[str, str]) -> Ran:
    """More of what was kept in a file, which goes with the last of it."""
    path, start = f"{SYSTEM_TEMP}\\{places['kept']}", int(places["start"])
    if not machine.files.is_file(path):
        return Ran(1, b"", timed_out=False, errors=b"Could not find file")
    packed = machine.files.read(path)
    if start + 2 * _PIECE >= len(packed):
        machine.files.delete(path)
    output, errors = _shown(packed, start)
    return Ran(int(places["code"]), output, timed_out=False, errors=errors)


def _shown(packed: bytes, start: int) -> tuple[bytes, bytes]:
    """What goes to the output and to the errors; no more than a piece to each."""
    first, second = packed[start : start + _PIECE], packed[start + _PIECE : start + 2 * _PIECE]
    return b"volact:%d:%s" % (len(packed), first), b"volact:" + second if second else b""


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
    until = time.monotonic() + float(places["wait"]) * machine.world.file_patience
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
