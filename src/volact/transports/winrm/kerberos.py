"""What Kerberos' own error codes mean for an operator."""

from __future__ import annotations

from volact.model.text import say
from volact.transports.failures import Mapping

_TICKET = say("get a new ticket with kinit")
_NO_KDC = Mapping(
    "auth",
    say("no Kerberos KDC of the realm could be reached"),
    say("check DNS, TCP and UDP port 88 to the domain controllers, and krb5.conf"),
)

# Kerberos' own codes (MIT's krb5.h), as the library gives them: -1765328384 and the number here.
KERBEROS_BASE = -1765328384
KERBEROS: dict[int, Mapping] = {
    6: Mapping("auth", say("the Kerberos realm does not know this user"), say("check the user")),
    7: Mapping(
        "auth",
        say("the Kerberos realm does not know this server by this name"),
        say(
            "use the name that it has in the domain, not an address or an alias, or name it "
            "with winrm-kerberos-host"
        ),
    ),
    24: Mapping("auth", say("the login was refused"), say("check user and password")),
    32: Mapping("auth", say("the Kerberos ticket has expired"), _TICKET),
    37: Mapping(
        "auth",
        say("the clocks of this machine and the server differ too much for Kerberos"),
        say("set the clocks, or use winrm-transport ntlm"),
    ),
    154: _NO_KDC,
    156: _NO_KDC,
}
