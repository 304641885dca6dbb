"""Every finding id, with what it means and what volact does about it.

The long form is a page each, ``docs/findings/<id>.md``.
"""

from __future__ import annotations

import msgspec

from volact.model.text import Text, say


class Entry(msgspec.Struct, frozen=True):
    """One kind of finding, in two sentences."""

    meaning: Text
    action: Text


CATALOGUE: dict[str, Entry] = {
    "not-licensed": Entry(
        say("Windows has a key but no valid licence."),
        say("Mends what stands in the way, then activates."),
    ),
    "activation-failed": Entry(
        say("Windows is licensed, but the last attempt at the KMS host that is set failed."),
        say("Activates again; until that works the server is not called healthy."),
    ),
    "grace-ending": Entry(
        say("Windows is licensed, but the licence ends within 30 days."),
        say("Activates again, which renews it for 180 days."),
    ),
    "renewal-overdue": Entry(
        say("Windows is licensed, but two weekly renewals in a row did not happen."),
        say("Reports it; the licence is valid, so nothing is changed."),
    ),
    "licensed-by-other-kms": Entry(
        say("Windows is licensed, but not by one of the provider's KMS hosts."),
        say(
            "Sets the provider's KMS host and activates; takes a company's own licence over "
            "only with --allow move-kms."
        ),
    ),
    "kms-host-pinned": Entry(
        say("Windows is licensed by the provider's KMS host, which is set by its address."),
        say("Reports it; the name stays when addresses move."),
    ),
    "kms-host-wrong": Entry(
        say("The server is set to a KMS host that is not the provider's, or to none."),
        say("Sets the first of the provider's hosts that the server reaches."),
    ),
    "kms-port-wrong": Entry(
        say("The KMS host's name is right and its port is not; 1668 is a known misprint of 1688."),
        say("Sets the right port."),
    ),
    "kms-host-per-product-override": Entry(
        say("One product has a KMS host of its own, which hides the server's setting."),
        say("Takes the product's own setting away."),
    ),
    "kms-host-set-by-policy": Entry(
        say("Group policy sets the KMS host."),
        say("Nothing: volact does not fight group policy."),
    ),
    "activation-type-forced": Entry(
        say("Windows is set to be activated by Active Directory or by tokens only."),
        say("Reports it, with the command; no KMS host would be asked."),
    ),
    "kms-not-discovered": Entry(
        say("No KMS host is set, and DNS names none."),
        say("Reports it, and tries once more."),
    ),
    "kms-name-unresolved": Entry(
        say("The names of the provider's KMS hosts do not resolve on the server."),
        say(
            "Adds the provider's name servers with --allow add-dns; else reports it, and "
            "activation is not tried."
        ),
    ),
    "kms-unreachable": Entry(
        say("The server cannot open a connection to its KMS host."),
        say(
            "Takes another of the provider's hosts if the server reaches one, adds a missing "
            "route with --allow add-route; else reports it."
        ),
    ),
    "firewall-blocks-kms": Entry(
        say("The server's own firewall blocks the way to the KMS host."),
        say("Names the rule; firewalls are yours."),
    ),
    "kms-host-refuses": Entry(
        say("A KMS host was reached and said no."),
        say("Tries once more, and reports the host's reason."),
    ),
    "kms-host-too-old": Entry(
        say("The KMS host was reached and does not know this release."),
        say("Reports which host key, Windows and update the host needs."),
    ),
    "clock-skew": Entry(
        say(
            "The clock is off by five minutes or more; from 3.5 hours on it is an error, "
            "because a KMS host refuses more than four."
        ),
        say("Sets it from the provider's time servers on a stand-alone server; never in a domain."),
    ),
    "clock-set-back": Entry(
        say("The clock was set right and was wrong again a moment later."),
        say("Reports it: something else sets the clock."),
    ),
    "rtc-utc-mismatch": Entry(
        say(
            "Windows reads the hardware clock as local time where it is UTC, "
            "or the other way round."
        ),
        say("Reports it, with the command; the clock itself is set as for clock-skew."),
    ),
    "time-service-off": Entry(
        say("The Windows Time service is disabled or missing, or stopped while the clock is off."),
        say(
            "Enables and starts it on a stand-alone server that needs work, and lets it start "
            "with the network."
        ),
    ),
    "time-source-missing": Entry(
        say("Windows Time runs, but has nowhere to take the time from."),
        say("Names the provider's time server on a stand-alone server that needs work."),
    ),
    "time-seeding": Entry(
        say("The clock is off, and Windows also takes the time from TLS traffic."),
        say("Reports it."),
    ),
    "service-disabled": Entry(
        say("The licensing service, or a service it needs, is disabled."),
        say("Gives it its start mode back and starts it."),
    ),
    "service-stopped": Entry(
        say("Licensing does not answer and its service is stopped; stopped alone is healthy."),
        say("Starts it."),
    ),
    "spp-notification-stopped": Entry(
        say("The notification service that Server 2008 and 2008 R2 need is not running."),
        say("Starts it."),
    ),
    "licensing-binary-blocked": Entry(
        say(
            "The licensing program cannot be started: its file permissions, a debugger set for it, "
            "or a missing file."
        ),
        say(
            "Gives the right to execute back; takes a debugger away with --allow remove-debugger; "
            "a missing file is left to you."
        ),
    ),
    "rights-lost": Entry(
        say(
            "A right that licensing needs is gone: of a registry key, a service, DCOM or the store."
        ),
        say("Names each that is missing, with what was read; gives nothing back by itself."),
    ),
    "image-not-entitled": Entry(
        say("The server was made from an image that the provider's licence does not cover."),
        say("Nothing, unless --override-entitlement REASON says that it is covered."),
    ),
    "license-byol": Entry(
        say("The server runs on a licence of your own."),
        say("Nothing, unless --override-entitlement REASON says that the provider's covers it."),
    ),
    "entitlement-unknown": Entry(
        say("Nobody knows whether the provider's licence covers this server."),
        say("Goes on; name the image in the inventory to have it known."),
    ),
    "key-missing": Entry(
        say("Windows has no product key."),
        say("Installs the published client key of exactly this build and edition."),
    ),
    "key-wrong-channel": Entry(
        say(
            "The key is a retail, MAK or maker's key that is not activated; "
            "no KMS host activates it."
        ),
        say("Replaces it only with --replace-key."),
    ),
    "key-avma": Entry(
        say("The key is one for automatic virtual machine activation, and is not activated."),
        say("Replaces it only with --replace-key."),
    ),
    "licensed-by-own-key": Entry(
        say("Windows is licensed by a MAK, retail, maker's or Hyper-V key."),
        say("Leaves it alone."),
    ),
    "key-wrong-edition": Entry(
        say("The client key is one of another edition or release."),
        say("Installs the published client key of this one."),
    ),
    "several-keys": Entry(
        say("Windows has several keys side by side."),
        say("Judges by those that decide, and says which."),
    ),
    "addon-not-licensed": Entry(
        say("An add-on, such as extended security updates, is not licensed."),
        say("Reports it; it says nothing of Windows itself."),
    ),
    "edition-evaluation": Entry(
        say("This is an evaluation edition."),
        say("Nothing: conversion restarts the server and cannot be undone. It prints the command."),
    ),
    "kms-host-role": Entry(
        say("This server is itself a KMS host."),
        say("Nothing: hands off."),
    ),
    "dns-not-provider": Entry(
        say("The server asks other name servers than the provider's, and reaches no KMS host."),
        say("Adds the provider's name servers with --allow add-dns; else reports it."),
    ),
    "provider-route-missing": Entry(
        say("A route to the provider's internal services is missing."),
        say("Adds it with --allow add-route; else reports the command."),
    ),
    "duplicate-cmid": Entry(
        say(
            "Several servers share one client machine ID, because their image was not generalised."
        ),
        say(
            "Rearms those that a KMS host does not count, with --allow rearm; the restart is yours."
        ),
    ),
    "rearm-exhausted": Entry(
        say("No rearm is left; that matters to images, not to activation."),
        say("Reports it."),
    ),
    "token-store-damaged": Entry(
        say("The licence store says that it is damaged."),
        say(
            "Has it made anew with --allow rebuild-token-store, when nothing else is left to mend; "
            "the two restarts are yours."
        ),
    ),
    "product-policy-damaged": Entry(
        say("The product policy in the registry is damaged; Windows may use 2 GB of memory only."),
        say("Activates if needed, and reports what is left: a restart."),
    ),
    "restart-needed": Entry(
        say("What an earlier run has changed waits for a restart of Windows."),
        say("Nothing until then: a restart is yours to make."),
    ),
    "time-limits-raised": Entry(
        say("A run that was cut off has left the phase limits of Windows Time raised."),
        say("Puts them back as they were, where the server needs work anyway."),
    ),
    "wsh-disabled": Entry(
        say("Windows Script Host is off, so no script can run."),
        say("Nothing can be done from outside."),
    ),
    "not-elevated": Entry(
        say("The session has no administrator's rights."),
        say("Looks, changes nothing."),
    ),
    "release-unsupported": Entry(
        say("The provider's KMS hosts are not for this Windows, or it is not known."),
        say("Leaves its licence alone."),
    ),
    "release-without-gvlk": Entry(
        say("Microsoft publishes no client key for this release."),
        say("Installs none, and leaves its licence alone."),
    ),
    "azure-edition-elsewhere": Entry(
        say("This is Datacenter: Azure Edition, somewhere else than in Azure."),
        say("Leaves its licence alone, unless the KMS host is your own."),
    ),
    "fact-unreadable": Entry(
        say("Something that decisions rest on could not be read."),
        say("Plans nothing that rests on it."),
    ),
}
