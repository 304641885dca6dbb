"""Steps that set the KMS host of the whole server or of one product."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from volact.core.assessment import Assessment, assess
from volact.core.assessment.hosts import DEFAULT_PORT, same_host
from volact.core.assessment.kms_setting import product_setting, service_setting
from volact.core.context import Context
from volact.core.steps.kind import Changes, Stage, nothing_changes, plan_kind, undo_kind
from volact.core.steps.kms_names import KmsNames, host_values, kms_names
from volact.core.steps.licences import described_clients
from volact.core.steps.params import StepParams
from volact.core.steps.setting import (
    Reading,
    Reversal,
    Setting,
    SettingKey,
    StepValues,
    known_value,
)
from volact.model.fact import ABSENT, Absent, Fact, Known, Unreadable, is_known, value_of
from volact.model.facts import Facts, Product
from volact.model.profile import HostPort
from volact.model.text import Text, say

_NOT_IN_WMI = 0x80041002

Layer = Literal["service", "product"]


class SetKmsHost(StepParams, frozen=True, kw_only=True):
    """The accepted KMS hosts, the preferred one first.

    ``unproven``: it is not certain that one of them can be reached; the first
    that may be is set, and removed if the activation fails.
    """

    layer: Layer
    product: str | None = None
    hosts: tuple[str, ...]
    unproven: bool = False


class ClearKmsHost(StepParams, frozen=True, kw_only=True):
    """The product whose own KMS host is removed; without one, all but ``keep`` are.

    ``unproven`` as with ``SetKmsHost``.
    """

    layer: Layer
    product: str | None = None
    keep: tuple[str, ...] = ()
    unproven: bool = False


class PutBackKmsHost(StepParams, frozen=True, kw_only=True):
    """The setting to put back as it was before this run, if one of these steps failed.

    Only what a step of the same run changed while it was ``unproven``.
    """

    layer: Layer
    product: str | None = None
    if_failed: tuple[str, ...]


class RestoreKmsHost(StepParams, frozen=True, kw_only=True):
    """The KMS host to put back: ``name`` as it was spelt, ``port`` where it is set."""

    layer: Layer
    product: str | None = None
    expect: tuple[str | None, ...]
    host: str | None
    name: str | None = None
    port: int | None


KmsHostStep = SetKmsHost | ClearKmsHost | PutBackKmsHost | RestoreKmsHost
_HOST_NAME = re.compile(r"[0-9A-Za-z._:-]{1,255}")


def _commands_to_set(params: SetKmsHost, a: Assessment) -> tuple[str, ...]:
    hosts = tuple(map(HostPort.parse, params.hosts))
    return (a.console.set_kms_host(_chosen(hosts, a)),)


def _chosen(hosts: tuple[HostPort, ...], a: Assessment) -> HostPort:
    """The host that the agent takes: the present one if it is right and reached,
    else the first that is reached, else the first that may be, else the first."""
    reached = [host for host in hosts if host in (a.kms.reached or a.kms.on_trial)]
    setting = a.kms.service
    if isinstance(setting, Known):
        present = setting.value.host
        reached.sort(key=lambda host: not same_host(host, present))
    return (reached or list(hosts))[0]


def _commands_to_put_back(params: PutBackKmsHost, a: Assessment) -> Iterator[str]:
    """The command for a failed activation only; a name from the server is checked first."""
    setting = a.kms.service
    if params.layer == "service" and isinstance(setting, Absent):
        yield f"rem if that failed: {a.console.clear_kms_host()}"
    elif params.layer == "service" and isinstance(setting, Known):
        host = setting.value.host
        if _HOST_NAME.fullmatch(host.host):
            yield f"rem if that failed: {a.console.set_kms_host(host)}"


def _previous(params: KmsHostStep, facts: Facts) -> StepValues:
    if params.layer != "product" or params.product:
        return host_values(kms_names(facts, params.product), params.product)
    # Without an activation id: the first client that has a host of its own.
    own = ((id, kms_names(facts, id)) for id in map(_id_of, described_clients(facts)))
    id, names = next(
        (pair for pair in own if not isinstance(pair[1].host, Absent)), ("-", KmsNames())
    )
    return host_values(names, id)


def _id_of(product: Product) -> str | None:
    return value_of(product.id)


def _promise_host(params: SetKmsHost, facts: Facts, ctx: Context) -> Facts:
    accepted = list(map(HostPort.parse, params.hosts))
    kms = assess(facts, ctx).kms
    reached = [host for host in kms.reached or kms.on_trial if host in accepted]
    host = (reached or accepted)[0]
    return _with_server_host(facts, Known(host.host), host.port)


def _with_server_host(facts: Facts, name: Fact[str], port: int | None) -> Facts:
    """Products without a host of their own show the new one."""
    products = tuple(
        product
        if isinstance(product_setting(facts, product), Known)
        else replace(product, kms_machine=name, kms_port=Known(port or 0))
        for product in value_of(facts.products) or ()
    )
    return replace(
        facts,
        licensing=replace(facts.licensing, machine=name, port=Known(port or 0)),
        registry=replace(facts.registry, machine=name, port=Known(str(port)) if port else ABSENT),
        products=Known(products) if isinstance(facts.products, Known) else facts.products,
    )


def _with_inherited_host(facts: Facts, product: str | None) -> Facts:
    """The product shows the server's setting again."""
    service = service_setting(facts)
    host = service.value.host if isinstance(service, Known) else HostPort("", DEFAULT_PORT)
    return _with_product_host(facts, product, Known(host.host) if host.host else ABSENT, host.port)


