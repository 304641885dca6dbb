"""A real Chromium without a window, driven by its own protocol over a pipe."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--no-first-run", "--remote-debugging-pipe",
)  # fmt: skip

# Chromium reads commands from descriptor 3 and answers on 4.
_START = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:3]]
for there, here in zip((3, 4), ours):
    os.dup2(here, there)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserError(Exception):
    """The browser refuses."""


class Tab:
    """One page: what a user would do with it, and what they would see."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._ids = itertools.count(1)
        self._rest = b""
        self._session = ""
        self._script = True
        self.events: list[str] = []
        self.log: list[str] = []  # errors, console messages, requests
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer; what happens meanwhile is noted."""
        id = next(self._ids)
        message = {"id": id, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            got = self._next()
            if got.get("id") == id:
                if "error" in got:
                    raise BrowserError(f"{method}: {got['error']}")
                return dict(got["result"])
            self._note(got)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._back, 1 << 20)
            if not piece:
                raise BrowserError("the browser has ended")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        method, params = event.get("method", ""), event.get("params", {})
        if method in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.log.append(f"{method} {json.dumps(params)[:600]}")
        elif method == "Network.requestWillBeSent":
            self.log.append(f"request {params['request']['url'][:200]}")
        self.events.append(method)

    def open(self, page: Path, *, script: bool = True, dark: bool = False) -> None:
        """Load a file, to the end."""
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self._script = script
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=scheme)
        self.events.clear()
        self.log.clear()
        self.send("Page.navigate", url=page.as_uri())
        while "Page.loadEventFired" not in self.events:
            self._note(self._next())

    def run(self, expression: str) -> Any:
        """A value out of the page; promises are waited for."""
        got = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in got:
            raise BrowserError(json.dumps(got["exceptionDetails"])[:800])
        return got["result"].get("value")

    def press(self, *keys: str) -> None:
        """Keys one after another."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            self.send("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.painted()

    def painted(self) -> None:
        """Wait until what was done is on the screen."""
        if self._script:
            self.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def picture(self, file: Path, *, width: int = 1280, height: int = 900) -> None:
        """What is seen, as PNG."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.painted()
        got = self.send("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(got["data"]))

    def printed(self) -> bytes:
        """What a printer would get, as PDF."""
        got = self.send("Page.printToPDF", printBackground=True)
        return base64.b64decode(got["data"])


@contextmanager
def browsing(browser: str, folder: Path) -> Iterator[Tab]:
    """A browser with a profile of its own, for as long as it is needed."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    profile = f"--user-data-dir={folder / 'profile'}"
    pipes = [str(theirs_in), str(theirs_out)]
    with subprocess.Popen(
        [sys.executable, "-c", _START, *pipes, browser, *_OPTIONS, profile],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Tab(ours_out, ours_in)
        finally:
            os.close(ours_out)
            running.terminate()
            running.wait(timeout=600)
            os.close(ours_in)
