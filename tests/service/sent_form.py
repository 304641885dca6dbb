"""What a browser sends of a form on a page, as it was filled by the service."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from litestar.testing import TestClient


def filled(http: TestClient[Any], page: str, action: str = "") -> dict[str, Any]:
    """What the form of a page sends as it was shown."""
    return SentForm(http.get(page).text, action or page).fields


class _Option:
    """One of a list; without a value its words are what is sent."""

    def __init__(self, given: dict[str, str]) -> None:
        self.value = given.get("value")
        self.chosen = "selected" in given
        self.words = ""


class SentForm(HTMLParser):
    """The fields of the form with this action: inputs, ticked boxes, the choice of each list."""

    def __init__(self, html: str, action: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.choices: dict[str, str] = {}  # the words of what each list has chosen
        self._action = action
        self._inside = False
        self._list = ""
        self._options: list[_Option] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("action") == self._action
        elif self._inside and tag == "input" and "name" in given:
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self.fields.setdefault(given["name"], []).append(given.get("value", ""))
        elif self._inside and tag == "select":
            self._list, self._options = given["name"], []
        elif self._inside and tag == "option":
            self._options.append(_Option(given))

    def handle_data(self, data: str) -> None:
        if self._list and self._options:
            self._options[-1].words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._list:
            found = next((one for one in self._options if one.chosen), self._options[0])
            self.fields[self._list] = [found.words if found.value is None else found.value]
            self.choices[self._list] = found.words
            self._list = ""
