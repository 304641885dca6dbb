"""Which servers are meant: inventory files, targets, limits, and the sources of secrets.

Nothing here connects to a server.  ``load_inventory`` reads a file,
``choose`` picks servers, ``check_credentials`` checks what can be checked
before a start, ``Secrets`` fetches passwords when they are needed.
"""

from volact.bounded.memory import Secret
from volact.inventory.choose import (
    addressed,
    check_credentials,
    choose,
    credential_problems,
    select,
    with_credential,
    with_route,
    without_skipped,
)
from volact.inventory.listing import Inventory
from volact.inventory.load import load_inventory, read_inventory
from volact.inventory.secrets import Secrets, fetch_password
from volact.inventory.target import parse_address, parse_target

__all__ = [
    "Inventory",
    "Secret",
    "Secrets",
    "addressed",
    "check_credentials",
    "choose",
    "credential_problems",
    "fetch_password",
    "load_inventory",
    "parse_address",
    "parse_target",
    "read_inventory",
    "select",
    "with_credential",
    "with_route",
    "without_skipped",
]
