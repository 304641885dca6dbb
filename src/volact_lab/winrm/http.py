"""HTTP/1.1 on one connection to one listener: requests in, answers out, kept alive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import h11

_CHUNK = 65536
_LARGEST = 1024 * 1024

Headers = dict[str, str]  # names in lower case; ``:method`` is the method


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, ready to go."""

    status: int
    body: bytes = b""
    content_type: str = ""
    extra: list[tuple[str, str]] = field(default_factory=list)


Handler = Callable[[str, Headers, bytes], Awaitable[Reply]]


class Connection:
    """One connection; asks its handler for every request."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handler: Handler,
        most_head: int = 16 * 1024,
        idle_s: float | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._idle_s = idle_s  # without a request for so long, the connection is closed
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=most_head)

    async def serve(self) -> None:
        """Answer until either side has enough."""
        try:
            while (request := await self._next_request()) is not None:
                await self._send(await self._handler(*request))
                if self._http.our_state is not h11.DONE:
                    return
                self._http.start_next_cycle()
        except (h11.RemoteProtocolError, OSError):  # SSL errors and TimeoutError among them
            return

    async def _next_request(self) -> tuple[str, Headers, bytes] | None:
        async with asyncio.timeout(self._idle_s):
            return await self._request()

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._write(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(_CHUNK))
        return event  # type: ignore[return-value]  # NEED_DATA has been dealt with

    async def _request(self) -> tuple[str, Headers, bytes] | None:
        event = await self._event()
        if not isinstance(event, h11.Request):
            return None
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in event.headers}
        headers[":method"] = event.method.decode("ascii")
        body = bytearray()
        while isinstance(part := await self._event(), h11.Data):
            body += part.data
            if len(body) > _LARGEST:
                return None
        return event.target.decode("latin-1"), headers, bytes(body)

    async def _send(self, reply: Reply) -> None:
        headers = [("Server", "Microsoft-HTTPAPI/2.0"), ("Content-Length", str(len(reply.body)))]
        headers += [("Content-Type", reply.content_type)] if reply.content_type else []
        self._write(h11.Response(status_code=reply.status, headers=headers + reply.extra))
        self._write(h11.Data(data=reply.body))
        self._write(h11.EndOfMessage())
        await self._writer.drain()

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
