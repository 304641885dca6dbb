"""The rules of conduct, as questions to a finished plan.

Design rules, put here a second time and without ``volact.core``: a plan that
breaks one is unsafe, however good its reasons look from inside.  Each rule is
a function that yields one sentence per breach; to add one, write it and list
it in ``RULES``.  A new kind of step has to be named in ``conduct_basis``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from answer_facts import clients, licensed, products, skew_s, state, token, value
from case_words import BUILDS, EDITIONS
from conduct_basis import ORDER, unread_basis
from conduct_kms import accepted, hides_the_servers, host_in_force, reached
from published_keys import key_for

from volact.core.context import Policy
from volact.model.facts import Clock
from volact.model.profile import Image, Profile
from volact.model.step import Step

WORKGROUP, CONTROLLER = (0, 2), (4, 5)
SIGNIFICANT_S = 300
KMS_WINDOW_S = 4 * 3600
NO_LIMIT = 0xFFFFFFFF
EVALUATION = (79, 80, 95, 96, 159, 160)
CLIENT_WINDOWS = (4, 48)
NOBODYS_OWN = ("VOLUME_KMSCLIENT", "TIMEBASED_EVAL")  # published, or a trial's
SEMI_ANNUAL = (145, 146)
SEMI_ANNUAL_NAMES = {"1709", "1803", "1809", "1903", "1909", "2004", "20H2", "23H2"}
OTHER_BUILDS = {6001: 6002, 6003: 6002, 7600: 7601}  # 2008 and 2008 R2 have several


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, and everything that it may rest on.

    ``errors`` are the error findings that really stand (expected and found).
    """

    raw: Mapping[str, Any]
    clock: Clock
    steps: tuple[Step, ...]
    profile: Profile
    images: Mapping[str, Image] = {}
    policy: Policy = Policy()
    errors: frozenset[str] = frozenset()

    def steps_of(self, *kinds: str) -> list[Step]:
        """The steps of these kinds."""
        return [step for step in self.steps if step.do in kinds]


Rule = Callable[[Deed], Iterator[str]]


def breaches(deed: Deed) -> tuple[str, ...]:
    """Every breach of every rule, as sentences."""
    return tuple(sentence for rule in RULES for sentence in rule(deed))


def only_known_steps(deed: Deed) -> Iterator[str]:
    """Nothing is done that nobody has thought about; never an uninstalled key."""
    for step in deed.steps:
        if step.do not in ORDER:
            yield f"{step.do} is no step that the rules of conduct know"


def safe_order(deed: Deed) -> Iterator[str]:
    """Services, program, clock, key, KMS host, activation."""
    places = [ORDER.index(step.do) for step in deed.steps if step.do in ORDER]
    if places != sorted(places):
        yield f"the order is not safe: {', '.join(step.do for step in deed.steps)}"


def nothing_on_unreadable_facts(deed: Deed) -> Iterator[str]:
    """ "Could not ask" is never "no"."""
    for step in deed.steps:
        for path in unread_basis(step, deed.raw, deed.steps):
            yield f"{step.do} rests on {path}, which could not be read"


def hands_off(deed: Deed) -> Iterator[str]:
    """Not entitled, a KMS host, not elevated, no script host: nothing at all."""
    if not deed.steps:
        return
    raw = deed.raw
    if _not_entitled(deed) and not deed.policy.override_entitlement:
        yield "steps on a server that is known not to be entitled"
    hosts = [p for p in products(raw) or () if token(p) == "VOLUME_KMS"]
    if hosts or (value(raw, "licensing.is_kms_host") or 0) > 0:
        yield "steps on a KMS host"
    if value(raw, "elevated") is False:
        yield "steps without elevation"
    if 0 in (value(raw, "wsh.machine"), value(raw, "wsh.user")):
        yield "steps although no script can run"


def licensed_servers_are_left_alone(deed: Deed) -> Iterator[str]:
    """A change to a server in order is a defect, whoever licensed it."""
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
    directory = any(product.get("VLActivationType") == 1 for product in keyed)
    licence = deed.steps_of("install-key", "set-kms-host", "clear-kms-host", "activate")
    if (own_key or directory) and licence:
        yield "the licence of a server is touched that its own key or its domain has licensed"


def time_comes_from_the_domain(deed: Deed) -> Iterator[str]:
    """Never repoint a member, never touch a controller's clock."""
    role = value(deed.raw, "os.role")
    for step in deed.steps_of("set-time-source", "set-time-trigger"):
        if role not in WORKGROUP:
            yield f"{step.do} with domain role {role}"
    for step in deed.steps_of("sync-clock"):
        if role is None or role in CONTROLLER:
            yield f"sync-clock with domain role {role}"
        if step.params.get("raise_limits") and role not in WORKGROUP:
            yield f"phase limits raised with domain role {role}"


def a_right_clock_is_not_touched(deed: Deed) -> Iterator[str]:
    """The clock is measured first, and set only when it is off."""
    skew = skew_s(deed.raw, deed.clock)
    if deed.steps_of("sync-clock") and (skew is None or abs(skew) < SIGNIFICANT_S):
        yield f"sync-clock although the clock is off by {skew} s only"


