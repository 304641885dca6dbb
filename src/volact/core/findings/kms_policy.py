"""The KMS host that group policy sets."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.findings.kind import Found, Place, error, evidence_field, info, reported
from volact.core.findings.kms_setting import is_misprinted, misprint_told, with_right_port
from volact.model.fact import Known
from volact.model.profile import HostPort
from volact.model.text import Text, say, typed


def _kms_host_set_by_policy(a: Assessment) -> Found | None:
    policy = a.kms.policy
    if not isinstance(policy, Known) or not a.kms.applies:
        return None
    host = policy.value.host
    evidence = {"host": str(host)}
    own = a.ctx.knowledge.profile.own_hosts
    if a.kms.is_accepted(host) or a.kms.is_pinned(host):
        return info(_right(host, own=own), evidence, remedy=say("Nothing to do."))
    named = a.kms.is_accepted_name(host)
    return error(
        _policy_port(a, host) if named else _wrong(host, own=own),
        evidence,
        remedy=say(
            "volact does not override group policy. Set the policy to {host} or remove it, "
            "then on the server: {command}",
            host=with_right_port(a, host) if named else a.kms.preferred,
            command=typed("gpupdate /force"),
        ),
    )


KMS_HOST_SET_BY_POLICY = reported(
    id="kms-host-set-by-policy",
    rule=_kms_host_set_by_policy,
    place=Place.KMS_SETTING,
    severities=("error", "info"),
    meaning=say("Group policy sets the KMS host."),
    action=say("Nothing: volact does not override group policy."),
    blocks="activation",
    detail=evidence_field("host"),
)


def _right(host: HostPort, *, own: bool) -> Text:
    if own:
        return say(
            "Group policy sets the KMS host to {host}, which is named with --kms-host.", host=host
        )
    return say("Group policy sets the KMS host to {host}, which is the provider's.", host=host)


def _wrong(host: HostPort, *, own: bool) -> Text:
    if own:
        return say(
            "Group policy sets the KMS host to {host}, which is not named with --kms-host.",
            host=host,
        )
    return say("Group policy sets the KMS host to {host}, which is not the provider's.", host=host)


def _policy_port(a: Assessment, host: HostPort) -> Text:
    said = say(
        "Group policy sets the port of the KMS host {host} to {port} instead of {right}.",
        host=host.host,
        port=host.port,
        right=with_right_port(a, host).port,
    )
    return misprint_told(said) if is_misprinted(a, host) else said
