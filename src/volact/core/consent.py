"""Which repairs wait for the person's word, and the option by which it is given.

What cannot simply be undone asks first: ``--allow STEP`` is the word for one
kind of step.  When such a repair is possible at all is each finding's affair.
"""

from __future__ import annotations

from volact.core.context import Context
from volact.core.steps import CONSENT_STEPS
from volact.model.finding import Finding, Repair

# ``move-kms`` is no step of its own: it is the word for taking a server that is
# licensed by a KMS host of nobody known over to the provider's.
MOVE_KMS = "move-kms"
ASKING_STEPS = (*CONSENT_STEPS, MOVE_KMS)

_ALLOW = {
    "licensing-binary-blocked": "remove-debugger",
    "dns-not-provider": "add-dns",
    "kms-name-unresolved": "add-dns",
    "provider-route-missing": "add-route",
    "kms-unreachable": "add-route",
    "token-store-damaged": "rebuild-token-store",
    "duplicate-cmid": "rearm",
    "licensed-by-other-kms": MOVE_KMS,
    "kms-host-wrong": MOVE_KMS,
    "kms-host-per-product-override": MOVE_KMS,
}
_OTHER_OPTIONS = {"key-wrong-channel": "--replace-key", "key-avma": "--replace-key"}


def repair_with(step: str, ctx: Context) -> Repair:
    """Automatic when the person has agreed to this kind of step."""
    return "automatic" if step in ctx.policy.consent else "needs-consent"


def option_for(finding: Finding) -> str:
    """What a person adds to the command to have this finding repaired; ``""``: nothing."""
    step = _ALLOW.get(finding.id)
    return f"--allow {step}" if step else _OTHER_OPTIONS.get(finding.id, "")
