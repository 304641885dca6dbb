"""``volact explain``: what a code or a finding means, and what to do about it."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from volact.cli.language import Lang
from volact.cli.options import TableOrJson

if TYPE_CHECKING:
    from volact.core.explain import Explanation

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


def explain(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE|ID",
            help="0xC004F074, -1073418124, 3221549172, a symbol, an event id or a finding id.",
            autocompletion=_complete_id,
            show_default=False,
        ),
    ],
    output: TableOrJson = "text",
    lang: Lang = "",
) -> int:
    """Explain an error code, an event id or a finding."""
    from volact.cli.console import columns_of, use_stdout
    from volact.core.explain import explain as look_up
    from volact.knowledge.load import load_errors
    from volact.report.json_document import encode

    found = look_up(code, load_errors())
    out = use_stdout(output)
    columns = min(columns_of(out), 100)
    out.write(encode(found) + "\n" if output == "json" else _text(found, columns))
    return 0


def _text(found: Explanation, columns: int) -> str:
    symbol = f"  {found.symbol}" if found.symbol else ""
    forms = ", ".join(form for form in found.forms if form != found.name)
    lines = [f"{found.name}{symbol}{f'  ({forms})' if forms else ''}"]
    lines += _wrapped(found.meaning, columns)
    if found.causes:
        lines += ["", "Causes"]
        for text in found.causes:
            lines += _wrapped(text, columns, first="  - ")
    if found.remedy:
        lines += ["", "What to do", *_wrapped(found.remedy, columns)]
    tail = [found.source, f"causes and remedy: {found.confidence}" if found.confidence else ""]
    said = "; ".join(part for part in tail if part)
    lines += ["", *_wrapped(f"Source: {said}", columns, first="")] if said else []
    lines += ["", f"More: {found.page}"] if found.page else []
    return "".join(f"{line}\n" for line in lines)


def _wrapped(text: str, columns: int, first: str = "  ") -> list[str]:
    return textwrap.wrap(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
