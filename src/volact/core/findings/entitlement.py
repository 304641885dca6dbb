"""May the provider's KMS hosts be used for this server at all?

Known not to be covered: ``image-not-entitled`` or ``license-byol``.  Not
known: ``entitlement-unknown``, which stops nothing.
"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.consent import OVERRIDE_ENTITLEMENT
from volact.core.findings.kind import (
    FindingKind,
    Found,
    Place,
    error,
    evidence_field,
    info,
    reported,
)
from volact.model.profile import Image
from volact.model.text import Text, ready, say

_NOT_PUBLIC = {
    "EXTERNAL_IMPORT": say("was imported"),
    "CREATE_IMAGE": say("was created from a server"),
    "PRIVATE_IMAGE": say("is a custom image"),
    "SHARED_IMAGE": say("was shared by another account"),
}


def _image_not_entitled(a: Assessment) -> Found | None:
    image = a.entitlement.image
    if image is None or image.license == "BYOL" or a.entitlement.is_public_image:
        return None
    if a.entitlement.by_cloud or not a.entitlement.matters:
        return None
    why = _NOT_PUBLIC.get(image.source) or _NOT_PUBLIC.get(image.type)
    if why is None:
        return None
    summary = say(
        "The image {image} {why}, so the provider's licence does not cover it.",
        image=a.entitlement.image_id,
        why=why,
    )
    remedy = say("Use a public image, or your own licence.")
    return _refusable(a, summary, image, remedy)


IMAGE_NOT_ENTITLED = FindingKind(
    id="image-not-entitled",
    rule=_image_not_entitled,
    place=Place.ENTITLEMENT,
    severities=("error", "info"),
    meaning=say("The server was created from an image that the provider's licence does not cover."),
    action=say("Nothing, unless --override-entitlement REASON states that it is covered."),
    blocks="everything",
    calls_for="nothing",
    consent=OVERRIDE_ENTITLEMENT,
    repair_steps=None,
    detail=evidence_field("image"),
)


def _license_byol(a: Assessment) -> Found | None:
    if not a.entitlement.matters:
        return None
    image, value = a.entitlement.image, a.entitlement.metadata
    remedy = say("Activate it with your own key or your own KMS host.")
    if a.entitlement.own_by_metadata:
        summary = say(
            "The provider reports that this server uses your own licence ({value}).", value=value
        )
        return _refusable(a, summary, image or Image(license="BYOL"), remedy)
    if image is None or image.license != "BYOL" or a.entitlement.by_cloud:
        return None
    summary = (
        say("The cloud's API reports that this server uses your own licence, not the provider's.")
        if a.ctx.license in ("BYOL", *a.ctx.knowledge.profile.entitlement.instance_own)
        else say(
            "The image {image} uses your own licence, not the provider's.",
            image=a.entitlement.image_id,
        )
    )
    return _refusable(a, summary, image, remedy)


LICENSE_BYOL = FindingKind(
    id="license-byol",
    rule=_license_byol,
    place=Place.ENTITLEMENT,
    severities=("error", "info"),
    meaning=say("The server uses your own licence (BYOL)."),
    action=say(
        "Nothing, unless --override-entitlement REASON states that the provider's "
        "licence covers it."
    ),
    blocks="everything",
    calls_for="nothing",
    consent=OVERRIDE_ENTITLEMENT,
    repair_steps=None,
    detail=evidence_field("image"),
)


def _entitlement_unknown(a: Assessment) -> Found | None:
    if a.system.script_host_off or not a.entitlement.matters:
        return None  # nothing could be asked, and the cause is known; or it decides nothing
    rule, value = a.ctx.knowledge.profile.entitlement, a.entitlement.metadata
    if _judged(a.entitlement.image) or a.entitlement.own_by_metadata or a.entitlement.covered:
        return None
    image_id = a.entitlement.image_id
    if image_id:
        summary = say(
            "It is not known whether the provider's licence covers the image {image}.",
            image=image_id,
        )
    elif rule.kind == "metadata" and value:
        summary = say(
            "The provider's metadata gives the licence {value}, which volact does not know.",
            value=value,
        )
    elif rule.kind == "image":
        summary = say("The server could not tell which image it was created from.")
    else:
        summary = say(
            "Whether the provider's licence covers this server cannot be seen from "
            "the server itself."
        )
    remedy = say(
        "Name the image in the [images] table of the inventory, as the cloud's console shows it."
    )
    if rule.kind != "image" and rule.text:
        remedy = ready(rule.text)
    evidence = {"image": image_id, **({"metadata": value} if value else {})}
    return info(summary, evidence, remedy=remedy)


ENTITLEMENT_UNKNOWN = reported(
    id="entitlement-unknown",
    rule=_entitlement_unknown,
    place=Place.UNKNOWN,
    severities=("info",),
    meaning=say("It is not known whether the provider's licence covers this server."),
    action=say("Continues; name the image in the inventory to settle it."),
    blocks="nothing",
    detail=None,
)


def _refusable(a: Assessment, summary: Text, image: Image, remedy: Text) -> Found:
    """An error, unless the operator has overridden it with a reason."""
    evidence = {
        "image": a.entitlement.image_id,
        "type": image.type,
        "source": image.source,
        "license": image.license,
    }
    reason = a.ctx.policy.override_entitlement
    if reason:
        return info(
            say("{what} Overridden: {reason}.", what=summary, reason=reason.rstrip(".")),
            {**evidence, "override": reason},
            remedy=remedy,
        )
    return error(
        summary,
        evidence,
        repair="needs-consent",
        remedy=say(
            "{what} If the licence covers it: {option} REASON.",
            what=remedy,
            option="--override-entitlement",
        ),
    )


def _judged(image: Image | None) -> bool:
    """Whether what is known of the image settles the question."""
    if image is None:
        return False
    known = image.source in _NOT_PUBLIC or image.type in _NOT_PUBLIC
    return known or image.license == "BYOL"