def policy_is_not_fought(deed: Deed) -> Iterator[str]:
    """What group policy sets is reported, never worked against."""
    raw, skew = deed.raw, skew_s(deed.raw, deed.clock) or 0
    if state(raw, "registry.policy_machine") == "known":
        for step in deed.steps_of("set-kms-host", "clear-kms-host"):
            yield f"{step.do} against group policy"
    time_policy = {state(raw, f"time.{name}") for name in ("policy_type", "policy_peers")}
    if deed.steps_of("set-time-source") and time_policy != {"absent"}:
        yield "set-time-source against group policy"
    limit = value(raw, "time.policy_neg" if skew > 0 else "time.policy_pos")
    forbidden = limit is not None and limit != NO_LIMIT and abs(skew) > limit
    no_sync = str(value(raw, "time.policy_type")).lower() == "nosync"
    if deed.steps_of("sync-clock") and (forbidden or no_sync):
        yield "sync-clock against group policy"


def keys_are_their_owners(deed: Deed) -> Iterator[str]:
    """Only a client key is replaced without the person's word, and only an unused one."""
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
        if not any(reached(host, raw) for host in hosts) and not _opens_the_way(deed):
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
        elif not reached(host, raw) and not _opens_the_way(deed):
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
    if not releases_of(build, sku) & set(deed.profile.releases):
        yield f"licence steps on build {build} with edition number {sku}"
    if sku in EVALUATION:
        yield "licence steps on an evaluation edition"


def releases_of(build: int, sku: int) -> set[str]:
    """The names of the release; none for a client Windows or an unknown edition."""
    known = {number for full, core, _ in EDITIONS.values() for number in (full, core)}
    if sku in CLIENT_WINDOWS or sku not in known:
        return set()
    build = OTHER_BUILDS.get(build, build)
    names = {name for name, (number, *_) in BUILDS.items() if number == build}
    return names & SEMI_ANNUAL_NAMES if sku in SEMI_ANNUAL else names - {"1809"}


def services_only_get_back_what_they_had(deed: Deed) -> Iterator[str]:
    """A service is enabled only when disabled, and started only when it can be."""
    enabled = {step.params["name"] for step in deed.steps_of("enable-service")}
    for step in deed.steps_of("enable-service", "start-service"):
        name = step.params["name"]
        now = value(deed.raw, "services", name) or ["", ""]
        if step.do == "enable-service" and now[1] != "Disabled":
            yield f"enable-service {name}, which is not disabled"
        if step.do == "start-service" and now[0] == "Running":
            yield f"start-service {name}, which runs"
        if step.do == "start-service" and now[1] == "Disabled" and name not in enabled:
            yield f"start-service {name}, which is disabled"


def _not_entitled(deed: Deed) -> bool:
    """Whether the image or the metadata is known to stand for another licence."""
    rule = deed.profile.entitlement
    if rule.metadata and value(deed.raw, "metadata", rule.metadata) in rule.own:
        return True
    image_id = (
        value(deed.raw, "metadata", deed.profile.image_key) if deed.profile.image_key else None
    )
    image = deed.images.get(image_id or "") or deed.profile.images.get(image_id or "")
    if image is None or image == Image():
        return False
    official = image.type == "PUBLIC_IMAGE" or image.source == "OFFICIAL"
    return not (official and image.license != "BYOL")


_ASKING = ("remove-debugger", "add-dns", "add-route", "rebuild-token-store", "rearm")


def what_cannot_simply_be_undone_asks_first(deed: Deed) -> Iterator[str]:
    """The person's word for each kind of step; last resorts by themselves."""
    for step in deed.steps_of(*_ASKING):
        if step.do not in deed.policy.consent:
            yield f"{step.do} without consent"
    if deed.steps_of("rebuild-token-store", "rearm") and len(deed.steps) > 1:
        yield "a last resort together with other steps"
    if (value(deed.raw, "licensing.rearm") or 0) < 2 and deed.steps_of("rearm"):
        yield "rearm although no more than one is left"
    if value(deed.raw, "store.spare") is not False and deed.steps_of("rebuild-token-store"):
        yield "a second store would have to be kept"
    if value(deed.raw, "os.role") in CONTROLLER and deed.steps_of("add-dns"):
        yield "name servers of a domain controller"
    if deed.steps and state(deed.raw, "restart") == "known":
        yield "steps on a server that waits for a restart"


RULES: tuple[Rule, ...] = (
    what_cannot_simply_be_undone_asks_first,
    only_known_steps,
    safe_order,
    nothing_on_unreadable_facts,
    hands_off,
    licensed_servers_are_left_alone,
    time_comes_from_the_domain,
    a_right_clock_is_not_touched,
    policy_is_not_fought,
    keys_are_their_owners,
    kms_hosts_are_the_providers,
    activation_is_not_tried_in_vain,
    foreign_windows_is_left_alone,
    services_only_get_back_what_they_had,
)
