"""Messages about what runs by schedule changed, to the channels of the policy.

Changes are found as ``volact watch`` finds them, for each channel since it was last told.  What
it did not take is compared again after the schedule's next run: it is told late and not never.
That a run did not come to its end no later run shows: it is kept for each channel until it is told.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from volact import __version__
from volact.client.wire import RunState
from volact.core.span import parse_span
from volact.errors import InputError
from volact.model.report import RunReport
from volact.model.text import Text, say
from volact.notify.channels import open_channels, send_to_all
from volact.queries.pages import Reader
from volact.queries.runs import RunReportQuery
from volact.queries.servers import BeforeQuery
from volact.report.base import Invocation
from volact.report.message import Message, harmless, message_of
from volact.report.run_counts import RunCounts
from volact.report.watch_changes import (
    ChangeTracker,
    ServerStanding,
    end_is_known,
    stored_standing,
)
from volact.service.database.tables import RUNS, SCHEDULES
from volact.service.database.transaction import struct_of, transaction
from volact.service.policies import NotificationChannel, NotificationPolicy
from volact.service.policy_store import decided, read_policy
from volact.service.schedules import unsent
from volact.service.schedules.unsent import Unsent
from volact.store.clock import moment
from volact.store.store import Store
from volact.words import tr

_LOG = logging.getLogger(__name__)
_UNFINISHED = ("stopped", "failed")


class EndedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run by schedule that has ended and was not looked at."""

    schedule: str
    run: str
    verb: str
    since: str  # changes since then are told
    begun: str
    ended: str
    state: RunState
    note: str  # why it did not come to its end


def ended_runs(reader: Reader) -> list[EndedRun]:
    """The last runs of schedules, where they have ended."""
    begun = sa.func.coalesce(RUNS.c.begun, RUNS.c.requested)
    query = (
        sa.select(
            SCHEDULES.c.id.label("schedule"),
            RUNS.c.id.label("run"),
            RUNS.c.spec,
            sa.func.coalesce(SCHEDULES.c.told, begun).label("since"),
            begun.label("begun"),
            RUNS.c.ended,
            RUNS.c.state,
            RUNS.c.note,
        )
        .join(RUNS, RUNS.c.id == SCHEDULES.c.last_run)
        .where(RUNS.c.ended.is_not(None))
        .where(sa.or_(RUNS.c.begun.is_not(None), RUNS.c.state == "failed"))
        .where(SCHEDULES.c.told_run != SCHEDULES.c.last_run)
    )
    return reader.ask(
        lambda connection: [
            struct_of(row, EndedRun, verb=msgspec.json.decode(row.spec)["verb"])
            for row in connection.execute(query)
        ]
    )


def tell_changes(store: Store, ended: EndedRun, env: Mapping[str, str] = os.environ) -> bool:
    """Send what a run changed, if no other process does; whether nothing is left unsent."""
    if not claim(store, ended):
        return True
    policy = read_policy(store, NotificationPolicy)
    within = parse_span(policy.expiring, "expiring")
    late = unsent.changes_since(store, ended.schedule)
    asked: defaultdict[str, list[NotificationChannel]] = defaultdict(list)
    for channel in dict.fromkeys(policy.channels):
        asked[late.get(channel.variable, ended.since)].append(channel)
    left: dict[str, str] = {}
    for since, channels in asked.items():
        message = changes_message(store, replace(ended, since=since), within)
        if message is None:
            continue
        for channel in channels:
            if not send(channel, message, env):
                left[channel.variable] = since
            elif ended.state in _UNFINISHED:
                unsent.taken(store, ended.schedule, "unfinished", _end(ended), channel.variable)
    # The process that looks at a later run meanwhile tells all since then.
    still = sa.and_(SCHEDULES.c.id == ended.schedule, SCHEDULES.c.told_run == ended.run)
    told = sa.update(SCHEDULES).where(still)
    with transaction(store) as connection:
        if connection.execute(told.values(told=ended.ended)).rowcount:
            unsent.set_changes_since(connection, ended.schedule, left)
    return not left


