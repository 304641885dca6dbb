"""reg.exe: query, add and delete single values."""

from __future__ import annotations

from volact_lab import codes
from volact_lab.cmd.process import Process
from volact_lab.errors import LabError, WinFault
from volact_lab.windows.registry import Value, dword, normal, sz


def run(process: Process) -> int:
    """Run one reg command; 0 is success, 1 is every failure."""
    verb, key, *rest = [*process.argv(), "", ""][:2] + process.argv()[2:]
    options = _options(rest)
    try:
        match verb.lower():
            case "query":
                _query(process, key, options)
            case "add":
                _add(process, key, options)
            case "delete":
                _delete(process, key, options)
            case _:
                raise LabError(f"reg {process.arguments} is not modelled")
    except WinFault as fault:
        language = process.machine.language
        process.complain(f"ERROR: {language.win32_text(fault.code & 0xFFFF)}")
        return 1
    process_done = verb.lower() != "query"
    if process_done:
        process.say(process.machine.language.done)
    return 0


def _options(words: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0).lower()
        if word in {"/v", "/t", "/d"} and rest:
            options[word] = rest.pop(0)
        elif word in {"/f", "/ve", "/reg:64"}:
            options[word] = ""
        else:
            raise LabError(f"reg {word} is not modelled")
    return options


def _query(process: Process, key: str, options: dict[str, str]) -> None:
    registry = process.machine.registry
    if "/v" in options:
        value = registry.get(key, options["/v"])
        rows = [(options["/v"], value)]
    else:
        rows = registry.values(key)
    process.say(f"\r\n{normal(key)}")
    for name, value in rows:
        process.say(f"    {name or '(Default)'}    {value.kind}    {_shown(value)}")
    process.say("")


def _shown(value: Value) -> str:
    match value.data:
        case int(number):
            return f"0x{number:x}"
        case bytes(data):
            return data.hex().upper()
        case str(text):
            return text
        case tuple(parts):
            return "\\0".join(parts)


def _add(process: Process, key: str, options: dict[str, str]) -> None:
    kind, data = options.get("/t", "REG_SZ").upper(), options.get("/d", "")
    if "/v" not in options or "/f" not in options:
        raise LabError("reg add without /v and /f is not modelled")
    if kind == "REG_DWORD":
        value = dword(int(data, 0))
    elif kind == "REG_SZ":
        value = sz(data)
    else:
        raise LabError(f"reg add of {kind} is not modelled")
    process.machine.registry.set(key, options["/v"], value)


def _delete(process: Process, key: str, options: dict[str, str]) -> None:
    if "/f" not in options:
        raise LabError("reg delete without /f asks a person and is not modelled")
    registry = process.machine.registry
    if "/v" in options:
        registry.delete_value(key, options["/v"])
        return
    if not registry.has_key(key):
        raise WinFault(codes.FILE_NOT_FOUND)
    registry.delete_key(key, tree=True)
