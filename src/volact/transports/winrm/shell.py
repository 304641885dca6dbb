"""A remote cmd shell over WS-Management: one shell, one command at a time.

Every call blocks and none longer than its time-out; they are made in a
``BlockingCalls``.  Exceptions are the libraries' own: ``failures`` knows them.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from contextlib import suppress
from xml.etree.ElementTree import Element, SubElement

import msgspec
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import NAMESPACES, OptionSet, SelectorSet, WSMan, WSManAction

from volact.errors import TransportError
from volact.model.text import say
from volact.transports.base import MAX_OUTPUT, Raw
from volact.transports.winrm.failures import TIMED_OUT, before_script, error_of_fault

_RSP = NAMESPACES["rsp"]
_CMD = f"{_RSP}/cmd"
_DONE = f"{_RSP}/CommandState/Done"
_TERMINATE = f"{_RSP}/signal/terminate"
_MAX_STDERR = 64 * 1024
# A shell that was never closed is not kept for the usual two hours.
_IDLE_S = 180
# Windows closes a connection that is idle for 120 s, and its login ends with it.  A request
# encrypted for the old login is then refused: the library does not notice the new one.
_STALE_S = 60.0
# How long a call may take that the server answers at once.
_CALL_S = 15
QUIET_S = 20  # between two bytes of any answer
# How long the server holds a request for output: as long as volact takes to
# notice a request to stop.
_POLL_S = 2


class CommandStop:
    """Set from outside: until when to wait for a command, or not at all any more."""

    def __init__(self, until: float) -> None:
        self._until = until

    def now(self) -> None:
        """Do not wait any longer."""
        self._until = 0.0

    @property
    def left_s(self) -> float:
        """The time there is."""
        return self._until - time.monotonic()


class Piece(msgspec.Struct, frozen=True):
    """What one request for output brought."""

    stdout: bytes = b""
    stderr: bytes = b""
    done: bool = False
    exit_status: int | None = None


class RemoteShell:
    """One remote shell, opened when it is first needed."""

    def __init__(
        self,
        wsman: WSMan,
        abort: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wsman = wsman
        self._clock = clock
        self._asked = clock()  # the time of the latest request
        self.abort = abort  # ends the connection at once, even while a thread waits in it
        self._selectors: SelectorSet | None = None
        self._running = ""  # the command that has not come to its end

    def open(self) -> None:
        """Log in and open the shell."""
        shell = Element(_tag("Shell"))
        SubElement(shell, _tag("InputStreams")).text = "stdin"
        SubElement(shell, _tag("OutputStreams")).text = "stdout stderr"
        SubElement(shell, _tag("IdleTimeOut")).text = f"PT{_IDLE_S}S"
        # With the profile: %TEMP% is the account's own folder, closed to others.
        answer = self._ask(WSManAction.CREATE, shell, {"WINRS_NOPROFILE": "FALSE"})
        self._selectors = SelectorSet()
        self._selectors.add_option("ShellId", _text(answer, ".//wsman:Selector[@Name='ShellId']"))

    @property
    def stale(self) -> bool:
        """Whether the server may have ended the login, or the shell, since the latest request."""
        return self._clock() - self._asked > _STALE_S

    def renew(self) -> None:
        """Log in again and open another shell in place of this one."""
        try:
            with suppress(WSManFaultError):  # it has ended already
                self._ask(WSManAction.DELETE, None)
        finally:
            self._selectors = None
        self.open()

    def run(self, line: str, stdin: bytes, stop: CommandStop) -> Raw | None:
        """Run a command line to its end; ``None`` when a stop comes before."""
        self.start(line)
        asked = time.time()
        if stdin:
            self._send(stdin)
        stdout, stderr, answered = bytearray(), bytearray(), 0.0
        while stop.left_s > 0:
            piece = self._receive(stop)
            answered = time.time() if piece.stdout else answered
            stdout += piece.stdout
            stderr += piece.stderr[: _MAX_STDERR - len(stderr)]
            if len(stdout) > MAX_OUTPUT:
                raise TransportError(
                    "protocol",
                    say("the server wrote more than {limit} bytes", limit=MAX_OUTPUT),
                )
            if piece.done:
                self._running = ""
                status, answered = piece.exit_status, answered or time.time()
                return Raw(bytes(stdout), bytes(stderr), status, asked, answered)
        return None

    def start(self, line: str) -> None:
        """Start a command line and stay with it; the script goes with a later request."""
        command = Element(_tag("CommandLine"))
        SubElement(command, _tag("Command")).text = line
        options = {"WINRS_CONSOLEMODE_STDIN": "FALSE", "WINRS_SKIP_CMD_SHELL": "FALSE"}
        with before_script():
            answer = self._ask(WSManAction.COMMAND, command, options)
            self._running = _text(answer, ".//rsp:CommandId")

    def terminate(self) -> None:
        """End the command that still runs, with every process of its own."""
        if not self._running:
            return
        signal = Element(_tag("Signal"), CommandId=self._running)
        SubElement(signal, _tag("Code")).text = _TERMINATE
        self._running = ""
        self._ask(WSManAction.SIGNAL, signal)

    def close(self) -> None:
        """Close the shell; all that runs in it ends."""
        try:
            if self._selectors is not None:
                self._ask(WSManAction.DELETE, None)
                self._selectors = None
        finally:
            self._wsman.close()

    def _send(self, data: bytes) -> None:
        room = self._wsman.max_payload_size
        for at in range(0, len(data), room):
            send, last = Element(_tag("Send")), at + room >= len(data)
            names = {"Name": "stdin", "CommandId": self._running, "End": str(last).lower()}
            piece = base64.b64encode(data[at : at + room]).decode("ascii")
            SubElement(send, _tag("Stream"), names).text = piece
            if last:
                self._send_last(send)
                return
            # What comes after a late piece could overtake it: then the size would be right, and
            # the script would not.
            with before_script():
                self._ask(WSManAction.SEND, send)

    def _send_last(self, send: Element) -> None:
        """Send what the command waits for: after a late answer it runs, or may run, all the same.

        Such answers were seen on busy servers that had taken the input in
        (https://github.com/ansible/ansible/pull/81538, .../issues/27556 with 1460).
        """
        try:
            self._ask(WSManAction.SEND, send)
        except WSManFaultError as fault:
            if fault.code not in TIMED_OUT:
                raise

    def _receive(self, stop: CommandStop) -> Piece:
        receive = Element(_tag("Receive"))
        stream = SubElement(receive, _tag("DesiredStream"), CommandId=self._running)
        stream.text = "stdout stderr"
        wait_s = max(1, min(_POLL_S, int(stop.left_s)))
        options = {"WSMAN_CMDSHELL_OPTION_KEEPALIVE": "TRUE"}
        try:
            return _piece(self._ask(WSManAction.RECEIVE, receive, options, wait_s))
        except WSManFaultError as fault:
            if fault.code in TIMED_OUT:
                return Piece()  # nothing was written meanwhile
            error = error_of_fault(fault)
            error.passing = "never"  # the command has begun, and refuses nothing any more
            raise error from fault

    def _ask(
        self,
        action: str,
        body: Element | None,
        options: dict[str, str] | None = None,
        timeout_s: int = _CALL_S,
    ) -> Element:
        if self.stale:
            self._wsman.close()
            self._wsman.transport.encryption = None
        self._asked = self._clock()
        named = OptionSet()
        for name, value in (options or {}).items():
            named.add_option(name, value)
        # Not as an argument: the library would then end the request 2 s after it, and with it
        # an execution whose server or network stalls for a moment.
        self._wsman.operation_timeout = timeout_s
        # Not the library's own receive(): that one waits and repeats on its own.
        return self._wsman.invoke(action, _CMD, body, named if options else None, self._selectors)


def _piece(answer: Element) -> Piece:
    written = {"stdout": b"", "stderr": b""}
    for stream in answer.iterfind(".//rsp:Stream", NAMESPACES):
        name = stream.get("Name", "")
        if stream.text and name in written:
            written[name] += _decoded(stream.text)
    state = answer.find(".//rsp:CommandState", NAMESPACES)
    done = state is not None and state.get("State") == _DONE
    code = answer.findtext(".//rsp:ExitCode", "", NAMESPACES).strip()
    status = int(code) if re.fullmatch("-?[0-9]{1,10}", code) else None
    return Piece(written["stdout"], written["stderr"], done, status)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError as error:  # signs that are none of Base64, or not enough of them
        raise TransportError("protocol", say("the server's output is not Base64")) from error


def _text(answer: Element, path: str) -> str:
    found = answer.findtext(path, "", NAMESPACES)
    if not found:
        what = path.rpartition(":")[2].partition("[")[0]
        raise TransportError(
            "protocol", say("the WinRM service did not name its {what}", what=what)
        )
    return found


def _tag(name: str) -> str:
    return f"{{{_RSP}}}{name}"
