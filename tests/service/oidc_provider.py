"""oidc-provider-mock as a process, whose users say which claims the ID token does not have.

A user's ``at_userinfo`` is what the UserInfo endpoint answers, and no ID token has it: of Okta,
Authelia and ZITADEL the groups and the name are among it. Arguments: port, and more scopes.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import uvicorn

MOCK: Any = importlib.import_module("oidc_provider_mock._app")  # which has no options for these


def main(port: int, scopes: tuple[str, ...]) -> None:
    """Serve until the process ends."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    MOCK.Client.SCOPES_SUPPORTED += scopes
    in_id_token = MOCK.OpenIDCode.generate_user_info
    MOCK.OpenIDCode.generate_user_info = lambda *asked: _split(in_id_token(*asked))[0]
    app = MOCK.app(require_nonce=True)
    view = "oidc-provider-mock.userinfo"
    at_userinfo = app.view_functions[view]

    def userinfo() -> dict[str, Any]:
        claims, more = _split(app.make_response(at_userinfo()).get_json())
        return claims | more

    app.view_functions[view] = userinfo
    uvicorn.run(app, interface="wsgi", port=port, log_config=None)


def _split(claims: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    rest = {name: value for name, value in claims.items() if name != "at_userinfo"}
    return rest, claims.get("at_userinfo", {})


if __name__ == "__main__":
    main(int(sys.argv[1]), tuple(sys.argv[2:]))
