"""The Windows around licensing: script host, rights, release, product policy."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.system import SERVER_EDITIONS
from volact.core.diagnose.case import error, warning
from volact.core.shell import SLMGR
from volact.model.fact import value_of
from volact.model.finding import Finding
from volact.model.text import Text, say

# A healthy server holds tens of thousands of bytes; this length is the
# documented sign of a damaged one, which also shows as 2 GB of usable memory.
DAMAGED_POLICY_BYTES = 1960

_WSH = r"SOFTWARE\Microsoft\Windows Script Host\Settings"


def wsh_disabled(a: Assessment) -> Finding | None:
    """Windows Script Host is off, so neither volact's agent nor slmgr can run."""
    off = a.system.script_host_off
    if not off:
        return None
    commands = "; ".join(f'reg add "{h}\\{_WSH}" /v Enabled /t REG_DWORD /d 1 /f' for h in off)
    return error(
        "wsh-disabled",
        say("Windows Script Host is turned off, so nothing can be asked or repaired by script."),
        {"off": list(off)},
        remedy=say("If your rules allow it, on the server: {commands}", commands=commands),
    )


def not_elevated(a: Assessment) -> Finding | None:
    """The session has no administrator's rights."""
    if value_of(a.facts.elevated) is not False:
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


def release_unsupported(a: Assessment) -> Finding | None:
    """Not a Windows Server release that the provider's KMS hosts are for."""
    knowledge = a.ctx.knowledge
    build, sku = a.system.build, a.system.sku
    known_build = any(build in release.builds for release in knowledge.releases)
    if build is None or (sku is None and known_build):
        return None
    release = a.system.release
    if release and not release.supported:
        return None  # release-without-gvlk
    if release and release.name in knowledge.profile.releases:
        return None
    title = knowledge.profile.title
    make = warning if a.licence.all_licensed else error
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


def product_policy_damaged(a: Assessment) -> Finding | None:
    """The registry's ProductPolicy has the length of a damaged one."""
    length = value_of(a.facts.policy_len)
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
