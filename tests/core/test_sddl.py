"""Who may execute the licensing program, by the text of its DACL."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import DENIED_SDDL, HEALTHY_SDDL

from volact.core.sddl import NETWORK_SERVICE, AccessCheck, execute_access, granted, service_sid

SPPSVC = "S-1-5-80-123231216-2592883651-3715271367-3753151631-4175906628"


@pytest.mark.parametrize(
    ("sddl", "access"),
    [
        (HEALTHY_SDDL, "allowed"),
        ("D:(A;;FX;;;NS)", "allowed"),
        ("D:(A;;FA;;;S-1-5-20)", "allowed"),
        ("D:(A;;0x1200a9;;;S-1-1-0)", "allowed"),
        ("D:(A;;GX;;;AU)", "allowed"),
        ("D:(A;;GA;;;WD)", "allowed"),
        ("D:(A;;CCWPRC;;;BU)", "allowed"),
        (f"D:(A;;FX;;;{SPPSVC})", "allowed"),
        ("D:NO_ACCESS_CONTROL", "allowed"),
        ("D:(A;;FX;;;WD)S:(AU;SAFA;FA;;;WD)", "allowed"),
        ("D:(A;;FX;;;WD)(D;;FX;;;NS)", "allowed"),  # the first that matches decides
        (DENIED_SDDL, "denied"),
        ("D:(D;;FA;;;WD)(A;;FA;;;WD)", "denied"),
        ("D:(D;;0x20;;;BU)(A;;FA;;;NS)", "denied"),
        ("D:(D;;FW;;;NS)(A;;FX;;;NS)", "allowed"),  # denies writing only
        ("D:(D;OICIIO;FA;;;NS)(A;;FX;;;NS)", "allowed"),  # inherit-only: not for this file
        ("D:(D;;FX;;;BA)(A;;FX;;;BU)", "allowed"),  # administrators are others
        ("D:", "missing"),
        ("D:PAI(A;;FA;;;SY)(A;;FA;;;BA)", "missing"),
        ("D:(A;;FR;;;BU)", "missing"),
        (f"D:(A;;FX;;;{service_sid('TrustedInstaller')})", "missing"),
        ("", "unknown"),
        ("O:BAG:SY", "unknown"),
        ("O:BAG:SYD:PAI(A;;FX;;;WD)", "allowed"),
        ("D:(A;;FX;;;QQ)", "unknown"),
        ("D:(A;;QQ;;;WD)", "unknown"),
        ("D:(OA;;FX;;;WD)", "unknown"),
        ("D:(XA;;FX;;;WD;(a==b))", "unknown"),
        ("D:(A;;FX;;;WD) and more", "unknown"),
    ],
)
def test_may_the_service_execute_it(sddl: str, access: str) -> None:
    assert execute_access(sddl).access == access


def test_every_denying_entry_is_named_once() -> None:
    verdict = execute_access("D:(D;;FX;;;NS)(D;;FX;;;WD)(D;;FX;;;S-1-5-20)(A;;FX;;;BU)")
    assert verdict == AccessCheck("denied", ("S-1-5-20", "S-1-1-0"))


def test_the_service_sid_is_the_one_windows_derives() -> None:
    assert service_sid("sppsvc") == SPPSVC
    assert service_sid("SPPSVC") == SPPSVC
    installer = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
    assert service_sid("TrustedInstaller") == installer


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from("AD"),
        st.sampled_from(["FX", "FA", "FR", "0x1200a9", "GA"]),
        st.sampled_from(["NS", "WD", "BU", "BA", "SY"]),
    ),
    max_size=6,
)


@settings(derandomize=True)
@given(entries=ENTRIES)
def test_granting_always_allows(entries: list[tuple[str, str, str]]) -> None:
    sddl = "D:" + "".join(f"({kind};;{rights};;;{who})" for kind, rights, who in entries)
    verdict = execute_access(sddl)
    assert execute_access(granted(sddl, NETWORK_SERVICE, verdict.deny)).access == "allowed"


@settings(derandomize=True)
@given(text=st.text(alphabet="DA;()FXWS-150:P ", max_size=40))
def test_nonsense_never_raises_and_never_accuses_without_a_dacl(text: str) -> None:
    verdict = execute_access(text)
    if not text.strip().startswith("D:"):
        assert verdict.access == "unknown"