def _with_product_host(facts: Facts, product: str | None, name: Fact[str], port: int) -> Facts:
    products = tuple(
        replace(one, kms_machine=name, kms_port=Known(port)) if value_of(one.id) == product else one
        for one in value_of(facts.products) or ()
    )
    return replace(facts, products=Known(products))


def _promise_restored(params: RestoreKmsHost, facts: Facts, ctx: Context) -> Facts:
    """The name as it was spelt; a product without one shows the server's again."""
    name: Fact[str] = ABSENT
    if params.host:
        name = Known(params.name or HostPort.parse(params.host).host)
    if params.layer == "service":
        return _with_server_host(facts, name, params.port)
    if not params.host:
        return _with_inherited_host(facts, params.product)
    return _with_product_host(facts, params.product, name, params.port or 0)


def _read(params: KmsHostStep, values: StepValues) -> Iterator[Reading]:
    product = params.product if params.layer == "product" else None
    if params.layer == "product" and product is None:
        return  # only the standalone script does that; it keeps no record
    key = ("kms-host", product) if product else ("kms-host",)
    value = known_value(values, "host")
    put_back = isinstance(params, PutBackKmsHost)
    promise = (value,) if put_back else _promised_hosts(params)
    yield Reading(key=key, value=value, promise=promise)


def _promised_hosts(params: KmsHostStep) -> tuple[str | None, ...]:
    if isinstance(params, SetKmsHost):
        return tuple(str(HostPort.parse(host)).lower() for host in params.hosts)
    return (params.host,) if isinstance(params, RestoreKmsHost) else (None,)


def _now(facts: Facts, key: SettingKey) -> Fact[str]:
    product = key[1] if len(key) > 1 else None
    found = kms_names(facts, product).host
    if product is None and isinstance(found, Unreadable):
        # The service is down: the registry holds what it would answer.
        held = replace(facts.licensing, machine=Unreadable(_NOT_IN_WMI))
        return kms_names(replace(facts, licensing=held), None).host
    return found


def _restore(reversal: Reversal) -> RestoreKmsHost:
    product = reversal.key[1] if len(reversal.key) > 1 else None
    name, before = reversal.previous.get("name"), reversal.before
    set_port = int(before.rpartition(":")[2]) if before else None
    return RestoreKmsHost(
        layer="product" if product else "service",
        product=product,
        expect=(reversal.now,),
        host=before,
        name=name if isinstance(name, str) else None,
        port=reversal.previous.get("port", set_port),
    )


def _forbidden(facts: Facts, reversal: Reversal) -> Text | None:
    policy = facts.registry.policy_machine
    if isinstance(policy, Unreadable):
        return say("could not read whether group policy sets a KMS host")
    if is_known(policy):
        return say("group policy sets the KMS host: left unchanged")
    ids = [value_of(product.id) for product in value_of(facts.products) or ()]
    if len(reversal.key) > 1 and reversal.key[1] not in ids:
        return say("the product that it was set for no longer has a key")
    return None


KMS_HOST = Setting(
    name="kms-host",
    title=say("KMS host"),
    now=_now,
    restore=_restore,
    forbidden=_forbidden,
)
SET_KMS_HOST = plan_kind(
    name="set-kms-host",
    params=SetKmsHost,
    label=say("set the KMS host"),
    agent_parts=("kms", "kms_steps"),
    stage=Stage.KMS_HOST,
    needs_consent=False,
    activation_needs_it=True,
    restarts=0,
    commands=_commands_to_set,
    previous=_previous,
    promise=_promise_host,
    changes=Changes(setting=KMS_HOST, read=_read, answer_tells=True),
    stays=None,
)
CLEAR_KMS_HOST = plan_kind(
    name="clear-kms-host",
    params=ClearKmsHost,
    label=say("remove a product's own KMS host"),
    agent_parts=("kms", "kms_steps"),
    stage=Stage.PRODUCT_KMS_HOST,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=lambda params, a: (a.console.clear_kms_host(params.product or ""),),
    previous=_previous,
    promise=lambda params, facts, ctx: _with_inherited_host(facts, params.product),
    changes=Changes(setting=KMS_HOST, read=_read, answer_tells=True),
    stays=None,
)
PUT_BACK_KMS_HOST = plan_kind(
    name="put-back-kms-host",
    params=PutBackKmsHost,
    label=say("put the KMS host back if the activation fails"),
    agent_parts=("kms", "kms_steps"),
    stage=Stage.AFTER_ACTIVATION,
    needs_consent=False,
    activation_needs_it=False,
    restarts=0,
    commands=_commands_to_put_back,
    previous=_previous,
    promise=nothing_changes,
    changes=Changes(setting=KMS_HOST, read=_read, answer_tells=True),
    stays=None,
)
RESTORE_KMS_HOST = undo_kind(
    name="restore-kms-host",
    params=RestoreKmsHost,
    agent_parts=("kms", "back_kms"),
    restarts=0,
    previous=_previous,
    promise=_promise_restored,
    changes=Changes(setting=KMS_HOST, read=_read, answer_tells=True),
    undo_consent=None,
)
