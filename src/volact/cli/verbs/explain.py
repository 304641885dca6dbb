"""``volact explain``: what a code or a finding means, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from volact.cli.language import Lang
from volact.cli.options import TableOrJson
from volact.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volact.core.explain import Explanation
    from volact.model.profile import ErrorInfo

_NEGATIVE = re.compile(r"-\d+")


class _TakesNegativeNumbers(TyperCommand):
    """-1073418124 is a code as Windows itself prints it, not an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        numbers = [arg for arg in args if _NEGATIVE.fullmatch(arg)]
        others = [arg for arg in args if not _NEGATIVE.fullmatch(arg)]
        if numbers and "--" not in others:
            others.append("--")
        return super().parse_args(ctx, [*others, *numbers])


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("explain", cls=_TakesNegativeNumbers)(explain)


def _complete_id(incomplete: str) -> list[str]:
    from volact.core.catalogue import CATALOGUE

    return [name for name in CATALOGUE if name.startswith(incomplete)]


def _complete_class(incomplete: str) -> list[str]:
    from volact.core.explain import classes
    from volact.knowledge.load import load_errors

    return [name for name in classes(load_errors()) if name.startswith(incomplete)]


def explain(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE|ID",
            help="0xC004F074, -1073418124, 3221549172, a symbol, an event id or a finding id.",
            autocompletion=_complete_id,
            show_default=False,
        ),
    ] = "",
    class_: Annotated[
        str,
        typer.Option(
            "--class",
            metavar="NAME",
            help="List the codes of a class, such as dns; without NAME and code all classes.",
            autocompletion=_complete_class,
        ),
    ] = "",
    output: TableOrJson = "text",
    lang: Lang = "",
) -> int:
    """Explain an error code, an event id or a finding; list a class of codes, or the classes."""
    from volact.cli.console import columns_of, use_stdout
    from volact.core.explain import explain as look_up
    from volact.knowledge.load import load_errors

    errors, out = load_errors(), use_stdout(output)
    if code and class_:
        raise InputError("a code and --class are both given", "ask for one of them")
    if code:
        found = look_up(code, errors)
        columns = min(columns_of(out), 100)
        out.write(_json(found) if output == "json" else _text(found, columns))
    else:
        out.write(_listed(class_, errors, output))
    return 0


def _listed(name: str, errors: Mapping[int, ErrorInfo], output: str) -> str:
    """The codes of a class, or the classes there are."""
    from volact.cli.console import table
    from volact.core.explain import classes, of_class

    if not name:
        known = classes(errors)
        rows = [(word, str(number)) for word, number in known.items()]
        return _json(known) if output == "json" else table(("CLASS", "CODES"), rows)
    found = of_class(name, errors)
    lines = [(one.name, one.symbol, _meaning(one)) for one in found]
    return _json(found) if output == "json" else table(("CODE", "SYMBOL", "MEANING"), lines)


def _meaning(found: Explanation) -> str:
    """A finding's meaning is a sentence of ours; a code's is one of the knowledge's."""
    from volact.model.text import Text, ready, say
    from volact.words import tr

    if isinstance(found.meaning, Text):
        return tr(found.meaning)
    return tr(say("{sentence}.", sentence=ready(found.meaning.rstrip("."))))


def _json(value: object) -> str:
    from volact.report.json_document import encode

    return encode(value) + "\n"


def _text(found: Explanation, columns: int) -> str:
    from volact.model.text import ready, say
    from volact.words import tr

    symbol = f"  {found.symbol}" if found.symbol else ""
    forms = ", ".join(form for form in found.forms if form != found.name)
    lines = [f"{found.name}{symbol}{f'  ({forms})' if forms else ''}"]
    lines += _wrapped(_meaning(found), columns)
    if found.causes:
        lines += ["", tr("Causes")]
        for text in found.causes:
            lines += _wrapped(text, columns, first="  - ")
    if found.remedy:
        lines += ["", tr("What to do"), *_wrapped(tr(found.remedy), columns)]
    sure = say("causes and remedy: {confidence}", confidence=ready(found.confidence))
    said = "; ".join(part for part in (found.source, tr(sure) if found.confidence else "") if part)
    source = tr(say("Source: {said}", said=said))
    lines += ["", *_wrapped(source, columns, first="")] if said else []
    lines += ["", tr(say("More: {page}", page=found.page))] if found.page else []
    return "".join(f"{line}\n" for line in lines)


def _wrapped(text: str, columns: int, first: str = "  ") -> list[str]:
    from volact.report.wrap import wrapped

    lines = wrapped(text, columns - len(first))
    return [(" " * len(first) if at else first) + line for at, line in enumerate(lines)]
