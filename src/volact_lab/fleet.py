"""From a scenario, a size and a seed to the servers of a fleet.

Nothing is built here.  The same three values always give the same servers; a
fleet smaller than its scenario's list of faults takes the first of the list.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import cast

from volact.errors import InputError
from volact_lab.cloud import cloud_of, home
from volact_lab.faults import FAULTS, Fault
from volact_lab.scenario import Scenario
from volact_lab.windows.spec import LOGINS, ShellName, Spec, TransportName

_ROLES = ("web", "db", "app", "mail", "file", "cache", "queue", "report")
_DOMAIN_USERS = {
    "en": "CONTOSO\\ops.admin",
    "zh": "GONGSI\\王伟",
    "id": "KANTOR\\Admin TI",
    "ja": "KAISHA\\田中",
    "de": "FIRMA\\jörg.müller",
}
_DOMAINS = {"en": "contoso.example", "de": "firma.example"}


def fleet(scenario: Scenario, servers: int, seed: int) -> tuple[Spec, ...]:
    """The servers, in the order of the inventory."""
    if servers < 1:
        raise InputError(f"a fleet has at least one server, not {servers}")
    kinds = _kinds(scenario, servers, seed)
    draw = _Draw(scenario, seed, max(2, len(str(servers))))
    return tuple(draw.server(FAULTS[kind], index) for index, kind in enumerate(kinds))


def able(fault: Fault, transport: TransportName) -> TransportName:
    """The transport if it can have the fault: a run-command knows no host keys."""
    if transport not in LOGINS and fault.line == "host-key":
        return "ssh"
    return home().scheme if fault.home_only and not cloud_of(transport).is_home else transport


def _kinds(scenario: Scenario, servers: int, seed: int) -> list[str]:
    """The fault of each server: every one once, the rest by share, then mixed."""
    once = [share.kind for share in scenario.faults]
    if servers <= len(once):
        return once[:servers]
    weights = {share.kind: share.share for share in scenario.faults}
    kinds = once + _by_weight(weights, servers - len(once))
    random.Random(f"{seed}/order").shuffle(kinds)
    return kinds


def _by_weight(weights: Mapping[str, float], count: int) -> list[str]:
    """``count`` names in proportion to their weights: largest remainders get the rest."""
    total = sum(weights.values())
    if total <= 0:
        weights, total = dict.fromkeys(weights, 1.0), float(len(weights))
    exact = {name: weight * count / total for name, weight in weights.items()}
    whole = {name: int(value) for name, value in exact.items()}
    missing = count - sum(whole.values())
    order = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in order[:missing]:
        whole[name] += 1
    return [name for name, number in whole.items() for _ in range(number)]


class _Deck:
    """Draws names so that each comes up as often as its weight says, soon."""

    def __init__(self, weights: Mapping[str, float], seed: str) -> None:
        self._cards = [name for name, weight in weights.items() for _ in range(int(weight))]
        self._chance = random.Random(seed)
        self._left: list[str] = []

    def draw(self, allowed: tuple[str, ...] = ()) -> str:
        """The next name; with ``allowed``, the next of those."""
        if allowed and not set(allowed) & set(self._cards):
            return self._chance.choice(allowed)
        for index, name in enumerate(self._left):
            if not allowed or name in allowed:
                return self._left.pop(index)
        fresh = list(self._cards)
        self._chance.shuffle(fresh)
        self._left += fresh
        return self.draw(allowed)


class _Draw:
    """Draws the servers of one fleet."""

    def __init__(self, scenario: Scenario, seed: int, width: int) -> None:
        self._scenario = scenario
        self._seed = seed
        self._width = width
        self._releases = _Deck(scenario.releases, f"{seed}/releases")
        self._languages = _Deck(scenario.languages, f"{seed}/languages")
        self._shells = _Deck(scenario.shells, f"{seed}/shells")
        self._transports = _Deck(scenario.transports, f"{seed}/transports")
        self._regions = _Deck(scenario.regions, f"{seed}/regions")

    def server(self, fault: Fault, index: int) -> Spec:
        """The next server, with a fault."""
        scenario = self._scenario
        chance = random.Random(f"{self._seed}/{index}/spec")
        language = self._languages.draw()
        by_domain = chance.random() < scenario.domain_users
        release = self._releases.draw(fault.releases)
        return Spec(
            name=f"{_ROLES[index % len(_ROLES)]}-{index + 1:0{self._width}d}",
            index=index,
            seed=self._seed,
            release=release,
            language=language,
            edition="Datacenter" if chance.random() < 0.8 else "Standard",
            core=chance.random() < scenario.core and not release.startswith("2008"),
            user=_DOMAIN_USERS[language] if by_domain else "Administrator",
            domain=_DOMAINS.get(language, "corp.example") if fault.domain_member else "",
            shell=cast(ShellName, self._shells.draw()),
            key_login=chance.random() < scenario.key_logins and fault.line != "auth",
            faults=(fault.id,),
            transport=able(fault, self._transports.draw()),
            region=self._regions.draw(),
        )
