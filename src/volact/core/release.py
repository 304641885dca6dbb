"""Which Windows Server this is, and which published key belongs to it.

By build and edition number only: captions are translated, and 10.0 is the
version of four releases.
"""

from __future__ import annotations

from volact.core.context import Context
from volact.core.once import once
from volact.model.fact import value_of
from volact.model.facts import Facts, OsFacts
from volact.model.profile import Edition, Release

# Win32_OperatingSystem.OperatingSystemSKU (PRODUCT_* of winnt.h) of the server
# editions.  The numbers decide; of the names only those of Standard and
# Datacenter are documented, the others just help a person who reads a table.
SERVER_EDITIONS: dict[int, str] = {
    7: "ServerStandard",
    8: "ServerDatacenter",
    10: "ServerEnterprise",
    12: "ServerDatacenterCor",
    13: "ServerStandardCor",
    14: "ServerEnterpriseCor",
    15: "ServerEnterpriseIA64",
    17: "ServerWeb",
    18: "ServerHPC",
    20: "ServerStorageExpress",
    21: "ServerStorageStandard",
    22: "ServerStorageWorkgroup",
    23: "ServerStorageEnterprise",
    29: "ServerWebCor",
    36: "ServerStandardV",
    37: "ServerDatacenterV",
    38: "ServerEnterpriseV",
    39: "ServerDatacenterVCor",
    40: "ServerStandardVCor",
    41: "ServerEnterpriseVCor",
    42: "ServerHyperCore",
    50: "ServerSolution",
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


@once
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


def release_name(facts: Facts, ctx: Context) -> str:
    """The release's name, ``""`` when it is not known."""
    release = release_of(facts.os, ctx.knowledge.releases)
    return release.name if release else ""


def gvlk_for(os: OsFacts, editions: tuple[Edition, ...]) -> Edition | None:
    """The published client key for exactly this build and edition number."""
    build, sku = value_of(os.build), value_of(os.sku)
    return next((e for e in editions if build in e.builds and sku in e.skus), None)


def edition_by_partial(partial: str, editions: tuple[Edition, ...]) -> Edition | None:
    """The published key that ends in these five characters; they are unique."""
    return next((e for e in editions if e.gvlk.endswith(f"-{partial}")), None)


def is_2008(os: OsFacts) -> bool:
    """Whether this is known to be Server 2008, which has slsvc and few properties."""
    build = value_of(os.build)
    return build is not None and build <= _LAST_BUILD_OF_2008


def is_2008_r2(os: OsFacts) -> bool:
    """Whether this is known to be Server 2008 R2."""
    build = value_of(os.build)
    return build is not None and _LAST_BUILD_OF_2008 < build <= _LAST_BUILD_OF_2008_R2


def licensing_service(os: OsFacts) -> str:
    """The name of the service that licenses Windows on this release."""
    return "slsvc" if is_2008(os) else "sppsvc"


def licensing_program(os: OsFacts) -> str:
    """The file name of that service's program."""
    return f"{licensing_service(os)}.exe"
