"""The step that rebuilds the licence store."""

from __future__ import annotations

from msgspec.structs import replace

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.context import Context
from volact.core.steps.kind import Stage, plan_kind
from volact.core.steps.params import StepParams
from volact.core.steps.services import commands_to_restart
from volact.core.steps.setting import StepValues, reported
from volact.model.fact import ABSENT, Known, value_of
from volact.model.facts import Facts
from volact.model.text import Text, say


class RebuildTokenStore(StepParams, frozen=True, kw_only=True):
    """It has no parameters."""


def _commands(params: RebuildTokenStore, a: Assessment) -> tuple[str, ...]:
    folder = value_of(a.facts.store.path) or r"%windir%\System32\spp\store\2.0"
    return (
        *commands_to_restart(a, f'ren "{folder}\\tokens.dat" tokens.bar'),
        a.console.reinstall_licences(),
        shell.restart_and_plan(REBUILD_TOKEN_STORE.restarts),
    )


def _previous(params: RebuildTokenStore, facts: Facts) -> StepValues:
    return reported(path=facts.store.path, tokens=facts.store.tokens, spare=facts.store.spare)


def _promise(params: RebuildTokenStore, facts: Facts, ctx: Context) -> Facts:
    """A store without keys, that waits for its restarts."""
    licensing = facts.licensing
    version = licensing.version if isinstance(licensing.version, Known) else ABSENT
    return replace(
        facts,
        products=Known(()),
        licensing=replace(licensing, version=version),
        store=replace(facts.store, spare=Known(True)),
        restart=Known(REBUILD_TOKEN_STORE.name),
    )


def _stays(params: RebuildTokenStore, before: StepValues) -> Text:
    path = before.get("path")
    if not isinstance(path, str):
        return say("the rebuilt licence store stays; the old one is beside it as tokens.bar")
    return say(
        "the rebuilt licence store stays; the old one is {path}",
        path=f"{path}\\tokens.bar",
    )


REBUILD_TOKEN_STORE = plan_kind(
    name="rebuild-token-store",
    params=RebuildTokenStore,
    label=say("rebuild the licence store"),
    agent_parts=("restart", "token_store"),
    stage=Stage.LAST_RESORT,
    needs_consent=True,
    activation_needs_it=False,
    restarts=2,
    commands=_commands,
    previous=_previous,
    promise=_promise,
    changes=None,
    stays=_stays,
)
