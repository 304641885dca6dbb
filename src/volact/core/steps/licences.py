"""The licensing service's products, as facts and in step results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from volact.core.steps.setting import StepValues, reported
from volact.model.fact import Known, value_of
from volact.model.facts import Facts, Product

_KMS_CLIENT = "VOLUME_KMSCLIENT"  # a token of Description, never translated


def main_products(facts: Facts) -> Iterator[Product]:
    """Windows itself, not its add-ons."""
    products = value_of(facts.products) or ()
    return (product for product in products if value_of(product.addon) is not True)


def described_clients(facts: Facts) -> Iterator[Product]:
    """Those that a KMS host activates."""
    main = main_products(facts)
    return (product for product in main if _KMS_CLIENT in (value_of(product.description) or ""))


def states(facts: Facts, products: Iterable[Product]) -> StepValues:
    """Status and reason by the id of each product."""
    if not isinstance(facts.products, Known):
        return reported(status=facts.products, reason=facts.products)
    values: dict[str, dict[str, Any]] = {"status": {}, "reason": {}}
    for product in products:
        id = value_of(product.id)
        if id is not None:
            values["status"][id] = value_of(product.status)
            values["reason"][id] = value_of(product.reason) or 0
    return values
