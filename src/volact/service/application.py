"""The whole application: every part's routes, behind the same headers and guards."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Litestar
from litestar.types import ControllerRouterHandler

from volact.service import health
from volact.service.app import Parts, make_app
from volact.service.identity import pages
from volact.service.security import same_origin, secure_headers

HANDLERS: Sequence[ControllerRouterHandler] = [*health.HANDLERS, *pages.HANDLERS]


def application(parts: Parts, more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """The application that ``volact serve`` runs."""
    return make_app(
        parts,
        [*HANDLERS, *more],
        guards=[same_origin],
        before_send=[secure_headers(parts.settings)],
        logging_config=None,
    )
