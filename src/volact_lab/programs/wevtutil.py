"""wevtutil.exe: query a log by provider and event id, newest first, as XML."""

from __future__ import annotations

import re

from volact_lab.cmd.process import Process
from volact_lab.errors import LabError
from volact_lab.windows.events import Event

_QUERY = re.compile(
    r"\*\[System\[Provider\[(?P<providers>@Name='[^']+'(?: or @Name='[^']+')*)\]"
    r" and \((?P<ids>EventID=\d+(?: or EventID=\d+)*)\)\]\]"
)
_SCRIPTS = "microsoft-windows-applocker/msi and script"
_RECENT = re.compile(
    r"\*\[System\[\((EventID=\d+(?: or EventID=\d+)*)\)"
    r" and TimeCreated\[timediff\(@SystemTime\) <= \d+\]\]\]"
)
_INVALID_QUERY = 15001
_NO_CHANNEL = 15007


def run(process: Process) -> int:
    """Run ``wevtutil qe LOG /q:… /c:N /rd:true /f:xml``."""
    words = process.argv()
    if len(words) < 2 or words[0].lower() not in {"qe", "query-events"}:
        raise LabError(f"wevtutil {process.arguments} is not modelled")
    if words[1].lower() == _SCRIPTS:
        return _scripts(process, words[2:])
    if words[1].lower() != "application":
        process.complain(process.machine.language.win32_text(_NO_CHANNEL))
        return _NO_CHANNEL
    query, count, reverse = _options(words[2:])
    match = _QUERY.fullmatch(query)
    if match is None:
        process.complain(process.machine.language.win32_text(_INVALID_QUERY))
        return _INVALID_QUERY
    providers = set(re.findall(r"'([^']+)'", match["providers"]))
    numbers = {int(number) for number in re.findall(r"\d+", match["ids"])}
    log = process.machine.events
    records = [r for r in log.newest_first() if _fits(r[1], providers, numbers)]
    if not reverse:
        records.reverse()
    process.out.write(process.machine.encode(log.xml(records[:count])))
    return 0


def _scripts(process: Process, words: list[str]) -> int:
    """The log of App Control: a script was blocked a moment ago, or there is nothing."""
    query, _count, _reverse = _options(words)
    match = _RECENT.fullmatch(query)
    if match is None:
        raise LabError(f"this query of {_SCRIPTS} is not modelled: {query}")
    if process.machine.odd == "enforced" and "EventID=8029" in match[1]:
        process.say("<Event><System><EventID>8029</EventID></System></Event>")
    return 0


def _fits(event: Event, providers: set[str], numbers: set[int]) -> bool:
    return event.provider in providers and event.number in numbers


def _options(words: list[str]) -> tuple[str, int | None, bool]:
    query, count, reverse = "*", None, False
    for word in words:
        name, _, value = word.partition(":")
        match name.lower():
            case "/q":
                query = value
            case "/c":
                count = int(value)
            case "/rd":
                reverse = value.lower() == "true"
            case "/f" if value.lower() == "xml":
                pass
            case _:
                raise LabError(f"wevtutil {word} is not modelled")
    return query, count, reverse
