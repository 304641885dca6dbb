"""What one server reports of itself, as frozen values.

Field by field this is the agent's answer (docs/agent-protocol.md) in the
words of this package.  A field that the answer does not mention is
``NOT_ASKED``: unreadable, never absent.  No parsing and no judgement here.
"""

from __future__ import annotations

import msgspec

from volact.model.fact import NOT_ASKED, Fact


class OsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The operating system and the machine it runs on."""

    caption: Fact[str] = NOT_ASKED
    version: Fact[str] = NOT_ASKED  # "10.0.14393"
    build: Fact[int] = NOT_ASKED
    sku: Fact[int] = NOT_ASKED  # Win32_OperatingSystem.OperatingSystemSKU
    edition: Fact[str] = NOT_ASKED  # registry EditionID
    install: Fact[str] = NOT_ASKED  # registry InstallationType: "Server", "Server Core"
    language: Fact[int] = NOT_ASKED  # Win32_OperatingSystem.OSLanguage, an LCID
    role: Fact[int] = NOT_ASKED  # Win32_ComputerSystem.DomainRole, 0..5
    domain: Fact[str] = NOT_ASKED
    name: Fact[str] = NOT_ASKED
    bios: Fact[str] = NOT_ASKED  # BIOSVendor
    maker: Fact[str] = NOT_ASKED  # SystemManufacturer
    model: Fact[str] = NOT_ASKED  # SystemProductName
    asset: Fact[str] = NOT_ASKED  # SMBIOSAssetTag; asked only to identify the cloud


class TimeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The clock and what sets it.  Times are Unix milliseconds, UTC."""

    utc: Fact[int] = NOT_ASKED
    bias: Fact[int] = NOT_ASKED  # minutes east of UTC (CurrentTimeZone)
    zone: Fact[str] = NOT_ASKED  # TimeZoneKeyName
    rtu: Fact[int] = NOT_ASKED  # RealTimeIsUniversal
    type: Fact[str] = NOT_ASKED  # W32Time Parameters\Type
    peers: Fact[str] = NOT_ASKED  # W32Time Parameters\NtpServer
    pos: Fact[int] = NOT_ASKED  # MaxPosPhaseCorrection, seconds, 0xFFFFFFFF = always
    neg: Fact[int] = NOT_ASKED  # MaxNegPhaseCorrection
    client: Fact[int] = NOT_ASKED  # TimeProviders\NtpClient\Enabled
    seed: Fact[int] = NOT_ASKED  # Config\UtilizeSslTimeData
    vmic: Fact[int] = NOT_ASKED  # TimeProviders\VMICTimeProvider\Enabled
    triggers: Fact[str] = NOT_ASKED  # of W32Time, type/action each: "3/1 3/2"
    saved: Fact[str] = NOT_ASKED  # the limits that a run which was cut off left raised
    policy_type: Fact[str] = NOT_ASKED
    policy_peers: Fact[str] = NOT_ASKED
    policy_pos: Fact[int] = NOT_ASKED
    policy_neg: Fact[int] = NOT_ASKED
    policy_client: Fact[int] = NOT_ASKED
    ref: Fact[int] = NOT_ASKED  # Date header of the provider's metadata service
    ref_at: Fact[int] = NOT_ASKED  # this server's clock when that header came


class ServiceFact(msgspec.Struct, frozen=True):
    """One Windows service; both words are WMI's own English tokens."""

    state: str  # "Running", "Stopped", "Start Pending", ...
    start: str  # "Auto", "Manual", "Disabled", ...


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """One Windows product (SoftwareLicensingProduct) that has a key."""

    id: Fact[str] = NOT_ASKED
    name: Fact[str] = NOT_ASKED
    description: Fact[str] = NOT_ASKED
    partial_key: Fact[str] = NOT_ASKED
    addon: Fact[bool] = NOT_ASKED
    status: Fact[int] = NOT_ASKED  # LicenseStatus 0..6
    reason: Fact[int] = NOT_ASKED  # LicenseStatusReason, unsigned HRESULT
    grace_min: Fact[int] = NOT_ASKED  # GracePeriodRemaining, minutes
    channel: Fact[str] = NOT_ASKED  # ProductKeyChannel, 2012 R2 and later
    kms_machine: Fact[str] = NOT_ASKED
    kms_port: Fact[int] = NOT_ASKED
    discovered_name: Fact[str] = NOT_ASKED
    discovered_port: Fact[int] = NOT_ASKED
    discovered_ip: Fact[str] = NOT_ASKED
    lookup_domain: Fact[str] = NOT_ASKED
    is_kms_host: Fact[int] = NOT_ASKED  # IsKeyManagementServiceMachine
    vl_type: Fact[int] = NOT_ASKED  # VLActivationType
    vl_enabled: Fact[int] = NOT_ASKED  # VLActivationTypeEnabled
    other: dict[str, Fact[str | int | bool]] = {}  # every further property asked


class LicensingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """SoftwareLicensingService: what holds for the whole server."""

    machine: Fact[str] = NOT_ASKED
    port: Fact[int] = NOT_ASKED
    lookup_domain: Fact[str] = NOT_ASKED
    caching: Fact[bool] = NOT_ASKED
    cmid: Fact[str] = NOT_ASKED
    version: Fact[str] = NOT_ASKED
    rearm: Fact[int] = NOT_ASKED  # RemainingWindowsReArmCount
    is_kms_host: Fact[int] = NOT_ASKED


class RegistryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The registry behind the KMS settings (SPP key; SL key on 2008)."""

    machine: Fact[str] = NOT_ASKED
    port: Fact[str] = NOT_ASKED  # REG_SZ
    policy_machine: Fact[str] = NOT_ASKED
    policy_port: Fact[str] = NOT_ASKED
    discovered_name: Fact[str] = NOT_ASKED  # 2008 only, under S-1-5-20
    discovered_port: Fact[str] = NOT_ASKED


class BinaryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The licensing program: sppsvc.exe, or slsvc.exe on 2008.

    The last four are values under Image File Execution Options: Debugger and VerifierDlls,
    of it and of SppExtComObj.exe, which speaks KMS since 2012.
    """

    path: Fact[str] = NOT_ASKED
    exists: Fact[bool] = NOT_ASKED
    sddl: Fact[str] = NOT_ASKED  # the DACL, "D:..."
    debugger: Fact[str] = NOT_ASKED
    verifier: Fact[str] = NOT_ASKED
    kms_debugger: Fact[str] = NOT_ASKED
    kms_verifier: Fact[str] = NOT_ASKED


class RightsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Rights whose loss keeps licensing from working; asked only when it does not work.

    The four texts are DACLs ("D:...") of registry keys and of a service.
    """

    profiles: Fact[tuple[str, ...]] = NOT_ASKED  # of S-1-5-18, -19, -20: those with a profile
    profile_key: Fact[str] = NOT_ASKED  # ProfileList\S-1-5-20
    hive: Fact[str] = NOT_ASKED  # HKEY_USERS\S-1-5-20
    enum_root: Fact[str] = NOT_ASKED  # SYSTEM\CurrentControlSet\Enum\Root
    plugplay: Fact[str] = NOT_ASKED  # the service PlugPlay
    dcom: Fact[str] = NOT_ASKED  # Ole\DefaultAccessPermission, bytes as hex


class StoreFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The licence store; asked only when it may be what is wrong."""

    path: Fact[str] = NOT_ASKED  # its folder
    tokens: Fact[int] = NOT_ASKED  # bytes of tokens.dat
    spare: Fact[bool] = NOT_ASKED  # whether tokens.bar is there
    free_mb: Fact[int] = NOT_ASKED  # on its drive
    sddl: Fact[str] = NOT_ASKED  # the folder's DACL


class FirewallFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Outbound rules of Windows' own firewall; asked only when no KMS host answers.

    A rule is the text that the registry holds: ``v2.10|Action=Block|...``.
    """

    service: Fact[str] = NOT_ASKED  # state of MpsSvc
    active: Fact[int] = NOT_ASKED  # profiles in force: 1 domain, 2 private, 4 public, added up
    blocking: Fact[tuple[str, ...]] = NOT_ASKED  # profiles that block outbound by default
    block: Fact[tuple[str, ...]] = NOT_ASKED  # active rules that block
    allow: Fact[tuple[str, ...]] = NOT_ASKED  # active rules that let the KMS port out


class OnlineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The way to Microsoft; asked only for a MAK or retail key that is not activated."""

    proxy: Fact[str] = NOT_ASKED  # that of WinHTTP, "host:port" or "http=host:port"
    outcome: Fact[str] = NOT_ASKED  # of Microsoft's activation service, as in ``ReachTry``


