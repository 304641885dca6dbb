"""parallel-ssh over a lab: connect, one trivial command, leave.

    python bench/peers/pssh_loop.py lab.toml

It is set to check no host keys: it cannot do so.  Exit code 1 when a server
did not answer.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pssh.clients import ParallelSSHClient
from pssh.config import HostConfig

from fleet import CONCURRENCY, TRIVIAL, read_fleet


def main(path: Path) -> int:
    fleet = read_fleet(path)
    configs = [
        HostConfig(port=host.port, user=host.user, password=fleet.password, allow_agent=False)
        for host in fleet.hosts
    ]
    client = ParallelSSHClient(
        [host.address for host in fleet.hosts],
        host_config=configs,
        pool_size=CONCURRENCY,
        allow_agent=False,
    )
    output = client.run_command(TRIVIAL)
    client.join(output)
    answered = sum(1 for one in output if one.exit_code == 0)
    print(f"{answered} of {len(configs)} servers answered")
    return 0 if answered == len(configs) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
