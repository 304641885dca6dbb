"""The form of a schedule: what it does not show stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace
from sent_form import SentForm, filled
from service_fleet import NOW, add_inventory, console, opened, person

from volact.client.wire import (
    Blackout,
    MaintenanceWindow,
    RunSpec,
    ScheduleDraft,
    ScheduleSpec,
    ViewDraft,
)
from volact.core.context import Policy
from volact.queries.filters import ServerFilter
from volact.service.access import Actor
from volact.service.identity.audit import changing
from volact.service.schedules.store import find_schedule, save_schedule
from volact.service.views import save_view
from volact.store.store import Store

BEN = Actor(user="2", name="Ben", role="administrator")
RUN = RunSpec(
    verb="plan",
    inventory="fleet.toml",
    targets=("web", "db"),
    limit=("!db-01",),
    policy=Policy(
        replace_key=True, override_entitlement="bought", consent=frozenset({"add-dns", "rearm"})
    ),
    canary="2:1",
    max_failures="5%",
    pace="30/m",
    kms_concurrency=7,
    concurrency=3,
    deadline_s=90.0,
    retries=0,
    only=("web-01",),
)
SPEC = ScheduleSpec(
    run=RUN,
    every="6h",
    zone="Asia/Jakarta",
    windows=(MaintenanceWindow(begin="01:00", end="05:00", days=("mon", "tue")),),
    blackouts=(Blackout(first=date(2026, 12, 24), last=date(2026, 12, 26)),),
    jitter="1m",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "volact.db") as made:
        add_inventory(made, "another.toml")
        add_inventory(made)
        yield made


def add(store: Store, spec: ScheduleSpec) -> str:
    with changing(store, NOW, BEN) as change:
        return save_schedule(change, ScheduleDraft(name="nightly", spec=spec)).id


def add_view(store: Store, who: Actor, *, shared: bool) -> str:
    draft = ViewDraft(name="Ben's lab", filter=ServerFilter(names=("lab-*",)), shared=shared)
    with changing(store, NOW, who) as change:
        return save_view(change, draft).id


def saved(store: Store, id: str, **changed: Any) -> tuple[ScheduleSpec, SentForm]:
    """What the schedule is after its form was saved with other values of some fields."""
    with TestClient(console(store, person())) as http:
        form = SentForm(http.get(f"/schedules/{id}").text, f"/schedules/{id}")
        assert http.post(f"/schedules/{id}", data={**form.fields, **changed}).status_code == 200
    found = find_schedule(store, id)
    assert found.owner == "Ana"
    return found.spec, form


def test_a_form_changes_what_was_changed_in_it_alone(store: Store) -> None:
    id = add(store, SPEC)
    spec, _ = saved(store, id, jitter="5m")
    assert spec == replace(SPEC, jitter="5m")
    spec, _ = saved(
        store, id, targets="", limit="", consent=["rearm"], verb="check", first="", last=""
    )
    run = replace(RUN, targets=(), limit=(), verb="check")
    run = replace(run, policy=replace(RUN.policy, consent=frozenset({"rearm"})))
    assert spec == replace(SPEC, run=run, jitter="5m", blackouts=())


@pytest.mark.parametrize(
    ("shared", "words"), [(False, "a view of another user"), (True, "Ben's lab")]
)
def test_the_view_of_another_stays_until_another_is_chosen(
    store: Store, shared: bool, words: str
) -> None:
    view = add_view(store, BEN, shared=shared)
    id = add(store, replace(SPEC, view=view))
    spec, form = saved(store, id, jitter="5m")
    assert (spec.view, form.choices["view"]) == (view, words)
    own = add_view(store, person(), shared=False)
    assert saved(store, id, view=own)[0].view == own
    spec, form = saved(store, id, view="")
    assert (spec.view, form.choices["view"]) == ("", "Ben's lab")
    assert saved(store, id)[1].choices["view"] == "all"


def test_what_another_changed_since_the_form_was_loaded_stays(store: Store) -> None:
    second = MaintenanceWindow(begin="13:00", end="14:00")
    two = replace(SPEC, windows=(*SPEC.windows, second), blackouts=SPEC.blackouts * 2)
    id = add(store, SPEC)
    with TestClient(console(store, person())) as http:
        form = filled(http, f"/schedules/{id}")
        with changing(store, NOW, BEN) as change:
            save_schedule(change, ScheduleDraft(name="nightly", spec=two), id)
        assert http.post(f"/schedules/{id}", data=form).status_code == 409
    assert find_schedule(store, id).spec == two


def test_words_with_blanks_stay_words_in_a_form(store: Store) -> None:
    odd = replace(SPEC, run=replace(RUN, limit=("prod/web 01", "!a,b"), targets=("tag eu",)))
    id = add(store, odd)
    assert saved(store, id, jitter="5m")[0] == replace(odd, jitter="5m")
    spec, _ = saved(store, id, limit="'prod/web 02', web-*")
    assert spec.run.limit == ("prod/web 02", "web-*")


def test_a_schedule_that_is_gone_is_not_found(store: Store) -> None:
    with TestClient(console(store, person())) as http:
        assert http.post("/schedules/none", data={"name": "x"}).status_code == 404
