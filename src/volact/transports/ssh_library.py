"""asyncssh, imported without a search by compilers; every module takes it from here.

At its import asyncssh asks ctypes for liboqs and nettle, which it can do without.  What
the loader of Linux does not list, ctypes looks for with gcc and ld, which inherit the
environment of volact and are a fifth of the CPU of its start.
"""

from __future__ import annotations

import ctypes.util

_search = ctypes.util.find_library
try:
    ctypes.util.find_library = getattr(ctypes.util, "_findSoname_ldconfig", _search)
    import asyncssh
finally:
    ctypes.util.find_library = _search

__all__ = ["asyncssh"]
