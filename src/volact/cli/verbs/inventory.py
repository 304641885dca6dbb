"""``volact inventory``: show, check and convert an inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from volact.cli.console import table, use_stdout
from volact.cli.failure import WRONG_INPUT, tell
from volact.cli.fleet_options import inventory_of
from volact.cli.options.servers import (
    InventoryCheckOptions,
    InventoryExportOptions,
    InventoryShowOptions,
)
from volact.cli.selection import servers_of
from volact.core.accept import is_over
from volact.errors import InputError
from volact.inventory import Inventory, credential_problems, read_inventory
from volact.inventory.export import export as exported
from volact.inventory.export import record
from volact.model.error_text import error_text
from volact.model.server import Server
from volact.model.text import Text, count, listed, say
from volact.report.json_document import encode
from volact.report.terminal_safe import plain
from volact.transports.hostkeys import check_known_hosts
from volact.transports.keys import check_key_file
from volact.transports.ssh_config import SshConfig
from volact.words import tr


def show(options: InventoryShowOptions) -> int:
    """Show the selected servers and where their logins come from."""
    inventory = inventory_of(options)
    servers = servers_of(options, inventory, skipped=True)
    out = use_stdout(options.output)
    if options.output == "json":
        rows = [{**record(server), "where": inventory.where(server)} for server in servers]
        out.write(encode({"servers": rows, "notes": inventory.notes}) + "\n")
        return 0
    head = (
        say("NAME"), say("ADDRESS"), say("USER"), say("LOGIN"), say("PROVIDER"), say("TAGS"),
    )  # fmt: skip
    out.write(table(head, [_row(server) for server in servers]))
    return 0


def check(options: InventoryCheckOptions) -> int:
    """Report every mistake in an inventory; exit code 2 for one."""
    if not options.inventory:
        raise InputError(say("no inventory given"), "-i FILE")
    inventory = read_inventory(options.inventory)
    problems = [*inventory.problems, *_login_problems(options, inventory)]
    notes = (*inventory.notes, *_expectations_over(inventory, datetime.now(UTC)))
    out = use_stdout(options.output)
    if options.output == "json":
        told = [{"where": p.where, "message": p.message, "hint": p.hint} for p in problems]
        out.write(
            encode({"servers": len(inventory.servers), "problems": told, "notes": notes}) + "\n"
        )
    else:
        for note in notes:
            tell(note)
        out.writelines(f"{plain(tr(error_text(problem)))}\n" for problem in problems)
        out.write(_verdict(inventory, problems) + "\n")
    return WRONG_INPUT if problems else 0


def export(options: InventoryExportOptions) -> int:
    """Convert the selected servers to another inventory format."""
    inventory = inventory_of(options)
    servers = servers_of(options, inventory, skipped=True)
    done = exported(servers, inventory.images, options.format)
    for note in done.notes:
        tell(note)
    use_stdout("file").write(done.text)
    return 0


def _expectations_over(inventory: Inventory, now: datetime) -> Iterator[Text]:
    """What is expected of servers until a day that has passed: it is a finding again."""
    over = Counter(
        (each.finding, str(each.until))
        for server in inventory.servers
        for each in server.expect
        if is_over(each, now)
    )
    for (finding, date), servers in sorted(over.items()):
        yield count(
            servers,
            "expect {finding} of {n} server is without effect: its last day, {date}, has passed",
            "expect {finding} of {n} servers is without effect: its last day, {date}, has passed",
            finding=finding,
            date=date,
        )


def _login_problems(options: InventoryCheckOptions, inventory: Inventory) -> list[InputError]:
    """The problems with the credentials and the SSH settings of the chosen servers."""
    if not inventory.servers:
        return []
    try:
        servers = servers_of(options, inventory, skipped=True)
    except InputError as error:
        return [error]
    servers = tuple(server for server in servers if not server.skip)
    checks = (check_key_file, check_known_hosts)
    return [*credential_problems(inventory, servers, *checks), *SshConfig().problems(servers)]


def _verdict(inventory: Inventory, problems: list[InputError]) -> str:
    wrong = (
        count(len(problems), "{n} problem", "{n} problems") if problems else say("nothing wrong")
    )
    if not inventory.servers:
        return tr(say("{file}: {problems}", file=inventory.path, problems=wrong))
    servers = count(len(inventory.servers), "{n} server", "{n} servers")
    return tr(say("{file}: {servers}, {problems}", file=inventory.path, servers=servers,
                  problems=wrong))  # fmt: skip


def _row(server: Server) -> tuple[str, ...]:
    user = server.address.user or server.credential.user
    provider = server.provider or "-"
    return server.name, str(server.address), user, _login(server), provider, _tags(server)


def _tags(server: Server) -> str:
    return " ".join(
        [
            *server.tags,
            *([tr(say("(skipped: {reason})", reason=server.skip))] if server.skip else []),
        ]
    )


def _login(server: Server) -> str:
    """The sources of the credential's secrets."""
    own = server.credential
    words = [
        say("env {name}", name=own.password_env) if own.password_env else "",
        say("file {name}", name=own.password_file) if own.password_file else "",
        say("command {name}", name=own.password_command[0]) if own.password_command else "",
        say("keyring {name}", name=own.keyring) if own.keyring else "",
        say("in clear, {name}", name=own.password_held) if own.password_held else "",
        say("certificate {name}", name=own.certificate_file) if own.certificate_file else "",
        *(say("key {name}", name=path) for path in own.key_files),
    ]
    return tr(listed(word for word in words if word)) or "-"
