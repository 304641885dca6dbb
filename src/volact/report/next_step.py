"""The exact next thing a person does about a server, or about several alike.

Pure: a server's row and how the run was started in, lines out: commands of volact
where there are any, else the finding's own remedy.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import msgspec

from volact.core.main_cause import lead
from volact.errors import ErrorKind
from volact.model.report import ErrorRow, ServerReport
from volact.model.text import Text, say, typed
from volact.report.base import DEADLINE_S, Invocation
from volact.report.repairs import repairs
from volact.report.run_counts import undo_of
from volact.report.step_lines import Command, Lines, lines_of
from volact.report.terminal_safe import plain
from volact.report.words import value
from volact.typed import limit_word, quoted
from volact.words import tr

_FEW = 12  # that many names still make one command
_ON_SERVER = "On the server: {commands}"  # a remedy that is typed there as it stands
_LONGEST_S = 3600  # that --deadline takes
CONSENT_ASKED = say("volact repairs this only with your consent:")


def shared_step(servers: Sequence[ServerReport], how: Invocation) -> Lines:
    """The one thing to do about all of them.

    When each has a remedy of its own the first one's stands as the example.
    """
    return shared(servers, {next_step([server], how) for server in servers}, how)


def shared(servers: Sequence[ServerReport], own: Collection[Lines], how: Invocation) -> Lines:
    """The same where what each has of its own is known already."""
    together = next_step(servers, how)
    if len(own) == 1:
        return next(iter(own))
    if _by_volact(servers[0]):
        return together if len(servers) <= _FEW or how.by_hand else (*together, _first_few(servers))
    return (*together, _differs())


def _differs() -> str:
    return tr(say("(for the first server; it differs per server)"))


def _first_few(servers: Sequence[ServerReport]) -> str:
    """That the command names a dozen, and how many there are."""
    return tr(say("(the first {few} of {n} servers)", few=_FEW, n=len(servers)))


def next_step(servers: Sequence[ServerReport], how: Invocation) -> Lines:
    """What to do about servers of one group, which share the kind of step; empty for nothing."""
    first = servers[0]
    if first.error is not None:
        # The same command would leave these out again: their message names the way.
        others = [server for server in servers if server.name not in how.left_out]
        return lines_of(after_error(others, how)) if others else ()
    if undo := _planned_undo(first):
        return (command_for("undo", servers, msgspec.structs.replace(how, undo=undo)),)
    return () if first.verdict == "healthy" else _repair_step(servers, how)


def _repair_step(servers: Sequence[ServerReport], how: Invocation) -> Lines:
    """What repairs servers of one group that were examined."""
    first = servers[0]
    options = () if how.by_hand else consent(first)
    if options:
        told, command = _conditions(servers), with_consent(servers, how, options)
        return (*told, tr(CONSENT_ASKED), *command) if told else command
    if _would_help(first):
        return (command_for("activate", servers, how),)
    if _would_repair(first):
        return (command_for("activate", servers, how), *_by_hand(servers, how))
    return _for_person(servers, how)


def _conditions(servers: Sequence[ServerReport]) -> Lines:
    """When to consent, and what is done otherwise: the remedies of what is refused without."""
    told = [_condition(server) for server in servers]
    return told[0] if len(set(told)) == 1 else (*told[0], _differs())


def _condition(server: ServerReport) -> Lines:
    refused = {refusal.get("finding") for refusal in server.refusals if refusal.get("allow_with")}
    found = (finding for finding in server.findings if finding.id in refused and finding.remedy)
    return tuple(line for finding in found for line in lines_of(finding.remedy))


def with_consent(servers: Sequence[ServerReport], how: Invocation, options: Sequence[str]) -> Lines:
    """The command that gives consent; a reason is the person's own."""
    command = command_for("activate", servers, how, options)
    if any(option.endswith(" REASON") for option in options):
        return (command, tr(say("(with your reason in place of REASON)")))
    return (command,)


