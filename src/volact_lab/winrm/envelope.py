"""SOAP envelopes: requests taken apart, answers and faults written.

Pure: what an action does is in ``service``.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from volact_lab.winrm import names
from volact_lab.winrm.faults import Fault, not_xml

_PREFIXES = {
    "s": names.SOAP,
    "a": names.ADDRESSING,
    "x": names.TRANSFER,
    "w": names.WSMAN,
    "p": names.MS_WSMAN,
    "rsp": names.SHELL,
    "id": names.IDENTITY,
}
_DECLARED = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _PREFIXES.items())
_DURATION = re.compile(
    r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?)S)?)?", re.IGNORECASE
)
_TIMEOUT_S = 60.0
_ENVELOPE = 153_600


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as far as a shell needs it."""

    action: str
    message_id: str
    to: str
    resource: str
    shell_id: str
    options: Mapping[str, str]
    timeout_s: float
    max_envelope: int
    body: Element

    def text(self, path: str) -> str:
        """The text of an element of the body, ``""`` when it is not there."""
        return self.body.findtext(path, "", _PREFIXES)

    def one(self, path: str) -> Element:
        """An element of the body, or a fault."""
        found = self.body.find(path, _PREFIXES)
        if found is None:
            raise not_xml()
        return found

    def every(self, path: str) -> list[Element]:
        """All elements of that path in the body."""
        return self.body.findall(path, _PREFIXES)

    def flag(self, option: str) -> bool:
        """Whether an option is there and true."""
        return self.options.get(option, "").lower() in {"true", "1"}


def read(data: bytes) -> Request:
    """A request from its bytes."""
    try:
        root = ElementTree.fromstring(data)  # noqa: S314  # from this very machine
    except ElementTree.ParseError as error:
        raise not_xml() from error
    header, body = root.find("s:Header", _PREFIXES), root.find("s:Body", _PREFIXES)
    if header is None or body is None:
        raise not_xml()

    def said(path: str) -> str:
        return (header.findtext(path, "", _PREFIXES) or "").strip()

    return Request(
        action=said("a:Action"),
        message_id=said("a:MessageID"),
        to=said("a:To"),
        resource=said("w:ResourceURI"),
        shell_id=_named(header, "w:SelectorSet/w:Selector").get("ShellId", ""),
        options=_named(header, "w:OptionSet/w:Option"),
        timeout_s=seconds(said("w:OperationTimeout"), _TIMEOUT_S),
        max_envelope=int(said("w:MaxEnvelopeSize") or _ENVELOPE),
        body=body,
    )


def is_identify(data: bytes) -> bool:
    """Whether it is the one question that needs no login."""
    return names.IDENTITY.encode() in data and b"Identify" in data


def _named(header: Element, path: str) -> dict[str, str]:
    return {item.get("Name", ""): item.text or "" for item in header.findall(path, _PREFIXES)}


def seconds(text: str, default: float) -> float:
    """A duration such as ``PT60.000S``."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return default
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def answer(request: Request, body: str) -> bytes:
    """The answer to a request; ``body`` is XML."""
    return _envelope(f"{request.action}Response", request.message_id, body)


def identified(version: str) -> bytes:
    """The answer to Identify."""
    body = (
        "<id:IdentifyResponse>"
        f"<id:ProtocolVersion>{names.WSMAN}</id:ProtocolVersion>"
        "<id:ProductVendor>Microsoft Corporation</id:ProductVendor>"
        f"<id:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: {version}</id:ProductVersion>"
        "</id:IdentifyResponse>"
    )
    return f"<s:Envelope{_DECLARED}><s:Header/><s:Body>{body}</s:Body></s:Envelope>".encode()


def fault(problem: Fault, message_id: str, machine: str) -> bytes:
    """A fault as Windows writes it."""
    detail = f"<w:FaultDetail>{problem.detail_uri}</w:FaultDetail>" if problem.detail else ""
    text = escape(problem.text)
    sender = "s:Receiver" if problem.subcode in {"w:TimedOut", "w:InternalError"} else "s:Sender"
    body = (
        f"<s:Fault><s:Code><s:Value>{sender}</s:Value>"
        f"<s:Subcode><s:Value>{problem.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason>'
        f'<s:Detail>{detail}<f:WSManFault xmlns:f="{names.MS_FAULT}" Code="{problem.code}"'
        f' Machine="{escape(machine)}"><f:Message>{text}</f:Message></f:WSManFault></s:Detail>'
        "</s:Fault>"
    )
    return _envelope(names.WSMAN_FAULT, message_id, body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US"{_DECLARED}><s:Header>'
        f"<a:Action>{action}</a:Action>"
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{names.ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>"
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
