"""``volact endpoints``: the cloud's KMS, time and DNS servers, as seen from here."""

from __future__ import annotations

import msgspec

from volact.cli.console import table, write_answer
from volact.cli.options.tools import EndpointsOptions
from volact.cli.providers import required_profile
from volact.cli.runtime import run_async
from volact.endpoints import dns, kms, ntp
from volact.endpoints.check import Endpoints, check_endpoints
from volact.errors import InputError
from volact.model.profile import HostPort, Profile
from volact.model.text import say
from volact.report.words import titled
from volact.words import decimal, tr

_ATTENTION = 3


def endpoints(options: EndpointsOptions) -> int:
    """Check KMS hosts, time servers and DNS from this machine."""
    hosts, wait = [_host(word) for word in options.kms_host], options.timeout
    times = [_time_server(word) for word in options.ntp]
    names: tuple[str, ...] = ()
    if not (hosts or times):
        profile = _profile(options.provider)
        hosts, times, names = [*profile.all_kms_hosts()], [*profile.ntp], profile.dns
    found = run_async(check_endpoints(hosts, times, names, timeout_s=wait))
    document = {**msgspec.to_builtins(found), "ok": found.ok}
    write_answer(options.output, document, lambda: _text(found))
    return 0 if found.ok else _ATTENTION


def _host(word: str) -> HostPort:
    try:
        return HostPort.parse(word)
    except ValueError as error:
        raise InputError(error.args[0], where=f"--kms-host {word}") from error


def _time_server(word: str) -> str:
    """A name or an address; NTP has one port."""
    try:
        host = HostPort.parse(word).host
    except ValueError:
        host = ""
    if not host or word.strip() not in (host, f"[{host}]"):
        raise InputError(
            say("{text} is not a host", text=repr(word)),
            say("write a name or an address, without a port"),
            where="--ntp",
        )
    return host


def _profile(name: str) -> Profile:
    """The profile named; ``InputError`` where it has nothing to check."""
    profile = required_profile(name)
    if not (profile.all_kms_hosts() or profile.ntp):
        raise InputError(
            say("{name} has no KMS host and no time server", name=profile.name),
            say("name yours with --kms-host or --ntp"),
        )
    return profile


def _text(found: Endpoints) -> str:
    parts = [
        (
            (
                say("KMS HOST"),
                say("STATE"),
                say("ADDRESS"),
                say("NAME"),
                say("CONNECT"),
                say("BIND"),
                say("MEANING"),
            ),
            _kms(found),
        ),
        (
            (
                say("TIME SERVER"),
                say("STATE"),
                say("ADDRESS"),
                say("OFFSET"),
                say("DELAY"),
                say("STRATUM"),
                say("MEANING"),
            ),
            _ntp(found),
        ),
        (
            (say("DNS SERVER"), say("STATE"), say("ADDRESSES"), say("TIME"), say("MEANING")),
            _dns(found),
        ),
    ]
    return "\n".join(table(head, rows) for head, rows in parts if rows)


def _kms(found: Endpoints) -> list[tuple[str, ...]]:
    return [
        (host.host, host.word, host.address or "-", _ms(host.resolve_ms), _ms(host.connect_ms),
         _ms(host.bind_ms), tr(kms.SAYS[host.word]))
        for host in found.kms
    ]  # fmt: skip


def _ntp(found: Endpoints) -> list[tuple[str, ...]]:
    return [
        (host.host, host.word, host.address or "-", _seconds(host.offset_s, "+.3f"),
         _seconds(host.delay_s, ".3f"), str(host.stratum or "-"), tr(ntp.SAYS[host.word]))
        for host in found.ntp
    ]  # fmt: skip


def _dns(found: Endpoints) -> list[tuple[str, ...]]:
    return [
        (host.server, host.word, ", ".join(host.addresses) or "-", _ms(host.ms),
         titled(tr(dns.SAYS[host.word]), host.name))
        for host in found.dns
    ]  # fmt: skip


def _ms(value: float | None) -> str:
    return "-" if value is None else decimal(f"{value:.1f} ms")


def _seconds(value: float | None, form: str) -> str:
    return "-" if value is None else decimal(f"{value:{form}} s")
