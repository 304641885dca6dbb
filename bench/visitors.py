"""Who visits the servers of a lab, and by which command.

All get the same servers, the same parallelism and check the same host keys,
as far as they can; every visitor is a process by itself, so that starting it
is counted too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labs import Lab

HERE = Path(__file__).parent
CONCURRENCY = "50"
ROOT = HERE.parent

BARE, WAITING, TUNED, WITH_AGENT = (
    "bare asyncssh loop",
    "bare loop, servers that take 0.6 s",
    "bare loop, volact's SSH options",
    "bare loop that runs the agent",
)
CHECK, STORED, ACTIVATE = "volact check", "volact check, with its store", "volact activate"
PSSH, PYINFRA, PYINFRA_AGENT = "parallel-ssh", "pyinfra", "pyinfra that runs the agent"
PYINFRA_FOUR = "pyinfra, the four slmgr commands"
RAW, FOUR = "Ansible raw", "Ansible raw, the four slmgr commands"
# What is right as an exit code: with 3 some servers need attention.
EXAMINED = (0, 3)


@dataclass(frozen=True)
class Visitor:
    """One command over all servers."""

    name: str
    command: Sequence[str]
    accept: tuple[int, ...] = (0,)
    environment: dict[str, str] = field(default_factory=dict)


def visitors(lab: Lab, peers: Path | None) -> list[Visitor]:
    """In the order in which they come: those that change servers last."""
    bare = (sys.executable, str(HERE / "bare_loop.py"), str(lab.inventory))
    found = [
        Visitor(BARE, bare),
        Visitor(WAITING, (*bare, "--wait")),
        Visitor(TUNED, (*bare, "--tuned")),
        Visitor(WITH_AGENT, (*bare, "--tuned", "--agent")),
        Visitor(CHECK, volact("check", lab, "--no-store"), EXAMINED),
        Visitor(STORED, volact("check", lab, "--store", str(store_of(lab))), EXAMINED),
    ]
    found += _loops(lab, peers) if peers else []
    found.append(
        Visitor(ACTIVATE, volact("activate", lab, "--yes", "--store", str(store_of(lab))), EXAMINED)
    )
    return [*found, *_four(lab, peers)] if peers else found


def volact(verb: str, lab: Lab, *more: str, at_once: str | None = CONCURRENCY) -> tuple[str, ...]:
    """volact over a lab; without ``at_once`` as it comes."""
    common = ["-i", str(lab.inventory), "--output", "jsonl", "--no-progress"]
    common += ["--concurrency", at_once] if at_once else []
    return (sys.executable, "-m", "volact", verb, *common, *more)


def store_of(lab: Lab) -> Path:
    """Where volact remembers what it saw of a lab."""
    return lab.inventory.with_name("volact.db")


def _loops(lab: Lab, peers: Path) -> list[Visitor]:
    python, inventory = str(peers / "python"), str(lab.inventory)
    return [
        Visitor(PSSH, (python, str(HERE / "peers" / "pssh_loop.py"), inventory)),
        Visitor(PYINFRA, pyinfra(lab, peers)),
        Visitor(PYINFRA_AGENT, pyinfra(lab, peers, "--agent", lab.agent)),
        _ansible(RAW, lab, peers, "ansible", "all", "-m", "ansible.builtin.raw", "-a", "exit 0"),
    ]


def _four(lab: Lab, peers: Path) -> list[Visitor]:
    return [
        Visitor(PYINFRA_FOUR, pyinfra(lab, peers, "--four", lab.for_ansible)),
        ansible_four(FOUR, lab, peers, CONCURRENCY),
    ]


def ansible_four(name: str, lab: Lab, peers: Path, forks: str) -> Visitor:
    """Ansible with the four commands, so many servers at a time."""
    play = str(HERE / "peers" / "four_commands.yml")
    return _ansible(name, lab, peers, "ansible-playbook", play, forks=forks)


def pyinfra(lab: Lab, peers: Path, *more: str | Path) -> tuple[str, ...]:
    """pyinfra over a lab."""
    loop = str(HERE / "peers" / "pyinfra_loop.py")
    return (str(peers / "python"), loop, str(lab.inventory), *map(str, more))


def _ansible(
    name: str, lab: Lab, peers: Path, program: str, *words: str, forks: str = CONCURRENCY
) -> Visitor:
    home = lab.for_ansible.parent / "ansible-home"
    (home / ".ssh").mkdir(parents=True, exist_ok=True)
    known_hosts = lab.inventory.with_suffix(".known_hosts").read_bytes()
    (home / ".ssh" / "known_hosts").write_bytes(known_hosts)
    inventory = str(lab.for_ansible)
    return Visitor(
        name,
        (str(peers / program), "-i", inventory, "--forks", forks, *words),
        environment={
            "HOME": str(home),
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_DEPRECATION_WARNINGS": "False",
            "ANSIBLE_NOCOLOR": "True",
            "LC_ALL": "C.UTF-8",
        },
    )


def about(peers: Path) -> dict[str, str]:
    """The versions of what is installed for comparison."""
    import subprocess  # noqa: PLC0415  (only where there are peers)

    words = [str(peers / "python"), "-m", "pip", "list", "--format", "json"]
    done = subprocess.run(words, check=True, capture_output=True)
    wanted = {"ansible-core", "parallel-ssh", "paramiko", "pyinfra"}
    return {one["name"]: one["version"] for one in json.loads(done.stdout) if one["name"] in wanted}
