"""Which host keys are trusted, and what is remembered of new ones.

A known_hosts file is read once a run, not once for each server that names it.
How the file is read and matched is asyncssh's business; what a key that it
does not hold means is decided here.  Nothing here connects.
"""

from __future__ import annotations

from pathlib import Path

from volact.bounded.files import own_path, read_named
from volact.errors import InputError, TransportError, unreadable
from volact.model.server import HostKeyPolicy
from volact.model.text import say
from volact.transports.ssh_library import asyncssh
from volact.typed import is_typable, quoted

# What known_hosts reads as more than one host, as a mark, or as the end of a name.
_PATTERN = frozenset("*?!,|@#[] \t")

# Host keys, CA keys, revoked keys, X.509 certificates, revoked ones, and subjects.
Match = tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]


class KnownHosts:
    """One known_hosts file under one policy."""

    def __init__(self, path: Path, policy: HostKeyPolicy) -> None:
        self.path = path
        self._policy = policy
        self._file = _read(path)
        self._accepted: dict[tuple[str, int | None], asyncssh.SSHKey] = {}

    def match(self, host: str, addr: str, port: int | None) -> Match:
        """The keys for a host as asyncssh asks for them; its port is ``None`` for 22."""
        keys, authorities, revoked = self._file.match(host, addr, port)[:3]
        new = self._accepted.get((host, port))
        return [*keys, *([new] if new else [])], list(authorities), list(revoked)

    def knows(self, host: str, addr: str, port: int) -> bool:
        """Whether there is any key or authority for this host."""
        keys, authorities, _ = self.match(host, addr, _told(port))
        return bool(keys or authorities)

    def judge(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> TransportError | None:
        """The error for a key that the file does not hold; ``None`` accepts it."""
        if self._accepted.get((host, _told(port))) == key:
            return None  # remembered since this login began, by another at the same address
        print_ = f"{key.get_algorithm()} {key.get_fingerprint()}"
        if self.knows(host, addr, port):
            return self._changed(host, port, print_)
        if self._policy != "accept-new":
            return TransportError(
                "host-key",
                say("the host key is not known ({key})", key=print_),
                say(
                    "compare it, then add it to {file} or use --host-key-policy accept-new",
                    file=str(self.path),
                ),
            )
        return self._remember(host, port, key)

    def _changed(self, host: str, port: int, print_: str) -> TransportError:
        return TransportError(
            "host-key-changed",
            say(
                "the host key is not the one in {file} (now {key})",
                file=str(self.path),
                key=print_,
            ),
            say("the server was rebuilt, or another machine answers at its address"),
            self.forget(host, port),
        )

    def forget(self, host: str, port: int) -> str:
        """The command that takes the old keys of a host out of the file; ``""`` for none."""
        if not is_typable(host):
            return ""
        return f"ssh-keygen -f {quoted(str(self.path))} -R {quoted(_pattern(host, port))}"

    def _remember(self, host: str, port: int, key: asyncssh.SSHKey) -> TransportError | None:
        if _PATTERN & set(host) or not host.isprintable():
            return TransportError(
                "host-key",
                say("a host key cannot be remembered for {host}", host=repr(host)),
                say("name one host"),
            )
        line = f"{_pattern(host, port)} {key.export_public_key().decode('ascii').strip()}\n"
        try:
            _append(self.path, line)
        except OSError as error:
            reason = error.strerror or say("not writable")
            return TransportError(
                "host-key",
                say(
                    "the host key cannot be remembered: {path}: {reason}",
                    path=str(self.path),
                    reason=reason,
                ),
            )
        self._accepted[(host, _told(port))] = key
        return None


class HostKeys:
    """All known_hosts files of a run."""

    def __init__(self, policy: HostKeyPolicy = "strict", default: Path | None = None) -> None:
        self.policy = policy
        self._default = default or Path.home() / ".ssh" / "known_hosts"
        self._files: dict[Path, KnownHosts] = {}

    def for_server(self, known_hosts: str) -> KnownHosts | None:
        """The file for a server that names it, ``""`` for the user's own.

        ``None`` when no key is to be checked.
        """
        if self.policy == "ignore":
            return None
        path = own_path(known_hosts) if known_hosts else self._default
        if path not in self._files:
            self._files[path] = KnownHosts(path, self.policy)
        return self._files[path]


def check_known_hosts(path: str, default: Path | None = None) -> None:
    """``InputError`` when a known_hosts file, ``""`` for the user's own, is unusable."""
    HostKeys("strict", default).for_server(path)


def _read(path: Path) -> asyncssh.SSHKnownHosts:
    try:
        return asyncssh.import_known_hosts(read_named(path).decode("utf-8", errors="replace"))
    except FileNotFoundError:
        return asyncssh.import_known_hosts("")
    except OSError as error:
        raise unreadable(error, path) from error
    except ValueError as error:
        raise InputError(
            say("not a known_hosts file: {error}", error=str(error)), where=str(path)
        ) from error


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+b") as file:
        # A last line without its end would swallow the new one.
        if file.tell():
            file.seek(-1, 2)
            line = line if file.read(1) == b"\n" else f"\n{line}"
        file.write(line.encode("utf-8"))


def _pattern(host: str, port: int) -> str:
    return host if port == 22 else f"[{host}]:{port}"


def _told(port: int) -> int | None:
    return None if port == 22 else port
