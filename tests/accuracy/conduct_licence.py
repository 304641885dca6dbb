"""Rules of conduct about keys, KMS hosts, activation and foreign editions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from answer_facts import by_other_means, clients, licensed, products, skew_s, token, value
from case_words import BUILDS, EDITIONS
from conduct_deed import Deed
from conduct_kms import accepted, hides_the_servers, host_in_force, last_success, reached
from published_keys import key_for

from volact.model.step import Step

KMS_WINDOW_S = 4 * 3600
EVALUATION = (79, 80, 95, 96, 159, 160)
CLIENT_WINDOWS = (4, 48)
NOBODYS_OWN = ("VOLUME_KMSCLIENT", "TIMEBASED_EVAL")  # published, or a trial's
SEMI_ANNUAL = (145, 146)
SEMI_ANNUAL_NAMES = {"1709", "1803", "1809", "1903", "1909", "2004", "20H2", "23H2"}
OTHER_BUILDS = {6001: 6002, 6003: 6002, 7600: 7601}  # 2008 and 2008 R2 have several


def licensed_servers_are_left_alone(deed: Deed) -> Iterator[str]:
    """A change to a server in order is a defect, under any licence."""
    keyed = clients(deed.raw) or products(deed.raw) or []
    if not deed.steps or not keyed or not all(licensed(product) for product in keyed):
        return
    hosts = [host_in_force(deed.raw, product) for product in keyed]
    by_accepted = all(
        host and accepted(host, deed.raw, deed.profile, any_port=True) for host in hosts
    )
    if by_accepted and not deed.errors:
        yield "steps on a server that an accepted host has licensed, without an error"
    own_key = not clients(deed.raw)
    other = any(map(by_other_means, keyed))
    licence = deed.steps_of("install-key", "set-kms-host", "clear-kms-host", "activate")
    if (own_key or other) and licence:
        yield "the licence of a server is touched that its own key, token or domain has licensed"


def keys_are_their_owners(deed: Deed) -> Iterator[str]:
    """Only a client key is replaced without consent, and only an unused one."""
    consent = deed.policy.replace_key or "key-wrong-channel" in deed.policy.consent
    keyed = products(deed.raw) or []
    for step in deed.steps_of("install-key"):
        if any(licensed(product) for product in keyed):
            yield "install-key over a key that is in use"
        if keyed and not step.params.get("replace"):
            yield "install-key, not marked as a replacement, where there is a key"
        if any(token(product) not in NOBODYS_OWN for product in keyed) and not consent:
            yield "install-key over a key that is no client key, without consent"
        yield from _wrong_key(step, deed.raw)


def _wrong_key(step: Step, raw: Mapping[str, Any]) -> Iterator[str]:
    build, sku = value(raw, "os.build"), value(raw, "os.sku")
    right = key_for(build, sku) if build is not None and sku is not None else ""
    if not right or step.params["keys"] != {f"{build}/{sku}": right}:
        yield f"install-key with another key than the published one of build {build}, SKU {sku}"


def kms_hosts_are_the_providers(deed: Deed) -> Iterator[str]:
    """Only the provider's hosts, right port, in reach, and only for a KMS client."""
    raw = deed.raw
    for step in deed.steps_of("set-kms-host"):
        hosts: list[str] = step.params["hosts"]
        for host in hosts:
            if not accepted(host, raw, deed.profile):
                yield f"set-kms-host {host}, which is not the provider's"
        trial = step.params.get("unproven", False)
        if trial and not (deed.steps_of("activate") and deed.steps_of("put-back-kms-host")):
            yield "set-kms-host on trial without an activation and a step that puts it back"
        if not any(reached(h, raw, unproven=trial) for h in hosts) and not _opens_the_way(deed):
            yield "set-kms-host although the server reaches none of the hosts"
        if products(raw) and not clients(raw) and not deed.steps_of("install-key"):
            yield "set-kms-host for a key that no KMS host activates"
    for step in deed.steps_of("clear-kms-host"):
        own = next((p for p in clients(raw) if p.get("ID") == step.params["product"]), None)
        host = host_in_force(raw, own) if own else ""
        if not own or accepted(host, raw, deed.profile):
            yield "clear-kms-host where no foreign host is set for the product"


