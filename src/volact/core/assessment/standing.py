"""By whom a server is licensed, if at all."""

from __future__ import annotations

from typing import Literal

from volact.core.assessment.kms import KmsState
from volact.core.assessment.licence import LicenceState, ProductState
from volact.model.fact import Known

# accepted: licensed by one of the provider's KMS hosts.
# other: licensed, but not by one of those.  none: known not to be licensed.
# unknown: a fact that decides it could not be read.
Standing = Literal["accepted", "other", "none", "unknown"]


def standing_of(licence: LicenceState, kms: KmsState) -> Standing:
    """By whom Windows is licensed on this server."""
    if licence.unlicensed or (licence.products_known and not licence.subjects):
        return "none"
    if not licence.all_licensed:
        return "unknown"
    found = {_of_product(product, kms) for product in licence.subjects}
    return "unknown" if "unknown" in found else "other" if "other" in found else "accepted"


def _of_product(product: ProductState, kms: KmsState) -> Standing:
    """By whom one licensed product is licensed."""
    if not product.is_client or product.by_directory:
        return "other"
    if kms.by_dns:
        return "accepted"  # the provider leaves the choice of the host to DNS
    if not isinstance(product.kms, Known):
        return "unknown"
    return "accepted" if kms.is_the_providers(product.kms.value.host) else "other"
