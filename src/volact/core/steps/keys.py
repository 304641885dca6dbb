"""The step that installs a published client key."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from volact.core.assessment import Assessment
from volact.core.assessment.kms_setting import service_setting
from volact.core.context import Context
from volact.core.steps.kind import Stage, plan_kind
from volact.core.steps.licences import main_products
from volact.core.steps.params import StepParams
from volact.core.steps.setting import StepValues, reported
from volact.model.fact import ABSENT, Known, value_of
from volact.model.facts import Facts, Product
from volact.model.text import Text, say

_INITIAL_GRACE = 2
_IN_GRACE_REASON = 0x4004F00C
_GRACE_MIN = 43_200


class InstallKey(StepParams, frozen=True, kw_only=True):
    """Published keys by ``build/SKU``; an installed key is left alone unless ``replace``."""

    keys: dict[str, str]
    replace: bool

    def key_for(self, facts: Facts) -> str | None:
        """The key for this release and edition."""
        build, sku = value_of(facts.os.build), value_of(facts.os.sku)
        return self.keys.get(f"{build}/{sku}")


def _commands(params: InstallKey, a: Assessment) -> Iterator[str]:
    key = params.key_for(a.facts)
    if key:
        yield a.console.install_key(key)


def _previous(params: InstallKey, facts: Facts) -> StepValues:
    """Never a key, only the last five characters of each."""
    if not isinstance(facts.products, Known):
        return reported(partial_key=facts.products)
    tails = [value_of(product.partial_key) or "" for product in main_products(facts)]
    return {"partial_key": " ".join(tails) if tails else None}


def _promise(params: InstallKey, facts: Facts, ctx: Context) -> Facts:
    """A new key takes the place of the Windows key; add-ons keep theirs."""
    key = params.key_for(facts)
    if key is None:
        return facts
    service = service_setting(facts)
    host = service.value.host if isinstance(service, Known) else None
    product = Product(
        id=Known(f"gvlk-{key[-5:].lower()}"),
        name=Known("Windows(R)"),
        description=Known("Windows(R) Operating System, VOLUME_KMSCLIENT channel"),
        partial_key=Known(key[-5:]),
        addon=Known(False),
        status=Known(_INITIAL_GRACE),
        reason=Known(_IN_GRACE_REASON),
        grace_min=Known(_GRACE_MIN),
        channel=Known("Volume:GVLK"),
        kms_machine=Known(host.host) if host else ABSENT,
        kms_port=Known(host.port) if host else Known(0),
        discovered_name=ABSENT,
        discovered_port=ABSENT,
        vl_type=ABSENT,
    )
    kept = [other for other in value_of(facts.products) or () if value_of(other.addon)]
    return replace(facts, products=Known((product, *kept)))


def _stays(params: InstallKey, before: StepValues) -> Text:
    tail = before.get("partial_key")
    if not isinstance(tail, str):
        return say("the installed key stays: volact removes no keys")
    return say(
        "only the last five characters of the earlier key are known ({tail}): volact never "
        "reads or stores a whole key",
        tail=tail,
    )


INSTALL_KEY = plan_kind(
    name="install-key",
    params=InstallKey,
    label=say("install the published KMS client key"),
    agent_parts=("activation",),
    stage=Stage.KEY,
    needs_consent=False,
    activation_needs_it=True,
    restarts=0,
    commands=_commands,
    previous=_previous,
    promise=_promise,
    changes=None,
    stays=_stays,
)
