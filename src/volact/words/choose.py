"""The language of the environment or of the system."""

from __future__ import annotations

import locale
import sys
from collections.abc import Mapping

# As --lang spells them.  Each but English has its catalogue in locale/.
LANGUAGES = ("en", "id", "zh-CN")

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
# Chinese in simplified characters; for traditional ones there is no catalogue.
_SIMPLIFIED = {"zh", "zh-cn", "zh-sg", "zh-hans", "zh-hans-cn", "zh-hans-sg"}


def choose_language(environ: Mapping[str, str], system: str = "") -> str:
    """The language of the environment, else of the system, else English.

    The first variable that is set decides, as in every POSIX program.
    """
    told = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    return known_language(told or system) or "en"


def known_language(tag: str) -> str:
    """``zh_CN.UTF-8``, ``id``, ``zh-Hans`` as one of ``LANGUAGES``; ``""`` for any other."""
    plain = tag.partition(".")[0].partition("@")[0].replace("_", "-").lower()
    if plain in _SIMPLIFIED:
        return "zh-CN"
    exact = next((known for known in LANGUAGES if known.lower() == plain), "")
    base = plain.partition("-")[0]
    return exact or (base if base in LANGUAGES else "")


def system_language() -> str:
    """The display language of a Windows user as a tag; ``""`` on other systems."""
    if sys.platform != "win32":
        return ""
    import ctypes  # noqa: PLC0415 - a language of Windows alone

    return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")
