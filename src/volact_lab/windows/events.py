"""The Application log: records, and the XML in which ``wevtutil`` prints them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.sax.saxutils import escape

SPP = "Microsoft-Windows-Security-SPP"
SLC = "Microsoft-Windows-Security-Licensing-SLC"
_GUIDS = {
    SPP: "{E23B33B0-C8C9-472C-A5F9-F2BDFEA0F156}",
    SLC: "{1FD7C1D2-D037-4620-8D29-B2C7E5FCC13A}",
}
_SOURCES = {SPP: "Software Protection Platform Service", SLC: "Software Licensing Service"}
_QUALIFIERS = {2: 49152, 4: 16384}  # by severity: error, information
_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"


@dataclass(frozen=True, slots=True)
class Event:
    """One record; ``when`` is Unix seconds by the server's own clock.

    ``data`` are the insertion strings.  12288 and 12289 have one, a list with
    commas: the message of sppsvc.exe is "Info:%n%1".
    """

    number: int
    when: float
    data: tuple[str, ...]
    provider: str = SPP
    level: int = 4


@dataclass(slots=True)
class EventLog:
    """A log, oldest record first."""

    computer: str
    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Append a record."""
        self.events.append(event)

    def newest_first(self) -> list[tuple[int, Event]]:
        """Records with their numbers, the newest first."""
        return list(enumerate(self.events, start=1))[::-1]

    def xml(self, records: Iterable[tuple[int, Event]]) -> str:
        """Records as XML, one after another without a root, as ``/f:xml`` does."""
        return "".join(self._one(number, event) for number, event in records)

    def _one(self, number: int, event: Event) -> str:
        when = datetime.fromtimestamp(event.when, UTC)
        # Nine digits up to Windows 8.1, seven since; the lab has both, by the server's name.
        digits = "0" if len(self.computer) % 2 else "000"
        stamp = f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond:06d}{digits}Z"
        guid = f" Guid='{_GUIDS[event.provider]}'" if event.provider in _GUIDS else ""
        if event.provider in _SOURCES:
            guid += f" EventSourceName='{_SOURCES[event.provider]}'"
        data = "".join(f"<Data>{escape(text)}</Data>" for text in event.data)
        return (
            f"<Event xmlns='{_NAMESPACE}'><System><Provider Name='{event.provider}'{guid}/>"
            f"<EventID Qualifiers='{_QUALIFIERS[event.level]}'>{event.number}</EventID>"
            f"<Version>0</Version><Level>{event.level}</Level><Task>0</Task><Opcode>0</Opcode>"
            f"<Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='{stamp}'/>"
            f"<EventRecordID>{number}</EventRecordID><Correlation/>"
            f"<Execution ProcessID='0' ThreadID='0'/><Channel>Application</Channel>"
            f"<Computer>{escape(self.computer)}</Computer><Security/></System>"
            f"<EventData>{data}</EventData></Event>\r\n"
        )
