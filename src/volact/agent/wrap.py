"""The agent's file in the form that another cloud's run-command expects.  Pure.

Each cloud runs a script of its own kind on its servers; here the ``.bat`` is
put into one.  Nothing of a cloud's API is called: a person gives the file to
the cloud's console or command line and brings the output back.
"""

from __future__ import annotations

import base64
import json
import textwrap
import zlib
from collections.abc import Callable

import msgspec

from volact.agent.packed_answer import FURTHER, RUN_PACKED
from volact.model.text import say

# The PowerShell that every wrapper uses is that of Server 2008 R2.
_PLAIN = """\
$ErrorActionPreference = 'Stop'
$text = @'
{text}
'@
$text = ($text -replace "`r", '') -replace "`n", "`r`n"
{file}
[IO.File]::WriteAllText($file, $text, [Text.Encoding]::ASCII)
{run}
"""
# Parts of what is too large for one command wait in the account's own folder.
_PART = """\
$ErrorActionPreference = 'Stop'
[IO.File]::{write}((Join-Path $env:USERPROFILE '{name}.txt'), @'
{text}
'@)
"""
_UNPACK = """\
$from = New-Object IO.Compression.DeflateStream((New-Object IO.MemoryStream(,$data)), \
[IO.Compression.CompressionMode]::Decompress)
{file}
$to = New-Object IO.FileStream($file, [IO.FileMode]::CreateNew)
$block = New-Object byte[] 4096
while (($count = $from.Read($block, 0, $block.Length)) -gt 0) { $to.Write($block, 0, $count) }
$to.Close()
{run}
"""
_LAST = (
    """\
$ErrorActionPreference = 'Stop'
$parts = Join-Path $env:USERPROFILE '{name}.txt'
$data = [Convert]::FromBase64String([IO.File]::ReadAllText($parts) + @'
{text}
'@)
[IO.File]::Delete($parts)
"""
    + _UNPACK
)
_WHOLE = (
    """\
$ErrorActionPreference = 'Stop'
$data = [Convert]::FromBase64String(@'
{text}
'@)
"""
    + _UNPACK
)
# A file that follows waits under a name that cannot be foreseen; what is read is whole.
_WAITING = (
    """\
$ErrorActionPreference = 'Stop'
$part = '{path}'
$until = [DateTime]::UtcNow.AddSeconds({wait})
$data = $null
while ($null -eq $data -or $data.Length -ne {size}) {
  if ([DateTime]::UtcNow -gt $until) { [Console]::Out.Write('{missing}'); exit 250 }
  Start-Sleep -Milliseconds 200
  try { $data = [IO.File]::ReadAllBytes($part) } catch { $data = $null }
}
[IO.File]::Delete($part)
"""
    + _UNPACK
)
NOT_ARRIVED = b"volact: the file has not arrived"
_FILE = """\
$name = 'volact-' + [Guid]::NewGuid().ToString('N') + '.bat'
$file = Join-Path ([IO.Path]::GetTempPath()) $name"""
_RUN = """\
$ErrorActionPreference = 'Continue'
& "$env:SystemRoot\\System32\\cmd.exe" /d /c $file
exit $LASTEXITCODE"""
# What it prints is written as it came: PowerShell's own output may break long lines.
_RUN_UNBROKEN = """\
$ErrorActionPreference = 'Continue'
$lines = & "$env:SystemRoot\\System32\\cmd.exe" /d /c $file
[Console]::Out.Write(($lines -join "`r`n") + "`r`n")
exit $LASTEXITCODE"""
# So that a part is a command of Cloud Assistant with the PowerShell around it and after Base64.
_PIECE = 12_000


class Wrapped(msgspec.Struct, frozen=True):
    """Files for a run-command, in their order, and what to do with each.

    ``{file}`` in the commands stands for a file's path; ``run`` is done with
    each of them.
    """

    suffix: str
    files: tuple[bytes, ...]
    run: tuple[str, ...]
    output: tuple[str, ...]
    note: str = ""


def wrap(service: str, script: bytes, *, title: str, deadline_s: int) -> Wrapped:
    """A ``.bat`` as one of ``SERVICES`` takes it."""
    return SERVICES[service](script.decode("ascii"), title, deadline_s)


def packed_powershell(script: bytes) -> str:
    """A ``.bat`` as one PowerShell script that unpacks and runs it, without parameters."""
    packed = _folded(_packed(script.decode("ascii")))
    return _filled(_WHOLE, text=packed, file=_FILE, run=_RUN_UNBROKEN)


def answering_powershell(script: bytes, name: str) -> str:
    """The same for a cloud that keeps little output: it is packed, as ``packed_answer`` has it.

    ``name`` is that of the file with what does not come at once; it cannot be guessed.
    """
    packed = _folded(_packed(script.decode("ascii")))
    run = _filled(RUN_PACKED, name=name)
    return _filled(_WHOLE, text=packed, file=_FILE, run=run)


def further_powershell(name: str, start: int, code: int = 0) -> str:
    """A PowerShell script that gives more of that file; with the last of it the file is deleted.

    ``code`` is its exit code: that of the script which has made the file.
    """
    return _filled(FURTHER, name=name, start=str(start), code=str(code))


