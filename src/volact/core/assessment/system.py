"""Which Windows Server this is: release, edition, published key, services, domain role.

By build and edition number only: captions are translated, and 10.0 is the
version of four releases.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from volact.core.console import Console
from volact.core.context import Context
from volact.model.fact import value_of
from volact.model.facts import Facts, OsFacts
from volact.model.profile import Edition, Release

WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"  # the ApplicationID of its products
# "later" is 2012 and every release after it.
Family = Literal["2008", "2008 R2", "later", "unknown"]
DomainRole = Literal["standalone", "member", "controller"]

KMS_PROGRAM = "SppExtComObj.exe"  # speaks KMS since Server 2012

# Win32_OperatingSystem.OperatingSystemSKU (PRODUCT_* of winnt.h) of the server
# editions.  The numbers decide; of the names only those of Standard and
# Datacenter are documented, the others only make a table readable.
SERVER_EDITIONS: dict[int, str] = {
    7: "ServerStandard",
    8: "ServerDatacenter",
    9: "ServerSBSStandard",
    10: "ServerEnterprise",
    12: "ServerDatacenterCor",
    13: "ServerStandardCor",
    14: "ServerEnterpriseCor",
    15: "ServerEnterpriseIA64",
    17: "ServerWeb",
    18: "ServerHPC",
    19: "ServerHomeStandard",
    20: "ServerStorageExpress",
    21: "ServerStorageStandard",
    22: "ServerStorageWorkgroup",
    23: "ServerStorageEnterprise",
    24: "ServerWinSB",
    25: "ServerSBSPremium",
    29: "ServerWebCor",
    30: "ServerMediumBusinessManagement",
    31: "ServerMediumBusinessSecurity",
    32: "ServerMediumBusinessMessaging",
    33: "ServerWinFoundation",
    34: "ServerHomePremium",
    35: "ServerWinSBV",
    36: "ServerStandardV",
    37: "ServerDatacenterV",
    38: "ServerEnterpriseV",
    39: "ServerDatacenterVCor",
    40: "ServerStandardVCor",
    41: "ServerEnterpriseVCor",
    42: "ServerHyperCore",
    43: "ServerStorageExpressCore",
    44: "ServerStorageStandardCore",
    45: "ServerStorageWorkgroupCore",
    46: "ServerStorageEnterpriseCore",
    50: "ServerSolution",
    51: "ServerForSBSolutions",
    52: "ServerSolutionsPremium",
    53: "ServerSolutionsPremiumCore",
    54: "ServerSolutionEM",
    55: "ServerForSBSolutionsEM",
    56: "ServerEmbeddedSolution",
    57: "ServerEmbeddedSolutionCore",
    59: "ServerEssentialManagement",
    60: "ServerEssentialAdditional",
    61: "ServerEssentialManagementSvc",
    62: "ServerEssentialAdditionalSvc",
    63: "ServerSBSPremiumCore",
    64: "ServerHPCV",
    76: "ServerMultiPointStandard",
    77: "ServerMultiPointPremium",
    79: "ServerStandardEval",
    80: "ServerDatacenterEval",
    95: "ServerStorageWorkgroupEval",
    96: "ServerStorageStandardEval",
    145: "ServerDatacenterACor",
    146: "ServerStandardACor",
    159: "ServerDatacenterEvalCor",
    160: "ServerStandardEvalCor",
    407: "ServerTurbine",
    408: "ServerTurbineCor",
}

EVALUATION_SKUS = frozenset({79, 80, 95, 96, 159, 160})

_LAST_BUILD_OF_2008 = 6999
_LAST_BUILD_OF_2008_R2 = 7999
# Win32_ComputerSystem.DomainRole
_ROLES: dict[int, DomainRole] = {
    0: "standalone",
    1: "member",
    2: "standalone",
    3: "member",
    4: "controller",
    5: "controller",
}
_NOTIFICATION_SERVICES: dict[Family, str] = {"2008": "SLUINotify", "2008 R2": "sppuinotify"}


class SystemState(msgspec.Struct, frozen=True, kw_only=True):
    """The operating system as the rules need it.

    ``release`` is ``None`` when the build is unknown or is none of a server's;
    ``published_key`` is the published client key (GVLK) of exactly this build and
    edition.  ``notification_service`` is ``""`` where the release has none.
    ``role`` is ``None`` when it was not read.  ``script_host_off`` names the
    registry hives in which Windows Script Host is turned off.
    """

    build: int | None
    sku: int | None
    family: Family
    release: Release | None
    published_key: Edition | None
    licensing_service: str
    licensing_program: str
    notification_service: str
    role: DomainRole | None
    script_host_off: tuple[str, ...]

    @property
    def release_name(self) -> str:
        """The release's name, ``""`` when it is not known."""
        return self.release.name if self.release else ""

    @property
    def before_2012(self) -> bool:
        """Whether this is known to be Server 2008 or 2008 R2."""
        return self.family in ("2008", "2008 R2")

    def protects_start_mode(self, service: str) -> bool:
        """Whether an administrator may not set its start mode: Schedule, sppsvc since 2012."""
        return service == "Schedule" or (service == "sppsvc" and self.family != "2008 R2")


