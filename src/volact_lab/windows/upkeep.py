"""What keeps the licensing service going: rearm, the licences that Windows brings, its store.

What no source states is assumed on the strict side: between a rearm or a new
store and the restart, every activation and key fails with the code of that
state, and what can be read stays as it was.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from volact_lab import codes
from volact_lab.errors import WinFault
from volact_lab.windows.licensing import Licensing
from volact_lab.windows.products import GRACE_MIN, Product
from volact_lab.windows.protection import LICENCES


def listed(licensing: Licensing) -> list[Product]:
    """The products as they can be asked for: none of an empty store, no keys of a new one."""
    state = licensing.store.state
    if state == "empty":
        return []
    if state != "filled":
        return licensing.products
    bare = [replace(product) for product in licensing.products]
    for product in bare:
        product.drop_key()
    return bare


def install_licence(licensing: Licensing, text: str) -> None:
    """``InstallLicense``: an empty store is filled once it has every licence of Windows."""
    if licensing.store.state == "damaged":
        raise WinFault(codes.SL_STORE)
    if text not in LICENCES.values():
        raise WinFault(codes.SL_INVALID_LICENCE)
    licensing.store.licences.add(text)
    if licensing.store.state == "empty" and licensing.store.licences >= {*LICENCES.values()}:
        licensing.store.become("filled")


def reinstall_licences(licensing: Licensing) -> None:
    """``slmgr /rilc``: every licence file of Windows, one after another."""
    for text in LICENCES.values():
        install_licence(licensing, text)


def rearm_windows(licensing: Licensing) -> None:
    """``ReArmWindows``; a restart completes it."""
    if licensing.registry.number(licensing.release.licensing_key, "SkipRearm") == 1:
        return
    if licensing.rearm == 0:
        raise WinFault(codes.SL_MAX_REARM)
    licensing.rearm -= 1
    licensing.rearmed = True


def restarted(licensing: Licensing) -> None:
    """What a restart of the server completes."""
    if licensing.store.state == "filled":
        licensing.store.become("whole")
        for product in licensing.products:
            product.drop_key()
    if licensing.rearmed:
        licensing.rearmed = False
        licensing.cmid = str(uuid.uuid5(uuid.UUID(licensing.cmid), licensing.computer))
        for product in licensing.products:
            if product.is_kms_client and product.partial_key:
                product.set_state(2, codes.SL_INITIAL_GRACE, GRACE_MIN)
