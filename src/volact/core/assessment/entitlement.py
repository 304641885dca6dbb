"""Does the provider's licence cover this server?  Its image, its metadata, its edition."""

from __future__ import annotations

import msgspec

from volact.core.assessment.hosts import of_no_cloud
from volact.core.assessment.system import SystemState
from volact.core.context import Context
from volact.model.fact import ABSENT, value_of
from volact.model.facts import Facts
from volact.model.profile import Entitlement, Image

AZURE_EDITION = frozenset({407, 408})


class EntitlementState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the server's image and kind of licence.

    ``image_id`` is the id from the cloud's API, else from the server's
    metadata; ``image`` is what is known of it.  ``metadata`` is what the
    metadata service reports of the licence, ``""`` where it reports nothing.
    ``own_by_metadata``: it reports that the licence is the customer's own.
    ``covered``: the provider's licence is known to cover the server; ``by_cloud``: the
    cloud says so of this very server, which rules over what is known of its image.
    ``entitled``: it is covered, or the operator's override says so.
    ``is_public_image``: the image is known to be one of the provider's public ones.
    ``matters``: the KMS hosts are the provider's, or may be; where all are the operator's
    own, the provider's licence allows and forbids nothing.
    """

    image_id: str
    image: Image | None
    metadata: str
    own_by_metadata: bool
    covered: bool
    by_cloud: bool
    entitled: bool
    is_public_image: bool
    matters: bool


def entitlement_of(facts: Facts, ctx: Context, system: SystemState) -> EntitlementState:
    """What is known of a server's entitlement, without judging it."""
    rule = ctx.knowledge.profile.entitlement
    said = value_of(facts.metadata.get(rule.metadata, ABSENT)) or "" if rule.metadata else ""
    image_id = _image_id(facts, ctx)
    image = _image(ctx, image_id)
    # Azure's own edition proves itself to the cloud.
    azure = rule.kind == "edition" and system.sku in AZURE_EDITION
    by_api = ctx.license in rule.instance_entitled
    by_metadata = not _own_by_api(ctx) and not set(said.split()).isdisjoint(rule.entitled)
    public = image is not None and _is_public(image, rule)
    covered = by_metadata or azure or public or by_api
    matters = not of_no_cloud(ctx.knowledge.profile, ctx.clouds)
    return EntitlementState(
        image_id=image_id,
        image=image,
        metadata=said,
        # The metadata follows a change of the licence later than the API.
        own_by_metadata=bool(said) and said in rule.own and not by_api,
        covered=covered,
        by_cloud=by_api or (by_metadata and rule.kind == "metadata"),
        entitled=matters and (covered or bool(ctx.policy.override_entitlement)),
        is_public_image=public,
        matters=matters,
    )


def _own_by_api(ctx: Context) -> bool:
    """Whether the cloud's API says that the licence is the customer's own."""
    return ctx.license in ("BYOL", *ctx.knowledge.profile.entitlement.instance_own)


def _image_id(facts: Facts, ctx: Context) -> str:
    if ctx.image:
        return ctx.image
    return value_of(facts.metadata.get(ctx.knowledge.profile.image_key, ABSENT)) or ""


def _image(ctx: Context, image_id: str) -> Image | None:
    """What is known of the image; an own licence of the server itself rules over it."""
    image = ctx.images.get(image_id) or ctx.knowledge.profile.images.get(image_id)
    if not _own_by_api(ctx):
        return image  # any other word says nothing of the image
    return msgspec.structs.replace(image or Image(), license="BYOL")


def _is_public(image: Image, rule: Entitlement) -> bool:
    official = image.type == "PUBLIC_IMAGE" or image.source == "OFFICIAL"
    return official and image.license in (*rule.entitled, "")
