"""Hostile APIs of every cloud, beside clouds that are in order, in 512 MB.

    python bench/chaos/hostile_clouds.py [--seed 1] [--quick]

The real program checks servers by their run-commands in one run.  Some APIs send without
end, slowly, compressed or lead elsewhere; others answer in form, and one thing is wrong
(``evil_clouds``); of some it is the place of the keys that does.  ``--quick`` leaves out
what only the end of a server's time ends, and judges no time.
"""

from __future__ import annotations

import argparse
import json
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]

from corpus import COPIED_FROM, SCHEMES  # noqa: E402  (after the path)
from evil_http import FLOODS, SLOW, Say, compressed, evil, leads_to, with_success  # noqa: E402
from hostile_check import MOST_MB, checked, outcome, print_found  # noqa: E402
from memory_limit import Ended  # noqa: E402

from volact_lab.winrm.identity import Authority  # noqa: E402

# Eighty accounts, each with answers within their bounds, in several copies: how many are
# held at once is for the machine's load to decide.
_FLAT_MB = 480
_LONGEST_S = 3000.0  # a hang
_QUICK = ("endless-body", "endless-headers", "enormous")
_KINDS = ("auth", "connect", "protocol", "timeout", "agent")
_ADDRESSES = {
    "ssm": ("aws", "eu-west-1/i-0123456789abcdef0"),
    "ecs": ("alibaba", "cn-hangzhou/i-bp1000000000000"),
    "azure": ("azure", "0a1b2c3d-1111-4222-8333-0123456789ab/lab-web/vm-0000000000"),
    "tat": ("tencent", "ap-jakarta/ins-00000001"),
}
# Both what says where tokens are to be had and what brings one.
_TOKEN = {"token_type": "Bearer", "expires_in": 3600, "access_token": "some-token"}


@dataclass
class Found:
    """What one run showed."""

    rows: dict[str, str] = field(default_factory=dict)  # verdict or error kind, by name
    seconds: dict[str, float] = field(default_factory=dict)
    alone: Ended | None = None
    ended: list[Ended] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def meet(seed: int, *, quick: bool = False) -> Found:
    """The clouds in order alone, then all of them."""
    found = Found()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        stack.enter_context(_lab(folder, seed, quick=quick))
        good = (folder / "good.toml").read_text("utf-8")
        lying = (folder / "clouds.toml").read_text("utf-8")
        floods = _floods(stack, folder, quick=quick)
        deadline_s = 1200 if quick else 30
        found.alone, alone = _checked(folder, good, "alone", deadline_s)
        for kind, hostile in (("lying", lying), ("floods", floods)):
            ended, rows = _checked(folder, good + hostile, kind, deadline_s)
            found.ended.append(ended)
            found.seconds |= {row["name"]: row["elapsed_s"] for row in rows}
            told = {row["name"]: outcome(row) for row in rows}
            found.rows |= told
            _judge(found, ended, told, {row["name"]: outcome(row) for row in alone}, hostile)
            if not quick and ended.wall_s > 2 * deadline_s + 30 + found.alone.wall_s:
                found.wrong.append(f"took {ended.wall_s:.0f} s")
    return found


@contextmanager
def _lab(folder: Path, seed: int, *, quick: bool) -> Iterator[None]:
    words = [sys.executable, str(Path(__file__).parent / "evil_clouds.py"), str(folder), str(seed)]
    words += ["--quick"] if quick else []
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        with process:  # at its end standard input is closed, which ends it
            if process.stdout.readline() != "ready\n":
                raise RuntimeError((folder / "lab.log").read_text("utf-8"))
            yield


def _floods(stack: ExitStack, folder: Path, *, quick: bool) -> str:
    """Servers behind APIs, and behind places of keys, that are no good in any way."""
    elsewhere = stack.enter_context(evil(FLOODS["endless-body"])).port
    floods = {name: FLOODS[name] for name in _QUICK} if quick else {**FLOODS, **SLOW}
    says: dict[str, Say] = {**floods, "compressed": compressed}
    says = {name: with_success(say) for name, say in says.items()}
    says["redirect"] = leads_to(elsewhere)
    tls = _Tls(folder)
    tokens = tls.principal(stack.enter_context(evil(_tokens(tls), tls.context)).port, "good")
    keys = {
        "aws": 'aws-credentials = "keys.ini"\n',
        "alibaba": 'alibaba-credentials = "keys.ini"\n',
        "azure": tokens,
        "tencent": "",
    }
    (folder / "keys.ini").write_text(
        "[default]\ntype = access_key\naccess_key_id = L0\naccess_key_secret = some-key\n"
        "aws_access_key_id = AKIA0\naws_secret_access_key = some-key\n"
    )
    text, config = "", "[profile own]\naws_access_key_id = A0\naws_secret_access_key = some-key\n"
    for name, say in says.items():
        for scheme, (cloud, place) in _ADDRESSES.items():
            port = stack.enter_context(evil(say)).port
            own = f'{cloud}-endpoint = "http://127.0.0.1:{port}"\n{keys[cloud]}'
            text += _server(f"{scheme}-{name}", f"{scheme}://{place}", own)
        port = stack.enter_context(evil(say, tls.context)).port
        own = f'azure-endpoint = "http://127.0.0.1:{elsewhere}"\n{tls.principal(port, name)}'
        text += _server(f"token-{name}", f"azure://{_ADDRESSES['azure'][1]}", own)
        port = stack.enter_context(evil(say)).port
        config += (
            f"[profile {name}]\nrole_arn = arn:aws:iam::123456789012:role/volact\n"
            f"source_profile = own\nservices = {name}\nregion = eu-west-1\n"
            f"[services {name}]\nsts =\n  endpoint_url = http://127.0.0.1:{port}\n"
        )
        own = f'aws-endpoint = "http://127.0.0.1:{elsewhere}"\naws-profile = "{name}"\n'
        text += _server(f"sts-{name}", f"ssm://{_ADDRESSES['ssm'][1]}", own)
    (folder / "aws.config").write_text(config)
    return text


