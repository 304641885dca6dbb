"""Providers on the command line: the one that a verb needs, and one as text.

The text has every field of the profile, with the confidence of its sources.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import msgspec

from volact.cloud.registry import cloud_named
from volact.errors import InputError
from volact.knowledge.load import load_profile, profile_names
from volact.model.profile import Profile
from volact.model.text import ready, say
from volact.report.wrap import wrapped
from volact.words import tr

# Fields that are listed even if they are empty.
_MISSED = ("ntp", "bios", "entitlement")
_MEANS = {
    "official": say("the cloud's own page, program or interface says it"),
    "third-party": say("another party says it, or a copy whose origin could not be placed"),
    "inferred": say("a reading of what the sources say"),
    "unverified": say("general knowledge; no source confirms it"),
}


class Section(msgspec.Struct, frozen=True):
    """One heading: the profile's field, which is also the key its sources begin with."""

    title: str
    field: str
    lines: Callable[[Profile], list[str]] | None = None  # None: the value itself

    def of(self, profile: Profile) -> list[str]:
        """What a profile has there: several words on one line, a table a line each."""
        if self.lines is not None:
            return self.lines(profile)
        value = getattr(profile, self.field)
        if isinstance(value, dict):
            return [f"{key}: {item}" for key, item in value.items()]
        words = value if isinstance(value, tuple) else (value,)
        return [", ".join(map(str, words))] if value else []


def required_profile(name: str) -> Profile:
    """The profile named, or the only one there is."""
    names = profile_names()
    if not name and len(names) != 1:
        raise InputError(say("no provider given"), f"--provider {' | '.join(names)}")
    return load_profile(name or names[0])


def provider_text(profile: Profile, columns: int = sys.maxsize) -> str:
    """Everything known of one provider; the command for its routes stays whole."""
    lines = [f"{profile.name}: {profile.title}"]
    for section in SECTIONS:
        lines += _section(section, profile)
    lines += _run_command(profile)
    lines += ["", tr("Where this comes from")]
    for item in profile.sources:
        lines += [f"  [{item.confidence}] {item.fact}", f"      {item.text}"]
    lines += ["", tr("How sure a fact is")]
    lines += [f"  {word}: {tr(means)}" for word, means in _MEANS.items()]
    whole = {f"  {way.command}" for way in profile.routes_command}
    fitted = (_fitted(line, columns) if line not in whole else [line] for line in lines)
    return "".join(f"{line}\n" for part in fitted for line in part)


