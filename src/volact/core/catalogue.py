"""Every finding id, with what it means and what volact does about it.

The long form is a page each, ``docs/findings/<id>.md``.
"""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """One kind of finding, in two sentences."""

    meaning: str
    action: str


CATALOGUE: dict[str, Entry] = {
    "not-licensed": Entry(
        "Windows has a key but no valid licence.",
        "Mends what stands in the way, then activates.",
    ),
    "grace-ending": Entry(
        "Windows is licensed, but the licence ends within 30 days.",
        "Activates again, which renews it for 180 days.",
    ),
    "renewal-overdue": Entry(
        "Windows is licensed, but two weekly renewals in a row did not happen.",
        "Reports it; the licence is valid, so nothing is changed.",
    ),
    "licensed-by-other-kms": Entry(
        "Windows is licensed, but not by one of the provider's KMS hosts.",
        "Sets the provider's KMS host and activates.",
    ),
    "kms-host-wrong": Entry(
        "The server is set to a KMS host that is not the provider's, or to none.",
        "Sets the first of the provider's hosts that the server reaches.",
    ),
    "kms-port-wrong": Entry(
        "The KMS host's name is right and its port is not; 1668 is a known misprint of 1688.",
        "Sets the right port.",
    ),
    "kms-host-per-product-override": Entry(
        "One product has a KMS host of its own, which hides the server's setting.",
        "Takes the product's own setting away.",
    ),
    "kms-host-set-by-policy": Entry(
        "Group policy sets the KMS host.",
        "Nothing: volact does not fight group policy.",
    ),
    "kms-name-unresolved": Entry(
        "The names of the provider's KMS hosts do not resolve on the server.",
        "Reports it; activation is not tried, as it would only fail.",
    ),
    "kms-unreachable": Entry(
        "The server cannot open a connection to its KMS host.",
        "Takes another of the provider's hosts if the server reaches one; else reports it.",
    ),
    "kms-host-refuses": Entry(
        "A KMS host was reached and said no.",
        "Tries once more, and reports the host's reason.",
    ),
    "clock-skew": Entry(
        "The clock is off by five minutes or more; from 3.5 hours on it is an error, "
        "because a KMS host refuses more than four.",
        "Sets it from the provider's time servers on a stand-alone server; never in a domain.",
    ),
    "time-service-off": Entry(
        "The Windows Time service is disabled or missing, or stopped while the clock is off.",
        "Enables and starts it on a stand-alone server that needs work.",
    ),
    "time-source-missing": Entry(
        "Windows Time runs, but has nowhere to take the time from.",
        "Names the provider's time server on a stand-alone server that needs work.",
    ),
    "service-disabled": Entry(
        "The licensing service, or a service it needs, is disabled.",
        "Gives it its start mode back and starts it.",
    ),
    "service-stopped": Entry(
        "Licensing does not answer and its service is stopped; stopped alone is healthy.",
        "Starts it.",
    ),
    "spp-notification-stopped": Entry(
        "The notification service that Server 2008 and 2008 R2 need is not running.",
        "Starts it.",
    ),
    "licensing-binary-blocked": Entry(
        "The licensing program cannot be started: its file permissions, a debugger set for it, "
        "or a missing file.",
        "Gives the right to execute back; a debugger or a missing file is left to you.",
    ),
    "image-not-entitled": Entry(
        "The server was made from an image that the provider's licence does not cover.",
        "Nothing, unless --override-entitlement REASON says that it is covered.",
    ),
    "license-byol": Entry(
        "The server runs on a licence of your own.",
        "Nothing, unless --override-entitlement REASON says that the provider's covers it.",
    ),
    "entitlement-unknown": Entry(
        "Nobody knows whether the provider's licence covers this server.",
        "Goes on; name the image in the inventory to have it known.",
    ),
    "key-missing": Entry(
        "Windows has no product key.",
        "Installs the published client key of exactly this build and edition.",
    ),
    "key-wrong-channel": Entry(
        "The key is a retail, MAK or maker's key, which no KMS host activates.",
        "Replaces it only with --replace-key, and never when it is licensed.",
    ),
    "key-wrong-edition": Entry(
        "The client key is one of another edition or release.",
        "Installs the published client key of this one.",
    ),
    "edition-evaluation": Entry(
        "This is an evaluation edition.",
        "Nothing: conversion restarts the server and cannot be undone. It prints the command.",
    ),
    "kms-host-role": Entry(
        "This server is itself a KMS host.",
        "Nothing: hands off.",
    ),
    "dns-not-provider": Entry(
        "The server asks other name servers than the provider's, and reaches no KMS host.",
        "Reports it; a server's DNS is yours.",
    ),
    "provider-route-missing": Entry(
        "A route to the provider's internal services is missing.",
        "Reports it, with the command.",
    ),
    "duplicate-cmid": Entry(
        "Several servers share one client machine ID, because their image was not generalised.",
        "Reports it.",
    ),
    "rearm-exhausted": Entry(
        "No rearm is left; that matters to images, not to activation.",
        "Reports it.",
    ),
    "token-store-damaged": Entry(
        "The licence store says that it is damaged.",
        "Reports it; a rebuild needs two restarts.",
    ),
    "product-policy-damaged": Entry(
        "The product policy in the registry is damaged; Windows may use 2 GB of memory only.",
        "Activates if needed, and reports what is left: a restart.",
    ),
    "wsh-disabled": Entry(
        "Windows Script Host is off, so no script can run.",
        "Nothing can be done from outside.",
    ),
    "not-elevated": Entry(
        "The session has no administrator's rights.",
        "Looks, changes nothing.",
    ),
    "release-unsupported": Entry(
        "The provider's KMS hosts are not for this Windows, or it is not known.",
        "Leaves its licence alone.",
    ),
    "fact-unreadable": Entry(
        "Something that decisions rest on could not be read.",
        "Plans nothing that rests on it.",
    ),
}