class Event(msgspec.Struct, frozen=True):
    """The newest event of one id: its UTC time (ISO 8601), data fields, number in the log.

    The number is 0 where it is not known; it grows independently of the clock.
    """

    at: str
    data: tuple[str, ...]
    record: int = 0


class ReachTry(msgspec.Struct, frozen=True):
    """The outcome of one try at a KMS host's port, and its time in ms where that is known.

    ``outcome``: connected, refused, filtered (no answer to the connection), local (this
    server's own firewall, or no route), name (it does not resolve), http (HTTP was spoken
    there) or unknown.
    """

    outcome: str
    ms: int | None


class Route(msgspec.Struct, frozen=True):
    """One route."""

    destination: str
    mask: str
    next_hop: str


class Adapter(msgspec.Struct, frozen=True):
    """The name servers of one network adapter that has a gateway."""

    dns: tuple[str, ...]
    dhcp: bool
    fixed: bool  # set by hand; else they are DHCP's


class WshFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Windows Script Host settings, 0 is off; and what slmgr.vbs needs to run."""

    machine: Fact[int] = NOT_ASKED
    user: Fact[int] = NOT_ASKED
    winsafer: Fact[int] = NOT_ASKED
    vbscript: Fact[bool] = NOT_ASKED  # its engine is registered and there
    slmgr: Fact[bool] = NOT_ASKED  # slmgr.vbs is there


class GroundFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent ran on: its script host, its engine, the process and the system."""

    wsh: Fact[str] = NOT_ASKED  # version of Windows Script Host
    engine: Fact[str] = NOT_ASKED  # "JScript 5.8.16384"
    replacement: Fact[int] = NOT_ASKED  # policy JScriptReplacement; 0 is the older engine
    process: Fact[str] = NOT_ASKED  # PROCESSOR_ARCHITECTURE
    system: Fact[str] = NOT_ASKED  # OSArchitecture, in words of its language
    acp: Fact[str] = NOT_ASKED  # code pages
    oem: Fact[str] = NOT_ASKED


class Clock(msgspec.Struct, frozen=True):
    """When volact asked, by its own clock: Unix seconds before and after."""

    asked: float
    answered: float


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one probe found out."""

    os: OsFacts = OsFacts()
    time: TimeFacts = TimeFacts()
    licensing: LicensingFacts = LicensingFacts()
    registry: RegistryFacts = RegistryFacts()
    products: Fact[tuple[Product, ...]] = NOT_ASKED
    services: dict[str, Fact[ServiceFact]] = {}
    binary: BinaryFacts = BinaryFacts()
    rights: RightsFacts = RightsFacts()
    store: StoreFacts = StoreFacts()
    firewall: FirewallFacts = FirewallFacts()
    online: OnlineFacts = OnlineFacts()
    reach: dict[str, Fact[int]] = {}  # "host:port" -> HRESULT of an HTTP try
    reached: dict[str, Fact[ReachTry]] = {}  # what the same try means
    # "12288" -> newest; "12288 <activation id>" -> newest of another product
    events: dict[str, Fact[Event]] = {}
    metadata: dict[str, Fact[str]] = {}
    resolved: dict[str, Fact[tuple[str, ...]]] = {}  # KMS name -> full name, address
    addresses: Fact[tuple[str, ...]] = NOT_ASKED  # this server's own
    dns: Fact[tuple[str, ...]] = NOT_ASKED
    adapters: dict[str, Fact[Adapter]] = {}  # by index; those that add-dns is about
    routes: Fact[tuple[Route, ...]] = NOT_ASKED
    routes6: Fact[tuple[Route, ...]] = NOT_ASKED  # their masks are prefix lengths
    policy_len: Fact[int] = NOT_ASKED  # bytes of ProductOptions\ProductPolicy
    wsh: WshFacts = WshFacts()
    ground: GroundFacts = GroundFacts()
    checks: dict[str, Fact[bool | str | int]] = {}  # self-check -> True, or what was seen instead
    blocked: Fact[tuple[str, ...]] = NOT_ASKED  # facts and steps whose call never returned
    elevated: Fact[bool] = NOT_ASKED
    restart: Fact[str] = NOT_ASKED  # the step that waits for a restart
    clock: Clock | None = None