def _fitted(line: str, columns: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return [indent + part for part in wrapped(line.strip(), columns - len(indent))] or [""]


def _section(section: Section, profile: Profile) -> Iterator[str]:
    items = section.of(profile)
    if not items and section.field not in _MISSED:
        return
    sure = _sure(profile, section.field)
    yield ""
    title = tr(section.title)
    yield f"{title[:1].upper()}{title[1:]}{f'  [{sure}]' if sure and items else ''}"
    yield from (f"  {item}" for item in items or [tr("not known: no source tells")])


def _sure(profile: Profile, field: str) -> str:
    """The confidence of a field's sources, the highest first."""
    given = {s.confidence for s in profile.sources if s.fact.partition(":")[0] == field}
    return ", ".join(word for word in _MEANS if word in given)


def _kms(profile: Profile) -> list[str]:
    other = tr("every release") if len(profile.kms) == 1 else tr("every other release")
    return [
        f"{', '.join(other if word == '*' else word for word in rule.releases)}: "
        + ", ".join(str(host) for host in rule.hosts)
        for rule in profile.kms
    ]


def _parts(profile: Profile) -> list[str]:
    return [
        f"{profile.name}/{part.name} ({part.title}): {', '.join(str(host) for host in part.kms)}"
        + (tr(say("; time from {names}", names=", ".join(part.ntp))) if part.ntp else "")
        for part in profile.sub_clouds
    ]


def _licence(profile: Profile) -> list[str]:
    rule = profile.entitlement
    told = {
        "image": say("by the image the server was made from"),
        "metadata": say("by a value of the metadata service"),
        "edition": say("by the edition of Windows"),
        "none": say("cannot be seen from the server"),
    }
    lines = [tr(told.get(rule.kind, rule.kind))]
    if rule.metadata:
        lines.append(tr(say("metadata value: {name}", name=rule.metadata)))
    if rule.entitled:
        lines.append(tr(say("the cloud's licence: {names}", names=", ".join(rule.entitled))))
    if rule.own:
        lines.append(tr(say("a licence of your own: {names}", names=", ".join(rule.own))))
    if rule.instance_entitled:
        words = ", ".join(rule.instance_entitled)
        lines.append(tr(say("the API's words for the cloud's licence: {words}", words=words)))
    if rule.instance_own:
        words = ", ".join(rule.instance_own)
        lines.append(tr(say("the API's words for a licence of your own: {words}", words=words)))
    return [*lines, *([tr(rule.text)] if rule.text else [])]


def _run_command(profile: Profile) -> list[str]:
    """How volact calls the cloud's API, where it does."""
    cloud = cloud_named(profile.name)
    if cloud is None:
        return []
    scopes = [f"--from {cloud.name}:{cloud.listing.example}"] if cloud.listing else []
    unproven = [tr(cloud.unproven)] if cloud.unproven else []
    said = [f"{cloud.scheme}://{cloud.place_example}", *scopes, *unproven]
    return ["", tr("Its run-command and list of instances"), *(f"  {line}" for line in said)]


def _images(profile: Profile) -> list[str]:
    return [
        f"{name}: " + ", ".join(word for word in (image.type, image.source, image.license) if word)
        for name, image in profile.images.items()
    ]


def _routes(profile: Profile) -> list[str]:
    via = {"gateway": say("by the default gateway"), "self": say("by the server's own address")}
    when = {"always": "", "unreachable": say("; matters only when the KMS host does not answer")}
    return [
        (
            tr(say("{route} on the link", route=f"{route.destination}/{route.mask}"))
            if ":" in route.destination
            else f"{route.destination} mask {route.mask} {tr(via[route.via])}"
        )
        + tr(when[route.when])
        for route in profile.routes
    ]


def _discovery(profile: Profile) -> list[str]:
    if profile.discovery != "dns":
        return []
    return [tr("no host of its own: name yours with --kms-host, or leave it to DNS")]


def _commands(profile: Profile) -> list[str]:
    return [
        line
        for way in profile.routes_command
        for line in (f"{way.tool} ({', '.join(way.releases)}):", way.command)
    ]


SECTIONS = (
    Section(say("KMS hosts (the first is preferred, all are accepted)"), "kms", _kms),
    Section(say("KMS host by discovery"), "discovery", _discovery),
    Section(say("KMS host named by metadata, before all others"), "kms_from_metadata"),
    Section(say("Parts with KMS hosts of their own"), "sub_clouds", _parts),
    Section(say("Every host below these domains is its own"), "kms_suffixes"),
    Section(say("Addresses for routes and firewalls, never to be set"), "kms_ranges"),
    Section(say("Shares a KMS address with"), "same_address_as"),
    Section(say("Header of the metadata service's token"), "metadata_token"),
    Section(say("Metadata value with the public address"), "public_ip_key"),
    Section(say("Ports that its pages print wrongly"), "misprinted_ports"),
    Section(
        say("Needs"),
        "needs",
        lambda profile: [tr(ready(profile.needs))] if profile.needs else [],
    ),
    Section(say("Releases"), "releases"),
    Section(say("How the licence can be told"), "entitlement", _licence),
    Section(say("Metadata value with the image id"), "image_key"),
    Section(say("Metadata value with the instance id"), "instance_key"),
    Section(say("Images known"), "images", _images),
    Section(say("Time servers (the first is the one that is set)"), "ntp"),
    Section(say("Hardware clocks run in"), "hardware_clock"),
    Section(say("Second clock (Date header)"), "date_url"),
    Section(say("DNS servers"), "dns"),
    Section(say("DNS domain of its own names"), "dns_zone"),
    Section(say("Routes"), "routes", _routes),
    Section(say("Its own way to set the routes"), "routes_command", _commands),
    Section(say("Metadata"), "metadata"),
    Section(say("Metadata headers"), "metadata_headers"),
    Section(say("Recognised by the firmware's words"), "bios"),
    Section(say("Recognised by the chassis' asset tag"), "asset_tags"),
    Section(say("Handed-out script"), "script_name"),
    Section(say("Notes"), "notes", lambda profile: [tr(ready(note)) for note in profile.notes]),
)
