"""Rules of conduct about the server around its licence: rights, time, policy, services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from answer_facts import clients, products, skew_s, state, token, value
from conduct_basis import ORDER, unread_basis
from conduct_deed import Deed
from conduct_moving import licence_counts

from volact.model.profile import Image

WORKGROUP, CONTROLLER = (0, 2), (4, 5)
SIGNIFICANT_S = 300
NO_LIMIT = 0xFFFFFFFF
# What cannot simply be undone waits for its own word.
ASKING = ("remove-debugger", "add-dns", "add-route", "rebuild-token-store", "rearm")


def only_known_steps(deed: Deed) -> Iterator[str]:
    """Only known steps are taken; a key is never uninstalled."""
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
    off = value(raw, "time.policy_client") == 0
    if deed.steps_of("sync-clock") and (forbidden or off or _sourceless_by_policy(raw)):
        yield "sync-clock against group policy"


def _sourceless_by_policy(raw: Mapping[str, Any]) -> bool:
    """Whether group policy leaves nothing that the time could be taken from."""
    kind, peers = value(raw, "time.policy_type"), value(raw, "time.policy_peers")
    if kind is None and peers is None:
        return False
    kind = str(kind or value(raw, "time.type")).upper()
    peers = value(raw, "time.peers") if peers is None else peers
    orphan = kind == "NT5DS" and value(raw, "os.role") in WORKGROUP
    return kind == "NOSYNC" or orphan or (kind == "NTP" and not peers)


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


def what_cannot_simply_be_undone_asks_first(deed: Deed) -> Iterator[str]:
    """Consent for each kind of step; last resorts by themselves."""
    for step in deed.steps_of(*ASKING):
        if step.do not in deed.policy.consent:
            yield f"{step.do} without consent"
    if deed.steps_of("rebuild-token-store", "rearm") and len(deed.steps) > 1:
        yield "a last resort together with other steps"
    if (value(deed.raw, "licensing.rearm") or 0) < 2 and deed.steps_of("rearm"):
        yield "rearm although no more than one is left"
    if value(deed.raw, "store.spare") is not False and deed.steps_of("rebuild-token-store"):
        yield "a second store would have to be kept"
    if deed.steps_of("rebuild-token-store") and _keys_of_others(deed.raw):
        yield "a key that is no KMS client key would be lost"
    if value(deed.raw, "os.role") not in WORKGROUP and deed.steps_of("add-dns"):
        yield "name servers in a domain"
    if deed.steps and state(deed.raw, "restart") == "known":
        yield "steps on a server that waits for a restart"


def _keys_of_others(raw: Mapping[str, Any]) -> bool:
    """Whether the licence store has a key that nothing published replaces."""
    keyed = [p for p in value(raw, "products") or () if p.get("PartialProductKey")]
    return len(keyed) > len(clients(raw))


def _not_entitled(deed: Deed) -> bool:
    """Whether the image or the metadata is known to stand for another licence."""
    rule = deed.profile.entitlement
    if not licence_counts(deed.profile):
        return False
    said = (value(deed.raw, "metadata", rule.metadata) or "") if rule.metadata else ""
    if said in rule.own:
        return True
    if rule.kind == "metadata" and set(said.split()) & set(rule.entitled):
        return False  # the cloud's own word of this server, and so before its image's
    image_id = (
        value(deed.raw, "metadata", deed.profile.image_key) if deed.profile.image_key else None
    )
    image = deed.images.get(image_id or "") or deed.profile.images.get(image_id or "")
    if image is None or image == Image():
        return False
    official = image.type == "PUBLIC_IMAGE" or image.source == "OFFICIAL"
    return not (official and image.license != "BYOL")
