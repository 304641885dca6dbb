"""What a code, an event or a finding means, and what to do about it.

Takes codes as people meet them: 0xC004F074, C004F074, -1073418124,
3221549172, a symbol, an event id, the number of a Windows error, a finding id,
or a text that names some of them, such as a message of Windows.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal

import msgspec

from volact.core.codes import hex_code
from volact.core.console import without_slmgr
from volact.core.findings import BY_ID
from volact.errors import InputError
from volact.model.profile import ErrorInfo
from volact.model.text import listed, say, suggestion

_HEX = re.compile(r"0[xX][0-9A-Fa-f]{1,8}|[0-9A-Fa-f]{8}")
_DECIMAL = re.compile(r"[+-]?\d{1,20}")
_WIN32 = 0x80070000
# Numbers as long as a code, symbols and ids of findings; of a GUID's parts none.
# ASCII: Chinese and Japanese have no blank between a word and the code beside it.
_IN_TEXT = re.compile(
    r"(?<![\w-])(?:0[xX][0-9A-Fa-f]{8}|[0-9A-Fa-f]{8}|-?\d{10}|[A-Za-z]+(?:[_-]\w+)+)(?![\w-])",
    re.ASCII,
)

Subject = Literal["code", "event", "finding"]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One explained thing.  ``forms``: the same code as other tools print it.

    ``without_slmgr``: PowerShell lines for the options of slmgr.vbs in ``remedy``.
    ``code`` is ``""`` for events and findings; ``class`` is the family by another name.
    """

    kind: Subject
    name: str
    meaning: str
    code: str = ""
    class_: str = msgspec.field(name="class", default="")
    forms: tuple[str, ...] = ()
    symbol: str = ""
    family: str = ""
    causes: tuple[str, ...] = ()
    remedy: str = ""
    source: str = ""
    confidence: str = ""
    page: str = ""
    without_slmgr: tuple[str, ...] = ()


def explain(text: str, errors: Mapping[int, ErrorInfo]) -> Explanation:
    """Look one thing up, or the first that a longer text names.

    ``InputError`` with near misses for an unknown one.
    """
    text = text.strip()
    found = _look_up(text, errors) or next(iter(named_in(text, errors)), None)
    if found is None:
        raise _unknown(text, errors)
    return found


def named_in(text: str, errors: Mapping[int, ErrorInfo]) -> tuple[Explanation, ...]:
    """Everything known that a text names, each once, in its order."""
    found = (_look_up(word, errors) for word in _IN_TEXT.findall(text))
    return tuple({one.name: one for one in found if one is not None}.values())


def _look_up(text: str, errors: Mapping[int, ErrorInfo]) -> Explanation | None:
    if text in BY_ID:
        return _finding(text)
    code = parse_code(text)
    if code is None:
        code = _by_symbol(text, errors)
    if code is None:
        return None
    info = errors.get(code)
    if info is None and code <= 0xFFFF:
        info = errors.get(_WIN32 | code)  # as sc, net and DISM print it: 1058, 1168
    if info is not None:
        return _known(info)
    return _windows_error(code) if code & 0xFFFF0000 == _WIN32 else None


def parse_code(text: str) -> int | None:
    """An HRESULT or event id in any spelling, as an unsigned number."""
    if _DECIMAL.fullmatch(text) and not (len(text) == 8 and text.startswith("80")):
        number = int(text)
        return number & 0xFFFFFFFF if -(2**31) <= number < 2**32 else None
    if _HEX.fullmatch(text):
        return int(text, 16)
    return None


def classes(errors: Mapping[int, ErrorInfo]) -> dict[str, int]:
    """Every class of codes, and how many codes are in it; of some only the name is known."""
    return dict(sorted(Counter(info.family for info in errors.values()).items()))


def of_class(name: str, errors: Mapping[int, ErrorInfo]) -> tuple[Explanation, ...]:
    """Every code of a class, by number; ``InputError`` for a class that there is not."""
    known = classes(errors)
    if name not in known:
        raise InputError(
            say("there is no class {name}", name=repr(name)), suggestion(name, known, 3)
        )
    return tuple(
        _known(info)
        for info in sorted(errors.values(), key=lambda info: info.code)
        if info.family == name
    )


def near_misses(text: str, errors: Mapping[int, ErrorInfo]) -> tuple[str, ...]:
    """Up to three things that begin so or are spelt alike."""
    explained = [info for info in errors.values() if info.family not in ("name-only", "event")]
    codes = [hex_code(info.code) for info in explained]
    symbols = [info.symbol for info in errors.values() if info.symbol.isupper()]
    known = [*BY_ID, *codes, *symbols]
    folded = {name.casefold(): name for name in known}
    wanted = text.casefold()
    begun = sorted(name for name in folded if len(wanted) > 3 and name.startswith(wanted))
    alike = difflib.get_close_matches(wanted, folded, n=3, cutoff=0.75)
    return tuple(folded[name] for name in dict.fromkeys((*begun, *alike)))[:3]


def _finding(id: str) -> Explanation:
    kind = BY_ID[id]
    return Explanation(
        kind="finding",
        name=id,
        class_="finding",
        meaning=kind.meaning,
        remedy=kind.action,
        page=f"docs/findings/{id}.md",
    )


def _known(info: ErrorInfo) -> Explanation:
    event = info.family == "event"
    return Explanation(
        kind="event" if event else "code",
        name=info.symbol if event else hex_code(info.code),
        meaning=info.meaning,
        code="" if event else hex_code(info.code),
        class_=info.family,
        forms=() if event else _forms(info.code),
        symbol="" if event else info.symbol,
        family=info.family,
        causes=info.causes,
        remedy=info.remedy,
        without_slmgr=without_slmgr(info.remedy),
        source=info.source,
        confidence=info.confidence,
    )


def _windows_error(code: int) -> Explanation:
    """A Win32 error that is not in the table: Windows itself can name it."""
    number = code & 0xFFFF
    return Explanation(
        kind="code",
        name=hex_code(code),
        meaning=say("Windows error {number}; volact knows nothing more of it.", number=number),
        code=hex_code(code),
        class_="windows",
        forms=_forms(code),
        family="windows",
        remedy=say("On any Windows: net helpmsg {number}", number=number),
        source=say("the form of the code (facility Win32)"),
        confidence="inferred",
    )


def _forms(code: int) -> tuple[str, ...]:
    signed = code - 2**32 if code >= 2**31 else code
    return (hex_code(code), str(signed), str(code))


def _by_symbol(text: str, errors: Mapping[int, ErrorInfo]) -> int | None:
    return next((i.code for i in errors.values() if i.symbol.casefold() == text.casefold()), None)


def _unknown(text: str, errors: Mapping[int, ErrorInfo]) -> InputError:
    near = near_misses(text, errors)
    hint = (
        say("did you mean {names}?", names=listed(near))
        if near
        else say("such as {example}", example="0xC004F074, 12288, clock-skew")
    )
    return InputError(say("nothing is known of {text}", text=repr(text)), hint)
