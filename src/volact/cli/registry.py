"""The verbs as a table, and the commands that are made of it.

``volact --help`` and the completion of a verb's name read the table alone.  Help
and completion of one verb load its class of options.  Its module in ``verbs/`` is
imported when it runs, and imports its work at its top.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, get_type_hints

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from volact.cli.conversion import convert_on_need
from volact.cli.options.parameter import PARAMETER

_SETTINGS: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


@dataclass(frozen=True)
class VerbEntry:
    """A verb before anything of it is loaded.

    ``words`` are its name behind ``volact``, ``summary`` the first paragraph of its help,
    ``module`` that of its options below ``volact.cli.options``; their class has the verb's
    words as its name.  ``work`` is a function below ``volact.cli.verbs`` that takes an instance
    and returns the exit code; without it, the module has the first word as its name and
    the function the last.  A verb with ``parts`` is a group of them.
    """

    words: str
    summary: str
    module: str = ""
    work: str = ""
    parts: tuple[VerbEntry, ...] = ()

    @property
    def name(self) -> str:
        """The word by which it is called, in its group."""
        return self.words.rpartition(" ")[2]

    @property
    def options(self) -> str:
        """The module and the class of its options."""
        return f"{self.module}.{self.words.title().replace(' ', '').replace('-', '')}Options"

    @property
    def function(self) -> str:
        """The module and the function of its work."""
        words = self.words.replace("-", "_").split()
        return self.work or f"{words[0]}.{words[-1]}"


# In the order in which an operator meets them.
VERBS = (
    VerbEntry("check", "Check servers and report problems; changes nothing.", "servers"),
    VerbEntry("plan", "Show what activate would do; changes nothing.", "servers"),
    VerbEntry("activate", "Repair and activate servers; asks before any change.", "changes"),
    VerbEntry("endpoints", "Check KMS hosts, time servers and DNS from this machine.", "tools"),
    VerbEntry("script", "Write a self-contained script to run on a server by hand.", "tools"),
    VerbEntry("read-answer", "Report on servers from copied or downloaded answers.", "tools"),
    VerbEntry("bundle", "Write what servers answered to a file, with names removed.", "servers"),
    VerbEntry("replay", "Judge a bundle again with today's rules; show differences.", "tools"),
    VerbEntry("explain", "Explain an error code, event id or finding.", "explain"),
    VerbEntry("providers", "List the known providers, or show one with its sources.", "tools"),
    VerbEntry("demo", "Activate a simulated fleet and show the result.", "lab"),
    VerbEntry("undo", "Undo the changes of a run; asks before any change.", "changes"),
    VerbEntry("watch", "Check at an interval, repair if allowed, report changes.", "changes"),
    VerbEntry("serve", "Serve console and API for a team.", "service"),
    VerbEntry("worker", "Work on the runs of the service, on this or another machine.", "service"),
    VerbEntry(
        "user",
        "Add, list and rescue the users of the service.",
        parts=(
            VerbEntry(
                "user add",
                "Add a user and print a link that signs in once, within a day.",
                "service",
            ),
            VerbEntry("user list", "List the users.", "service", "user.list_users"),
            VerbEntry(
                "user link",
                "Print a link that signs a user in once, within a day, to set a new password.",
                "service",
            ),
            VerbEntry(
                "user disable",
                "Sign a user out and refuse sign-ins and tokens; --undo allows them again.",
                "service",
            ),
        ),
    ),
    VerbEntry(
        "audit",
        "Check the chain of the audit, or export it as JSON Lines.",
        "service",
        "user.audit",
    ),
    VerbEntry(
        "status", "Show the fleet's state from the store; contacts no server.", "store_reports"
    ),
    VerbEntry(
        "expiring", "List licences that end soon, have expired or are overdue.", "store_reports"
    ),
    VerbEntry("runs", "List the runs: time, command, duration and result.", "store_reports"),
    VerbEntry("diff", "Compare two runs: servers and findings that changed.", "store_reports"),
    VerbEntry("history", "Show a server's checks and changes, newest first.", "store_reports"),
    VerbEntry("export", "Export the store.", "store_reports"),
    VerbEntry("prune", "Delete old runs; keeps each server's newest row.", "store_reports"),
    VerbEntry("forget", "Delete servers from the store; asks first.", "store_reports"),
    VerbEntry(
        "inventory",
        "Show, check or convert an inventory.",
        parts=(
            VerbEntry(
                "inventory show",
                "Show the selected servers and where their logins come from.",
                "servers",
            ),
            VerbEntry(
                "inventory check",
                "Report every mistake in an inventory; exit code 2 for one.",
                "servers",
            ),
            VerbEntry(
                "inventory export",
                "Convert the selected servers to another inventory format.",
                "servers",
            ),
        ),
    ),
    VerbEntry("mcp", "Serve read-only tools for a language model (MCP).", "service"),
    VerbEntry(
        "lab",
        "Run a simulated fleet of Windows Servers behind real SSH.",
        parts=(
            VerbEntry("lab serve", "Start a simulated fleet and run until stopped.", "lab"),
            VerbEntry("lab scenarios", "List the scenarios and their faults.", "lab"),
        ),
    ),
)


class VerbGroup(TyperGroup):
    """Verbs that are listed out of the table; one is made when a command line names it."""

    def __init__(self, verbs: Sequence[VerbEntry] = VERBS, **settings: Any) -> None:
        super().__init__(**settings)
        self._verbs = {verb.name: verb for verb in verbs}
        for verb in verbs:
            self.add_command(TyperCommand(verb.name, help=verb.summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The command that the first word names, with its options; and the other words."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and command_of(self._verbs[listed.name or ""]), rest


def make_app(start: Callable[..., None], help: str) -> VerbGroup:
    """All verbs; the parameters of ``start`` are the options before a verb."""
    app = typer.Typer(cls=VerbGroup, help=help, **_SETTINGS)
    app.callback()(start)
    group: VerbGroup = typer.main.get_command(app)  # type: ignore[assignment]
    return convert_on_need(group)


def command_of(verb: VerbEntry) -> TyperCommand | TyperGroup:
    """The command of a verb, made of its options, or the group of its parts."""
    if verb.parts:
        group = VerbGroup(
            verb.parts,
            name=verb.name,
            help=verb.summary,
            rich_markup_mode=None,
            context_settings=_SETTINGS["context_settings"],
        )
        return convert_on_need(group)
    options = options_of(verb)
    app = typer.Typer(add_completion=False, **_SETTINGS)
    app.command(
        verb.name,
        cls=getattr(options, "command_class", None),
        help=options.__doc__,
    )(_taking(options, verb))
    command: TyperCommand = typer.main.get_command(app)  # type: ignore[assignment]
    return convert_on_need(command)


def options_of(verb: VerbEntry) -> type[Any]:
    """A verb's class of options."""
    options: type[Any] = _load(f"volact.cli.options.{verb.options}")
    return options


