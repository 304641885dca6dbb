"""Secrets in clear in an uploaded inventory, which is then not stored.

They are looked for in the text as well as in what was read of it, because a mistake may end the
reading before them, and nothing reads comments.
"""

from __future__ import annotations

import re

from volact.client.inventories import InventoryUpload
from volact.errors import InputError
from volact.inventory import Inventory, Secret
from volact.model.text import say

# A template of names alone: quoted text is a secret, unless a lookup, an index, a comparison or
# one of two filters names something by it.  No two alternatives match the same text to its end.
# A possessive group would not need that, but Python before 3.11.5 matches some of them wrongly.
_NO_DEFAULT = r"(?!\bdefault\s*=\s*\(?\s*[\"'])"
_LOOKUP = (
    r"\b(?:lookup|query|q)"
    rf"\((?:{_NO_DEFAULT}[^()\"']|\([^()\"']*\))*"
    r"(?:[\"']|\([^()\"']*[\"'][^()]*\))"
    rf"(?:{_NO_DEFAULT}[^()]|\([^()]*\))*\)"
)
_INDEX = r"(?<=[\w\])])\[[^\[\]\"']*[\"'][^\[\]]*\]"
_QUOTED = r"(?:'[^'{}]*'|\"[^\"{}]*\")"
_NAMED = rf"(?:[=!]=\s*|\|\s*(?:[\w.]+\.)?(?:json_query|mandatory)\s*\(\s*){_QUOTED}"
_TEMPLATE = rf"\{{\{{-?\s*(?=[a-z_(])(?:{_LOOKUP}|{_INDEX}|{_NAMED}|''|\"\"|[^\"'{{}}])*\}}\}}"
_VARIABLE = r"(?-i:\$[A-Z_][A-Z0-9_]*|\$\{[\w.:-]+\})"
_REFERENCE = f"(?:{_TEMPLATE}|{_VARIABLE})"
# Names of a value that is a secret, with the value; references have other names or values.
_VALUE = re.compile(
    rf"""(?im)(?:^|[\s,{{])["']?[\w-]*(?:password|passwd|passphrase|pass|pwd|secret)["']?\s*[=:]\s*
    (?!["']?(?:!vault|\$ANSIBLE_VAULT;))
    (?!(?P<sign>["']?){_REFERENCE}+(?P=sign)(?:[\s,}}\]\#]|$))
    ["']?[^\s"'\#]""",
    re.VERBOSE,
)
# A password may hold "/" and "@".  A port is none, with what follows it in a line.
_ADDRESS = re.compile(
    rf"""(?i)://[^\s/@:"',;\[\]]*:
    (?!{_REFERENCE}@|(?:{_REFERENCE}|[0-9]{{1,5}})[\s"',;|/?\#\])}}])
    \S{{1,256}}@""",
    re.VERBOSE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_NO_PASSWORD = "no password in an address"  # noqa: S105 - how the reader tells of one


class ClearSecretError(InputError):
    """A text holds a secret in clear, which the error does not."""


def refuse_secrets(upload: InventoryUpload, inventory: Inventory) -> None:
    """``ClearSecretError`` for a text that holds a secret in clear."""
    where = _place(upload, inventory)
    if where:
        raise ClearSecretError(
            say("it holds a secret in clear, and was not stored"),
            say("name where it is, with password-env, password-file or keyring"),
            where=where,
        )


def _place(upload: InventoryUpload, inventory: Inventory) -> str:
    """Where a secret is; ``""``: nowhere."""
    text = upload.text
    for pattern in (_VALUE, _ADDRESS, _PRIVATE_KEY):
        if found := pattern.search(text):
            line = text.count("\n", 0, found.end()) + 1
            return f"{upload.file} line {line}"
    for problem in inventory.problems:
        if _NO_PASSWORD in problem.what:
            return problem.where
    first = text.split("\n", 1)[0].lower()
    columns = {re.sub(r"\W|_", "", word) for word in re.split(r"[,;\t]", first)}
    in_column = len(columns) > 1 and columns & {"password", "passwd", "pass", "pwd"}
    held = any(isinstance(each, Secret) for each in inventory.held.values())
    return f"{upload.file} line 1" if in_column or held else ""
