"""Releases and editions that no client key of the provider is for."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.entitlement import AZURE_EDITION
from volact.core.assessment.system import SERVER_EDITIONS
from volact.core.findings.kind import (
    Found,
    Place,
    error,
    evidence_field,
    on_server,
    reported,
    warning,
)
from volact.model.fact import value_of
from volact.model.profile import Edition, Profile
from volact.model.text import Text, raw, say, typed

# From an evaluation edition to the one it can become: its name for DISM and its
# number.  From 2016 on, Standard Core can only become Datacenter Core.
_TARGETS = {
    79: ("ServerStandard", 7),
    80: ("ServerDatacenter", 8),
    159: ("ServerDatacenterCor", 12),
    160: ("ServerStandardCor", 13),
}
_TARGETS_2016 = _TARGETS | {160: ("ServerDatacenterCor", 12)}
_FIRST_BUILD_OF_2016 = 14393
_CORE_EVALUATIONS = (159, 160)


def _release_unsupported(a: Assessment) -> Found | None:
    knowledge = a.ctx.knowledge
    build, sku = a.system.build, a.system.sku
    known_build = any(build in release.builds for release in knowledge.releases)
    if build is None or (sku is None and known_build):
        return None
    release = a.system.release
    if release and not release.supported:
        return None  # release-without-gvlk
    if release and release.name in knowledge.profile.releases:
        return None
    make = warning if a.licence.all_licensed else error
    return make(
        _unsupported(build, sku, release.name if release else "", knowledge.profile),
        {"build": build, "sku": sku, "release": release.name if release else None},
        remedy=say(
            "volact changes neither key nor KMS host. It renews the licence only at the KMS host "
            "that is set, which has given it."
        )
        if a.renewal.goes_on
        else say(
            "volact leaves the licence unchanged; if the release is covered, activate it by hand."
        ),
    )


RELEASE_UNSUPPORTED = reported(
    id="release-unsupported",
    rule=_release_unsupported,
    place=Place.RELEASE,
    severities=("error", "warning"),
    meaning=say(
        "It is not known that the provider's KMS hosts serve this Windows release, or the release "
        "is unknown."
    ),
    action=say("Leaves the licence unchanged."),
    blocks="licence",
    detail=None,
)


def _release_without_gvlk(a: Assessment) -> Found | None:
    release = a.system.release
    if release is None or release.supported or a.licence.is_evaluation:
        return None
    make = warning if a.licence.all_licensed else error
    return make(
        say(
            "Microsoft publishes no KMS client key for Windows Server {release}, so volact "
            "installs none and leaves the licence unchanged.",
            release=release.name,
        ),
        {
            "release": release.name,
            "build": a.system.build,
            "sku": a.system.sku,
        },
        remedy=say(
            "Ask the supplier of the image for its key, or move to a release with a published "
            "key. The KMS administrator knows whether the KMS host serves this release."
        ),
    )


RELEASE_WITHOUT_GVLK = reported(
    id="release-without-gvlk",
    rule=_release_without_gvlk,
    place=Place.RELEASE,
    severities=("error", "warning"),
    meaning=say("Microsoft publishes no KMS client key for this release."),
    action=say("Installs no key, and leaves the licence unchanged."),
    blocks="licence",
    detail=None,
)


def _azure_edition_elsewhere(a: Assessment) -> Found | None:
    sku, profile = a.system.sku, a.ctx.knowledge.profile
    if sku not in AZURE_EDITION or profile.is_azure:
        return None
    make = warning if not profile.is_cloud or a.licence.all_licensed else error
    return make(
        say(
            "This is Datacenter: Azure Edition, which verifies that it runs in Azure through "
            "the metadata service; {provider} has none.",
            provider=profile.title,
        )
        if profile.is_cloud
        else say(
            "This is Datacenter: Azure Edition, which verifies that it runs in Azure through "
            "the metadata service; the server is not known to run in Azure."
        ),
        {"sku": sku, "edition": value_of(a.facts.os.edition), "provider": profile.name},
        remedy=say(
            "Install Datacenter instead: no conversion is documented. If the server does run "
            "in Azure, name the provider: {option}",
            option=raw("--provider azure"),
        ),
    )


AZURE_EDITION_ELSEWHERE = reported(
    id="azure-edition-elsewhere",
    rule=_azure_edition_elsewhere,
    place=Place.RELEASE,
    severities=("error", "warning"),
    meaning=say("This is Datacenter: Azure Edition outside Azure."),
    action=say("Leaves the licence unchanged, unless the KMS host is your own."),
    blocks="licence",
    detail=None,
)


def _edition_evaluation(a: Assessment) -> Found | None:
    if not a.licence.is_evaluation:
        return None
    sku, target = a.system.sku, _target(a)
    return error(
        say("This is an evaluation edition; a KMS host can activate it only after conversion."),
        {
            "edition": value_of(a.facts.os.edition),
            "sku": sku,
            "target": target[0] if target else None,
            "role": a.system.role,
        },
        remedy=_conversion(a, target),
    )


EDITION_EVALUATION = reported(
    id="edition-evaluation",
    rule=_edition_evaluation,
    place=Place.EDITION,
    severities=("error",),
    meaning=say("This is an evaluation edition."),
    action=say(
        "Nothing: conversion restarts the server and cannot be undone. volact prints the command."
    ),
    blocks="licence",
    detail=evidence_field("edition"),
)


def _target(a: Assessment) -> tuple[str, Edition] | None:
    """What it can become, with the published key of that."""
    build, sku = a.system.build or 0, a.system.sku or 0
    targets = _TARGETS_2016 if build >= _FIRST_BUILD_OF_2016 else _TARGETS
    if sku not in targets:
        return None
    name, full = targets[sku]
    editions = a.ctx.knowledge.editions
    edition = next((e for e in editions if build in e.builds and full in e.skus), None)
    return (name, edition) if edition else None


def _conversion(a: Assessment, target: tuple[str, Edition] | None) -> Text:
    """The commands that turn the evaluation into a full edition."""
    if a.system.role == "controller":
        return say(
            "A domain controller cannot be converted: set up another one, move its roles "
            "there, demote this one, then check again."
        )
    own = a.system.published_key
    if target is None and own is not None:
        # Essentials: documented to take the key of the full edition by itself.
        return on_server(a.console.install_key(own.gvlk))
    name, key = (target[0], target[1].gvlk) if target else ("EDITION", "KEY")
    command = f"DISM /Online /Set-Edition:{name} /ProductKey:{key} /AcceptEula"
    return say(
        "Conversion restarts the server and cannot be undone, so run it yourself: {list}, "
        "then, if {name} is listed, {command} (Microsoft's page asks for a retail key here; "
        "using the published KMS client key is common practice). {limit}",
        list=typed("DISM /Online /Get-TargetEditions"),
        name=raw(name),
        command=typed(command) if target else raw(command),
        limit=_limit(a),
    )


def _limit(a: Assessment) -> Text:
    """What the documentation rules out."""
    build, sku = a.system.build or 0, a.system.sku
    if sku in _CORE_EVALUATIONS and build >= _FIRST_BUILD_OF_2016:
        return say("Server Core can be converted to Datacenter only, and stays Server Core.")
    if sku == 80:
        return say(
            "Datacenter can be converted to Datacenter only; if it is not listed, reinstall."
        )
    return say("If it is not listed, reinstall Windows.")


def _unsupported(build: int, sku: int | None, release: str, profile: Profile) -> Text:
    if release and profile.own_hosts:
        return say(
            "volact does not know whether {host} serves Windows Server {release}.",
            host=profile.all_kms_hosts()[0],
            release=release,
        )
    if release:
        return say(
            "volact does not know whether {cloud}'s KMS hosts serve Windows Server {release}.",
            release=release,
            cloud=profile.title,
        )
    if sku is not None and sku not in SERVER_EDITIONS:
        return say(
            "Build {build} with edition number {sku} is not a known Windows Server.",
            build=build,
            sku=sku,
        )
    return say("Build {build} is not a known release of Windows Server.", build=build)
