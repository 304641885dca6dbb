"""``volact explain``: the meaning of a code or a finding, and its remedy."""

from __future__ import annotations

import sys

from volact.cli.console import columns_of, table, write_answer
from volact.cli.failure import tell
from volact.cli.options.explain import ExplainOptions
from volact.core.explain import Explanation, classes, named_in, of_class
from volact.core.explain import explain as look_up
from volact.errors import InputError
from volact.knowledge.load import load_errors
from volact.model.text import ready, say, typed
from volact.report.words import explained
from volact.report.wrap import wrapped
from volact.words import tr


def explain(options: ExplainOptions) -> int:
    """Explain a code or a finding, or list codes."""
    errors = load_errors()
    if options.code and options.class_ is not None:
        raise InputError(say("a code and --class are both given"), say("give one of them"))
    if options.code:
        text = " ".join(options.code)
        found = look_up(text, errors)
        for other in named_in(text, errors):
            if other != found:
                tell(say("also named: {command}", command=typed(f"volact explain {other.name}")))
        write_answer(options.output, found, lambda: _text(found, min(columns_of(sys.stdout), 100)))
    elif options.class_ is None:
        known = classes(errors)
        rows = [(word, str(number)) for word, number in known.items()]
        write_answer(options.output, known, lambda: table((say("CLASS"), say("CODES")), rows))
    else:
        codes = of_class(options.class_, errors)
        lines = [(one.name, one.symbol, explained(one.meaning)) for one in codes]
        head = (say("CODE"), say("SYMBOL"), say("MEANING"))
        write_answer(options.output, codes, lambda: table(head, lines))
    return 0


def _text(found: Explanation, columns: int) -> str:
    symbol = f"  {found.symbol}" if found.symbol else ""
    forms = ", ".join(form for form in found.forms if form != found.name)
    lines = [f"{found.name}{symbol}{f'  ({forms})' if forms else ''}"]
    lines += _wrapped(explained(found.meaning), columns)
    if found.causes:
        lines += ["", tr("Causes")]
        for text in found.causes:
            lines += _wrapped(tr(ready(text)), columns, first="  - ")
    if found.remedy:
        heading = say("What volact does") if found.kind == "finding" else say("What to do")
        lines += ["", tr(heading), *_wrapped(tr(ready(found.remedy)), columns)]
    if found.without_slmgr:
        lines += ["", tr("Without slmgr.vbs (not run on a Windows server yet)")]
        lines += [f"  {line}" for line in found.without_slmgr]
    sure = say("causes and remedy: {confidence}", confidence=ready(found.confidence))
    said = "; ".join(part for part in (found.source, tr(sure) if found.confidence else "") if part)
    source = tr(say("Source: {said}", said=said))
    lines += ["", *_wrapped(source, columns, first="")] if said else []
    lines += ["", tr(say("More: {page}", page=found.page))] if found.page else []
    return "".join(f"{line}\n" for line in lines)


def _wrapped(text: str, columns: int, first: str = "  ") -> list[str]:
    lines = wrapped(text, columns - len(first))
    return [(" " * len(first) if at else first) + line for at, line in enumerate(lines)]