def waiting_powershell(path: str, *, size: int, wait_s: int) -> str:
    """A PowerShell script that waits for a file, what ``deflated`` makes, and runs it."""
    missing = NOT_ARRIVED.decode()
    text = {"path": path, "size": str(size), "wait": str(wait_s), "missing": missing}
    return _filled(_WAITING, file=_FILE, run=_RUN_UNBROKEN, **text)


def _aws(text: str, title: str, deadline_s: int) -> Wrapped:
    """A request of SSM's SendCommand; the script's lines are one parameter each."""
    lines = _plain(text).splitlines()
    if any("{{" in line for line in lines):
        raise AssertionError("SSM would take a pair of braces for a parameter of its own")
    document = {
        "DocumentName": "AWS-RunPowerShellScript",
        "Comment": title[:100],
        "Parameters": {"executionTimeout": [str(deadline_s + 60)], "commands": lines},
    }
    return Wrapped(
        suffix=".json",
        files=((json.dumps(document, indent=1) + "\n").encode(),),
        run=("aws ssm send-command --cli-input-json file://{file} --instance-ids INSTANCE ...",),
        output=(
            "aws ssm get-command-invocation --command-id COMMAND --instance-id INSTANCE"
            " >> answers.json",
        ),
        note=say(
            "once for each instance; list-command-invocations shows only the start of an output"
        ),
    )


def _azure(text: str, title: str, deadline_s: int) -> Wrapped:
    return Wrapped(
        suffix=".ps1",
        files=(_crlf(_plain(text)),),
        run=(
            "az vm run-command invoke --resource-group GROUP --name VM"
            " --command-id RunPowerShellScript --scripts @{file} >> answers.json",
        ),
        output=(),
        note=say(
            "it answers with the last 4,096 bytes of the output, one script at a time on a VM"
        ),
    )


def _gcp(text: str, title: str, deadline_s: int) -> Wrapped:
    """Google Cloud has no run-command: a startup script, which runs at every start."""
    key = "windows-startup-script-bat"
    return Wrapped(
        suffix=".bat",
        files=(text.encode("ascii"),),
        run=(
            f"gcloud compute instances add-metadata VM --metadata-from-file {key}={{file}}",
            "gcloud compute instances reset VM",
        ),
        output=(
            "gcloud compute instances get-serial-port-output VM >> answers.txt",
            f"gcloud compute instances remove-metadata VM --keys {key}",
        ),
        note=say("this RESTARTS the server; the script runs at every start until it is removed"),
    )


def _alibaba(text: str, title: str, deadline_s: int) -> Wrapped:
    """Packed and in parts: Cloud Assistant takes less than a script in one command."""
    name = title.replace(" ", "-")
    packed = _packed(text)
    pieces = [packed[at : at + _PIECE] for at in range(0, len(packed), _PIECE)]
    parts = []
    for number, piece in enumerate(pieces[:-1]):
        write = "AppendAllText" if number else "WriteAllText"
        parts.append(_filled(_PART, write=write, name=name, text=_folded(piece)))
    if len(pieces) == 1:
        parts.append(_filled(_PART, write="WriteAllText", name=name, text=""))
    parts.append(_filled(_LAST, name=name, text=_folded(pieces[-1]), file=_FILE, run=_RUN))
    return Wrapped(
        suffix=".ps1",
        files=tuple(map(_crlf, parts)),
        run=(
            "aliyun ecs RunCommand --RegionId REGION --Type RunPowerShellScript"
            f" --Timeout {deadline_s + 60} --ContentEncoding Base64 --InstanceId.1 INSTANCE"
            ' --CommandContent "$(base64 -w0 {file})"',
        ),
        output=(
            "aliyun ecs DescribeInvocationResults --RegionId REGION --InvokeId INVOKE"
            " >> answers.json",
        ),
        note=say("one after the other: the last one runs what the others brought"),
    )


SERVICES: dict[str, Callable[[str, str, int], Wrapped]] = {
    "aws-ssm": _aws,
    "azure-run-command": _azure,
    "gcp": _gcp,
    "alibaba": _alibaba,
}
# Whose servers they run on.
CLOUDS = {
    "aws-ssm": "aws",
    "azure-run-command": "azure",
    "gcp": "gcp",
    "alibaba": "alibaba",
}


def _plain(text: str) -> str:
    """A ``.bat`` in PowerShell as it is, so that its reader can check it."""
    lines = text.splitlines()
    if any(line.startswith("'@") for line in lines):
        raise AssertionError("a line of the script would end the text around it")
    return _filled(_PLAIN, file=_FILE, run=_RUN, text="\n".join([*lines, ""]))


def _filled(template: str, **values: str) -> str:
    """A template with its places filled; the script's text goes in last, untouched."""
    for name in sorted(values, key=lambda name: name == "text"):
        template = template.replace(f"{{{name}}}", values[name])
    return template


def deflated(script: bytes) -> bytes:
    """Raw deflate, which PowerShell unpacks by itself."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(script) + packer.flush()


def _packed(text: str) -> str:
    return base64.b64encode(deflated(text.encode("ascii"))).decode()


def _folded(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 1000))


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("ascii")
