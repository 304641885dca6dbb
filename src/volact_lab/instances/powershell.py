"""PowerShell, as far as a run-command is given it: one script that unpacks a ``.bat``.

There is no PowerShell here.  Every line but the packed text must be the one that was
written from PowerShell's documentation, or the lab reports what it does not model.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
import zlib

from volact_lab.errors import LabError
from volact_lab.instances.agent import SYSTEM_TEMP, Command, Ran, run_file
from volact_lab.windows.machine import Machine

_KNOWN = """\
$ErrorActionPreference = 'Stop'
$data = [Convert]::FromBase64String(@'
@@
'@)
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
[Console]::Out.Write(($lines -join "`r`n") + "`r`n")
exit $LASTEXITCODE
"""
_SCRIPT = re.compile(re.escape(_KNOWN).replace("@@", "([A-Za-z0-9+/=\n]+)"))


def run_powershell(machine: Machine, _task: str, script: bytes, limit_s: float) -> Ran:
    """Run what is in a script, in the form of ``agent.Runner``."""
    path = f"{SYSTEM_TEMP}\\volact-{uuid.uuid4().hex}.bat"
    machine.files.write(path, unpacked(script))
    command = Command(path, f"/d /c {path}", "C:\\Windows\\System32", 2)
    ran = run_file(machine, command, limit_s)
    # PowerShell reads lines, and writes them with an end of its own.
    text = ran.output.decode(machine.language.oem, "replace")
    lines = re.split("\r\n|\n|\r", text)
    if lines and not lines[-1]:
        lines.pop()
    output = machine.encode("\r\n".join(lines) + "\r\n")
    return Ran(ran.exit_code, output, ran.timed_out, ran.errors)


def unpacked(script: bytes) -> bytes:
    """The ``.bat`` in a script; ``LabError`` for any other PowerShell."""
    text = script.decode("utf-8").replace("\r\n", "\n").rstrip("\n") + "\n"
    match = _SCRIPT.fullmatch(text)
    if match is None:
        raise LabError(f"PowerShell other than the known one is not modelled: {text[:200]!r}")
    try:
        return zlib.decompress(base64.b64decode(match[1].replace("\n", ""), validate=True), -15)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise LabError(f"the packed text does not unpack: {error}") from error
