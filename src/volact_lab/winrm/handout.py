"""An inventory's lines for servers that are reached by WinRM, and the files it names."""

from __future__ import annotations

import json
from pathlib import Path

from volact_lab.ssh.slot import Slot
from volact_lab.winrm.front import over_tls
from volact_lab.winrm.identity import Identities


def certificates(path: Path, identities: Identities) -> dict[Path, tuple[bytes, bool]]:
    """The files next to an inventory; the second of each: whether it is secret."""
    return {
        path.with_suffix(".ca.pem"): (identities.authority_pem, False),
        path.with_suffix(".operator.pem"): (identities.person.pem, False),
        path.with_suffix(".operator.key"): (identities.person.key_pem, True),
    }


def lines(slot: Slot, stem: str) -> list[str]:
    """Address and settings of one server: every kind of login comes up."""
    if not over_tls(slot):
        kind = ("negotiate", "ntlm")[slot.spec.variant("winrm-auth")]
        return [_address("winrm", slot), f'winrm-transport = "{kind}"']
    said = [_address("winrms", slot), f"ca-file = {_text(f'{stem}.ca.pem')}"]
    if slot.spec.key_login:
        return [
            *said,
            'winrm-transport = "certificate"',
            f"certificate-file = {_text(f'{stem}.operator.pem')}",
            f"certificate-key-file = {_text(f'{stem}.operator.key')}",
        ]
    kind = ("negotiate", "basic")[slot.spec.variant("winrm-auth")]
    return [*said, f'winrm-transport = "{kind}"']


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _address(scheme: str, slot: Slot) -> str:
    return f'address = "{scheme}://127.0.0.1:{slot.reached_by}"'
