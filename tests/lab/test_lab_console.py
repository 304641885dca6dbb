"""The PowerShell lines against the lab's WMI: queries, methods and parameters exist there.

The lab has the documented classes.  No line was run by PowerShell.
"""

from __future__ import annotations

import asyncio
import re

import pytest
from lab_world import Place

from volact.core.console import Console
from volact.model.profile import HostPort
from volact_lab.errors import WinFault
from volact_lab.windows.machine import Machine
from volact_lab.wmi.service import Wmi

_CALL = re.compile(
    r"Invoke-CimMethod -Query '((?:[^']|'')*)' -MethodName (\w+)"
    r"(?: -Arguments @\{(\w+)=(?:\[uint32\])?(.*?)\})?(?=[;|}\"])"
)
_CHOSEN = re.compile(
    r"Get-CimInstance -Query '((?:[^']|'')*)' \| Where-Object \{([^{}]*)\}"
    r" \| Invoke-CimMethod -MethodName (\w+)(?=[;\"])"
)
_TERM = re.compile(r"\(Get-Variable _ -ValueOnly\)\.(\w+) (-ne|-notmatch) '?(\w+)'?")
_QUERY = re.compile(r"Get-CimInstance -Query '((?:[^']|'')*)'")
CIM = Console("powershell")


def holds(term: str, row: dict[str, object]) -> bool:
    """Whether a row fulfils one term of a condition; both of its operators are negative."""
    match = _TERM.fullmatch(term)
    assert match is not None, term
    value, wanted = str(row[match[1]]), match[3]
    return value != wanted if match[2] == "-ne" else not re.search(wanted, value, re.I)


def typed(machine: Machine, line: str) -> None:
    """Do what a line says."""
    wmi = Wmi(machine)
    for query, terms, method in _CHOSEN.findall(line):
        for row in wmi.query(query.replace("''", "'")):
            if any(holds(term, dict(row.values)) for term in terms.split(" -or ")):
                wmi.call(row.class_name, row.key, method, {})
    for query, method, name, value in _CALL.findall(line):
        rows = wmi.query(query.replace("''", "'"))
        assert rows, query
        text = value.strip("'")
        given = {name: int(text) if text.isdigit() else text} if name else {}
        for row in rows:
            wmi.call(row.class_name, row.key, method, given)
    for query in _QUERY.findall(line):
        assert wmi.query(query.replace("''", "'")), query


@pytest.mark.parametrize("release", ["2012 R2", "2016", "2025"])
async def test_a_server_is_activated_by_the_lines(here: Place, release: str) -> None:
    machine = here.machine("grace-expired", release=release)
    host = HostPort("kms.tencentyun.com")
    (product,) = [one for one in machine.licensing.products if one.partial_key]
    for line, status in (
        (CIM.clear_kms_host(), 5),
        (CIM.set_kms_host(host), 5),
        (CIM.clear_kms_host(product.id), 5),
        (CIM.activate(), 1),
        (CIM.show(), 1),
        (CIM.show(every=True), 1),
        (CIM.rearm(), 1),
    ):
        await asyncio.to_thread(typed, machine, line)
        assert product.status == status, line
    assert machine.licensing.machine() == host.host
    assert here.errors == []


@pytest.mark.parametrize("release", ["2012", "2025"])  # 2012 has no ProductKeyChannel
async def test_a_licensed_mak_is_left_as_it_is(here: Place, release: str) -> None:
    licensed = here.machine("own-key", release=release)
    typed(licensed, CIM.activate())
    assert licensed.licensing.activations == 0
    expired = here.machine("key-mak", name="web-02", release=release)
    with pytest.raises(WinFault):  # the lab has no way to Microsoft
        typed(expired, CIM.activate())
    assert expired.licensing.activations == 1
    assert here.errors == []


async def test_a_key_is_installed_by_its_line(here: Place) -> None:
    machine = here.machine("key-missing", release="2025")
    typed(machine, CIM.install_key(machine.edition.gvlk))
    (product,) = [one for one in machine.licensing.products if one.partial_key]
    assert product.partial_key == machine.edition.gvlk[-5:]
