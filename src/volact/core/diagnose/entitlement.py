"""May the provider's KMS hosts be used for this server at all?

Known not to be covered: ``image-not-entitled`` or ``license-byol``.  Not
known: ``entitlement-unknown``, which stops nothing.
"""

from __future__ import annotations

import msgspec

from volact.core.diagnose.case import Case, error, info
from volact.core.diagnose.edition import AZURE_EDITION
from volact.core.diagnose.system import wsh_disabled
from volact.model.fact import ABSENT, value_of
from volact.model.finding import Finding
from volact.model.profile import Image
from volact.model.text import Text, ready, say

_NOT_PUBLIC = {
    "EXTERNAL_IMPORT": say("was imported from outside"),
    "CREATE_IMAGE": say("was made from a server"),
    "PRIVATE_IMAGE": say("is a custom image"),
    "SHARED_IMAGE": say("was shared by another account"),
}


def image_not_entitled(case: Case) -> Finding | None:
    """The image is known not to be one of the provider's public images."""
    image = _image(case)
    if image is None or image.license == "BYOL" or _is_public(image):
        return None
    why = _NOT_PUBLIC.get(image.source) or _NOT_PUBLIC.get(image.type)
    if why is None:
        return None
    summary = say(
        "The image {image} {why}, so the provider's licence does not cover it.",
        image=_image_id(case),
        why=why,
    )
    remedy = say("Use a public image, or a licence of your own.")
    return _refusable(case, "image-not-entitled", summary, image, remedy)


def license_byol(case: Case) -> Finding | None:
    """The server is known to run on the customer's own licence."""
    image, value = _image(case), _metadata_value(case)
    remedy = say("Activate it with your own key or your own KMS host.")
    if value and value in case.ctx.knowledge.profile.entitlement.own:
        summary = say(
            "The provider says that this server runs on your own licence ({value}).", value=value
        )
        return _refusable(case, "license-byol", summary, image or Image(license="BYOL"), remedy)
    if image is None or image.license != "BYOL":
        return None
    summary = (
        say(
            "The cloud's API says that this server runs on your own licence, not on the provider's."
        )
        if case.ctx.license == "BYOL"
        else say(
            "The image {image} runs on your own licence, not on the provider's.",
            image=_image_id(case),
        )
    )
    return _refusable(case, "license-byol", summary, image, remedy)


def entitlement_unknown(case: Case) -> Finding | None:
    """Nobody knows whether the provider's licence covers this server."""
    if wsh_disabled(case):
        return None  # then nothing could be asked, and the cause is known
    rule, value = case.ctx.knowledge.profile.entitlement, _metadata_value(case)
    if _judged(_image(case)) or (value and value in rule.own) or _is_covered(case):
        return None
    image_id = _image_id(case)
    if image_id:
        summary = say(
            "Whether the provider's licence covers the image {image} is not known.", image=image_id
        )
    elif rule.kind == "metadata" and value:
        summary = say(
            "The provider's metadata gives {value} as the licence, and what that means is not "
            "known here.",
            value=value,
        )
    elif rule.kind == "image":
        summary = say("The server could not say which image it was made from.")
    else:
        summary = say("Whether the provider's licence covers this server cannot be seen from it.")
    remedy = say(
        "Name the image in the [images] table of the inventory, as the cloud's console shows it."
    )
    if rule.kind != "image" and rule.text:
        remedy = ready(rule.text)
    evidence = {"image": image_id, **({"metadata": value} if value else {})}
    return info("entitlement-unknown", summary, evidence, remedy=remedy)


def is_entitled(case: Case) -> bool:
    """Whether the provider's licence is known to cover this server, or a person said so."""
    return bool(case.ctx.policy.override_entitlement) or _is_covered(case)


def _is_covered(case: Case) -> bool:
    """By its image, by the provider's metadata, or by its edition."""
    rule, value, image = (
        case.ctx.knowledge.profile.entitlement,
        _metadata_value(case),
        _image(case),
    )
    if value and value in rule.entitled:
        return True
    # Azure's own edition proves itself to the cloud.
    azure = rule.kind == "edition" and (value_of(case.facts.os.sku) or 0) in AZURE_EDITION
    return azure or (image is not None and _is_public(image))


def _refusable(case: Case, id: str, summary: Text, image: Image, remedy: Text) -> Finding:
    """An error, unless the person has overridden it and said why."""
    evidence = {
        "image": _image_id(case),
        "type": image.type,
        "source": image.source,
        "license": image.license,
    }
    reason = case.ctx.policy.override_entitlement
    if reason:
        return info(
            id,
            say("{what} Overridden: {reason}.", what=summary, reason=reason.rstrip(".")),
            {**evidence, "override": reason},
            remedy=remedy,
        )
    return error(
        id,
        summary,
        evidence,
        repair="needs-consent",
        remedy=say(
            "{what} If the licence does cover it: {option} REASON.",
            what=remedy,
            option="--override-entitlement",
        ),
    )


def _judged(image: Image | None) -> bool:
    """Whether what is known of the image settles the question."""
    if image is None:
        return False
    known = image.source in _NOT_PUBLIC or image.type in _NOT_PUBLIC
    return known or image.license == "BYOL" or _is_public(image)


def _metadata_value(case: Case) -> str:
    """What the metadata service says of the licence, where it says anything."""
    name = case.ctx.knowledge.profile.entitlement.metadata
    return value_of(case.facts.metadata.get(name, ABSENT)) or "" if name else ""


def _image(case: Case) -> Image | None:
    """What is known of the image; an own licence of the server itself rules over it."""
    image_id = _image_id(case)
    image = case.ctx.images.get(image_id) or case.ctx.knowledge.profile.images.get(image_id)
    if case.ctx.license != "BYOL":
        return image  # any other word is said of every server that is not BYOL
    return msgspec.structs.replace(image or Image(), license="BYOL")


def _image_id(case: Case) -> str:
    """The id as the cloud's API says it, else as the server's metadata does."""
    if case.ctx.image:
        return case.ctx.image
    key = case.ctx.knowledge.profile.image_key
    return value_of(case.facts.metadata.get(key, ABSENT)) or ""


def _is_public(image: Image) -> bool:
    official = image.type == "PUBLIC_IMAGE" or image.source == "OFFICIAL"
    return official and image.license in ("TencentCloud", "")