def activation_is_not_tried_in_vain(deed: Deed) -> Iterator[str]:
    """Not where it would only fail, or ask a host that is not the provider's."""
    if not deed.steps_of("activate"):
        return
    yield from _wrong_host(deed)
    raw, skew = deed.raw, skew_s(deed.raw, deed.clock)
    if skew is not None and abs(skew) > KMS_WINDOW_S and not deed.steps_of("sync-clock"):
        yield "activate although the clock is off by more than four hours"
    if value(raw, "binary.debugger") and not deed.steps_of("remove-debugger"):
        yield "activate although a debugger keeps the licensing program from running"
    if products(raw) and not clients(raw) and not deed.steps_of("install-key"):
        yield "activate with a key that no KMS host activates"
    if products(raw) == [] and not deed.steps_of("install-key"):
        yield "activate without a key"


def no_kms_host_for_another_way(deed: Deed) -> Iterator[str]:
    """A Windows that is set to Active Directory or tokens alone contacts no KMS host."""
    forced = any(p.get("VLActivationTypeEnabled") in (1, 3) for p in clients(deed.raw))
    for step in deed.steps_of("set-kms-host", "clear-kms-host", "activate") if forced else ():
        yield f"{step.do} although Windows is set to contact no KMS host"


def _wrong_host(deed: Deed) -> Iterator[str]:
    """The host that activation will ask must be the provider's and be reached."""
    raw, set_host = deed.raw, bool(deed.steps_of("set-kms-host"))
    cleared = {step.params["product"] for step in deed.steps_of("clear-kms-host")}
    for product in clients(raw) or ([{}] if products(raw) == [] else []):
        own = {} if product.get("ID") in cleared else product
        host = host_in_force(raw, own)
        if set_host and not hides_the_servers(raw, own):
            continue  # the server's own setting is about to be one of the provider's
        if not host and deed.profile.discovery == "dns":
            continue  # Windows asks DNS, as this provider wants it
        if not host or not accepted(host, raw, deed.profile):
            yield f"activate while the KMS host in force is {host or 'not known'}"
        elif not reached(host, raw, unproven=True) and not _opens_the_way(deed):
            yield f"activate although {host} is not known to be reached"


def _opens_the_way(deed: Deed) -> bool:
    """Whether name servers or a route are added, after which a host may be reached."""
    return bool(deed.steps_of("add-dns", "add-route"))


def foreign_windows_is_left_alone(deed: Deed) -> Iterator[str]:
    """No licence step on an evaluation or on what the provider does not cover."""
    licence = deed.steps_of("install-key", "set-kms-host", "clear-kms-host", "activate")
    build, sku = value(deed.raw, "os.build"), value(deed.raw, "os.sku")
    if not licence or build is None or sku is None:
        return
    if not releases_of(build, sku) & set(deed.profile.releases) and not _renews(deed, licence):
        yield f"licence steps on build {build} with edition number {sku}"
    if sku in CLIENT_WINDOWS:
        yield "licence steps on a client Windows"
    if sku in EVALUATION:
        yield "licence steps on an evaluation edition"


def _renews(deed: Deed, licence: list[Step]) -> bool:
    """Whether the host that has licensed Windows is only asked once more."""
    keyed = clients(deed.raw)
    hosts = [host_in_force(deed.raw, product) for product in keyed]
    return (
        all(step.do == "activate" for step in licence)
        and bool(keyed)
        and all(licensed(product) for product in keyed)
        and all(host and accepted(host, deed.raw, deed.profile) for host in hosts)
        and not _refused_or_given_by_another(deed)
    )


def _refused_or_given_by_another(deed: Deed) -> bool:
    """Whether the newest events show another host's success, or a product not served."""
    events = value(deed.raw, "events") or {}
    answer = int((events.get("12289") or ("", ["0"]))[1][0], 16)
    host, _ = last_success(deed.raw)
    return answer == 0xC004F042 or (
        host is not None and not accepted(f"{host}:1688", deed.raw, deed.profile, any_port=True)
    )


def releases_of(build: int, sku: int) -> set[str]:
    """The names of the release; none for a client Windows or an unknown edition."""
    known = {number for full, core, _ in EDITIONS.values() for number in (full, core)}
    if sku in CLIENT_WINDOWS or sku not in known:
        return set()
    build = OTHER_BUILDS.get(build, build)
    names = {name for name, (number, *_) in BUILDS.items() if number == build}
    return names & SEMI_ANNUAL_NAMES if sku in SEMI_ANNUAL else names - {"1809"}
