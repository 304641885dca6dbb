"""The audit: one line a change, in its transaction, and a chain that shows what is missing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import sqlalchemy as sa
from cli_run import volact
from service_identity import Service, either_service, service, store

from volact.cli.options.service import AuditOptions
from volact.cli.verbs.user import audit
from volact.client.wire import NewUser, ViewDraft
from volact.queries.filters import ServerFilter
from volact.service.access import Actor
from volact.service.database.tables import AUDIT, AUDIT_HEAD
from volact.service.identity.audit import every_line, lines, verify
from volact.service.identity.users import add
from volact.service.views import save_view
from volact.store.store import Store

__all__ = ["either_service", "service", "store"]

ADA = Actor(user="1", name="ada", role="operator", via="token", address="192.0.2.7")


def three_lines(service: Service) -> None:
    for number in range(3):
        with service.change(ADA) as change:
            change.tell("run.requested", f"run-{number}", detail={"n": number}, approved_by="eve")


def test_a_line_says_who_what_from_where_on_whose_approval(either_service: Service) -> None:
    three_lines(either_service)
    newest = either_service.store.ask(lines)[0]
    assert (newest.user, newest.via, newest.address) == ("ada", "token", "192.0.2.7")
    assert (newest.action, newest.object, newest.detail) == ("run.requested", "run-2", {"n": 2})
    assert (newest.approved_by, newest.at) == ("eve", either_service.clock())
    assert [one.position for one in either_service.store.stream(every_line)] == [1, 2, 3]
    check = either_service.store.ask(verify)
    assert (check.lines, check.head, check.broken_at) == (3, newest.hash, 0)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        (sa.update(AUDIT).where(AUDIT.c.position == 2).values(user="eve"), 2),
        (sa.update(AUDIT).where(AUDIT.c.position == 1).values(detail='{"n":9}'), 1),
        (sa.delete(AUDIT).where(AUDIT.c.position == 1), 1),
        (sa.delete(AUDIT).where(AUDIT.c.position == 2), 2),
        (sa.delete(AUDIT).where(AUDIT.c.position == 3), 3),
        (sa.delete(AUDIT), 1),
        (sa.update(AUDIT_HEAD).values(position=2), 4),
        (sa.delete(AUDIT_HEAD), 4),
    ],
)
def test_a_line_that_is_changed_or_missing_shows(
    service: Service, statement: sa.Executable, broken_at: int
) -> None:
    three_lines(service)
    with service.change() as change:
        change.connection.execute(statement)
    assert service.store.ask(verify).broken_at == broken_at


def test_a_change_that_fails_leaves_no_line(service: Service) -> None:
    with pytest.raises(RuntimeError), service.change(ADA) as change:
        add(change, NewUser(name="eve", role="viewer"))
        raise RuntimeError
    assert service.store.ask(lines) == []


def test_a_view_s_line_says_what_it_finds(either_service: Service) -> None:
    filter = ServerFilter(names=("lab-*",), overdue=False, ends_before=either_service.clock())
    with either_service.change(ADA) as change:
        made = save_view(change, ViewDraft(name="lab", filter=filter))
    (line,) = either_service.store.ask(lines)
    assert (line.action, line.object, line.detail["shared"]) == ("view.saved", "lab", False)
    assert msgspec.convert(line.detail["filter"], ServerFilter) == filter == made.filter


def test_writers_at_once_make_one_chain(either_service: Service) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(three_lines, either_service) for _ in range(4)]:
            done.result()
    check = either_service.store.ask(verify)
    assert (check.lines, check.broken_at) == (12, 0)


def test_an_audit_without_lines_is_called_that(
    service: Service, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert service.store.ask(lines) == []
    assert audit(AuditOptions(database=str(store.address.file))) == 0
    assert capsys.readouterr().err == "volact: the audit has no lines yet\n"


def test_the_verb_checks_and_exports(service: Service, store: Store) -> None:
    three_lines(service)
    database = ("--database", str(store.address.file))
    done = volact("audit", "--export", *database)
    assert done.returncode == 0
    assert [json.loads(line)["object"] for line in done.stdout.splitlines()] == [
        "run-0", "run-1", "run-2",
    ]  # fmt: skip
    with service.change() as change:
        change.connection.execute(sa.delete(AUDIT).where(AUDIT.c.position == 3))
    done = volact("audit", *database)
    assert (done.returncode, "line 3" in done.stderr) == (3, True)
