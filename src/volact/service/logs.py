"""The log of the service's processes: lines of text, or of JSON with fields.

What is under way (a request, its actor, a run, a server) is in every line that is written
meanwhile.  Secrets are kept out where lines are made: no query, header, body or cookie is
logged, and SQL without its parameters.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

from volact.report.terminal_safe import plain

LogFormat = Literal["text", "json"]
FORMATS: tuple[LogFormat, ...] = ("text", "json")
_CONTEXT: ContextVar[dict[str, str]] = ContextVar("volact_log_context", default={})  # noqa: B039
_LOUD = ("dbos", "uvicorn", "httpx", "httpcore", "asyncssh", "alembic", "sqlalchemy")


@contextmanager
def context(**fields: str) -> Iterator[None]:
    """Add fields to what is logged inside, such as ``request`` and ``run``."""
    token = _CONTEXT.set({**_CONTEXT.get(), **{k: v for k, v in fields.items() if v}})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def under_way(field: str) -> str:
    """A field of ``context`` as lines that are written now have it; ``""`` for none."""
    return _CONTEXT.get().get(field, "")


class _Formatter(logging.Formatter):
    def __init__(self, form: LogFormat) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {**_CONTEXT.get(), **getattr(record, "fields", {})}
        message = record.getMessage()
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        if self._form == "json":
            line = {
                "time": at.replace("+00:00", "Z"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": message,
                **fields,
            }
            return msgspec.json.encode(line, enc_hook=str).decode()
        error = fields.pop("error", "")
        said = " ".join(f"{name}={value}" for name, value in fields.items())
        line_text = plain(f"{at} {record.levelname} {record.name}: {message} {said}".rstrip())
        return f"{line_text}\n{error}" if error else line_text


def configure_logging(
    form: LogFormat = "text", level: int = logging.INFO, out: TextIO | None = None
) -> None:
    """Write the log of this process, on standard error."""
    handler = logging.StreamHandler(out or sys.stderr)
    handler.setFormatter(_Formatter(form))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("volact").setLevel(level)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