def step_kind(server: ServerReport) -> str:
    """What kind of next step it is: only servers with the same are advised together."""
    if server.error is not None:
        return ""
    if _planned_undo(server):
        return "undo"
    if _by_volact(server):
        return " ".join(("activate", *consent(server)))
    first = lead(server)
    if first is None or not first.remedy:
        return failed_code(server)
    return (isinstance(first.remedy, Text) and first.remedy.template) or first.remedy


def _by_volact(server: ServerReport) -> bool:
    """Whether a command of volact is the next step."""
    if server.error is not None or _planned_undo(server):
        return True
    return bool(_would_help(server) or consent(server) or _would_repair(server))


def _for_person(servers: Sequence[ServerReport], how: Invocation) -> Lines:
    """What is left for a person: the remedy, or the page on it."""
    finding = lead(servers[0])
    if finding is not None and finding.remedy:
        return lines_of(finding.remedy)
    code = failed_code(servers[0])
    if code or finding:
        return (Command(f"volact explain {code or plain(finding.id if finding else '')}"),)
    return (command_for("check", servers, how),)


def _planned_undo(server: ServerReport) -> str:
    """The run to undo, where an undo of it is only planned: its steps are none of a repair."""
    undo = undo_of(server)
    return undo.run if undo is not None and undo.word == "planned" else ""


def _would_help(server: ServerReport) -> bool:
    """Whether there are steps here that are not applied yet."""
    return bool(server.plan) and not server.results


def _would_repair(server: ServerReport) -> bool:
    """Whether volact repairs the leading cause, as far as a probe can show."""
    first = lead(server)
    untried = not (server.results or server.refusals or server.reason)
    return untried and first is not None and repairs(server, first)


def _by_hand(servers: Sequence[ServerReport], how: Invocation) -> Lines:
    """The other way: what is typed on the server, where that is the same for all of them."""
    typed_there = {_typed(server) for server in servers}
    commands = typed_there.pop() if len(typed_there) == 1 and not how.by_hand else ()
    return (tr(say("or on the server:")), *commands) if commands else ()


def _typed(server: ServerReport) -> Lines:
    """The commands of a remedy that consists of them."""
    first = lead(server)
    if first is None or not isinstance(first.remedy, Text) or first.remedy.template != _ON_SERVER:
        return ()
    return lines_of(first.remedy)[1:]


def consent(server: ServerReport) -> tuple[str, ...]:
    """The options of consent that a refusal names."""
    wanted = (plain(str(refusal.get("allow_with") or "")) for refusal in server.refusals)
    return tuple(dict.fromkeys(option for option in wanted if option))


def failed_code(server: ServerReport) -> str:
    """The code of the first step that failed with one."""
    for result in server.results:
        if not result.get("ok") and result.get("hresult"):
            return value("hresult", result["hresult"])
    return ""


def command_for(
    verb: str, servers: Sequence[ServerReport], how: Invocation, options: Sequence[str] = ()
) -> Command:
    """A command for exactly these servers.

    Consent given to a few must not reach the others, so never the whole
    inventory: beyond a dozen the rest is left for the next command.
    """
    if how.by_hand:  # nothing goes to a server: the answers are read again, or commands shown
        words = options if verb == how.command else (*options, "--format commands")
        return Command(" ".join([how.by_hand, *words]))
    few = servers[:_FEW]
    consenting = "undo" if how.command == "undo" else "activate"
    allowed = how.consent if verb == consenting else ()
    named = [quoted(how.undo)] if verb == "undo" else []
    if how.selector:
        names = ",".join(limit_word(plain(server.name)) for server in few)
        named += [how.selector, f"--limit {quoted(names)}"]
    else:
        named += [_target(verb, server, how) for server in few]
    return _command(verb, named, how, dict.fromkeys([*allowed, *options]))


def _target(verb: str, server: ServerReport, how: Invocation) -> str:
    """A server without an inventory; servers of a run may share an address, and a name is one's."""
    if verb == "undo" and server.address not in how.typed:
        return quoted(limit_word(plain(server.name)))
    return quoted(plain(how.typed.get(server.address, server.address)))


