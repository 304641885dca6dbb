"""Messages about what runs by schedule changed, to the channels of the policy.

Changes are found as ``volact watch`` finds them.  What could not be sent is compared again
after the schedule's next run, so that it is told late and not never.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from volact import __version__
from volact.client.wire import RunInfo, RunState, ScheduleInfo
from volact.core.span import parse_span
from volact.errors import InputError
from volact.model.report import RunReport
from volact.model.text import Text, say
from volact.notify.channels import open_channels, send_to_all
from volact.queries.pages import Reader
from volact.queries.runs import RunReportQuery
from volact.queries.servers import BeforeQuery
from volact.report.message import Message, harmless, message_of
from volact.report.run_counts import RunCounts
from volact.report.watch_changes import ChangeTracker, stored_standing
from volact.service.database.tables import RUNS, SCHEDULES
from volact.service.database.transaction import struct_of, transaction
from volact.service.policies import NotificationChannel, NotificationPolicy
from volact.service.policy_store import read_policy
from volact.store.clock import moment
from volact.store.store import Store
from volact.words import tr

_LOG = logging.getLogger(__name__)


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
    if not _claim(store, ended):
        return True
    policy = read_policy(store, NotificationPolicy)
    message = changes_message(store, ended, parse_span(policy.expiring, "expiring"))
    sent = message is None or not send(policy.channels, message, env)
    if sent:
        told = sa.update(SCHEDULES).where(SCHEDULES.c.id == ended.schedule)
        with transaction(store) as connection:
            connection.execute(told.values(told=ended.ended))
    return sent


def send(
    channels: Iterable[NotificationChannel], message: Message, env: Mapping[str, str] = os.environ
) -> tuple[NotificationChannel, ...]:
    """Send a message to every channel; those that did not take it."""
    return tuple(channel for channel in channels if not _send(channel, message, env))


def _send(channel: NotificationChannel, message: Message, env: Mapping[str, str]) -> bool:
    try:
        opened = open_channels([f"env:{channel.variable}"], env)
    except InputError as error:
        _not_sent(error.message)
        return False
    return send_to_all(opened, message, _not_sent)


def changes_message(store: Store, ended: EndedRun, within: timedelta) -> Message | None:
    """The message about a run; ``None`` where nothing changed and it came to its end."""
    before = BeforeQuery(run=ended.run, at=ended.since).stream(store)
    tracker = ChangeTracker(within, {row.name: stored_standing(row, within) for row in before})
    counts = RunCounts()
    for row in store.rows(ended.run):
        counts.add(row.report)
        tracker.add(row.report, row.at)
    changes = tracker.changes()
    if not changes and ended.state not in ("stopped", "failed"):
        return None
    report = RunReportQuery(run=ended.run).ask(store) or _report(ended, counts)
    return message_of(report, counts.causes, counts.repaired, changes)


def failure_message(schedule: ScheduleInfo, why: str) -> Message:
    """The message that a schedule could not start its run."""
    said = say("volact: the schedule {name} could not start its run", name=schedule.name)
    title, text = harmless(tr(said)), harmless(tr(why))
    data = {"title": title, "text": f"{title}\n{text}", "schedule": schedule.name, "error": text}
    return Message(title=title, text=text, data=data)


def approval_message(schedule: ScheduleInfo, run: RunInfo) -> Message:
    """The message that a run by schedule waits for a person."""
    said = say("volact: the schedule {name} asks for approval of a run", name=schedule.name)
    title, text = harmless(tr(said)), harmless(tr(say("run {id}", id=run.id)))
    data = {"title": title, "text": f"{title}\n{text}", "schedule": schedule.name, "run": run.id}
    return Message(title=title, text=text, data=data)


def _report(ended: EndedRun, counts: RunCounts) -> RunReport:
    """The report of a run that never wrote its own."""
    begun, end = datetime.fromisoformat(ended.begun), datetime.fromisoformat(ended.ended)
    return RunReport(
        volact=__version__,
        command=ended.verb,
        run=ended.run,
        started=moment(begun),
        elapsed_s=(end - begun).total_seconds(),
        servers=(),
        summary=counts.summary(),
        notes=(ended.note,) if ended.note else (),
    )


def _claim(store: Store, ended: EndedRun) -> bool:
    """Whether this process is the one that looks at the run."""
    of = sa.and_(SCHEDULES.c.id == ended.schedule, SCHEDULES.c.last_run == ended.run)
    new = sa.update(SCHEDULES).where(of, SCHEDULES.c.told_run != ended.run)
    with transaction(store) as connection:
        return connection.execute(new.values(told_run=ended.run)).rowcount == 1


def _not_sent(why: str | Text) -> None:
    _LOG.warning("%s", why)
