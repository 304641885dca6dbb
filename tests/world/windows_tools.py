"""The agent's readers with a Windows that only hands out what a tool of it has written.

The script host's objects are fakes: every tool ends well, and every file holds one text.
"""

from __future__ import annotations

import json
from typing import Any

from script import Script

_HOST = """
var TEXT = "";
shell = {
  Run: function () { return 0; },
  ExpandEnvironmentStrings: function (text) { return text; }
};
files = {
  FileExists: function () { return true; },
  FolderExists: function () { return true; },
  GetFile: function () { return {Size: TEXT.length}; },
  DeleteFile: function () {},
  OpenTextFile: function () {
    return {ReadAll: function () { return TEXT; }, Close: function () {}};
  }
};
"""
_PARTS = (
    *("host", "registry", "wmi", "services", "net", "server", "network_facts"),
    *("on_need", "facts", "firewall"),
)


class Tools:
    """The agent on such a Windows."""

    def __init__(self) -> None:
        self._script = Script(*_PARTS)
        self._script.text(_HOST)

    def read(self, written: str, expression: str) -> Any:
        """What a reader of the agent makes of what a tool wrote."""
        self._script.text(f"TEXT = {json.dumps(written)};")
        return json.loads(self._script.text(f"JSON.stringify({expression})"))
