"""The options by which a person agrees to repairs that wait for it.

What cannot simply be undone asks first: ``--allow STEP`` is the word for one
kind of step.  When such a repair is possible at all is each finding's affair.
"""

from __future__ import annotations

from volact.core.context import Context
from volact.core.steps import CONSENT_STEPS
from volact.model.finding import Repair

# ``move-kms`` is no step of its own: it is the word for taking a server that is
# licensed by a KMS host of no known owner over to the provider's.
MOVE_KMS = "move-kms"
ASKING_STEPS = (*CONSENT_STEPS, MOVE_KMS)

REPLACE_KEY = "--replace-key"
OVERRIDE_ENTITLEMENT = "--override-entitlement REASON"


def allow(word: str) -> str:
    """The option that agrees to one kind of step."""
    return f"--allow {word}"


def repair_with(step: str, ctx: Context) -> Repair:
    """Automatic when the person has agreed to this kind of step."""
    return "automatic" if step in ctx.policy.consent else "needs-consent"
