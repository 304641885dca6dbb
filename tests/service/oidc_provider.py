"""oidc-provider-mock as a process, whose users say which claims the ID token does not have.

A user's ``at_userinfo`` is what the UserInfo endpoint answers, and no ID token has it: of Okta,
Authelia and ZITADEL the groups and the name are among it. Arguments: more scopes.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from typing import Any

import uvicorn

MOCK: Any = importlib.import_module("oidc_provider_mock._app")  # which has no options for these


def main(scopes: tuple[str, ...]) -> None:
    """Print the port, and serve there until the process ends."""
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
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        server = uvicorn.Server(uvicorn.Config(app, interface="wsgi", log_config=None))
        server.run(sockets=[listener])


def _split(claims: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    rest = {name: value for name, value in claims.items() if name != "at_userinfo"}
    return rest, claims.get("at_userinfo", {})


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
