"""Who is at the other end of a connection: Negotiate, Basic or a certificate.

A connection is logged in once; what follows on it needs no further proof.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from dataclasses import dataclass, field
from typing import Any

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from volact_lab.errors import LabError
from volact_lab.ssh.slot import Slot
from volact_lab.winrm.names import CERTIFICATE_LOGIN
from volact_lab.winrm.users import Users

_OWN = spnego.NegotiateOptions.use_negotiate  # the library's own, not the system's


@dataclass
class Login:
    """The state of one connection."""

    slot: Slot
    users: Users
    password: str
    tls: ssl.SSLObject | None
    bindings: GssChannelBindings | None = None
    user: str = ""
    sent: str = ""  # for the header WWW-Authenticate of the next answer
    seal: Any = field(default=None, repr=False)
    _context: Any = field(default=None, repr=False)

    @property
    def schemes(self) -> list[str]:
        """What may be tried here."""
        return ["Negotiate", "Kerberos", *(['Basic realm="WSMAN"'] if self.tls else [])]

    def prove(self, authorization: str) -> bool:
        """Take what a request brings; whether its sender is known now."""
        self.sent = ""
        if not authorization:
            return bool(self.user)
        scheme, _, rest = authorization.partition(" ")
        if authorization == CERTIFICATE_LOGIN:
            self.user = self._by_certificate()
        elif scheme.lower() == "basic" and self.tls is not None:
            self.user = self._by_password(rest)
        elif scheme.lower() == "negotiate":
            self._step(rest)
        else:
            self.user = ""
        return bool(self.user)

    def _step(self, token: str) -> None:
        if self._context is None or self._context.complete:
            # A token that was meant for another TLS connection is no proof here.
            self._context = spnego.server(
                protocol="negotiate", options=_OWN, channel_bindings=self.bindings
            )
        self.user, self.seal = "", None
        try:
            with self.users.known():
                out = self._context.step(base64.b64decode(token, validate=True))
        except (SpnegoError, binascii.Error, ValueError, AttributeError):
            # The last is what pyspnego makes of a Kerberos token that is refused.
            self._context = None
            return
        self.sent = f"Negotiate {base64.b64encode(out).decode()}" if out else ""
        if self._context.complete:
            if self._context.context_attr & spnego.ContextReq.delegate:
                self.slot.on_report(self.slot.spec.name, LabError("a login that may be passed on"))
            self.user = self._known(self._context.client_principal or "")
            self.seal = self._context

    def _known(self, name: str) -> str:
        name = name.partition("@")[0]  # Kerberos names the realm
        right = self.slot.spec.user.lower() == name.lower() and self.slot.line != "auth"
        return self.slot.spec.user if right else ""

    def _by_password(self, text: str) -> str:
        try:
            name, _, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return self._known(name) if password == self.password else ""

    def _by_certificate(self) -> str:
        """The account that a certificate is mapped to; the handshake has verified it."""
        shown = self.tls.getpeercert() if self.tls else None
        return self._known(self.slot.spec.user) if shown and self.slot.spec.key_login else ""
