"""Dependencies against known vulnerabilities: what is pinned and the least that is taken.

``FIXED`` names, of each package that runs with volact, the newest version that mends a
published vulnerability, as far as one was found: in the advisory database of the Python
Packaging Authority, OSV, the packages' change logs, and issues and pull requests that tell
of advisories, last on 29 November 2026.  A package is added here when an advisory for it is
published; where the network allows, ``pip-audit`` says so.
"""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.version import Version
from test_tree import ROOT

# Package: first version without it, and the advisory.
FIXED = {
    "aiohttp": ("3.14.3", "CVE-2026-69244"),
    "apprise": ("0.9.5.1", "CVE-2021-39229"),
    "asyncssh": ("2.23.1", "CVE-2026-54591, SCP; before it CVE-2023-48795, Terrapin: 2.14.2"),
    "authlib": ("1.6.12", "CVE-2026-44681; before it CVE-2026-27962: 1.6.9"),
    "azure-core": ("1.38.0", "CVE-2026-21226"),
    "click": ("8.4.2", "PYSEC-2026-2132"),
    "cryptography": ("50.0.0", "CVE-2026-69247"),
    "dnspython": ("2.6.1", "CVE-2023-29483"),
    "filelock": ("3.20.3", "CVE-2026-22701, SoftFileLock, which is not used"),
    "h11": ("0.16.0", "CVE-2025-43859"),
    "idna": ("3.15", "CVE-2026-45409"),
    "jinja2": ("3.1.6", "CVE-2025-27516"),
    "joserfc": ("1.6.8", "CVE-2026-49852"),
    "keyring": ("0.10.1", "CVE-2012-5578"),
    "litestar": ("2.20.0", "CVE-2026-25480"),
    "lxml": ("6.1.2", "CVE-2026-49825"),
    "mako": ("1.3.12", "CVE-2026-44307"),
    "mcp": ("1.28.1", "GHSA-jpw9-pfvf-9f58 and two more"),
    "protobuf": ("6.33.5", "CVE-2026-0994"),
    "pyasn1": ("0.6.4", "CVE-2026-59885"),
    "pygments": ("2.20.0", "CVE-2026-4539"),
    "pyjwt": ("2.13.0", "CVE-2026-48526"),
    "python-multipart": ("0.0.31", "CVE-2026-53538"),
    "pyyaml": ("5.4", "CVE-2020-14343"),
    "requests": ("2.33.0", "CVE-2026-25645"),
    "sqlalchemy": ("1.3.0", "CVE-2019-7164"),
    "starlette": ("1.3.1", "CVE-2026-54282"),
    "urllib3": ("2.7.0", "CVE-2026-44431 and CVE-2026-44432"),
}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pinned() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = (line.split("==") for line in lines if "==" in line)
    return {_canonical(name): Version(version) for name, version in pins}


def _least() -> dict[str, Version]:
    """The lowest version that ``pyproject.toml`` takes of each package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(one for group in extras.values() for one in group)]
    found = (re.match(r"([\w.-]+)(?:\[.*\])?>=([\w.]+)", one) for one in wanted)
    return {_canonical(match[1]): Version(match[2]) for match in found if match}


@pytest.mark.parametrize("name", FIXED)
def test_no_version_with_a_known_vulnerability_is_taken(name: str) -> None:
    fixed, advisory = FIXED[name]
    assert _pinned()[name] >= Version(fixed), advisory
    least = _least().get(name)
    assert least is None or least >= Version(fixed), f"{name}>={fixed}: {advisory}"