def same_servers(verb: str, how: Invocation) -> Command:
    """A command for what this run was for, no server more; ``""`` where none can be."""
    named = [part for part in (how.selector, how.targets) if part]
    if how.by_hand or not named:
        return Command("")
    return _command(verb, named, how, how.consent)


def _command(verb: str, named: Sequence[str], how: Invocation, options: Iterable[str]) -> Command:
    login = [how.login] if how.login else []
    patience = [f"--deadline {how.deadline_s:g}"] if how.deadline_s != DEADLINE_S else []
    agreed = ["--yes"] if how.by_service and verb in ("activate", "undo") else []
    return Command(" ".join(["volact", verb, *named, *login, *patience, *options, *agreed]))


def after_error(servers: Sequence[ServerReport], how: Invocation) -> Text:
    """What to do about servers that could not be examined."""
    error = servers[0].error
    assert error is not None
    kind: ErrorKind = "connect" if _unanswered(servers) else error.kind
    if kind == "timeout":
        longer = min(2 * how.deadline_s, _LONGEST_S)
        how = msgspec.structs.replace(how, deadline_s=longer)
    unknown = how.command == "demo" or (how.command == "undo" and not how.undo)
    again = command_for("check" if unknown else how.command, servers, how)
    if any(_elsewhere(server) for server in servers):
        return say("see the message above; then: {command}", command=typed(again))
    if kind in ("host-key", "host-key-changed"):
        return _after_host_key(servers, again, error)
    return _after(kind, again)


def _unanswered(servers: Sequence[ServerReport]) -> bool:
    """Whether no login was answered: a longer deadline would change nothing."""
    messages = [server.error.message for server in servers if server.error]
    return all(re.match("no (login within|connection in time)", text) for text in messages)


def _elsewhere(server: ServerReport) -> bool:
    """Whether a jump host, a name, a cloud's API or the port is to be mended, as the message says.

    The advice about a kind of error is about the server and its login.
    """
    error = server.error
    if error is None or error.kind not in ("auth", "connect", "host-key", "protocol"):
        return False
    if error.kind == "protocol":  # a damaged answer says nothing of what to do
        return error.message.endswith(")")
    direct = server.address.startswith(("ssh://", "winrm://", "winrms://", "local"))
    jump = error.message.startswith("jump host ") and error.kind != "auth"
    return not direct or jump or "the name does not resolve" in error.message


def _after_host_key(servers: Sequence[ServerReport], again: str, error: ErrorRow) -> Text:
    """An unknown host key is accepted; a changed one is removed from the file first."""
    option = "--host-key-policy accept-new"
    accepting = again if option in again else f"{again} {option}"
    if error.kind == "host-key":
        if option in again or not servers[0].address.startswith("ssh://"):
            return say("see the message above; then: {command}", command=typed(again))
        return say(
            "compare the fingerprint with the one on the server's console; if they match: "
            "{command}",
            command=typed(accepting),
        )
    few = servers[:_FEW]  # those that the command names
    commands = dict.fromkeys(server.error.command for server in few if server.error)
    if not all(commands):
        return say(
            "if the server was not rebuilt, another machine may be answering: do not log in; "
            "if it was, remove its old key from known_hosts, then: {command}",
            command=typed(accepting),
        )
    return say(
        "if the server was not rebuilt, another machine may be answering: do not log in; if it "
        "was, compare the fingerprint with the one on its console, remove the old key: "
        "{command}; then: {then}",
        command=typed(*commands),
        then=typed(accepting),
    )


def _after(kind: ErrorKind, again: str) -> Text:
    command = typed(again)
    match kind:
        case "auth":
            return say(
                "correct the user name, or the source of the password or key, then: {command}",
                command=command,
            )
        case "connect":
            return say(
                "check that the server is on and that its port is open from this machine, "
                "then: {command}",
                command=command,
            )
        case "timeout":
            return say("allow more time: {command}", command=command)
        case "protocol":
            return say(
                "{command} (if it happens again, something on the server alters the output)",
                command=command,
            )
        case "not-begun":
            return command
        case _:
            return say("see the message above; then: {command}", command=command)