def send_waiting(store: Store, now: datetime, env: Mapping[str, str] = os.environ) -> None:
    """Send what else channels did not take yet; one that does not answer delays no other long."""
    there = {channel.variable for channel in read_policy(store, NotificationPolicy).channels}
    down: set[str] = set()
    for one in unsent.waiting(store, now):
        if one.channel not in there:
            unsent.forget(store, one)
        elif one.channel not in down and (claimed := unsent.claim(store, one, now)):
            if not send(NotificationChannel(variable=one.channel), waiting_message(one), env):
                down.add(one.channel)
            else:
                unsent.forget(store, claimed)


def _end(ended: EndedRun) -> str:
    """The run and why it did not come to its end, as they are kept."""
    return f"{ended.run} {ended.note}"[:1024]


def send(channel: NotificationChannel, message: Message, env: Mapping[str, str]) -> bool:
    """Send a message to a channel; whether it took it."""
    try:
        opened = open_channels([f"env:{channel.variable}"], env)
    except InputError as error:
        _not_sent(error.message)
        return False
    return send_to_all(opened, message, _not_sent)


def changes_message(store: Store, ended: EndedRun, within: timedelta) -> Message | None:
    """The message about a run; ``None`` where nothing changed and it came to its end."""
    tracker = ChangeTracker(within, _before(store, ended, within))
    counts = RunCounts()
    for row in store.rows(ended.run):
        counts.add(row.report)
        tracker.add(row.report, row.at)
    changes = tracker.changes()
    if not changes and ended.state not in _UNFINISHED:
        return None
    report = RunReportQuery(run=ended.run).ask(store) or _report(ended, counts)
    return message_of(report, counts.causes, counts.repaired, changes)


def _before(store: Store, ended: EndedRun, within: timedelta) -> dict[str, ServerStanding]:
    """How the servers stood; whether an end was soon is older where the newest row lacks it."""
    query = BeforeQuery(run=ended.run, at=ended.since)
    standings: dict[str, ServerStanding] = {}
    unknown: set[str] = set()
    for row in query.stream(store):
        standings[row.name] = stored_standing(row, within)
        if not end_is_known(row):
            unknown.add(row.name)
    for row in replace(query, licensed=True).stream(store) if unknown else ():
        if row.name in unknown:
            soon = stored_standing(row, within).expiring
            standings[row.name] = replace(standings[row.name], expiring=soon)
    return standings


def waiting_message(one: Unsent) -> Message:
    """That a run by schedule could not start, waits for a person, or did not come to its end."""
    said = {
        "failure": say("volact: the schedule {name} could not start its run", name=one.name),
        "approval": say("volact: the schedule {name} asks for approval of a run", name=one.name),
        "unfinished": say(
            "volact: a run by the schedule {name} did not come to its end", name=one.name
        ),
    }[one.kind]
    run, _, why = ("", "", one.what) if one.kind == "failure" else one.what.partition(" ")
    title, error = harmless(tr(said)), harmless(tr(why)) if why else ""
    text = "\n".join(filter(None, (error, run and harmless(tr(say("run {id}", id=run))))))
    data = {"title": title, "text": f"{title}\n{text}", "schedule": one.name}
    data |= {"run": run} if run else {}
    data |= {} if one.kind == "approval" else {"error": error}
    return Message(title=title, text=text, data=data)


def _report(ended: EndedRun, counts: RunCounts) -> RunReport:
    """The report of a run that never wrote its own."""
    begun, end = datetime.fromisoformat(ended.begun), datetime.fromisoformat(ended.ended)
    how = Invocation(volact=__version__, command=ended.verb, run=ended.run, started=moment(begun))
    report = how.end(counts.summary(), (end - begun).total_seconds())
    return replace(report, notes=(ended.note,) if ended.note else ())


def claim(store: Store, ended: EndedRun) -> bool:
    """Whether this process is the one that looks at the run; one that ends loses nothing."""
    of = sa.and_(SCHEDULES.c.id == ended.schedule, SCHEDULES.c.last_run == ended.run)
    new = sa.update(SCHEDULES).where(of, SCHEDULES.c.told_run != ended.run)
    with transaction(store) as connection:
        values = {"told_run": ended.run, "told": ended.since}
        if not connection.execute(new.values(values)).rowcount:
            return False
        if ended.state in _UNFINISHED:
            channels = [one.variable for one in decided(connection, NotificationPolicy).channels]
            unsent.add(connection, ended.schedule, "unfinished", _end(ended), channels)
    return True


def _not_sent(why: str | Text) -> None:
    _LOG.warning("%s", why)
