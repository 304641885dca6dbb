"""Options of ``volact explain``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from typer.core import TyperCommand

from volact.cli.options import shared
from volact.cli.options.completion import complete_finding, completing
from volact.cli.options.language import Lang
from volact.cli.options.parameter import arguments, option
from volact.core.explain import classes
from volact.knowledge.load import load_errors

_NEGATIVE = re.compile(r"-\d")  # and what follows in a text that begins with one


class NegativeNumbers(TyperCommand):
    """-1073418124 is a code as Windows itself prints it, not an option; no option begins so."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take negative numbers for values, wherever they stand."""
        numbers = [arg for arg in args if _NEGATIVE.match(arg)]
        others = [arg for arg in args if not _NEGATIVE.match(arg)]
        if numbers and "--" not in others:
            others.append("--")
        return super().parse_args(ctx, [*others, *numbers])


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """Explain an error code, event id or finding."""

    command_class: ClassVar = NegativeNumbers

    code: list[str] = arguments(
        "Code (0xC004F074 or decimal), symbol, event id, finding id, or a text with one.",
        "CODE|ID",
        autocompletion=complete_finding,
        show_default=False,
    )
    class_: str | None = option(
        None,
        "List the codes of a class, such as dns; without NAME or code, list the classes.",
        "NAME",
        "--class",
        autocompletion=completing(lambda: classes(load_errors())),
    )
    output: shared.TableOrJson = shared.output()
    lang: Lang = ""
