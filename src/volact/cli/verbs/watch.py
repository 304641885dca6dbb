"""``volact watch``: run again and again, repair if allowed, send changes.

One watch over the same servers at a time, on this machine and for this user.  The lock is
the operating system's and ends with its process, so none is left after a crash.  A file
system without such locks is an error: a lock by a file's mere existence would outlive a
killed watch.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from volact.account import account_name
from volact.cli.console import use_stdout
from volact.cli.failure import tell
from volact.cli.fleet_options import consent_of, files_read, fleet_of, parse_ignored
from volact.cli.options.changes import WatchOptions
from volact.cli.rollout import control_of
from volact.cli.selection import refuse_leftovers
from volact.cli.sinks import parse_reports
from volact.cli.watch import Watch, WatchInterval
from volact.cli.watch_state import WatchStateFile
from volact.cli.watch_units import WatchCommand, cron, systemd, variables_of, words_of
from volact.core.context import Policy
from volact.core.span import parse_span
from volact.errors import InputError, StoreError, VolactError
from volact.fleet.prepare import parse_kms_hosts
from volact.inventory import Inventory, addressed, choose, load_inventory
from volact.inventory.cloud_list import parse_filters, parse_source
from volact.model.error_text import error_text
from volact.model.server import Server
from volact.model.text import Text, say
from volact.notify.channels import open_channels
from volact.pipeline import Mode
from volact.queries.filters import ServerFilter
from volact.queries.servers import ServersQuery
from volact.report.watch_changes import ServerStanding
from volact.store import open_store
from volact.store.address import chosen

_FOR_REPAIRS = ("allow", "replace_key", "canary", "max_failures")


def watch(options: WatchOptions) -> int:
    """Check at an interval, repair if allowed, report changes."""
    every = parse_span(options.every, "--every")
    jitter = parse_span(options.jitter, "--jitter") if options.jitter else every / 20
    if not options.repair and any(getattr(options, name) for name in _FOR_REPAIRS):
        named = ", ".join(f"--{name.replace('_', '-')}" for name in _FOR_REPAIRS)
        raise InputError(say("{named} are for repairs", named=named), say("add --repair"))
    if options.print_systemd or options.print_cron:
        return _print(options, every, jitter)

    if not options.once and every < timedelta(minutes=1):
        tell(say("--every {every} asks each server more than once a minute", every=options.every))
    with alone(_whose(options)) as lock:
        made = _watch(options, WatchStateFile(lock.with_suffix(".told")))
        if options.once:
            return made.single()
        return made.forever(WatchInterval(every=every, jitter=jitter))


def _watch(options: WatchOptions, file: WatchStateFile) -> Watch:
    policy = Policy(replace_key=options.replace_key, consent=consent_of(options.allow))
    within = parse_span(options.expiring, "--expiring")
    mode: Mode = "activate" if options.repair else "check"
    return Watch(
        options,
        lambda: fleet_of(options, mode, policy),
        open_channels(options.notify),
        within=within,
        before=dict(_before(options)),
        file=file,
    )


def _before(options: WatchOptions) -> Iterator[tuple[str, ServerStanding]]:
    """The servers that are healthy by the store.

    All others count as not known, so that a watch tells of them though a run by another verb
    has seen them first.
    """
    if options.no_store or chosen(options.store) is None:
        return

    try:
        store = open_store(options.store or None, create=False)
        if store is None:
            return
        with store:
            healthy = ServerFilter(verdicts=("healthy",))
            for server in ServersQuery(now=datetime.now(UTC), filter=healthy).stream(store):
                yield server.name, ServerStanding("healthy", "")
    except StoreError as error:  # an unreadable store does not stop a watch
        tell(error_text(error))


def _whose(options: WatchOptions) -> list[str]:
    """The words that name the watched servers; they identify the lock."""
    inventory = _in_full(options.inventory) if options.inventory else ""
    return [
        inventory, options.from_, *options.from_filter, *sorted(options.limits),
        *sorted(options.targets),
    ]  # fmt: skip


def _in_full(path: str) -> str:
    """A path with the current folder, the folder itself for ``""``."""
    try:
        return os.path.abspath(path)  # noqa: PTH100
    except OSError as error:
        raise InputError(
            say("the current folder does not exist any more"), say("change to another one")
        ) from error


def _print(options: WatchOptions, every: timedelta, jitter: timedelta) -> int:
    start = _start(options, every, jitter)
    asked = ((options.print_systemd, systemd), (options.print_cron, cron))
    # Both are made before one is printed: cron may not be able to express the interval.
    texts = [text(start) for wanted, text in asked if wanted]
    use_stdout("file").write("".join(texts))
    return 0


def _start(options: WatchOptions, every: timedelta, jitter: timedelta) -> WatchCommand:
    parse_reports(options.report, files_read(options))
    consent_of(options.allow)
    parse_ignored(options.ignore)
    parse_span(options.expiring, "--expiring")
    parse_kms_hosts(options.kms_host, "--kms-host")
    control_of(options)
    servers = _named(options)
    folder = _in_full("")
    return WatchCommand(
        command=(*_program(), "watch", "--once", *words_of(options)),
        folder=folder,
        user=account_name(),
        every=every,
        jitter=jitter,
        variables=variables_of(options, servers),
    )


def _named(options: WatchOptions) -> tuple[Server, ...]:
    """The servers that are named, none of a cloud's list: nothing is asked for units."""
    refuse_leftovers(options)
    if options.from_:
        cloud, _ = parse_source(options.from_)
        parse_filters(cloud, options.from_filter)
        return ()
    inventory = load_inventory(options.inventory) if options.inventory else Inventory()
    targets = [addressed(inventory, word) for word in options.targets]
    return choose(inventory, targets, options.limits)


def _program() -> tuple[str, ...]:
    """The absolute command that starts this volact."""
    typed = Path(sys.argv[0])
    if typed.stem == "volact" and typed.is_file():
        return (str(typed.absolute()),)
    if typed.suffix == ".pyz" and typed.is_file():  # a single file
        return (sys.executable, str(typed.absolute()))
    return (sys.executable, "-m", "volact")


def _lock_hint() -> Text:
    if sys.platform == "win32":  # where the folder is the profile's own
        return say("watch keeps its lock there; make that folder writable")
    return say("watch keeps its lock there; set XDG_STATE_HOME to a folder that you can write")


@contextmanager
def alone(words: Sequence[str], folder: Path | None = None) -> Iterator[Path]:
    """Hold the lock for the servers that ``words`` name, a file; ``VolactError`` if it is held."""
    digest = hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:16]
    folder = folder or Path(platformdirs.user_state_dir("volact", appauthor=False))
    path = folder / f"watch-{digest}.lock"
    lock = FileLock(path, mode=0o600, blocking=False, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise VolactError(
            say("another watch is running for the same servers"),
            say("wait for it, or stop it; its lock is {path}", path=path),
        ) from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise VolactError(say("{path}: {why}", path=path, why=why), _lock_hint()) from error
    try:
        yield path
    finally:
        lock.release()
