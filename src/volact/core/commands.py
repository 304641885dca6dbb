"""A plan as the console commands that a person would type, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.clock import DEFAULT_LIMIT_S
from volact.core.assessment.hosts import same_host
from volact.model.fact import Fact, Known, value_of
from volact.model.profile import HostPort
from volact.model.step import Plan

Params = dict[str, Any]
Commands = Callable[[Params, Assessment], Iterator[str]]

_CONFIG = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Config"
_UPDATE = "w32tm /config /update"
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:%[0-9]{1,10})?")


def console_commands(plan: Plan, a: Assessment) -> tuple[str, ...]:
    """What to type in cmd.exe on this server, as an administrator; () for no steps."""
    return tuple(command for step in plan.steps for command in _COMMANDS[step.do](step.params, a))


def _enable(params: Params, a: Assessment) -> Iterator[str]:
    if a.system.protects_start_mode(params["name"]):
        yield from shell.enable_at_restart(params["name"])
        yield "rem restart the server here, then go on"
    else:
        yield shell.enable_service(params["name"], params["start"])


def _start(params: Params, a: Assessment) -> Iterator[str]:
    yield shell.start_service(params["name"])


def _grant(params: Params, a: Assessment) -> Iterator[str]:
    sddl = value_of(a.facts.binary.sddl) or ""
    yield from shell.grant_execute(
        a.service.program_path, params["sid"], tuple(params["deny"]), sddl
    )


def _remove_debugger(params: Params, a: Assessment) -> Iterator[str]:
    yield shell.remove_debugger(a.system.licensing_program)


def _add_dns(params: Params, a: Assessment) -> Iterator[str]:
    given = value_of(a.facts.dns) or ()
    present = [one for one in given if one not in params["servers"] and _ADDRESS.fullmatch(one)]
    wanted = params["servers"]
    first = params["position"] == "first"
    yield shell.set_name_servers((*wanted, *present) if first else (*present, *wanted))


def _add_route(params: Params, a: Assessment) -> Iterator[str]:
    if _ADDRESS.fullmatch(params["gateway"]):
        yield shell.add_route(params["destination"], params["mask"], params["gateway"])


def _trigger(params: Params, a: Assessment) -> Iterator[str]:
    yield shell.TIME_TRIGGER


def _restore_limits(params: Params, a: Assessment) -> Iterator[str]:
    yield from shell.restore_limits(value_of(a.facts.time.saved) or "- -")


def _rebuild_store(params: Params, a: Assessment) -> Iterator[str]:
    folder = value_of(a.facts.store.path) or r"%windir%\System32\spp\store\2.0"
    yield from shell.rebuild_store(a.system.licensing_service, f"{folder}\\tokens.dat")


def _rearm(params: Params, a: Assessment) -> Iterator[str]:
    yield shell.REARM


def _time_source(params: Params, a: Assessment) -> Iterator[str]:
    yield shell.set_time_source(tuple(params["peers"]))


def _sync(params: Params, a: Assessment) -> Iterator[str]:
    """Resynchronise; with raised limits, raise them first and put them back."""
    if not params.get("raise_limits"):
        yield shell.RESYNC
        return
    yield from _limits("0xFFFFFFFF", "0xFFFFFFFF")
    yield shell.RESYNC
    yield from _limits(_present(a.facts.time.pos), _present(a.facts.time.neg))


def _present(limit: Fact[int]) -> str:
    """The limit to put back: what is there now, or the default of a lone server."""
    return str(limit.value if isinstance(limit, Known) else DEFAULT_LIMIT_S)


def _limits(pos: str, neg: str) -> Iterator[str]:
    for name, value in (("MaxPosPhaseCorrection", pos), ("MaxNegPhaseCorrection", neg)):
        yield f'reg add "{_CONFIG}" /v {name} /t REG_DWORD /d {value} /f'
    yield _UPDATE


def _install_key(params: Params, a: Assessment) -> Iterator[str]:
    build, sku = a.system.build, a.system.sku
    key = params["keys"].get(f"{build}/{sku}")
    if key:
        yield shell.install_key(key)


def _set_host(params: Params, a: Assessment) -> Iterator[str]:
    hosts = tuple(HostPort.parse(text) for text in params["hosts"])
    yield shell.set_kms_host(chosen_host(hosts, a))


def _clear_host(params: Params, a: Assessment) -> Iterator[str]:
    yield shell.clear_kms_host(params.get("product", ""))


def _restart(params: Params, a: Assessment) -> Iterator[str]:
    service = a.system.licensing_service
    yield f"net stop {service}"
    yield shell.start_service(service)


def _activate(params: Params, a: Assessment) -> Iterator[str]:
    yield shell.activate()


def _nothing(params: Params, a: Assessment) -> Iterator[str]:
    yield from ()


def chosen_host(hosts: tuple[HostPort, ...], a: Assessment) -> HostPort:
    """The host that ``set-kms-host`` takes: the present one if it is right and reached,
    else the first that is reached, else the first."""
    reached = [host for host in hosts if host in a.kms.reached]
    setting = a.kms.service
    if isinstance(setting, Known):
        present = setting.value.host
        reached.sort(key=lambda host: not same_host(host, present))
    return (reached or list(hosts))[0]


_COMMANDS: dict[str, Commands] = {
    "enable-service": _enable,
    "start-service": _start,
    "remove-debugger": _remove_debugger,
    "grant-execute": _grant,
    "add-dns": _add_dns,
    "add-route": _add_route,
    "set-time-trigger": _trigger,
    "restore-time-limits": _restore_limits,
    "rebuild-token-store": _rebuild_store,
    "rearm": _rearm,
    "set-time-source": _time_source,
    "sync-clock": _sync,
    "install-key": _install_key,
    "set-kms-host": _set_host,
    "clear-kms-host": _clear_host,
    "restart-licensing": _restart,
    "activate": _activate,
    "refresh-license": _nothing,
}
