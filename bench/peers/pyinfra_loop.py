"""pyinfra over a lab, by its own SSH connector.

    python bench/peers/pyinfra_loop.py lab.toml                 connect, one trivial command
    python bench/peers/pyinfra_loop.py lab.toml --agent FILE    upload the agent and run it
    python bench/peers/pyinfra_loop.py lab.toml --four FILE     the four slmgr commands

Commands go out as they are: pyinfra wraps them in ``sh -c`` otherwise, which a
Windows Server does not have.  Exit code 1 when a server did not answer.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()  # as pyinfra's own command line does: without it one connects after another

import argparse
import json
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from pyinfra.api import Config, Inventory, State, StringCommand
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.host import Host

from fleet import CONCURRENCY, FOUR, TRIVIAL, Fleet, read_fleet

Step = Callable[[Host], bool]


def commanded(command: Callable[[Host], str]) -> Step:
    """A step that is one command."""

    def step(host: Host) -> bool:
        words = StringCommand(command(host))
        return bool(host.run_shell_command(words, _shell_executable=None)[0])

    return step


def agent(path: Path) -> Step:
    """A step that uploads the agent and runs it."""

    def step(host: Host) -> bool:
        name = f"{secrets.token_hex(16)}.bat"
        sent = host.put_file(str(path), f"AppData/Local/Temp/{name}")
        words = StringCommand(f'cmd.exe /c "AppData\\Local\\Temp\\{name}"')
        _, output = host.run_shell_command(words, _shell_executable=None)
        return bool(sent and "VOLACT1 " in output.stdout)

    return step


def four(path: Path) -> list[Step]:
    """The four commands, one after the other over all servers, as pyinfra does."""
    values = json.loads(path.read_text("utf-8"))["all"]["hosts"]
    return [commanded(filled(text, values)) for text in FOUR]


def filled(text: str, values: dict[str, dict[str, str]]) -> Callable[[Host], str]:
    """A command with what it needs for each server."""
    return lambda host: text.format(**values[host.name])


def visited(fleet: Fleet, steps: list[Step], parallel: int) -> int:
    """How many servers did every step; ``parallel`` 0 is pyinfra's own number."""
    hosts = [
        (
            host.name,
            {
                "ssh_hostname": host.address,
                "ssh_port": host.port,
                "ssh_user": host.user,
                "ssh_password": fleet.password,
                "ssh_allow_agent": False,
                "ssh_look_for_keys": False,
                "ssh_known_hosts_file": str(fleet.known_hosts),
                "ssh_strict_host_key_checking": "yes",
            },
        )
        for host in fleet.hosts
    ]
    state = State(Inventory((hosts, {})), Config(PARALLEL=parallel))
    connect_all(state)
    good = set(state.activated_hosts)
    for step in steps:
        jobs = {host: state.pool.spawn(step, host) for host in state.activated_hosts}
        good &= {host for host, job in jobs.items() if job.get()}
    disconnect_all(state)
    return len(good)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--agent", type=Path)
    parser.add_argument("--four", type=Path)
    parser.add_argument("--parallel", type=int, default=CONCURRENCY)
    wanted = parser.parse_args()
    steps = [commanded(lambda _host: TRIVIAL)]
    if wanted.agent:
        steps = [agent(wanted.agent)]
    if wanted.four:
        steps = four(wanted.four)
    fleet = read_fleet(wanted.inventory)
    answered = visited(fleet, steps, wanted.parallel)
    print(f"{answered} of {len(fleet.hosts)} servers answered")
    return 0 if answered == len(fleet.hosts) else 1


if __name__ == "__main__":
    sys.exit(main())
