"""Findings from facts: one module per topic, one small function per rule.

To add a finding: a function in its topic's module, a line in ``RULES``, an
entry in ``catalogue`` and a page ``docs/findings/<id>.md``.
"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.diagnose import (
    attempts,
    beside,
    binary,
    channel,
    clock_jumps,
    clocks,
    edition,
    entitlement,
    firewall,
    foreign,
    key,
    kms,
    kms_host,
    license,
    network,
    pending,
    rights,
    services,
    system,
    unreadable,
)
from volact.core.diagnose.case import Rule
from volact.model.finding import Finding

# Within one severity, findings come in this order: the cause before what it
# brings about.
RULES: tuple[Rule, ...] = (
    system.wsh_disabled,
    system.not_elevated,
    pending.restart_needed,
    system.release_unsupported,
    edition.release_without_gvlk,
    edition.azure_edition_elsewhere,
    entitlement.image_not_entitled,
    entitlement.license_byol,
    key.kms_host_role,
    edition.edition_evaluation,
    rights.rights_lost,
    services.service_disabled,
    services.service_stopped,
    binary.licensing_binary_blocked,
    services.spp_notification_stopped,
    clock_jumps.clock_set_back,
    clocks.clock_skew,
    clock_jumps.rtc_utc_mismatch,
    clocks.time_service_off,
    clocks.time_source_missing,
    pending.time_limits_raised,
    key.key_missing,
    channel.key_avma,
    channel.key_wrong_channel,
    key.key_wrong_edition,
    kms.kms_host_set_by_policy,
    kms.kms_host_per_product_override,
    kms.kms_host_wrong,
    kms.kms_port_wrong,
    kms_host.activation_type_forced,
    kms_host.kms_not_discovered,
    network.kms_name_unresolved,
    firewall.firewall_blocks_kms,
    network.kms_unreachable,
    kms_host.kms_host_too_old,
    network.kms_host_refuses,
    network.dns_not_provider,
    network.provider_route_missing,
    license.token_store_damaged,
    system.product_policy_damaged,
    license.not_licensed,
    foreign.licensed_by_other_kms,
    foreign.kms_host_pinned,
    attempts.activation_failed,
    license.grace_ending,
    license.renewal_overdue,
    license.rearm_exhausted,
    channel.licensed_by_own_key,
    beside.several_keys,
    beside.addon_not_licensed,
    clock_jumps.time_seeding,
    entitlement.entitlement_unknown,
    unreadable.fact_unreadable,
)

_ORDER = {"error": 0, "warning": 1, "info": 2}


def diagnose(a: Assessment) -> tuple[Finding, ...]:
    """What is wrong or notable on a server, errors first, every id once."""
    found = [finding for rule in RULES if (finding := rule(a)) is not None]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.severity]))
