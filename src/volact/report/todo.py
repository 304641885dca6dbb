"""What is left for a person to do about one server, each thing with its exact command.

Paragraphs in the reader's language; one that begins with two spaces is a
command to be copied.
"""

from __future__ import annotations

from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.text import Text, listed, say
from volact.report.base import Invocation
from volact.report.next_step import after_error, command_for, consent, failed_code, repairs
from volact.report.terminal_safe import plain
from volact.report.words import step_line
from volact.report.wrap import held
from volact.words import tr

# Arguments of a remedy that are typed as they stand.
_TYPED = ("command", "commands", "then", "option")


def todo(server: ServerReport, how: Invocation) -> list[str]:
    """The paragraphs, in the order in which things are to be done."""
    if server.error is not None:
        return remedy(after_error([server], how))
    wanted = consent(server)
    mendable = [] if server.results else _mendable(server)
    left = [*_steps(server), *_by_hand(server, mendable)]
    if mendable or wanted:
        left += _with_volact(server, how, wanted, mendable)
    if code := failed_code(server):
        left += [tr(say("The code means:")), f"  volact explain {code}"]
    return left or [tr(say("Nothing."))]


def _mendable(server: ServerReport) -> list[Finding]:
    """What volact repairs when it is allowed: what its plan is for, or would be."""
    planned = {str(id) for step in server.plan for id in step.get("because", ())}
    return [finding for finding in server.findings if finding.id in planned or repairs(finding)]


def _steps(server: ServerReport) -> list[str]:
    if server.results or not server.plan:
        return []
    lines = [plain(f"{at}. {step_line(step)}") for at, step in enumerate(server.plan, 1)]
    return [tr(say("volact would do this:")), *lines]


def _by_hand(server: ServerReport, mendable: list[Finding]) -> list[str]:
    """The remedies of what volact does not repair; of several each names its finding."""
    left = [
        finding
        for finding in server.findings
        if finding.remedy and finding.severity != "info" and finding not in mendable
    ]
    if len(left) == 1 and not mendable:
        return remedy(left[0].remedy)
    return [line for finding in left for line in _headed(finding)]


def _with_volact(
    server: ServerReport, how: Invocation, wanted: tuple[str, ...], mendable: list[Finding]
) -> list[str]:
    """The command by which volact does it, and what to type for the same by hand."""
    command = f"  {command_for('activate', [server], how, wanted)}"
    if wanted:
        return [tr(say("volact repairs this only with your consent:")), command]
    what = listed(finding.id for finding in mendable)
    first = any(f.severity == "error" and f not in mendable for f in server.findings)
    typed = command_for("plan", [server], how, ("--format commands",))
    return [
        plain(tr(say("After that, volact repairs {what}:", what=what)))
        if first
        else plain(tr(say("volact repairs {what}:", what=what))),
        command,
        tr(say("To do the same by hand, type on the server:")),
        f"  {typed}",
    ]


def _headed(finding: Finding) -> list[str]:
    first, *more = remedy(finding.remedy)
    return [plain(f"[{finding.id}] {first}"), *more]


def remedy(text: str) -> list[str]:
    """A remedy as a sentence, and the commands at its end on lines of their own.

    A command inside the sentence is kept on one line there.
    """
    if not isinstance(text, Text) or not text.template:
        return [plain(tr(text))]
    args = {k: held(str(v)) if k in _TYPED else _held_within(v) for k, v in text.args.items()}
    last = next((k for k in ("command", "commands") if text.template.endswith(f"{{{k}}}")), "")
    if not last:
        return [plain(tr(say(text.template, **args)))]
    commands = str(text.args[last]).split("; ")
    sentence = tr(say(text.template, **{**args, last: ""})).rstrip()
    return [plain(sentence), *(f"  {plain(command)}" for command in commands)]


def _held_within(value: object) -> object:
    """The same for a remedy inside a remedy."""
    if not isinstance(value, Text) or not value.template:
        return value
    args = {k: held(str(v)) if k in _TYPED else v for k, v in value.args.items()}
    return say(value.template, **args)
