"""Joins the agent's parts and its request into the one file that is sent.

Comments and indentation go, the request becomes a literal that no byte of it
can leave, and what must never travel is refused: a product key that is not a
published client key.  What the parts do is written in ``source/``.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

from volact.agent.not_started import CAUSES
from volact.agent.request import AgentMode, Request
from volact.agent.shorten import shorten, without_signs
from volact.agent.spoken import in_batch, table
from volact.agent.squeeze import joined, squeeze, without_unused
from volact.core.steps import BY_NAME, KINDS
from volact.core.steps.kind import Stage, StepKind
from volact.errors import InputError
from volact.knowledge.load import load_editions
from volact.model.text import say

MAX_BYTES = 48 * 1024  # 64 KB of Base64, the most that a cloud's run-command takes
HANDED_BYTES = 96 * 1024  # a standalone file is never shortened, only bounded

_COMMON = (
    "host",
    "registry",
    "wmi",
    "services",
    "net",
    "token",
    "reach",
    "licensing",
    "server",
    "ground",
)
_FACTS = ("json", "watchdog", "network_facts", "licensing_facts", "events", "on_need", "facts")
# Facts that no step changes.
_UNCHANGED = ("ground_facts", "firewall", "online", "resolved", "routes6")


def _parts_of_kinds(kinds: Iterable[StepKind[Any]]) -> tuple[str, ...]:
    """The parts that these kinds of steps run, each once."""
    return tuple(dict.fromkeys(part for kind in kinds for part in _parts_of(kind)))


def _parts_of(kind: StepKind[Any]) -> tuple[str, ...]:
    return ("put_back", *kind.agent_parts) if kind.stage is Stage.UNDO else kind.agent_parts


# Only what its steps need is sent of these.
_PARTS_OF_STEPS = _parts_of_kinds(KINDS)

PARTS: dict[AgentMode, tuple[str, ...]] = {
    "probe": (*_COMMON, *_FACTS, *_UNCHANGED, "main", "probe"),
    "apply": (*_COMMON, *_FACTS, "steps", *_PARTS_OF_STEPS, "lock", "main", "apply"),
    "standalone": (*_COMMON, "steps", *_PARTS_OF_STEPS, "kms_in_use", "talk", "person"),
}

_LONGEST = 4000
_BETWEEN_COMMAS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])*,?')
_CODE_PAGE = """for /f "delims=" %%a in ('%sys%\\chcp.com') do set "cp=%%a\""""
_KEY = re.compile(r"(?<![A-Z0-9])[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}(?![A-Z0-9])", re.IGNORECASE)


def render(
    request: Request,
    *,
    deadline_s: int = 120,
    keep: bool = False,
    handed: bool = False,
    language: str = "en",
) -> bytes:
    """The agent with this request, as the bytes of a ``.bat``.

    ``deadline_s`` ends the script from outside; slow questions stop well before
    it.  With ``keep`` the file stays where it is.  One that is ``handed`` to a
    person can be read by that person: all names stay, however large it gets.
    ``language`` is that of the standalone mode's words.
    """
    document = json.dumps(request.document(), separators=(",", ":"))
    _refuse_keys(document)
    head = "\n".join(
        [
            _prologue(request, deadline_s, keep, language),
            f"var STARTED = new Date().getTime(), BUDGET_MS = {deadline_s * 600};",
            f"var REQUEST = {_literal(document)};",
            *_words(request, language),
        ]
    )
    text, room = "", HANDED_BYTES if handed else MAX_BYTES
    # What is shortened: line ends first, then names.
    for names in ("whole",) if handed else ("whole", "joined", "variables", "all"):
        text = f"{head}\n{_parts(parts_of(request), names)}\n".replace("\n", "\r\n")
        if len(text) <= room:
            break
    return _checked(text, room)


def _words(request: Request, language: str) -> tuple[str, ...]:
    """The standalone script's words; the other modes print no text for a person."""
    if request.mode != "standalone":
        return ()
    script = "\n".join(_source(f"{part}.js") for part in parts_of(request))
    return (_literal(table(language, script, request.ask)),)


def _literal(document: str) -> str:
    """JSON as a script literal: ASCII, and nothing in it ends anything around it.

    findstr, by which a file travels over WinRM, cuts lines of more than 8,191 characters.
    """
    text = document.replace("<", "\\u003c").replace("*/", "*\\/").replace("\x7f", "\\u007f")
    pieces, width = [""], 0
    for piece in _BETWEEN_COMMAS.findall(text):
        width = width + len(piece) if width + len(piece) < _LONGEST else len(piece)
        pieces.append(f"\n{piece}" if width == len(piece) and pieces[-1].endswith(",") else piece)
    return "".join(pieces)


