"""The options by which the operator agrees to repairs that need consent.

A step that is hard to undo needs consent: ``--allow STEP`` gives it for one
kind of step.  When such a repair is possible at all is decided by each finding.
"""

from __future__ import annotations

from volact.core.context import Context
from volact.core.steps import CONSENT_STEPS
from volact.model.finding import Repair

# ``move-kms`` is no step of its own: it allows moving a server that is
# licensed by a KMS host of no known owner to the provider's.
MOVE_KMS = "move-kms"
ASKING_STEPS = (*CONSENT_STEPS, MOVE_KMS)

REPLACE_KEY = "--replace-key"
OVERRIDE_ENTITLEMENT = "--override-entitlement REASON"


def allow(word: str) -> str:
    """The option that agrees to one kind of step."""
    return f"--allow {word}"


def repair_with(step: str, ctx: Context) -> Repair:
    """Automatic when the operator has agreed to this kind of step."""
    return "automatic" if step in ctx.policy.consent else "needs-consent"
