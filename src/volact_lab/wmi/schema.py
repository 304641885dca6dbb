"""Which WMI classes, properties and methods a release has.

Only names and types; where the values come from is in ``rows``.  Sources are
the documented lists per release; what is not documented for 2012 is left out
there, so that a caller has to fall back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from volact_lab.windows.releases import Generation

SERVICE = "SoftwareLicensingService"
PRODUCT = "SoftwareLicensingProduct"
STDREGPROV = "StdRegProv"

_PRODUCT = (
    """
    ID Name Description PartialProductKey LicenseIsAddon LicenseStatus LicenseStatusReason
    GracePeriodRemaining ProductKeyID EvaluationEndDate ApplicationID ProcessorURL MachineURL
    UseLicenseURL ProductKeyURL OfflineInstallationId LicenseDependsOn LicenseFamily
    """,
    """
    KeyManagementServiceMachine KeyManagementServicePort
    DiscoveredKeyManagementServiceMachineName DiscoveredKeyManagementServiceMachinePort
    KeyManagementServiceProductKeyID IsKeyManagementServiceMachine VLActivationInterval
    VLRenewalInterval GenuineStatus ExtendedGrace TrustedTime RequiredClientCount
    TokenActivationILID TokenActivationILVID TokenActivationGrantNumber
    TokenActivationCertificateThumbprint TokenActivationAdditionalInfo
    KeyManagementServiceCurrentCount KeyManagementServiceFailedRequests
    KeyManagementServiceLicensedRequests KeyManagementServiceNonGenuineGraceRequests
    KeyManagementServiceNotificationRequests KeyManagementServiceOOBGraceRequests
    KeyManagementServiceOOTGraceRequests KeyManagementServiceTotalRequests
    KeyManagementServiceUnlicensedRequests
    """,
    """
    KeyManagementServiceLookupDomain VLActivationType VLActivationTypeEnabled
    ADActivationObjectName ADActivationObjectDN ADActivationCsvlkPid ADActivationCsvlkSkuId
    """,
    """
    ProductKeyChannel ValidationURL IAID DiscoveredKeyManagementServiceMachineIpAddress
    RemainingSkuReArmCount RemainingAppReArmCount AutomaticVMActivationHostMachineName
    AutomaticVMActivationLastActivationTime AutomaticVMActivationHostDigitalPid2 ProductKeyID2
    """,
)
_SERVICE = (
    """
    Version KeyManagementServiceMachine ClientMachineID IsKeyManagementServiceMachine
    VLActivationInterval VLRenewalInterval KeyManagementServiceProductKeyID
    KeyManagementServiceCurrentCount PolicyCacheRefreshRequired RequiredClientCount
    """,
    """
    KeyManagementServicePort KeyManagementServiceHostCaching RemainingWindowsReArmCount
    KeyManagementServiceListeningPort KeyManagementServiceDnsPublishing
    KeyManagementServiceLowPriority DiscoveredKeyManagementServiceMachineName
    DiscoveredKeyManagementServiceMachinePort TokenActivationILID
    """,
    "KeyManagementServiceLookupDomain OA3xOriginalProductKey",
    "DiscoveredKeyManagementServiceMachineIpAddress",
)
# Never to be asked: an identification of the installation, a whole product key.
FORBIDDEN = frozenset({"offlineinstallationid", "oa3xoriginalproductkey"})

_OTHERS = {
    "Win32_OperatingSystem": """
        Caption Version BuildNumber OperatingSystemSKU OSLanguage CurrentTimeZone CSName
        ProductType SystemDirectory WindowsDirectory Locale CodeSet OSArchitecture LocalDateTime""",
    "Win32_ComputerSystem": "Name Domain DomainRole PartOfDomain Manufacturer Model UserName",
    "Win32_Service": """
        Name DisplayName State Status StartMode Started PathName StartName ProcessId
        AcceptStop ServiceType""",
    "Win32_NetworkAdapterConfiguration": """
        Description Index SettingID IPEnabled DHCPEnabled IPAddress DefaultIPGateway
        DNSServerSearchOrder DNSDomain MACAddress""",
    "Win32_SystemEnclosure": "SMBIOSAssetTag Manufacturer SerialNumber",
    "Win32_IP4RouteTable": "Destination Mask NextHop Metric1 InterfaceIndex Protocol Type",
}
KEYS = {
    "win32_service": "Name",
    "win32_networkadapterconfiguration": "Index",
    "win32_logicalfilesecuritysetting": "Path",
    "softwarelicensingproduct": "ID",
    "softwarelicensingservice": "Version",
}

_KMS_HOST = {
    "SetKeyManagementServiceMachine": {"MachineName": "string"},
    "ClearKeyManagementServiceMachine": {},
}
_KMS_PORT = {
    "SetKeyManagementServicePort": {"PortNumber": "uint32"},
    "ClearKeyManagementServicePort": {},
}
_REGISTRY_RIGHTS = {"GetSecurityDescriptor": {"hDefKey": "uint32", "sSubKeyName": "string"}}
_ELSEWHERE_MODELLED = """
    InstallLicensePackage SetVLActivationInterval SetVLRenewalInterval
    ClearProductKeyFromRegistry AcquireGenuineTicket UninstallProductKey
    DepositOfflineConfirmationId"""


@dataclass(frozen=True)
class WmiClass:
    """One class: properties and methods by lower-case name."""

    name: str
    properties: dict[str, str]
    methods: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    unmodelled: frozenset[str] = frozenset()  # methods that exist but the lab does not do


def _names(text: str) -> dict[str, str]:
    return {name.lower(): name for name in text.split()}


def _methods(*tables: dict[str, dict[str, str]]) -> dict[str, tuple[str, dict[str, str]]]:
    return {name.lower(): (name, params) for table in tables for name, params in table.items()}


@cache
def classes(generation: Generation, *, without_port: bool = False) -> dict[str, WmiClass]:
    """Every class of a release's generation, by lower-case name.

    Of 2008 R2 Microsoft's pages differ: its service class has KeyManagementServicePort
    by one (ff793441), and not by the other (sppwmi/softwarelicensingservice).
    """
    found = {name.lower(): WmiClass(name, _names(text)) for name, text in _OTHERS.items()}
    control = _methods({"StartService": {}, "StopService": {}})
    found["win32_service"] = WmiClass(
        "Win32_Service",
        found["win32_service"].properties,
        control,
        frozenset({"pauseservice", "resumeservice", "changestartmode", "change", "delete"}),
    )
    unmodelled = frozenset(_names(_ELSEWHERE_MODELLED))
    found["win32_networkadapterconfiguration"] = WmiClass(
        "Win32_NetworkAdapterConfiguration",
        found["win32_networkadapterconfiguration"].properties,
        _methods({"SetDNSServerSearchOrder": {"DNSServerSearchOrder": "string[]"}}),
        frozenset({"enabledhcp", "enablestatic", "setgateways", "setdnsdomain"}),
    )
    found["win32_logicalfilesecuritysetting"] = WmiClass(
        "Win32_LogicalFileSecuritySetting",
        _names("Path ControlFlags OwnerPermissions"),
        _methods({"GetSecurityDescriptor": {}}),
        frozenset({"setsecuritydescriptor"}),
    )
    found["stdregprov"] = WmiClass(STDREGPROV, {}, _methods(_REGISTRY_RIGHTS))
    for licensing in (_service(generation, unmodelled), _product(generation, unmodelled)):
        found[licensing.name.lower()] = licensing
    if without_port and generation is Generation.SPP:
        del found[SERVICE.lower()].properties["keymanagementserviceport"]
    return found


def _service(generation: Generation, unmodelled: frozenset[str]) -> WmiClass:
    methods = _methods(
        _KMS_HOST,
        {
            "InstallProductKey": {"ProductKey": "string"},
            "InstallLicense": {"License": "string"},
            "RefreshLicenseStatus": {},
            "ReArmWindows": {},
        },
        _KMS_PORT if generation >= Generation.SPP else {},
    )
    text = " ".join(_SERVICE[: generation + 1])
    return WmiClass(SERVICE, _names(text), methods, unmodelled)


def _product(generation: Generation, unmodelled: frozenset[str]) -> WmiClass:
    methods = _methods(
        {"Activate": {}},
        {**_KMS_HOST, **_KMS_PORT} if generation >= Generation.SPP else {},
    )
    text = " ".join(_PRODUCT[: generation + 1])
    return WmiClass(PRODUCT, _names(text), methods, unmodelled)


def is_reserved(name: str) -> bool:
    """Whether a class name looks like one that Windows has but the lab does not model."""
    return name.lower().startswith(("win32_", "cim_", "softwarelicensing", "__", "msft_"))
