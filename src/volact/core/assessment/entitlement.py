"""Does the provider's licence cover this server?  Its image, its metadata, its edition."""

from __future__ import annotations

import msgspec

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
    ``covered``: the provider's licence is known to cover the server.
    ``entitled``: that, or the operator's override.  ``is_public_image``: the image is
    known to be one of the provider's public ones.
    """

    image_id: str
    image: Image | None
    metadata: str
    own_by_metadata: bool
    covered: bool
    entitled: bool

    is_public_image: bool


def entitlement_of(facts: Facts, ctx: Context, system: SystemState) -> EntitlementState:
    """What is known of a server's entitlement, without judging it."""
    rule = ctx.knowledge.profile.entitlement
    said = value_of(facts.metadata.get(rule.metadata, ABSENT)) or "" if rule.metadata else ""
    image_id = _image_id(facts, ctx)
    image = _image(ctx, image_id)
    # Azure's own edition proves itself to the cloud.
    azure = rule.kind == "edition" and system.sku in AZURE_EDITION
    by_metadata = not set(said.split()).isdisjoint(rule.entitled)
    public = image is not None and _is_public(image, rule)
    by_api = ctx.license in rule.instance_entitled
    covered = by_metadata or azure or public or by_api
    return EntitlementState(
        image_id=image_id,
        image=image,
        metadata=said,
        # The metadata follows a change of the licence later than the API.
        own_by_metadata=bool(said) and said in rule.own and not by_api,
        covered=covered,
        entitled=covered or bool(ctx.policy.override_entitlement),
        is_public_image=public,
    )


def _image_id(facts: Facts, ctx: Context) -> str:
    if ctx.image:
        return ctx.image
    return value_of(facts.metadata.get(ctx.knowledge.profile.image_key, ABSENT)) or ""


def _image(ctx: Context, image_id: str) -> Image | None:
    """What is known of the image; an own licence of the server itself rules over it."""
    image = ctx.images.get(image_id) or ctx.knowledge.profile.images.get(image_id)
    if ctx.license not in ("BYOL", *ctx.knowledge.profile.entitlement.instance_own):
        return image  # any other word says nothing of the image
    return msgspec.structs.replace(image or Image(), license="BYOL")


def _is_public(image: Image, rule: Entitlement) -> bool:
    official = image.type == "PUBLIC_IMAGE" or image.source == "OFFICIAL"
    return official and image.license in (*rule.entitled, "")
