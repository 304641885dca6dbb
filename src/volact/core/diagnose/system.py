"""The Windows around licensing: script host, rights, release, product policy."""

from __future__ import annotations

from volact.core.diagnose.case import Case, error, warning
from volact.core.licensing import all_licensed
from volact.core.release import SERVER_EDITIONS, release_of
from volact.core.shell import SLMGR
from volact.model.fact import value_of
from volact.model.finding import Finding
from volact.model.text import Text, say

# A healthy server holds tens of thousands of bytes; this length is the
# documented sign of a damaged one, which also shows as 2 GB of usable memory.
DAMAGED_POLICY_BYTES = 1960

_WSH = r"SOFTWARE\Microsoft\Windows Script Host\Settings"


def wsh_disabled(case: Case) -> Finding | None:
    """Windows Script Host is off, so neither volact's agent nor slmgr can run."""
    wsh = case.facts.wsh
    off = [
        hive for hive, fact in (("HKLM", wsh.machine), ("HKCU", wsh.user)) if value_of(fact) == 0
    ]
    if not off:
        return None
    commands = "; ".join(f'reg add "{h}\\{_WSH}" /v Enabled /t REG_DWORD /d 1 /f' for h in off)
    return error(
        "wsh-disabled",
        say("Windows Script Host is turned off, so nothing can be asked or repaired by script."),
        {"off": off},
        remedy=say("If your rules allow it, on the server: {commands}", commands=commands),
    )


def not_elevated(case: Case) -> Finding | None:
    """The session has no administrator's rights."""
    if value_of(case.facts.elevated) is not False:
        return None
    return error(
        "not-elevated",
        say("The session is not elevated, so volact may look but change nothing."),
        {},
        remedy=say(
            "Log in as an administrator whose session is elevated, or run the script with "
            "'Run as administrator'."
        ),
    )


def release_unsupported(case: Case) -> Finding | None:
    """Not a Windows Server release that the provider's KMS hosts are for."""
    facts, knowledge = case.facts, case.ctx.knowledge
    build, sku = value_of(facts.os.build), value_of(facts.os.sku)
    known_build = any(build in release.builds for release in knowledge.releases)
    if build is None or (sku is None and known_build):
        return None
    release = release_of(facts.os, knowledge.releases)
    if release and not release.supported:
        return None  # release-without-gvlk
    if release and release.name in knowledge.profile.releases:
        return None
    title = knowledge.profile.title
    make = warning if all_licensed(facts) else error
    return make(
        "release-unsupported",
        _unsupported(build, sku, release.name if release else "", title),
        {"build": build, "sku": sku, "release": release.name if release else None},
        remedy=say("volact leaves its licence alone; activate it by hand if it is covered."),
    )


def _unsupported(build: int, sku: int | None, release: str, title: str) -> Text:
    if release:
        return say(
            "Windows Server {release} is not covered by {cloud}.", release=release, cloud=title
        )
    if sku is not None and sku not in SERVER_EDITIONS:
        return say(
            "Build {build} with edition number {sku} is no Windows Server that is known.",
            build=build,
            sku=sku,
        )
    return say("Build {build} is no release of Windows Server that is known.", build=build)


def product_policy_damaged(case: Case) -> Finding | None:
    """The registry's ProductPolicy has the length of a damaged one."""
    length = value_of(case.facts.policy_len)
    if length is None or not 0 < length <= DAMAGED_POLICY_BYTES:
        return None
    return error(
        "product-policy-damaged",
        say(
            "The product policy in the registry is {length} bytes long, which is that of a "
            "damaged one; Windows may then use no more than 2 GB of memory.",
            length=length,
        ),
        {"bytes": length},
        remedy=say(
            "Once it is licensed, restart the server and look again; if it stays, on the "
            "server: {command}, activate again, restart.",
            command=f"{SLMGR} -rilc",
        ),
    )
