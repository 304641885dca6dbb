"""``--lang``: the language of text output.

Data (json, jsonl, csv) and ``--help`` are always English.
"""

from __future__ import annotations

from typing import Annotated

import typer

from volact.cli.options.completion import completing
from volact.words import LANGUAGES, use
from volact.words.choose import known_language


def _speak(tag: str) -> str:
    """Use the language from here on, also for errors in later options."""
    if tag:
        name = known_language(tag)
        if not name:
            raise typer.BadParameter(f"unsupported language {tag!r} ({', '.join(LANGUAGES)})")
        use(name)
    return tag


Lang = Annotated[
    str,
    typer.Option(
        "--lang",
        metavar="LANGUAGE",
        help="Language of the output: en, id or zh-CN; default: LC_ALL, LC_MESSAGES or LANG.",
        callback=_speak,
        is_eager=True,
        autocompletion=completing(lambda: LANGUAGES),
    ),
]
