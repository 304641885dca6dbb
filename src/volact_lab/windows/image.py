"""What a freshly installed release has on disk and in its registry.

Shared by all servers of one kind; a server keeps only what it changes.
"""

from __future__ import annotations

from functools import cache

from volact_lab.cloud import LabCloud
from volact_lab.windows import acl, files, protection, registry
from volact_lab.windows.files import SYSTEM_FILE_ACL, Node
from volact_lab.windows.language import LANGUAGES
from volact_lab.windows.registry import Value, dword, sz
from volact_lab.windows.releases import RELEASES, Generation, Release

CURRENT = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
WSH = "SOFTWARE\\Microsoft\\Windows Script Host\\Settings"
JSCRIPT = "HKLM\\SOFTWARE\\Classes\\JScript\\CLSID"
VBSCRIPT = "HKLM\\SOFTWARE\\Classes\\VBScript\\CLSID"
PRODUCT_OPTIONS = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ProductOptions"
LOCAL_SERVICE = "HKU\\S-1-5-19\\Environment"
POLICY_BYTES = 56184
DAMAGED_POLICY_BYTES = 1960

# TimeZoneKeyName was a buffer of fixed size: an earlier, longer name is still behind the end.
_BEHIND = "\0tandard Time\0\u0c58"

_PROGRAMS = (
    "cmd.exe cscript.exe reg.exe sc.exe net.exe w32tm.exe wevtutil.exe icacls.exe takeown.exe"
    " ipconfig.exe ping.exe route.exe chcp.com find.exe findstr.exe timeout.exe"
    " svchost.exe services.exe systray.exe slmgr.vbs vbscript.dll jscript.dll"
)


@cache
def file_image(release_name: str) -> files.Image:
    """The files of a release."""
    release = RELEASES[release_name]
    image: files.Image = {}
    files.add(image, Node("C:\\", folder=True))
    for folder in ("Windows\\Temp", "Users\\Public", "ProgramData"):
        files.add(image, Node(f"C:\\{folder}", folder=True))
    for name in _PROGRAMS.split():
        _add_program(image, f"C:\\Windows\\System32\\{name}")
    _add_program(image, release.licensing_program)
    protection.file_part(image, release)
    return image


def _add_program(image: files.Image, path: str) -> None:
    path = path.replace("\\system32\\", "\\System32\\")
    owner = acl.TRUSTED_INSTALLER
    files.add(image, Node(path, dacl=SYSTEM_FILE_ACL, owner=owner, modified=0.0))


@cache
def product_policy(size: int) -> Value:
    """ProductPolicy of a given length; what is in it is not modelled."""
    return Value("REG_BINARY", bytes(size))


@cache
def registry_image(
    release_name: str, language: str, edition_id: str, core: bool, cloud: LabCloud
) -> registry.Image:
    """The registry of a release in a language and edition."""
    release = RELEASES[release_name]
    image: registry.Image = {}

    def text(path: str, **values: str) -> None:
        for name, value in values.items():
            registry.put(image, path, name, sz(value))

    text(
        CURRENT,
        ProductName=f"Windows Server {release.name}",
        EditionID=edition_id,
        InstallationType="Server Core" if core else "Server",
        CurrentBuildNumber=str(release.build),
        CurrentVersion=release.version.rpartition(".")[0],
    )
    text(
        "HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS",
        BIOSVendor="SeaBIOS",
        SystemManufacturer=cloud.maker,
        SystemProductName=cloud.model,
    )
    text(
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation",
        TimeZoneKeyName=LANGUAGES[language].zone + (_BEHIND if release.build < 9200 else ""),
    )
    zone = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation"
    registry.put(image, zone, "StandardStart", Value("REG_BINARY", bytes(16)))
    text(JSCRIPT, **{"": "{F414C260-6AC0-11CF-B6D1-00AA00BBBB58}"})
    pages = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage"
    text(pages, ACP=LANGUAGES[language].ansi[2:], OEMCP=LANGUAGES[language].oem[2:])
    text(f"HKLM\\{WSH}", ActiveDebugging="1", DisplayLogo="1", SilentTerminate="0", UseWINSAFER="1")
    registry.put(image, VBSCRIPT, "", sz("{B54F3741-5B07-11cf-A4B0-00AA004A55E8}"))
    text(LOCAL_SERVICE, TEMP="%USERPROFILE%\\AppData\\Local\\Temp")
    _licensing(image, release)
    protection.registry_part(image)
    return image


def _licensing(image: registry.Image, release: Release) -> None:
    registry.put(image, release.licensing_key, "UserOperations", dword(0))
    registry.put(image, PRODUCT_OPTIONS, "ProductType", sz("ServerNT"))
    registry.put(image, PRODUCT_OPTIONS, "ProductPolicy", product_policy(POLICY_BYTES))
    config = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\W32Time\\Config"
    if release.generation is Generation.SPP3 and release.build >= 14393:
        seeded = 0 if release.name == "2025" else 1
        registry.put(image, config, "UtilizeSslTimeData", dword(seeded))
