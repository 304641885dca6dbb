"""pyinfra over a lab, by its own SSH connector: connect, one trivial command, leave.

    python bench/peers/pyinfra_loop.py lab.toml

The command goes out as it is: pyinfra wraps commands in ``sh -c`` otherwise,
which a Windows Server does not have.  Exit code 1 when a server did not answer.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()  # as pyinfra's own command line does: without it one connects after another

import sys
from pathlib import Path

from pyinfra.api import Config, Inventory, State, StringCommand
from pyinfra.api.connect import connect_all, disconnect_all

from fleet import CONCURRENCY, TRIVIAL, read_fleet


def main(path: Path) -> int:
    fleet = read_fleet(path)
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
    state = State(Inventory((hosts, {})), Config(PARALLEL=CONCURRENCY))
    connect_all(state)
    jobs = [
        state.pool.spawn(host.run_shell_command, StringCommand(TRIVIAL), _shell_executable=None)
        for host in state.activated_hosts
    ]
    answered = sum(1 for job in jobs if job.get()[0])
    disconnect_all(state)
    print(f"{answered} of {len(hosts)} servers answered")
    return 0 if answered == len(hosts) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
