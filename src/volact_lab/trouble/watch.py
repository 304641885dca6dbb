"""Finds the stages of an SSH connection that pass in clear: banner and key exchange."""

from __future__ import annotations

from collections.abc import Iterator

from volact_lab.trouble.kinds import Stage

_STAGES: dict[int, Stage] = {20: "kex-init", 31: "kex-reply", 21: "new-keys"}
_HEADER = 5  # length of the packet, length of its padding
_LARGEST = 64 * 1024


class Watch:
    """What a server sends, cut where a stage begins."""

    def __init__(self) -> None:
        self._data = b""
        self._in_banner = True
        self.encrypted = False

    def pieces(self, data: bytes) -> Iterator[tuple[Stage | None, bytes]]:
        """The same bytes in pieces; with the stage that a piece as a whole is.

        What is not complete yet is kept back until it is.
        """
        self._data += data
        while self._data:
            if self.encrypted:
                piece, self._data = self._data, b""
                yield None, piece
                return
            size = self._size()
            if size is None or len(self._data) < size:
                return
            piece, self._data = self._data[:size], self._data[size:]
            yield self._stage(piece), piece

    def _size(self) -> int | None:
        """How long the piece is that begins here, ``None`` when that is not known yet."""
        if self._in_banner:
            return self._data.find(b"\n") + 1 or None
        if len(self._data) <= _HEADER:
            return None
        size = 4 + int.from_bytes(self._data[:4], "big")
        return size if size <= _LARGEST else len(self._data)

    def _stage(self, piece: bytes) -> Stage | None:
        if self._in_banner:
            self._in_banner = not piece.startswith(b"SSH-")
            return "banner"
        stage = _STAGES.get(piece[_HEADER])
        self.encrypted = stage == "new-keys"
        return stage