def _refuse_keys(document: str) -> None:
    published = {edition.gvlk for edition in load_editions()}
    for key in _KEY.findall(document):
        if key.upper() not in published:
            raise InputError(
                say("the request holds a product key that is not a published client key"),
                say("only the client keys that Microsoft publishes are ever sent to a server"),
            )


def parts_of(request: Request) -> tuple[str, ...]:
    """The parts that a request needs, in their order."""
    documents = any("#" in url for url in request.ask.metadata.values())
    unused = set() if documents or request.ask.token else {"token"}
    if request.mode != "probe":
        kinds = (BY_NAME[step.do] for step in request.steps if step.do in BY_NAME)
        talk = ("activation", "kms") if request.mode == "standalone" else ()
        unused |= {*_PARTS_OF_STEPS}.difference(_parts_of_kinds(kinds), talk)
    return tuple(name for name in PARTS[request.mode] if name not in unused)


@cache
def _parts(parts: tuple[str, ...], names: str) -> str:
    """What is the same in every request of a kind; a fleet asks for it once per server."""
    script = _squeezed(parts)
    if names == "whole":
        return script
    return joined(
        without_signs(script) if names == "joined" else shorten(script, functions=names == "all")
    )


@cache
def _squeezed(parts: tuple[str, ...]) -> str:
    return squeeze(without_unused("\n".join(_source(f"{part}.js") for part in parts)))


@cache
def _source(name: str) -> str:
    return resources.files("volact.agent").joinpath("source", name).read_text("ascii")


def _prologue(request: Request, deadline_s: int, keep: bool, language: str) -> str:
    text = "\n".join(
        line for line in _source("prologue.bat").splitlines() if not line.startswith("::")
    )
    person = request.mode == "standalone"
    values = {
        "seconds": str(deadline_s),
        "off": "12" if person else "10",
        "console": _CODE_PAGE if person and language != "en" else "",
        "machine": _switched_off(request, "machine", "HKLM", language),
        "user": _switched_off(request, "user", "HKCU", language),
        "never": _never_started(request.mode, language),
        "stopped": _stopped(person, language),
        "limits": _limits_back(request),
        "lock": _unlock(request),
        "end": _end(person, keep),
    }
    for name, value in values.items():
        text = text.replace(f"<{name}>\n" if not value else f"<{name}>", value)
    return text


def _switched_off(request: Request, scope: str, hive: str, language: str) -> str:
    """What is printed when Windows Script Host is off: the script could never print it."""
    if request.mode == "standalone":
        key = f"{hive}\\SOFTWARE\\Microsoft\\Windows Script Host\\Settings"
        lines = (
            say("REFUSED: Windows Script Host is disabled on this server:"),
            say("  {key}, Enabled is 0.", key=key),
            say("Set it to 1, then run this file again."),
        )
        return "\n".join(f"echo {in_batch(language, line)}" for line in lines)
    answer: dict[str, object] = {"v": 1, "id": request.id, "mode": request.mode, "ms": 0}
    if request.mode == "apply":
        answer["results"] = []
    answer["facts"] = {"wsh": {scope: 0}}
    body = json.dumps(answer, separators=(",", ":"))
    return f"echo VOLACT1 {len(body)} {zlib.crc32(body.encode()):08x} {body}"


# Which of CAUSES it is, asked of Windows in no language; the last that holds counts.
_CAUSE = r"""set "y=unknown"
set "l=Microsoft-Windows-AppLocker/MSI and Script"
set "e=(EventID=8007 or EventID=8029 or EventID=8036)"
set "e=*[System[%e% and TimeCreated[timediff(@SystemTime) <= 120000]]]"
for /f "delims=" %%a in ('%sys%\wevtutil.exe qe "%l%" /c:1 "/q:%e%" 2^>nul') do <enforced>
%sys%\reg.exe query HKLM\SOFTWARE\Classes\JScript\CLSID %q%||set "y=no-engine"
type "%sys%\jscript.dll" %q%||set "y=engine-denied"
if not exist "%sys%\jscript.dll" set "y=no-engine"
type "%sys%\cscript.exe" %q%||set "y=cscript-denied"
if not exist "%sys%\cscript.exe" set "y=no-cscript"
if defined d if not exist "%base%.js" set "y=removed"
if "%rc%"=="cannot-write" if not "%y%"=="removed" set "y=cannot-write"
""".replace("<enforced>", 'set "y=script-enforcement"')


