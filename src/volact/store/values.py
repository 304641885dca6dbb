"""What the store gives back: frozen values, without any database behind them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from volact.model.report import ServerReport, Summary


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the store knows it.

    ``elapsed_s`` is ``None`` and ``finished`` false for a run that never came to its
    end: it was killed, or it is still going on.  ``words`` is the command line as
    it could be typed again, without secrets.  ``note`` is what the run's own
    report states of it.  ``pruned`` means that not all of its rows are kept any more.
    """

    id: str
    command: str
    started: str
    elapsed_s: float | None
    volact: str
    finished: bool
    summary: Summary
    words: str = ""
    note: str = ""
    pruned: bool = False


class StoredRow(msgspec.Struct, frozen=True, kw_only=True):
    """One server's row of one run; ``at`` is when it was finished, UTC."""

    run: str
    at: str
    report: ServerReport


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """The newest row of a server, and the newest examination.

    ``examined`` is ``None`` when the server was never examined, and ``newest``
    itself when that is one.
    """

    newest: StoredRow
    examined: StoredRow | None


class RunStart(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run when it begins.

    ``tags`` are the servers' tags, by name; ``None`` where the run knows of none, which
    leaves those that are kept already.
    """

    id: str
    command: str
    started: str
    volact: str
    words: str = ""
    tags: Mapping[str, tuple[str, ...]] | None = None


class WriteOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of writing a run.

    ``stored`` is whether any of it is in the store, ``problem`` why not all of it is,
    ``""`` when all is.
    """

    stored: bool
    problem: str = ""


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted from the store, or would be."""

    runs: int = 0  # that are gone entirely
    thinned: int = 0  # that keep only some server's newest row
    rows: int = 0
    kept_runs: int = 0


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """The servers that were deleted from the store, or would be, and their rows.

    ``runs`` are those that had no other server and are gone, too.
    """

    servers: tuple[str, ...]
    rows: int = 0
    runs: int = 0
