"""The exact next thing a person does about a server, or about several alike.

Pure: a server's row and how the run was started in, one line out.  The line
is a command where there is one, else the finding's own remedy.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from volact.errors import ErrorKind
from volact.model.report import ServerReport
from volact.model.text import Text, say
from volact.report.base import Invocation
from volact.report.safe import plain
from volact.report.words import lead, value
from volact.words import tr

_FEW = 12  # that many names still make one command


def shared_step(servers: Sequence[ServerReport], how: Invocation) -> str:
    """The one thing to do about all of them.

    When each has a remedy of its own the first one's stands as the example.
    """
    own = {next_step([server], how) for server in servers}
    together = next_step(servers, how)
    if len(own) == 1:
        return own.pop()
    if together.count("volact "):
        return together
    return tr(say("{step} (each server has its own)", step=together))


def next_step(servers: Sequence[ServerReport], how: Invocation) -> str:
    """What to do about servers that share verdict and cause; ``""`` for nothing."""
    first = servers[0]
    if first.verdict == "healthy":
        return ""
    if first.error is not None:
        return tr(after_error(servers, how))
    finding = lead(first)
    options = consent(first)
    if _would_help(first) or options:
        return command_for("activate", servers, how, options)
    if finding is not None and finding.remedy:
        return plain(tr(finding.remedy))
    code = failed_code(first)
    if code:
        return f"volact explain {code}"
    return f"volact explain {plain(finding.id)}" if finding else command_for("check", servers, how)


def _would_help(server: ServerReport) -> bool:
    """Whether there are steps here that nobody has applied yet."""
    return bool(server.plan) and not server.results


def consent(server: ServerReport) -> tuple[str, ...]:
    """Options that a refusal names as the person's way to say yes."""
    wanted = (str(refusal.get("allow_with") or "") for refusal in server.refusals)
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
    if how.selector:
        names = ",".join(plain(server.name) for server in few)
        named = [how.selector, f"--limit {shlex.quote(names)}"]
    else:
        named = [shlex.quote(plain(how.typed.get(s.address, s.address))) for s in few]
    login = [how.login] if how.login else []
    return " ".join(["volact", verb, *named, *login, *options])


def after_error(servers: Sequence[ServerReport], how: Invocation) -> Text:
    """What to do about servers that could not be examined."""
    error = servers[0].error
    assert error is not None
    again = command_for("check" if how.command == "demo" else how.command, servers, how)
    return _after(error.kind, again)


def _after(kind: ErrorKind, again: str) -> Text:
    match kind:
        case "auth":
            return say(
                "correct the user or where the password or key comes from, then: {command}",
                command=again,
            )
        case "connect":
            return say(
                "see that the server is on and its port is open from here, then: {command}",
                command=again,
            )
        case "timeout":
            return say("allow it more time: {command}", command=f"{again} --deadline 300")
        case "host-key":
            return say(
                "compare the fingerprint with the server's console; if it is right: {command}",
                command=f"{again} --host-key-policy accept-new",
            )
        case "protocol":
            return say(
                "{command}   (if it happens again, something on the server alters the output)",
                command=again,
            )
        case "agent":
            return say("see the message above; then: {command}", command=again)