def _never_started(mode: AgentMode, language: str) -> str:
    """What is printed when the script did not run.

    Before steps there was a probe, which names the cause; there is no room for it here.
    """
    if mode != "standalone":
        said = "%rc% %y%" if mode == "probe" else "%rc%"
        # The script itself said why.
        own = 'if "%rc%%y%"=="11unknown" goto ran\n'
        asked = f"{_CAUSE}{own}" if mode == "probe" else 'if "%rc%"=="11" goto ran\n'
        return f'{asked}echo VOLACT0 not-started {said}\nif defined d type "%base%.err" 2>nul'
    told = say("NOT ACTIVATED: cscript.exe could not run this file (%rc%, %y%).")
    objects = 'if "%rc%%y%"=="11unknown" set "y=objects"'
    lines = [f"{_CAUSE}{objects}\necho {in_batch(language, told)}"]
    for name, cause in CAUSES.items():
        text = in_batch(language, cause.advice)
        shown = (text, *(f"  {command}" for command in cause.commands))
        lines += [f'if "%y%"=="{name}" echo   {line}' for line in shown]
    return "\n".join(lines)


def _stopped(person: bool, language: str) -> str:
    """What is printed when the script began and ended without an exit code of ours."""
    if not person:
        return 'if not "%rc%"=="10" if not "%rc%"=="11" echo VOLACT0 stopped %rc%'
    ours = " ".join(f'if not "%rc%"=="{code}"' for code in (10, 11, 12))
    told = say("NOT ACTIVATED: the script ended early (%rc%); run this file again.")
    return f"{ours} echo {in_batch(language, told)}"


def _limits_back(request: Request) -> str:
    """Restores raised phase limits when the script was ended before it could.

    The script records the earlier limits, ``-`` for none, and removes the record
    when it has restored them: then nothing is found here.
    """
    if not any(step.params.get("raise_limits") for step in request.steps):
        return ""
    found = (
        'for /f "tokens=1,3,4" %%a in (\'%r% query "%w%" /v VolactLimits 2^>nul\') do '
        'if "%%a"=="VolactLimits" '
    )
    back = "\n".join(
        f'if "%{word}%"=="-" %r% delete "%w%" /v {name} /f %q%\n'
        f'if not "%{word}%"=="-" %r% add "%w%" /v {name} /t REG_DWORD /d %{word}% /f %q%'
        for word, name in (("p", "MaxPosPhaseCorrection"), ("n", "MaxNegPhaseCorrection"))
    )
    return (
        'set "w=HKLM\\SYSTEM\\CurrentControlSet\\Services\\W32Time\\Config"\n'
        'set "r=%sys%\\reg.exe"\n'
        'set "p="\n'
        f'{found}set "p=%%b"\n'
        f'{found}set "n=%%c"\n'
        "if not defined p goto kept\n"
        f"{back}\n"
        '%r% delete "%w%" /v VolactLimits /f %q%\n'
        "%sys%\\w32tm.exe /config /update %q%\n"
        ":kept"
    )


def _unlock(request: Request) -> str:
    """Removes the lock of a script that was ended before it could; no other lock."""
    if request.lock is None:
        return ""
    return (
        'set "w=%SystemRoot%\\volact.lock"\n'
        'if exist "%w%" for /f "tokens=2" %%a in (\'type "%w%" 2^>nul\') do '
        f'if "%%a"=="{request.id}" del /q /f "%w%" %q%\n'
        f'del /q /f "%w%.{request.id}" %q%'
    )


def _end(person: bool, keep: bool) -> str:
    """A file that is sent removes itself; ``exit`` then ends cmd, which reads no further.

    A window that Explorer opened for this file alone stays for five minutes or
    until a key is pressed.  A double click ends its command with quote, blank,
    quote, "Run as administrator" with quote, blank; PowerShell, scripts and tasks write
    neither.  ``timeout`` ends at once where no console is its input.  SESSIONNAME tells
    nothing: an elevated window has none, nor has Windows Terminal.
    """
    if not keep:
        return 'del /q /f "%~f0" & exit %x%'
    if not person:
        return "exit /b %x%"
    return (
        'if not exist "%sys%\\timeout.exe" exit /b %x%\n'
        "setlocal EnableDelayedExpansion\n"
        'set "c_=!CMDCMDLINE!"\n'
        'set "e_=!c_:~-2!"\n'
        'set "e_=!e_:"=q!"\n'
        'if not "!e_!"=="q " if not "!e_!"==" q" exit /b %x%\n'
        'if not "!c_:/c =!"=="!c_!" "%sys%\\timeout.exe" /t 300 2>nul\n'
        "exit /b %x%"
    )


def _checked(text: str, room: int) -> bytes:
    data = text.encode("ascii")
    prologue, _, script = text.partition("*/\r\n")
    if "*/" in prologue or not script or "\r\n:" in script:
        raise AssertionError("the batch part and the script part are mixed up")
    if len(data) > room:
        raise InputError(
            say(
                "the agent with this request is {n} bytes, more than {room}", n=len(data), room=room
            ),
            say("fewer steps or fewer keys at once"),
        )
    return data
