"""``volact mcp``: read-only tools for a language model, over the Model Context Protocol.

Nothing here changes a server: the tools explain, read the store, and plan.  A plan reaches
only servers of the inventory that the verb was started with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from typing import Annotated, Any

import msgspec

from volact import __version__, api
from volact.cli.options.service import McpOptions
from volact.cli.store_reports import existing_store, no_server, the_moment
from volact.core.explain import explain
from volact.errors import InputError, VolactError
from volact.inventory import load_inventory
from volact.knowledge.load import load_errors
from volact.model.error_text import error_text
from volact.model.text import say
from volact.queries.filters import ServerFilter
from volact.queries.history import HistoryQuery
from volact.queries.pages import PageRequest
from volact.queries.servers import NamesQuery, ServersQuery
from volact.queries.status import StatusQuery

try:
    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp_types import ToolAnnotations
    from pydantic import Field
except ImportError as missing:
    raise InputError(
        say("mcp needs a package that is not installed"),
        say("pip install {extra}", extra="'volact[mcp]'"),
    ) from missing

_ABOUT = (
    "volact keeps Windows Servers activated against their provider's own KMS host. These tools "
    "read: they explain codes and findings, and say how servers stand. No tool changes a server."
)
_PAGE = 100
_Days = Annotated[int, Field(ge=-36500, le=36500)]
_Entries = Annotated[int, Field(ge=1, le=1000)]


def mcp(options: McpOptions) -> int:
    """Serve read-only tools on standard input and output."""
    make_server(options).run("stdio")
    return 0


def make_server(options: McpOptions) -> MCPServer:
    """The server with its tools; ``InputError`` for an inventory that cannot be read."""
    server = MCPServer("volact", instructions=_ABOUT, version=__version__, log_level="ERROR")
    tools: list[Callable[..., Any]] = [_explain, *_store_tools(options.store)]
    if options.inventory:
        tools.append(_plan_tool(options.inventory))
    for tool in tools:
        reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True)
        server.tool(name=tool.__name__.strip("_"), annotations=reads)(tool)
    return server


def _explain(code: str) -> dict[str, Any]:
    """The meaning, causes and remedy of an error code (any spelling), an event id or a finding."""
    with _in_words():
        return _plain(explain(code, load_errors()))


def _store_tools(url: str) -> list[Callable[..., Any]]:
    def status(provider: str = "") -> dict[str, Any]:
        """How the fleet stands by the newest stored runs: verdicts, causes, licence ends."""
        with _in_words(), existing_store(url) as store:
            query = StatusQuery(now=the_moment(), filter=ServerFilter(provider=provider))
            return _plain(query.ask(store))

    def servers(
        names: list[str] | None = None,
        verdict: str = "",
        finding: str = "",
        ends_within_days: _Days | None = None,
        cursor: str = "",
    ) -> dict[str, Any]:
        """Servers with their current state, a page of 100; names may be globs.

        Verdicts are healthy, attention, failed, unreachable, not-started.
        """
        now = the_moment()
        fields = {
            "names": names or (),
            "verdicts": (verdict,) if verdict else (),
            "findings": (finding,) if finding else (),
        }
        with _in_words(), existing_store(url) as store:
            filter = msgspec.convert(fields, ServerFilter)
            if ends_within_days is not None:
                before = now + timedelta(days=ends_within_days)
                filter = msgspec.structs.replace(filter, ends_before=before)
            query = ServersQuery(now=now, filter=filter)
            return _plain(query.page(store, PageRequest(limit=_PAGE, cursor=cursor)))

    def history(server: str, limit: _Entries = 10) -> dict[str, Any]:
        """The checks and changes of one server, newest first, with values before and after."""
        with _in_words(), existing_store(url) as store:
            found = HistoryQuery(server=server).ask(store, PageRequest(limit=limit))
            if found.server is None:
                raise no_server(server, NamesQuery().ask(store))
            return _plain(found)

    return [status, servers, history]


def _plan_tool(file: str) -> Callable[..., Any]:
    inventory = load_inventory(file)

    async def plan(servers: list[str]) -> list[dict[str, Any]]:
        """Examine servers of the inventory now, and say what volact would do. Changes nothing."""
        if not servers:
            raise ToolError("name at least one server, tag or glob of the inventory")
        with _in_words():
            options = api.Options(limit=tuple(servers))
            async with aclosing(api.plan(inventory, options)) as rows:
                return [_plain(row) async for row in rows]

    return plan


@contextmanager
def _in_words() -> Iterator[None]:
    """Errors that the caller can mend leave as one line."""
    try:
        yield
    except VolactError as error:
        raise ToolError(error_text(error)) from error
    except ValueError as error:  # a wrong verdict, limit or cursor
        raise ToolError(str(error)) from error


def _plain(value: Any) -> dict[str, Any]:
    """Values of JSON, in the keys of the reports."""
    found: dict[str, Any] = msgspec.to_builtins(value, str_keys=True, enc_hook=str)
    return found
