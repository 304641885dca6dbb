"""A plan as the console commands that a person would type, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from volact.core import shell
from volact.core.clock import DEFAULT_LIMIT_S
from volact.core.context import Context
from volact.core.diagnose.binary import program_path
from volact.core.diagnose.case import Case
from volact.core.diagnose.services import only_system_configures
from volact.core.kms import reachable_hosts, same_host, service_setting
from volact.core.release import licensing_program, licensing_service
from volact.model.fact import Fact, Known, value_of
from volact.model.facts import Facts
from volact.model.profile import HostPort
from volact.model.step import Plan

Params = dict[str, Any]
Commands = Callable[[Params, Facts, Context], Iterator[str]]

_CONFIG = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Config"
_UPDATE = "w32tm /config /update"
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:%[0-9]{1,10})?")


def console_commands(plan: Plan, facts: Facts, ctx: Context) -> tuple[str, ...]:
    """What to type in cmd.exe on this server, as an administrator; () for no steps."""
    return tuple(
        command for step in plan.steps for command in _COMMANDS[step.do](step.params, facts, ctx)
    )


def _enable(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    if only_system_configures(Case(facts, ctx), params["name"]):
        yield from shell.enable_at_restart(params["name"])
        yield "rem restart the server here, then go on"
    else:
        yield shell.enable_service(params["name"], params["start"])


def _start(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield shell.start_service(params["name"])


def _grant(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    sddl = value_of(facts.binary.sddl) or ""
    yield from shell.grant_execute(program_path(facts), params["sid"], tuple(params["deny"]), sddl)


def _remove_debugger(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield shell.remove_debugger(licensing_program(facts.os))


def _add_dns(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    given = value_of(facts.dns) or ()
    present = [one for one in given if one not in params["servers"] and _ADDRESS.fullmatch(one)]
    wanted = params["servers"]
    first = params["position"] == "first"
    yield shell.set_name_servers((*wanted, *present) if first else (*present, *wanted))


def _add_route(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    if _ADDRESS.fullmatch(params["gateway"]):
        yield shell.add_route(params["destination"], params["mask"], params["gateway"])


def _trigger(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield shell.TIME_TRIGGER


def _restore_limits(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield from shell.restore_limits(value_of(facts.time.saved) or "- -")


def _rebuild_store(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    folder = value_of(facts.store.path) or r"%windir%\System32\spp\store\2.0"
    yield from shell.rebuild_store(licensing_service(facts.os), f"{folder}\\tokens.dat")


def _rearm(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield shell.REARM


def _time_source(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield shell.set_time_source(tuple(params["peers"]))


def _sync(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    """Resynchronise; with raised limits, raise them first and put them back."""
    if not params.get("raise_limits"):
        yield shell.RESYNC
        return
    yield from _limits("0xFFFFFFFF", "0xFFFFFFFF")
    yield shell.RESYNC
    yield from _limits(_present(facts.time.pos), _present(facts.time.neg))


def _present(limit: Fact[int]) -> str:
    """The limit to put back: what is there now, or the default of a lone server."""
    return str(limit.value if isinstance(limit, Known) else DEFAULT_LIMIT_S)


def _limits(pos: str, neg: str) -> Iterator[str]:
    for name, value in (("MaxPosPhaseCorrection", pos), ("MaxNegPhaseCorrection", neg)):
        yield f'reg add "{_CONFIG}" /v {name} /t REG_DWORD /d {value} /f'
    yield _UPDATE


def _install_key(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    build, sku = value_of(facts.os.build), value_of(facts.os.sku)
    key = params["keys"].get(f"{build}/{sku}")
    if key:
        yield shell.install_key(key)


def _set_host(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    hosts = tuple(HostPort.parse(text) for text in params["hosts"])
    yield shell.set_kms_host(chosen_host(hosts, facts, ctx))


def _clear_host(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield shell.clear_kms_host(params.get("product", ""))


def _restart(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    service = licensing_service(facts.os)
    yield f"net stop {service}"
    yield shell.start_service(service)


def _activate(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield shell.activate()


def _nothing(params: Params, facts: Facts, ctx: Context) -> Iterator[str]:
    yield from ()


def chosen_host(hosts: tuple[HostPort, ...], facts: Facts, ctx: Context) -> HostPort:
    """The host that ``set-kms-host`` takes: the present one if it is right and reached,
    else the first that is reached, else the first."""
    reached = [host for host in hosts if host in reachable_hosts(facts, ctx)]
    setting = service_setting(facts)
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
