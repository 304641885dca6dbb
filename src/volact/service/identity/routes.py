"""The routes of sign-in and of one's own account."""

from litestar import Router

from volact.service.console.errors import HANDLERS_OF_ERRORS
from volact.service.identity import oidc_pages, pages
from volact.service.language import speak

HANDLERS = [
    Router(
        "/",
        route_handlers=[*pages.HANDLERS, *oidc_pages.HANDLERS],
        before_request=speak,
        exception_handlers=HANDLERS_OF_ERRORS,
    )
]
