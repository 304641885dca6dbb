"""What the agent is asked to do: the request that is embedded in its file.

Values and their making only.  How a request becomes a file is in ``render``,
what comes back is read in ``answer``.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, Literal

import msgspec

from volact.core.assessment.hosts import of_no_cloud
from volact.knowledge.load import load_errors, load_profile, profile_names
from volact.model.profile import Image, Profile
from volact.model.step import Step
from volact.model.text import say

AgentMode = Literal["probe", "apply", "standalone"]

# Servers that share a script share its lock lease, so its begin is rounded to this.
_SHARED_S = 300
# For the transport and for the batch part around the script.
_SPARE_S = 15


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent needs to know to ask its questions.

    The last four are for the standalone mode alone: the provider's title for
    the person; metadata values of servers that must not be activated, each with
    the reason (``{"image-id": {"img-1": "it is ..."}}``); the KMS hosts of all
    clouds, ``.x`` for every name that ends so; what the usual codes mean.
    """

    kms: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    headers: dict[str, str] = {}
    token: str = ""  # the header of a token that is got by PUT and sent with each question
    date: str = ""  # whose Date header is a second clock
    connect_ms: int = 3000
    kms_from: str = ""  # a metadata value that names one more KMS host to try
    present: bool = False  # try the KMS hosts that are set or discovered, too
    detect: bool = False  # the cloud is not known yet: ask what may identify it
    title: str = ""
    refuse: dict[str, dict[str, str]] = {}
    clouds: tuple[str, ...] = ()
    codes: dict[str, str] = {}


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of these steps, for other runs on the server meanwhile.

    ``since`` and ``until`` are Unix milliseconds by volact's clock: the
    server's own may be set by a step.
    """

    run: str
    who: str
    since: int
    until: int


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``id`` is 16 hex digits and comes back in the answer.

    With ``lock`` an ``apply`` runs only while no other run is at work there.
    """

    id: str
    mode: AgentMode
    ask: Ask = Ask()
    steps: tuple[Step, ...] = ()
    lock: Lock | None = None

    def document(self) -> dict[str, Any]:
        """The request as docs/agent-protocol.md has it."""
        ask = {k: v for k, v in msgspec.to_builtins(self.ask).items() if v or k in _ALWAYS}
        document: dict[str, Any] = {"v": 1, "id": self.id, "mode": self.mode, "ask": ask}
        if self.mode != "probe":
            document["steps"] = [{"do": step.do, **step.params} for step in self.steps]
        if self.lock is not None:
            document["lock"] = msgspec.to_builtins(self.lock)
        return document


_ALWAYS = ("kms", "metadata", "headers", "connect_ms")


def new_request(
    mode: AgentMode, profile: Profile | None, steps: tuple[Step, ...] = (), *, id: str
) -> Request:
    """A request about one provider's hosts; without a profile nothing of a cloud is asked."""
    ask = Ask(detect=True) if profile is None else _ask(profile, mode)
    return Request(id=id, mode=mode, ask=ask, steps=steps)


def shared_id(request: Request, salt: str) -> str:
    """An id that equal questions have in common, and no other request has."""
    document = json.dumps({**request.document(), "id": ""}, sort_keys=True)
    return hashlib.blake2b(document.encode(), key=salt.encode(), digest_size=8).hexdigest()


def _ask(profile: Profile, mode: AgentMode) -> Ask:
    person = mode == "standalone"
    hosts = tuple(map(str, profile.all_kms_hosts()))
    with_whom = hosts[0] if profile.own_hosts else profile.title
    return Ask(
        kms=hosts,
        metadata=dict(profile.metadata),
        headers=dict(profile.metadata_headers),
        token=profile.metadata_token,
        date=profile.date_url,
        kms_from=profile.kms_from_metadata,
        present=profile.discovery == "dns",
        title=with_whom if person else "",
        refuse=_refused(profile) if person and not of_no_cloud(profile, _profiles()) else {},
        clouds=_clouds() if person else (),
        codes=_codes() if person else {},
    )


@cache
def _profiles() -> tuple[Profile, ...]:
    return tuple(map(load_profile, profile_names()))


@cache
def _clouds() -> tuple[str, ...]:
    """The KMS hosts of all clouds, by name."""
    names: set[str] = set()
    for profile in _profiles():
        hosts = (*profile.all_kms_hosts(), *(h for sub in profile.sub_clouds for h in sub.kms))
        names.update(host.host.lower() for host in hosts)
        names.update(f".{end}" for end in profile.kms_suffixes)
    return tuple(sorted(names))


@cache
def _codes() -> dict[str, str]:
    """The usual codes of a failed activation, a sentence each."""
    known = load_errors()
    return {f"0x{code:08X}": str(known[code].meaning) for code in _USUAL if code in known}


# Codes that a KMS client gets, and those of the network and DNS.
_USUAL = (
    0xC004F038, 0xC004F039, 0xC004F041, 0xC004F042, 0xC004F050, 0xC004F069, 0xC004F06C,
    0xC004F074, 0xC004F014, 0xC004F015, 0xC004F00F, 0x8007232B, 0x8007267C, 0x800706BA,
    0x8007007B, 0x80070005, 0x80072EE7, 0x80072EE2,
)  # fmt: skip


def _refused(profile: Profile) -> dict[str, dict[str, str]]:
    """Metadata values of servers that the provider's licence does not cover."""
    refuse: dict[str, dict[str, str]] = {}
    if profile.image_key in profile.metadata:
        reasons = {name: _why_not(image) for name, image in profile.images.items()}
        refuse[profile.image_key] = {name: why for name, why in reasons.items() if why}
    rule = profile.entitlement
    if rule.kind == "metadata" and rule.metadata in profile.metadata:
        own = dict.fromkeys(rule.own, _OWN)
        refuse[rule.metadata] = {**refuse.get(rule.metadata, {}), **own}
    return {name: reasons for name, reasons in refuse.items() if reasons}


_OWN = str(say("the server uses your own licence, not the provider's"))
_NOT_PUBLIC = str(say("not a public image; the provider's licence covers public images only"))
_OTHERS = {"PRIVATE_IMAGE", "SHARED_IMAGE", "CREATE_IMAGE", "EXTERNAL_IMPORT"}


def _why_not(image: Image) -> str:
    if image.license == "BYOL":
        return _OWN
    return _NOT_PUBLIC if {image.type, image.source} & _OTHERS else ""


def lock_lease(run: str, who: str, now: float, script_s: int, *, shared: bool) -> Lock:
    """The lease of the lock that one script's steps are sent under.

    How a server keeps the lock is the agent's part (``agent/source/lock.js``).

    Args:
        run: the run's id.
        who: its operator, shown to another run that meets the lock.
        now: this computer's time: the only clock that no step of any run sets.
        script_s: the time limit of the script; the lease lasts about twice as long.
        shared: whether many servers get the same script.
    """
    begin = now // _SHARED_S * _SHARED_S if shared else now
    life = 2 * script_s + _SPARE_S + (_SHARED_S if shared else 0)
    return Lock(
        run=_ascii(run, 64).replace(" ", "-") or "-",
        who=_ascii(who, 80) or "-",
        since=int(begin * 1000),
        until=int((begin + life) * 1000),
    )


def _ascii(text: str, most: int) -> str:
    return "".join(char for char in text if " " <= char <= "~").strip()[:most]
