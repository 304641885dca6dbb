"""Steps that set the KMS host of the whole server or of one product."""

from __future__ import annotations

from typing import Literal

from volact.core.steps.kind import Stage, StepKind, StepParams, undo_kind
from volact.model.text import say

Layer = Literal["service", "product"]


class SetKmsHost(StepParams, frozen=True, kw_only=True):
    """The accepted KMS hosts, the preferred one first."""

    layer: Layer
    product: str | None = None
    hosts: tuple[str, ...]


class ClearKmsHost(StepParams, frozen=True, kw_only=True):
    """The product whose own KMS host goes; without one, all but ``keep`` go."""

    layer: Layer
    product: str | None = None
    keep: tuple[str, ...] = ()


class RestoreKmsHost(StepParams, frozen=True, kw_only=True):
    """The KMS host to put back: ``name`` as it was spelt, ``port`` where it is set."""

    layer: Layer
    product: str | None = None
    expect: tuple[str | None, ...]
    host: str | None
    name: str | None = None
    port: int | None


SET_KMS_HOST = StepKind(
    name="set-kms-host",
    params=SetKmsHost,
    stage=Stage.KMS_HOST,
    label=say("sets the KMS host"),
    needs_consent=False,
    alone=False,
    activation_needs_it=True,
    changes_licence=True,
    activates=False,
    agent_parts=("kms", "kms_steps"),
)

CLEAR_KMS_HOST = StepKind(
    name="clear-kms-host",
    params=ClearKmsHost,
    stage=Stage.PRODUCT_KMS_HOST,
    label=say("takes away a product's own KMS host"),
    needs_consent=False,
    alone=False,
    activation_needs_it=False,
    changes_licence=True,
    activates=False,
    agent_parts=("kms", "kms_steps"),
)

RESTORE_KMS_HOST = undo_kind(
    name="restore-kms-host",
    params=RestoreKmsHost,
    needs_consent=False,
    agent_parts=("kms", "back_kms"),
)
