"""The exact next thing a person does about a server, or about several alike.

Pure: a server's row and how the run was started in, one line out.  The line
is a command where there is one, else the finding's own remedy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from volact.core.main_cause import lead
from volact.errors import ErrorKind
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.text import Text, raw, say
from volact.report.base import DEADLINE_S, Invocation
from volact.report.terminal_safe import plain
from volact.report.words import value
from volact.typed import quoted
from volact.words import tr

_FEW = 12  # that many names still make one command
_ON_SERVER = "On the server: {commands}"  # a remedy that is typed there as it stands
_LONGEST_S = 3600  # that --deadline takes


def shared_step(servers: Sequence[ServerReport], how: Invocation) -> str:
    """The one thing to do about all of them.

    When each has a remedy of its own the first one's stands as the example.
    """
    return shared(servers, {next_step([server], how) for server in servers}, how)


def shared(servers: Sequence[ServerReport], own: Collection[str], how: Invocation) -> str:
    """The same where what each has of its own is known already."""
    together = next_step(servers, how)
    if len(own) == 1:
        return next(iter(own))
    if together.count("volact "):
        return together
    return tr(say("{step} (differs per server)", step=together))


def next_step(servers: Sequence[ServerReport], how: Invocation) -> str:
    """What to do about servers that share verdict and cause; ``""`` for nothing."""
    first = servers[0]
    if first.verdict == "healthy":
        return ""
    if first.error is not None:
        return tr(after_error(servers, how))
    options = consent(first)
    if _would_help(first) or options:
        return command_for("activate", servers, how, options)
    if _would_repair(first):
        return tr(_or_by_hand(command_for("activate", servers, how), servers, how))
    return _for_person(servers, how)


def _for_person(servers: Sequence[ServerReport], how: Invocation) -> str:
    """What is left for a person: the remedy, or the page on it."""
    finding = lead(servers[0])
    if finding is not None and finding.remedy:
        return plain(tr(finding.remedy))
    code = failed_code(servers[0])
    if code:
        return f"volact explain {code}"
    return f"volact explain {plain(finding.id)}" if finding else command_for("check", servers, how)


def _would_help(server: ServerReport) -> bool:
    """Whether there are steps here that are not applied yet."""
    return bool(server.plan) and not server.results


def _would_repair(server: ServerReport) -> bool:
    """Whether volact repairs the leading cause, as far as a probe can show."""
    first = lead(server)
    untried = not (server.results or server.refusals or server.reason)
    return untried and first is not None and repairs(first)


def repairs(finding: Finding) -> bool:
    """Whether this is an error that volact repairs without further consent."""
    return finding.repair == "automatic" and finding.severity == "error"


def _or_by_hand(command: str, servers: Sequence[ServerReport], how: Invocation) -> Text:
    """The command, and what is typed instead where that is the same for all of them."""
    typed = {_typed(server) for server in servers}
    commands = typed.pop() if len(typed) == 1 and not how.by_hand else ""
    if not commands:
        return raw(command)
    return say("{command}   (or on the server: {commands})", command=command, commands=commands)


def _typed(server: ServerReport) -> str:
    """The commands of a remedy that consists of them."""
    first = lead(server)
    remedy = first.remedy if first else ""
    if not isinstance(remedy, Text) or remedy.template != _ON_SERVER:
        return ""
    return plain(str(remedy.args["commands"]))


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
) -> str:
    """A command for exactly these servers.

    Consent given to a few must not reach the others, so never the whole
    inventory: beyond a dozen the rest is left for the next command.
    """
    if how.by_hand:
        return how.by_hand
    few = servers[:_FEW]
    allowed = how.consent if verb == "activate" else ()
    if how.selector:
        names = ",".join(plain(server.name) for server in few)
        named = [how.selector, f"--limit {quoted(names)}"]
    else:
        named = [quoted(plain(how.typed.get(s.address, s.address))) for s in few]
    return _command(verb, named, how, dict.fromkeys([*allowed, *options]))


def same_servers(verb: str, how: Invocation) -> str:
    """A command for what this run was for, no server more; ``""`` where none can be."""
    named = [part for part in (how.selector, how.targets) if part]
    if how.by_hand or not named:
        return ""
    return _command(verb, named, how, how.consent)


def _command(verb: str, named: Sequence[str], how: Invocation, options: Iterable[str]) -> str:
    login = [how.login] if how.login else []
    patience = [f"--deadline {how.deadline_s:g}"] if how.deadline_s != DEADLINE_S else []
    return " ".join(["volact", verb, *named, *login, *patience, *options])


def after_error(servers: Sequence[ServerReport], how: Invocation) -> Text:
    """What to do about servers that could not be examined."""
    error = servers[0].error
    assert error is not None
    if error.kind == "timeout":
        longer = min(2 * how.deadline_s, _LONGEST_S)
        how = msgspec.structs.replace(how, deadline_s=longer)
    again = command_for("check" if how.command == "demo" else how.command, servers, how)
    if error.kind == "host-key":
        return _after_host_key(servers, again, error.command)
    return _after(error.kind, again)


def _after_host_key(servers: Sequence[ServerReport], again: str, command: str) -> Text:
    """A changed host key has to be forgotten; a new one, accepted."""
    option = "--host-key-policy accept-new"
    if command and len({server.error and server.error.command for server in servers}) == 1:
        return say(
            "compare the fingerprint with the one on the server's console; if the server was "
            "rebuilt: {command}; then: {then}",
            command=plain(command),
            then=f"{again} {option}" if option not in again else again,
        )
    if command or option in again or not servers[0].address.startswith("ssh://"):
        return say("see the message above; then: {command}", command=again)
    return say(
        "compare the fingerprint with the one on the server's console; if they match: {command}",
        command=f"{again} {option}",
    )


def _after(kind: ErrorKind, again: str) -> Text:
    match kind:
        case "auth":
            return say(
                "correct the user name, or the source of the password or key, then: {command}",
                command=again,
            )
        case "connect":
            return say(
                "check that the server is on and that its port is open from this machine, "
                "then: {command}",
                command=again,
            )
        case "timeout":
            return say("allow more time: {command}", command=again)
        case "protocol":
            return say(
                "{command}   (if it happens again, something on the server alters the output)",
                command=again,
            )
        case "not-begun":
            return raw(again)
        case _:
            return say("see the message above; then: {command}", command=again)
