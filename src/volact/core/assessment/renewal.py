"""Which host has renewed the licence last, and whether renewing it works.

Windows keeps a licence for 180 days even if the next attempt fails, so a
licensed server that was pointed at another host is not licensed by that host
until an attempt there has worked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from volact.core.assessment.attempts import AttemptState
from volact.core.assessment.clock import KMS_WINDOW_S
from volact.core.assessment.kms import KmsState
from volact.core.assessment.licence import FULL_TERM_MIN, LicenceState, ProductState
from volact.core.assessment.system import SERVER_EDITIONS
from volact.model.fact import value_of
from volact.model.profile import HostPort
from volact.model.step import StepResult

_ENDING_MIN = 30 * 24 * 60  # Windows itself begins to warn 30 days before the end
_CANNOT_SERVE = 0xC004F042  # what a KMS host answers for a product that it does not know
# A licence this near to its full term was renewed just now.
_JUST_NOW = timedelta(minutes=15)
# The clock that stamped a success was right to four hours, else no KMS host had answered.
_SAME_TIME = timedelta(seconds=KMS_WINDOW_S)


class RenewalState(msgspec.Struct, frozen=True, kw_only=True):
    """The last renewal of the licence, and the next.

    - ``former``: the host whose success the licence is of, where that is known and the
      provider's host was set since; ``None``: not known, or the provider's
    - ``failed``: the licensed KMS client that the host which is set has not renewed
    - ``with_term``: the licensed KMS clients whose licence ends
    - ``goes_on``: whether the host that is set has given the licence, as far as is
      known, and so renews it
    """

    former: HostPort | None
    failed: ProductState | None
    with_term: tuple[ProductState, ...]
    goes_on: bool

    @property
    def ending(self) -> tuple[ProductState, ...]:
        """Those whose licence ends within 30 days."""
        return tuple(p for p in self.with_term if p.left_min <= _ENDING_MIN)


class Licensed(msgspec.Struct, frozen=True, kw_only=True):
    """What the state of the renewal is worked out from; ``accepted``: by the provider's host."""

    now: datetime
    results: tuple[StepResult, ...]
    sku: int | None
    licence: LicenceState
    kms: KmsState
    attempts: AttemptState
    accepted: bool

    @property
    def renewal(self) -> RenewalState:
        """The last renewal, and the next."""
        former = self._former()
        refused = self.attempts.answer == _CANNOT_SERVE
        return RenewalState(
            former=former,
            failed=self._failed(),
            # 0 minutes left means a licence that does not end.
            with_term=tuple(p for p in self.licence.clients if p.licensed and p.left_min > 0),
            goes_on=self.accepted
            and self.sku in SERVER_EDITIONS
            and former is None
            and not refused,
        )

    def _former(self) -> HostPort | None:
        last = value_of(self.kms.layers.last_success)
        if last is None or self.kms.effective is None or not self._renewed_by(last.host):
            return None
        return last.host

    def _renewed_by(self, host: HostPort) -> bool:
        """Whether the licence is known to be of a success of this host, not the provider's."""
        if not self.accepted or self.kms.by_dns or self.kms.is_the_providers(host):
            return False
        at = self.attempts.moment
        if at is None or self.attempts.answer != 0 or any(r.do == "activate" for r in self.results):
            return False
        renewed = [self._renewed(product) for product in self.licence.clients]
        return all(moment is not None and abs(moment - at) <= _SAME_TIME for moment in renewed)

    def _failed(self) -> ProductState | None:
        if self.licence.is_kms_host or not self.licence.all_licensed:
            return None
        products = [p for p in self.licence.clients if p.by_kms is not False]
        # An activation that was just tried did not work, or the newest of the events.
        tried = [result for result in self.results if result.do == "activate"]
        has_failed = self._step_failed if tried and not tried[-1].ok else self._event_failed
        return next((product for product in products if has_failed(product)), None)

    def _step_failed(self, product: ProductState) -> bool:
        """It did, unless Windows was activated all the same, by itself, a moment ago."""
        renewed = self._renewed(product)
        just_now = renewed is not None and self.now - renewed <= _JUST_NOW
        return not just_now or bool(self.attempts.answer)

    def _event_failed(self, product: ProductState) -> bool:
        """The newest attempt failed, at the very host that is set, and none has worked since."""
        if not self.attempts.answer or not self._at_its_host(product):
            return False
        renewed, tried = self._renewed(product), self.attempts.moment
        return renewed is None or tried is None or renewed < tried

    def _at_its_host(self, product: ProductState) -> bool:
        """A failure at another company's host belongs to ``licensed-by-other-kms``."""
        setting = value_of(product.kms)
        if setting is None:
            return False
        accepted = self.kms.is_the_providers(setting.host) or self.kms.by_dns
        asked = self.attempts.asked
        return accepted and asked is not None and self.kms.names.same(asked, setting.host)

    def _renewed(self, product: ProductState) -> datetime | None:
        """When the licence was last renewed: a renewal gives it its full term."""
        left = value_of(product.facts.grace_min)
        if not left or left > FULL_TERM_MIN:
            return None
        return self.now - timedelta(minutes=FULL_TERM_MIN - left)
