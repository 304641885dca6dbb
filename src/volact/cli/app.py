"""The command line as a whole, and usage errors as one line.

The verbs are listed in ``registry``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated

import typer

from volact import __version__
from volact.cli.failure import WRONG_INPUT, tell
from volact.cli.registry import VERBS, command_of, make_app
from volact.model.text import Text, joined, raw, ready, say
from volact.words import use
from volact.words.choose import known_language

_HELP = """Keeps Windows Servers activated against their own cloud's KMS host.

Start with: volact explain 0xC004F074, volact demo, volact check ssh://user@host.

Exit codes: 0 no problems, 1 volact failed, 2 wrong usage, 3 a server needs attention,
4 a server could not be examined.
"""


def run(args: Sequence[str]) -> int:
    """Run a command line; usage errors are one line and exit code 2."""
    try:
        app = make_app(_start, _HELP)
        code = app(args or ["--help"], prog_name="volact", standalone_mode=False)
    except typer.Abort:
        tell(say("stopped; no further changes were made"))
        return 1
    except typer.TyperException as error:
        tell(usage_line(error, args))
        return WRONG_INPUT
    return code if isinstance(code, int) else 0


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"volact {__version__}")
        raise typer.Exit


def _start(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """The options before a verb."""


# What Typer and pydantic print, and the sentence of volact for it.
_FORMS: tuple[tuple[str, Callable[..., Text]], ...] = (
    (
        r"(No such .+?)(?: \(Possible options?: |\. Did you mean )(.+?)[)?]",
        lambda what, near: say("{what}, did you mean {near}?", what=_sentence(what), near=near),
    ),
    (r"No such option: (.+)", lambda name: say("no such option: {name}", name=name)),
    (r"No such command (.+)", lambda name: say("no such command {name}", name=name)),
    (
        r"Option (.+) does not take a value",
        lambda name: say("option {name} does not take a value", name=name),
    ),
    (
        r"Option (.+) requires .+",
        lambda name: say("option {name} requires a value", name=name),
    ),
    (r"Missing command", lambda: say("the command is missing")),
    (
        r"Missing (?:argument|option|parameter) (.+?)(?:\..*)?",
        lambda name: say("{name} is missing", name=name),
    ),
    (
        r"Got unexpected extra arguments?\S* \((.+)\)",
        lambda words: say("unexpected arguments: {words}", words=words),
    ),
    (
        r"Invalid value for (.+?): (?:Value error, )?(.+)",
        lambda name, why: say("invalid value for {name}: {why}", name=name, why=_sentence(why)),
    ),
    (
        r"(.+) is not one of (.+)",
        lambda value, known: say("{value} is not one of {known}", value=value, known=known),
    ),
    (
        r"Input should be greater than or equal to (\S+)",
        lambda least: say("it must be at least {least}", least=least),
    ),
    (
        r"Input should be less than or equal to (\S+)",
        lambda most: say("it must be at most {most}", most=most),
    ),
    (r"Input should be a valid integer.*", lambda: say("it must be a whole number")),
    (r"Input should be a valid number.*", lambda: say("it must be a number")),
    (
        r"unsupported language (.+) \((.+)\)",
        lambda name, known: say(
            "unsupported language {name} (known: {known})", name=name, known=known
        ),
    ),
)


def usage_line(error: typer.TyperException, args: Sequence[str]) -> Text:
    """A usage error as one sentence with the help to read, in the language of ``--lang``."""
    _use_language(args)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else _verb_of(args)
    words = error.format_message().replace("...'", "'")  # of an argument that may be repeated
    text = " ".join(words.split()).rstrip(".")
    own = {name for item in context.command.params for name in item.opts} if context else set()
    message = _of_other_verbs(text, own) or _sentence(text)
    return say("{message} (see: {command})", message=message, command=raw(f"{path} --help"))


def _verb_of(args: Sequence[str]) -> str:
    """The command that was typed, as far as it is one: an error of its options has no context."""
    known = {part.words for entry in VERBS for part in entry.parts or (entry,)}
    for typed in (" ".join(args[:2]), " ".join(args[:1])):
        if typed in known:
            return f"volact {typed}"
    return "volact"


def _of_other_verbs(text: str, own: set[str]) -> Text | None:
    """The sentence for an option that other verbs have; ``own`` are those of this verb."""
    if not (named := re.match(r"No such option: (--[\w-]+)", text)):
        return None
    what, verbs = say("no such option: {name}", name=named[1]), list[str]()
    if named[1] in ("--json", "--csv", "--jsonl") and "--output" in own:
        return say("{what}, did you mean {near}?", what=what, near=f"-o {named[1][2:]}")
    for verb in (part for entry in VERBS for part in entry.parts or (entry,)):
        for names in (item.opts for item in command_of(verb).params if named[1] in item.opts):
            if near := ", ".join(sorted(own.intersection(names))):
                return say("{what}, did you mean {near}?", what=what, near=near)
            verbs.append(f"volact {verb.words}")
    return say("{what}, it belongs to {verbs}", what=what, verbs=joined(verbs)) if verbs else None


def _sentence(text: str) -> Text:
    for form, said in _FORMS:
        if match := re.fullmatch(form, text):
            return said(*match.groups())
    return ready(text)


def _use_language(args: Sequence[str]) -> None:
    """The option itself may not have been read before the error."""
    words = [word for arg in args for word in arg.split("=", 1)]
    if name := known_language(dict(pairwise(words)).get("--lang", "")):
        use(name)
