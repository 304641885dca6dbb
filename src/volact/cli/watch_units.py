"""Units for systemd and a line for cron that start ``volact watch --once``.

Pure: options in, text out.  Words are quoted by the rules of each.  Secrets stay in a file
of variables, never in a unit or a crontab.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from volact.cli.registry import default_of
from volact.cloud.registry import cloud_of_scheme
from volact.errors import InputError
from volact.inventory.cloud_list import parse_source
from volact.knowledge.provider_files import OWN
from volact.model.server import Server
from volact.model.text import say
from volact.store.address import VARIABLE
from volact.words import tr

ENVIRONMENT = "/etc/volact/watch.env"
# Options of the interval, which belongs to the timer here.
_TIMING = ("every", "jitter", "once", "print_systemd", "print_cron")
_HOMES = ("/home/", "/root/", "/var/home/")
_BARE = re.compile(r"[A-Za-z0-9_@+=:,./-]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatchCommand:
    """The command, its user and folder, and how often it starts."""

    command: tuple[str, ...]
    folder: str
    user: str  # "": an account without a name
    every: timedelta
    jitter: timedelta
    variables: tuple[str, ...]  # that the run needs


def words_of(options: Any) -> Iterator[str]:
    """The options as they are typed, without the interval; targets last."""
    for item in dataclasses.fields(options):
        value = getattr(options, item.name)
        if item.name in (*_TIMING, "targets") or value == default_of(item):
            continue
        name = f"--{item.name.strip('_').replace('_', '-')}"
        if value is True:
            yield name
        else:
            yield from (f"{name}={each}" for each in _each(value))
    yield from (["--", *options.targets] if options.targets else [])


def _each(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return [f"{value:g}" if isinstance(value, float) else str(value)]


def variables_of(
    options: Any, servers: Sequence[Server] = (), environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """The environment variables that the run needs; ``InputError`` for a URL in clear.

    Those of logins whether they are set or not; those that volact, a database or a cloud's
    SDK reads on its own where they are set now.
    """
    for word in options.notify:
        if not word.startswith("env:"):
            raise InputError(
                say("--notify: a URL may be secret and would be readable there"),
                say("put it into a variable: --notify env:VOLACT_NOTIFY"),
            )
    named = [options.password_env, *(word.removeprefix("env:") for word in options.notify)]
    for server in servers:
        named += [server.credential.password_env, server.credential.passphrase_env]
    clouds = [cloud_of_scheme(server.address.scheme) for server in servers]
    clouds += [parse_source(options.from_)[0]] if options.from_ else []
    prefixes = tuple({cloud.variables for cloud in clouds if cloud is not None})
    read = sorted(name for name in environ if name.startswith(prefixes))
    named += [name for name in (OWN, VARIABLE, "PGPASSWORD", *read) if environ.get(name)]
    return tuple(dict.fromkeys(name for name in named if name))


def systemd(start: WatchCommand) -> str:
    """A service and its timer, with the commands that start them."""
    if not start.user:
        raise InputError(
            say("this account has no name, which a systemd unit needs"),
            say("print the units as the account that runs them"),
        )
    template = _environment().get_template("watch_systemd.j2")
    return template.render(
        **{item.name: getattr(start, item.name) for item in dataclasses.fields(start)},
        environment=ENVIRONMENT,
        every_s=f"{start.every.total_seconds():.0f}",
        jitter_s=f"{start.jitter.total_seconds():.0f}",
        afterwards=list(_afterwards(start)),
    )


def _environment() -> Environment:
    made = Environment(  # noqa: S701 - units are no HTML; the filters quote by systemd's rules
        loader=PackageLoader("volact.cli"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(unit_word=quoted, unit_path=_path)
    return made


def _afterwards(start: WatchCommand) -> Iterator[str]:
    yield "systemctl daemon-reload && systemctl enable --now volact-watch.timer"
    if start.command[0].startswith(_HOMES):
        yield tr(
            say(
                "with SELinux (Fedora, RHEL) systemd starts no program below a home directory "
                "(203/EXEC): install volact into /opt/volact"
            )
        )
    if start.variables:
        yield tr(
            say(
                "{file}, readable by root only, has a line NAME='value' for each of: {names}",
                file=ENVIRONMENT,
                names=", ".join(start.variables),
            )
        )


def quoted(word: str) -> str:
    """A word of ExecStart, quoted so that nothing in it is expanded or split."""
    word = word.replace("%", "%%").replace("$", "$$")
    if _BARE.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_visible(char) for char in escaped) + '"'


def _visible(char: str) -> str:
    return char if char >= " " and char != "\x7f" else f"\\x{ord(char):02x}"


def _path(folder: str) -> str:
    if any(char < " " for char in folder):
        raise InputError(
            say("the folder's name has a line break, which a systemd unit cannot contain")
        )
    return folder.replace("%", "%%")


def cron(start: WatchCommand) -> str:
    """A line for a user's crontab, and a comment that names the variables."""
    given = ["set -a", f". {ENVIRONMENT}", "set +a"] if start.variables else []
    steps = [f"cd {shlex.quote(start.folder)}", *given, shlex.join(start.command)]
    line = f"{_when(start)} {' && '.join(steps).replace('%', chr(92) + '%')}"
    named = say(
        "{file}, readable by its user only, has a line NAME='value' for each of: {names}",
        file=ENVIRONMENT,
        names=", ".join(start.variables),
    )
    lines = [line, *([f"# {tr(named)}"] if start.variables else [])]
    if any("\n" in each or "\r" in each for each in lines):
        raise InputError(say("an option has a line break, which a crontab cannot contain"))
    return "".join(f"{each}\n" for each in lines)


def _when(start: WatchCommand) -> str:
    """The five time fields; the minute is a hash of the command, so starts are spread."""
    minutes = round(start.every.total_seconds() / 60)
    digest = hashlib.sha256("\0".join([start.folder, *start.command]).encode()).digest()
    at = digest[0] % 60
    if minutes and minutes < 60 and 60 % minutes == 0:
        return f"{at % minutes}-59/{minutes} * * * *"
    hours, rest = divmod(minutes, 60)
    if not rest and hours and hours < 24 and 24 % hours == 0:
        return f"{at} {digest[1] % hours}-23/{hours} * * *"
    if minutes == 24 * 60:
        return f"{at} {digest[1] % 24} * * *"
    raise InputError(
        say("--every: cron cannot express this interval"),
        say(
            "use a fraction of an hour or a day, such as 15m, 6h or 1d; systemd accepts any "
            "interval"
        ),
    )
