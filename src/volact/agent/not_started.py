"""Why the agent did not run on a server, out of what its file printed instead.  Pure.

The batch part names a cause by a word, the script one by an HRESULT and the name of
an object.  Here is what each means, and what is typed on the server against it.
"""

from __future__ import annotations

import re

import msgspec

from volact.errors import AnswerError
from volact.model.text import Text, raw, say, typed

_SYSTEM = r"%SystemRoot%\System32"
# The objects that the script is made of, and the files that have them.
_OBJECTS = {"WScript.Shell": "wshom.ocx", "Scripting.FileSystemObject": "scrrun.dll"}
_LOG = '"Microsoft-Windows-AppLocker/MSI and Script"'
# cmd's own greeting, in any language: it was started without a command.
_GREETING = re.compile(rb"^Microsoft Windows \[[^\]\r\n]*\d+\.\d+\.\d+", re.MULTILINE)


class NotStartedCause(msgspec.Struct, frozen=True):
    """A cause in a sentence; ``advice`` with the commands to type on the server."""

    message: Text
    advice: Text
    commands: tuple[str, ...] = ()

    def error(self, seen: str = "") -> AnswerError:
        """The error of a server with this cause; ``seen`` is what Windows itself said."""
        message = self.message
        if seen:
            message = say("{message}; Windows said: {seen}", message=message, seen=raw(seen))
        if not self.commands:
            return AnswerError("agent", message, self.advice)
        # No hint: in its parentheses a command could not have a line of its own.
        advice = say("{advice}: {commands}", advice=self.advice, commands=typed(*self.commands))
        return AnswerError("agent", say("{message}; {advice}", message=message, advice=advice))


CAUSES = {
    "cannot-write": NotStartedCause(
        say("the agent could not write its script on the server"),
        say("look at the free space, and whether the account may write to its %TEMP%"),
        ("fsutil volume diskfree %SystemDrive%", 'icacls "%TEMP%"'),
    ),
    "removed": NotStartedCause(
        say("the agent's script was removed before it ran, as an antivirus does"),
        say("see what it removed, and allow it (docs/antivirus.md)"),
        ("powershell -c Get-MpThreatDetection",),
    ),
    "no-cscript": NotStartedCause(
        say("cscript.exe is missing on the server"),
        say("bring Windows' own files back"),
        ("sfc /scannow",),
    ),
    "cscript-denied": NotStartedCause(
        say("the permissions of cscript.exe keep the account from it"),
        say("look at the permissions, and remove the entry that denies it"),
        (
            rf"icacls {_SYSTEM}\cscript.exe",
            rf"icacls {_SYSTEM}\cscript.exe /remove:d *S-1-1-0",
        ),
    ),
    "no-engine": NotStartedCause(
        say("the script engine JScript is not registered on the server"),
        say("register it"),
        (rf"regsvr32 /s {_SYSTEM}\jscript.dll",),
    ),
    "engine-denied": NotStartedCause(
        say("the permissions of jscript.dll keep the account from it, as after ADV200001"),
        say("if your security rules allow it, remove the entry that denies it"),
        (rf"icacls {_SYSTEM}\jscript.dll /remove:d *S-1-1-0",),
    ),
    "script-enforcement": NotStartedCause(
        say("App Control or AppLocker keeps scripts from running"),
        say("see the rule that did, and allow volact's folder or its file's hash"),
        (f"wevtutil qe {_LOG} /c:3 /rd:true /f:text",),
    ),
    "objects": NotStartedCause(
        say("the objects that every script needs cannot be made"),
        say("register them; if they are registered, App Control blocks them (event 8036)"),
        tuple(rf"regsvr32 /s {_SYSTEM}\{file}" for file in _OBJECTS.values()),
    ),
    "unknown": NotStartedCause(
        say("Windows Script Host did not start the agent"),
        say("type this on the server and read what it says"),
        (rf"{_SYSTEM}\cscript.exe //nologo //?",),
    ),
}
_SHELL = NotStartedCause(
    say("the SSH server started a shell that does not run the command it is given"),
    say("tell OpenSSH how that shell takes a command"),
    (r"reg add HKLM\SOFTWARE\OpenSSH /v DefaultShellCommandOption /t REG_SZ /d /c /f",),
)
_NO_OBJECT = re.compile(r"0x[0-9A-F]{8} (" + "|".join(map(re.escape, _OBJECTS)) + r")\s*")
_WHY = re.compile(r"(\S+)(?: ([a-z-]+))?")


def not_started(said: str, seen: str) -> AnswerError:
    """The error of ``VOLACT0 not-started``: an exit code and perhaps a cause."""
    match = _WHY.match(said)
    code, cause = (match[1], match[2] or match[1]) if match else ("", "")
    known = CAUSES.get(cause)
    if known is not None and cause != "unknown":
        return known.error(seen)
    return CAUSES["unknown"].error(seen or say("exit code {code}", code=code))


def stopped(code: str) -> AnswerError:
    """The error of ``VOLACT0 stopped``: an exit code that is none of the script's."""
    return NotStartedCause(
        say("the script began and ended without an answer, exit code {code}", code=raw(code)),
        say("its time may have been up: give it more with --deadline"),
    ).error()


def script_error(said: str) -> AnswerError:
    """The error of ``VOLACT0 error``: an HRESULT and words, or the name of an object."""
    match = _NO_OBJECT.fullmatch(said)
    if match is None:
        return AnswerError("agent", say("the agent stopped with an error: {detail}", detail=said))
    message = say("the object {name} cannot be made, so no script works", name=match[1])
    command = rf"regsvr32 /s {_SYSTEM}\{_OBJECTS[match[1]]}"
    return NotStartedCause(message, CAUSES["objects"].advice, (command,)).error(said)


def no_answer(stdout: bytes, printed: str, complained: str) -> AnswerError:
    """The error of an output in which the agent says nothing of itself."""
    if _GREETING.search(stdout):
        return _SHELL.error()
    return NotStartedCause(
        say("the agent never answered; it printed {what}", what=raw(repr(printed)))
        if printed
        else say("the agent never answered; it printed nothing"),
        say(
            "an antivirus may have removed the file before it ran (docs/antivirus.md); else check "
            "that cmd.exe exists and that the account may run scripts"
        ),
        ("powershell -c Get-MpThreatDetection",),
    ).error(complained)