class _Tls:
    """A certificate for loopback, and principals whose tokens come from there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        authority = Authority("hostile clouds")
        signed = authority.server()
        (folder / "tls.pem").write_bytes(signed.pem + signed.key_pem)
        (folder / "authority.pem").write_bytes(authority.own.pem)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "tls.pem")
        self.port = 0

    def principal(self, port: int, name: str) -> str:
        """The lines of a server whose tokens come from a port."""
        told = {
            "clientId": "11111111-1111-4111-8111-111111111111",
            "clientSecret": "some-secret",
            "tenantId": "22222222-2222-4222-8222-222222222222",
            "activeDirectoryEndpointUrl": f"https://127.0.0.1:{port}",
        }
        self.port = self.port or port  # of the first, which is in order
        (self._folder / f"{name}.principal").write_text(json.dumps(told))
        lines = f'azure-credentials = "{name}.principal"\n'
        return f'{lines}azure-authorities = "authority.pem"\n'


def _tokens(tls: _Tls) -> Say:
    """A place of tokens that is in order."""

    def say(send: Any) -> None:
        own = f"https://127.0.0.1:{tls.port}/22222222-2222-4222-8222-222222222222"
        told = {
            "issuer": f"{own}/v2.0",
            "authorization_endpoint": f"{own}/oauth2/v2.0/authorize",
            "token_endpoint": f"{own}/oauth2/v2.0/token",
            **_TOKEN,
        }
        body = json.dumps(told).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return say


def _server(name: str, address: str, own: str) -> str:
    return f'\n[[server]]\nname = "{name}"\naddress = "{address}"\n{own}'


def _checked(
    folder: Path, inventory: str, name: str, deadline_s: int
) -> tuple[Ended, list[dict[str, Any]]]:
    words = ["--deadline", str(deadline_s), "--connect-timeout", str(deadline_s // 2)]
    env = {"AWS_CONFIG_FILE": str(folder / "aws.config")}
    path = folder / f"{name}.toml"
    return checked(path, inventory, words, env, _LONGEST_S)


def _judge(
    found: Found, ended: Ended, rows: dict[str, str], healthy: dict[str, str], hostile: str
) -> None:
    wrong = found.wrong
    if len(healthy) != 2 * len(SCHEMES) or set(healthy.values()) != {"healthy"}:
        wrong.append(f"the neighbours alone: {healthy}")
    if len(rows) != len(healthy) + hostile.count("[[server]]"):
        wrong.append(f"{len(rows)} rows")
    for name, became in rows.items():
        if name in healthy and became != "healthy":
            wrong.append(f"{name} is {became} beside hostile APIs")
        own = name.endswith(f"-{COPIED_FROM}") and became == "healthy"  # given to another, too
        if name not in healthy and became not in _KINDS and not own:
            wrong.append(f"{name} is {became}")
    if ended.code not in (3, 4):
        wrong.append(f"exit code {ended.code}: {ended.err[-500:]}")
    if ended.peak_mb > _FLAT_MB:
        wrong.append(f"{ended.peak_mb} MB")


_TITLES = {
    "ssm": "AWS", "ecs": "Alibaba Cloud", "azure": "Azure", "tat": "Tencent Cloud",
    "token": "tokens of Azure", "sts": "roles of AWS",
}  # fmt: skip


def table(found: Found) -> str:
    """The hostile APIs by how they were reported, as Markdown."""
    assert found.alone is not None
    lines = [f"| hostile API | {' | '.join(_TITLES.values())} |", f"|---{'|---' * len(_TITLES)}|"]
    for act in dict.fromkeys(name.partition("-")[2] for name in found.rows):
        if not act.isdecimal():  # else a neighbour
            told = (_told(found, f"{column}-{act}") for column in _TITLES)
            lines.append(f"| {act} | {' | '.join(told)} |")
    held = "a control group" if found.alone.limited else "no control group here: measured only"
    good = (told for name, told in found.rows.items() if name.partition("-")[2].isdecimal())
    healthy = sum(outcome == "healthy" for outcome in good)
    lines.append(
        f"\n{2 * len(SCHEMES)} healthy neighbours behind the same four kinds of APIs, in two runs: "
        f"{healthy} healthy. Memory at most {max(one.peak_mb for one in found.ended)} MB of "
        f"{MOST_MB} ({held}); without hostile APIs {found.alone.peak_mb} MB. "
        f"{' and '.join(f'{one.wall_s:.0f} s' for one in found.ended)}; without them "
        f"{found.alone.wall_s:.0f} s. Wrong: {len(found.wrong)}."
    )
    return "\n".join(lines)


def _told(found: Found, name: str) -> str:
    return f"{found.rows[name]}, {found.seconds[name]:.1f} s" if name in found.rows else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    wanted = parser.parse_args()
    found = meet(wanted.seed, quick=wanted.quick)
    return print_found(table(found), found.wrong)


if __name__ == "__main__":
    sys.exit(main())
