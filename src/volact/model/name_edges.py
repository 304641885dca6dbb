"""Where a name begins and ends in a text of any language.  Pure.

Chinese, Japanese, Korean and Thai put no blank between a word and the name beside it.
So their letters end a name of other letters, and a name of theirs may stand in any word.
"""

from __future__ import annotations

import re

# Letters of alphabets that do put one (Latin, Greek, Cyrillic, Armenian), for a class of a pattern.
LETTERS = r"A-Za-z0-9_\u00c0-\u058f\u1e00-\u1fff"
OTHER_LETTER = rf"[^\W{LETTERS}]"


def whole(name: str) -> str:
    """A pattern for this name where it is no part of a longer one."""
    before = "" if re.match(OTHER_LETTER, name) else rf"(?<![{LETTERS}.-])"
    after = "" if re.match(OTHER_LETTER, name[-1:]) else rf"(?![{LETTERS}-])"
    return f"{before}{re.escape(name)}{after}"