def work_of(verb: VerbEntry) -> Callable[[Any], int]:
    """The function that does a verb's work; imports everything that it needs."""
    work: Callable[[Any], int] = _load(f"volact.cli.verbs.{verb.function}")
    return work


def _load(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _taking(options: type[Any], verb: VerbEntry) -> Callable[..., int]:
    """A function whose parameters are the fields of the options, as Typer reads them.

    A field whose metadata has ``options`` is made of several parameters.
    """
    hints = get_type_hints(options, include_extras=True)
    fields = dataclasses.fields(options)
    made = {item.name: item.metadata["options"] for item in fields if "options" in item.metadata}
    parameters: list[inspect.Parameter] = []
    for item in fields:
        if item.name in made:
            parameters += made[item.name].parameters()
        else:
            told = item.metadata.get(PARAMETER)
            hint = hints[item.name]
            parameters.append(_parameter(item, Annotated[hint, told] if told else hint))

    def command(**given: object) -> int:
        taken = {name: several.take(given) for name, several in made.items()}
        return work_of(verb)(options(**given, **taken))

    command.__annotations__ = {item.name: item.annotation for item in parameters}
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _parameter(item: dataclasses.Field[object], hint: object) -> inspect.Parameter:
    return inspect.Parameter(
        item.name, inspect.Parameter.KEYWORD_ONLY, default=default_of(item), annotation=hint
    )


def default_of(item: dataclasses.Field[Any]) -> object:
    """The default of an option; ``inspect.Parameter.empty`` where it has none."""
    if item.default is not dataclasses.MISSING:
        return item.default
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return inspect.Parameter.empty
