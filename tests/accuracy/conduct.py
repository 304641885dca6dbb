"""The rules of conduct, as questions to a finished plan.

Design rules, put here a second time and without ``volact.core``: a plan that
breaks one is unsafe, however good its reasons look from inside.  Each rule is
a function in ``conduct_server`` or ``conduct_licence`` that yields one sentence
per breach; to add one, write it and list it in ``RULES``.  A new kind of step
has to be named in ``conduct_basis``.
"""

from __future__ import annotations

from conduct_deed import Deed, Rule
from conduct_licence import (
    activation_is_not_tried_in_vain,
    foreign_windows_is_left_alone,
    keys_are_their_owners,
    kms_hosts_are_the_providers,
    licensed_servers_are_left_alone,
    no_kms_host_for_another_way,
)
from conduct_moving import (
    a_company_keeps_its_own_licence,
    a_forged_licence_is_not_worked_around,
)
from conduct_server import (
    a_right_clock_is_not_touched,
    hands_off,
    nothing_on_unreadable_facts,
    only_known_steps,
    policy_is_not_fought,
    safe_order,
    services_only_get_back_what_they_had,
    time_comes_from_the_domain,
    what_cannot_simply_be_undone_asks_first,
)

__all__ = ["RULES", "Deed", "breaches"]


def breaches(deed: Deed) -> tuple[str, ...]:
    """Every breach of every rule, as sentences."""
    return tuple(sentence for rule in RULES for sentence in rule(deed))


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
    a_company_keeps_its_own_licence,
    a_forged_licence_is_not_worked_around,
    activation_is_not_tried_in_vain,
    no_kms_host_for_another_way,
    foreign_windows_is_left_alone,
    services_only_get_back_what_they_had,
)