def system_of(facts: Facts, ctx: Context) -> SystemState:
    """Release, edition and role of a server, from its build and edition number."""
    os, family, knowledge = facts.os, family_of(facts.os), ctx.knowledge
    return SystemState(
        build=value_of(os.build),
        sku=value_of(os.sku),
        family=family,
        release=release_of(os, knowledge.releases),
        published_key=gvlk_for(os, knowledge.editions),
        licensing_service=licensing_service(os),
        licensing_program=f"{licensing_service(os)}.exe",
        notification_service=_NOTIFICATION_SERVICES.get(family, ""),
        role=role_of(os),
        script_host_off=_script_host_off(facts),
    )


def family_of(os: OsFacts) -> Family:
    """The family of releases that a build belongs to."""
    build = value_of(os.build)
    if build is None:
        return "unknown"
    if build <= _LAST_BUILD_OF_2008:
        return "2008"
    return "2008 R2" if build <= _LAST_BUILD_OF_2008_R2 else "later"


def role_of(os: OsFacts) -> DomainRole | None:
    """The place in a domain by Win32_ComputerSystem.DomainRole; ``None`` if unread."""
    role = value_of(os.role)
    return None if role is None else _ROLES.get(role)


def release_of(os: OsFacts, releases: tuple[Release, ...]) -> Release | None:
    """The release by build number; the edition number decides where two share one.

    ``None`` when the build is unknown or cannot be read, and when the edition
    number is that of a client Windows.
    """
    build, sku = value_of(os.build), value_of(os.sku)
    if sku is not None and sku not in SERVER_EDITIONS:
        return None
    found = [release for release in releases if build in release.builds]
    if len(found) > 1 and sku is None:
        return None  # 2019 and 1809 share a build
    claimed = [release for release in found if sku in release.skus]
    free = [release for release in found if not release.skus]
    return next(iter(claimed or free), None)


def gvlk_for(os: OsFacts, editions: tuple[Edition, ...]) -> Edition | None:
    """The published client key for exactly this build and edition number."""
    build, sku = value_of(os.build), value_of(os.sku)
    return next((e for e in editions if build in e.builds and sku in e.skus), None)


def edition_by_partial(partial: str, editions: tuple[Edition, ...]) -> Edition | None:
    """The published key that ends in these five characters; they are unique."""
    return next((e for e in editions if e.gvlk.endswith(f"-{partial}")), None)


def licensing_service(os: OsFacts) -> str:
    """The name of the service that licenses Windows on this release."""
    return "slsvc" if family_of(os) == "2008" else "sppsvc"


def console_of(facts: Facts) -> Console:
    """The commands that run here.  PowerShell has the cmdlets since Server 2012."""
    missing = False in (value_of(facts.wsh.vbscript), value_of(facts.wsh.slmgr))
    early = family_of(facts.os) in ("2008", "2008 R2")
    return Console("powershell" if missing and not early else "slmgr")


def _script_host_off(facts: Facts) -> tuple[str, ...]:
    settings = (("HKLM", facts.wsh.machine), ("HKCU", facts.wsh.user))
    return tuple(hive for hive, fact in settings if value_of(fact) == 0)
