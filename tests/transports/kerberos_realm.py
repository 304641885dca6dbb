"""A Kerberos realm on loopback: a real KDC with a database, an account and a service of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from held_port import held_port

REALM, USER, PASSWORD = "LAB.TEST", "Administrator", "a long password of the lab"
_NEEDED = {"krb5kdc": "krb5-kdc", "kadmin.local": "krb5-admin-server", "kinit": "krb5-user"}
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_CLIENT = """\
[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {realm}
"""
_SERVER = """\
[kdcdefaults]
 kdc_ports = ""
 kdc_tcp_ports = ""
 kdc_listen = ""
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
 }}
[logging]
 kdc = FILE:{folder}/kdc.log
"""


def missing() -> str:
    """The packages without which there is no realm here."""
    names = [package for tool, package in _NEEDED.items() if not shutil.which(tool, path=_PATH)]
    names += [name for name in ("gssapi", "krb5") if find_spec(name) is None]
    return ", ".join(names)


@dataclass(frozen=True)
class Realm:
    """A realm whose KDC is at work."""

    folder: Path
    kdc: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """What libraries find it by; the service's key is there, too."""
        return {
            "KRB5_CONFIG": str(self.folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{self.folder}/tickets",
            "KRB5_KTNAME": f"FILE:{self.folder}/keytab",
        }

    def run(self, *words: str, given: str = "") -> None:
        """A program of Kerberos."""
        env = {**os.environ, **self.env, "PATH": _PATH}
        done = subprocess.run(
            words, input=given, env=env, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def ticket(self, *options: str) -> None:
        """Get a ticket for the account, as ``kinit`` does."""
        self.run("kinit", *options, USER, given=f"{PASSWORD}\n")

    def ticket_of(self, user: str) -> None:
        """Add another account, and get a ticket for it."""
        self.run("kadmin.local", "-q", f'addprinc -pw "{PASSWORD}" {user}')
        self.run("kinit", user, given=f"{PASSWORD}\n")

    def expire(self) -> None:
        """Get a ticket that has expired when this returns."""
        self.ticket("-l", "2s")
        words = ("klist", "-s")  # true as long as there is a valid one
        while not subprocess.run(words, env={**os.environ, **self.env}, check=False).returncode:
            time.sleep(0.1)
        time.sleep(2)  # the KDC counts in whole seconds, and takes the last one

    def forget_the_service(self) -> None:
        """Delete the service from the realm."""
        self.run("kadmin.local", "-q", "delprinc -force host/localhost")

    def end(self) -> None:
        """End the KDC."""
        for process in self.kdc:
            process.terminate()
            process.wait()


@contextmanager
def realm(folder: Path) -> Iterator[Realm]:
    """A new realm with the account and the service ``host/localhost``."""
    made = Realm(folder)
    with held_port() as port:
        try:
            _start(made, port)
            yield made
        finally:
            made.end()


def _start(made: Realm, port: int) -> None:
    folder = made.folder
    (folder / "krb5.conf").write_text(_CLIENT.format(realm=REALM, port=port))
    (folder / "kdc.conf").write_text(_SERVER.format(realm=REALM, port=port, folder=folder))
    made.run("kdb5_util", "create", "-s", "-P", "of the database")
    for line in (
        f'addprinc -pw "{PASSWORD}" {USER}',
        "addprinc -randkey host/localhost",
        "ktadd host/localhost",
    ):
        made.run("kadmin.local", "-q", line)
    env = {**os.environ, **made.env, "PATH": _PATH}
    kdc = subprocess.Popen(["krb5kdc", "-n"], env=env, stdout=subprocess.DEVNULL)
    made.kdc.append(kdc)
    while not _listens(port):
        assert kdc.poll() is None, "the KDC ended"
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
