"""The internal commands of cmd.exe that the lab knows.

A command that cmd.exe has and the lab does not is a LabError.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

from volact_lab import codes
from volact_lab.cmd import arithmetic, batch, listing
from volact_lab.cmd.control import ExitShell, Jump, LeaveBatch
from volact_lab.cmd.expand import percent
from volact_lab.cmd.interpreter import Interpreter
from volact_lab.errors import LabError, WinFault, win32
from volact_lab.windows import acl
from volact_lab.windows.files import normal

_NAME = re.compile(r"[\s,;=]*([A-Za-z]+)(?=$|[\s,;=./\\:(\[\]+\"])")
# Where only administrators make folders, but for the one part where every user may.
_SYSTEM, _SHARED = "c:\\windows\\", "c:\\windows\\temp\\"
_OWN_ACL = acl.parse("D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;BU)")
_WORDS = re.compile(r'(?:"[^"]*"|[^\s,;="])+')


def split_name(text: str) -> tuple[str, str]:
    """The internal command a text may start with, and the rest."""
    match = _NAME.match(text)
    return (match[1], text[match.end() :]) if match else ("", text)


def words_of(text: str) -> list[str]:
    """Arguments; switches written together (``/q/f``) come apart."""
    words: list[str] = []
    for word in _WORDS.findall(text):
        words += re.findall(r"/[^/]+", word) if word.startswith("/") else [word]
    return words


def _echo(shell: Interpreter, rest: str) -> None:
    text = rest[1:] if rest else ""
    if not rest.strip():
        state = "on" if shell.echo else "off"
        shell.process.say(shell.process.machine.language.echo_is.format(state))
    elif rest[:1] in " \t" and text.strip().lower() in {"on", "off"}:
        shell.echo = text.strip().lower() == "on"
    else:
        shell.process.say(text)


def _set(shell: Interpreter, rest: str) -> None:
    text = rest.lstrip()
    if text[:2].lower() == "/a":
        _set_number(shell, text[2:])
        return
    if text[:2].lower() == "/p":
        raise LabError("set /p asks a person and is not modelled")
    if text.startswith('"'):
        text = text[1 : text.rfind('"')] if text.count('"') > 1 else text[1:]
    name, equals, value = text.partition("=")
    if equals:
        shell.process.env.set(name, value)
        return
    found = [pair for pair in shell.process.env if pair[0].lower().startswith(name.lower())]
    for pair in found:
        shell.process.say("=".join(pair))
    if not found:
        shell.process.complain(shell.process.machine.language.no_variable.format(name))
        shell.errorlevel = 1


def _set_number(shell: Interpreter, text: str) -> None:
    expression = text.strip().strip('"')
    name, equals, right = expression.partition("=")
    if not equals:
        raise LabError(f"set /a without a variable is not modelled: {text}")
    operator = name[-1] if name and name[-1] in "+-*/%" else ""
    name = name.rstrip("+-*/% ")
    formula = f"{name}{operator}({right})" if operator else right
    value = arithmetic.evaluate(formula, lambda word: shell.lookup(word) or "0")
    shell.process.env.set(name.strip(), str(value))


def _setlocal(shell: Interpreter, rest: str) -> None:
    batch.BatchFile.save(shell)
    for word in rest.split():
        match word.lower():
            case "enabledelayedexpansion":
                shell.delayed = True
            case "disabledelayedexpansion":
                shell.delayed = False
            case "enableextensions":
                pass  # they are on anyway
            case _:
                raise LabError(f"setlocal {word} is not modelled")


def _endlocal(shell: Interpreter, _rest: str) -> None:
    if shell.saved:
        batch.BatchFile.restore(shell)


def _goto(shell: Interpreter, rest: str) -> None:
    label = rest.strip().lstrip(":").split(" ")[0]
    if rest.strip().lower() == ":eof":
        raise LeaveBatch
    if shell.batch is None:
        raise LabError("goto outside a batch file is not modelled")
    raise Jump(label)


def _call(shell: Interpreter, rest: str) -> None:
    text = percent(rest.strip(), shell.scope())
    if text.startswith(":"):
        if shell.batch is None:
            raise LabError("call of a label outside a batch file is not modelled")
        label, *args = _WORDS.findall(text[1:])
        shell.batch.call(label, args)
        return
    kept, shell.batch = shell.batch, None
    try:
        shell.simple(text)
    finally:
        shell.batch = kept


def _exit(shell: Interpreter, rest: str) -> None:
    words = rest.lower().split()
    only_batch = "/b" in words
    number = next((word for word in words if word != "/b"), None)
    if number is not None:
        shell.errorlevel = int(number)
    if only_batch and shell.args is not None:
        raise LeaveBatch
    raise ExitShell(shell.errorlevel)


def _rem(_shell: Interpreter, _rest: str) -> None:
    return


def _copy(shell: Interpreter, rest: str) -> None:
    paths = [w for w in words_of(rest) if w.lower() not in {"/y", "/b", "/-y"}]
    if len(paths) != 2 or any("*" in p or "+" in p or p.startswith("/") for p in paths):
        raise LabError(f"this form of copy is not modelled: copy{rest}")
    process = shell.process
    source, target = (normal(p.strip('"'), process.cwd) for p in paths)
    files = process.machine.files
    if not files.is_file(source):
        raise win32(codes.FILE_NOT_FOUND, source)
    if files.is_folder(target):
        target = f"{target}\\{files.stat(source).name}"
    files.write(target, files.read(source))
    process.say(process.machine.language.copied.format(1))
    shell.errorlevel = 0


def _del(shell: Interpreter, rest: str) -> None:
    words = words_of(rest)
    switches = {w.lower() for w in words if w.startswith("/")}
    if switches - {"/q", "/f", "/a"}:
        raise LabError(f"this form of del is not modelled: del{rest}")
    for word in words:
        if not word.startswith("/"):
            _delete_one(shell, word.strip('"'))


def _delete_one(shell: Interpreter, text: str) -> None:
    process = shell.process
    files = process.machine.files
    folder, _, name = normal(text.replace("*", "\x01"), process.cwd).rpartition("\\")
    if "\x01" in name:
        pattern = name.replace("\x01", "*").lower()
        inside = list(files.children(folder))
        paths = [
            n.path for n in inside if not n.folder and fnmatch.fnmatch(n.name.lower(), pattern)
        ]
    else:
        path = f"{folder}\\{name}"
        paths = [path] if files.is_file(path) else []
    if not paths:
        shown = f"{folder}\\{name}".replace("\x01", "*")
        process.complain(process.machine.language.could_not_find.format(shown))
    for path in paths:
        try:
            files.delete(path, process.machine.token)
        except WinFault as fault:
            shell.fail(fault)


def _type(shell: Interpreter, rest: str) -> None:
    words = words_of(rest)
    if len(words) != 1:
        raise LabError(f"this form of type is not modelled: type{rest}")
    process = shell.process
    machine = process.machine
    path = normal(words[0].strip('"'), process.cwd)
    node = machine.files.stat(path)
    program = node.data is None and path.lower().endswith((".exe", ".dll"))
    if program and not node.dacl.allows(machine.token, acl.READ):
        raise win32(codes.ACCESS_DENIED, path)
    data = b"MZ" if program else machine.files.read(path)
    if data.startswith(b"\xff\xfe"):
        data = process.encode(data[2:].decode("utf-16-le"))
    elif process.unicode:
        data = data.decode(machine.language.oem, "replace").encode("utf-16-le")
    process.out.write(data)
    shell.errorlevel = 0


def _cd(shell: Interpreter, rest: str) -> None:
    text = re.sub(r"^\s*/d\b", "", rest, flags=re.IGNORECASE).strip().strip('"')
    process = shell.process
    if not text:
        process.say(process.cwd)
        return
    path = normal(text, process.cwd)
    if not process.machine.files.is_folder(path):
        raise win32(codes.PATH_NOT_FOUND, path)
    process.cwd = process.machine.files.stat(path).path


def _md(shell: Interpreter, rest: str) -> None:
    for word in words_of(rest):
        path = normal(word.strip('"'), shell.process.cwd)
        if path.lower().startswith(_SYSTEM) and not path.lower().startswith(_SHARED):
            shell.process.machine.need_admin()
        shell.process.machine.files.make_folder(path)
        # The account that makes a folder may remove it.
        shell.process.machine.files.change(path, dacl=_OWN_ACL)
    shell.errorlevel = 0


def _rd(shell: Interpreter, rest: str) -> None:
    words = words_of(rest)
    switches = {word.lower() for word in words if word.startswith("/")}
    if switches - {"/s", "/q"}:
        raise LabError(f"this form of rd is not modelled: rd{rest}")
    files, token = shell.process.machine.files, shell.process.machine.token
    for word in words:
        if not word.startswith("/"):
            path = normal(word.strip('"'), shell.process.cwd)
            for node in list(files.children(path)) if "/s" in switches else ():
                files.delete(node.path, token)
            files.delete(path, token)


def _ren(shell: Interpreter, rest: str) -> None:
    old, new = (word.strip('"') for word in words_of(rest))
    path = normal(old, shell.process.cwd)
    shell.process.machine.files.rename(path, path.rpartition("\\")[0] + "\\" + new)


def _shift(shell: Interpreter, _rest: str) -> None:
    if shell.args:
        shell.args = shell.args[1:]


def _ver(shell: Interpreter, _rest: str) -> None:
    machine = shell.process.machine
    shell.process.say(
        f"\r\nMicrosoft Windows [{machine.language.version} {machine.release.version}]"
    )


def _pause(shell: Interpreter, _rest: str) -> None:
    # A remote session has no keyboard: the end of input is read.
    shell.process.say(shell.process.machine.language.press_key)


def _not_modelled(name: str) -> Callable[[Interpreter, str], None]:
    def refuse(_shell: Interpreter, rest: str) -> None:
        raise LabError(f"the command {name} is not modelled: {name}{rest}")

    return refuse


COMMANDS: dict[str, Callable[[Interpreter, str], None]] = {
    "dir": listing.run,
    "echo": _echo,
    "set": _set,
    "setlocal": _setlocal,
    "endlocal": _endlocal,
    "goto": _goto,
    "call": _call,
    "exit": _exit,
    "rem": _rem,
    "title": _rem,
    "copy": _copy,
    "del": _del,
    "erase": _del,
    "type": _type,
    "cd": _cd,
    "chdir": _cd,
    "md": _md,
    "mkdir": _md,
    "rd": _rd,
    "rmdir": _rd,
    "ren": _ren,
    "rename": _ren,
    "shift": _shift,
    "ver": _ver,
    "pause": _pause,
}
_NOT_MODELLED = """
    assoc break cls color date ftype mklink move path popd prompt pushd start time verify vol
"""
COMMANDS.update({name: _not_modelled(name) for name in _NOT_MODELLED.split()})
