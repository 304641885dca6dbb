"""The images of the lab's account: public ones, its own, shared, imported, own licences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from volact_lab.faults.images import PRIVATE_IMAGE, SHARED_IMAGE
from volact_lab.faults.system import BYOL_IMAGE, IMPORTED_IMAGE
from volact_lab.windows.language import LANGUAGES
from volact_lab.windows.releases import RELEASES
from volact_lab.windows.setup import public_image

LICENSE = "TencentCloud"


@dataclass(frozen=True, slots=True)
class Image:
    """An image as DescribeImages has it."""

    id: str
    os_name: str
    type: str
    source: str
    license: str = LICENSE
    platform: str = "Windows"


_OTHERS = (
    Image(IMPORTED_IMAGE, "Windows Server 2016", "PRIVATE_IMAGE", "EXTERNAL_IMPORT"),
    Image(BYOL_IMAGE, "Windows Server 2019", "PRIVATE_IMAGE", "EXTERNAL_IMPORT", "BYOL"),
    Image(PRIVATE_IMAGE, "Windows Server 2019", "PRIVATE_IMAGE", "CREATE_IMAGE"),
    Image(SHARED_IMAGE, "Windows Server 2022", "SHARED_IMAGE", "CREATE_IMAGE"),
    Image(
        "img-lablinux", "TencentOS Server 3.1 (TK4)", "PUBLIC_IMAGE", "OFFICIAL", "", "TencentOS"
    ),
)


def images() -> Iterator[Image]:
    """Every image that is listed; a retired one is not."""
    for release in RELEASES:
        for language in LANGUAGES:
            name = f"Windows Server {release} Datacenter 64-bit"
            yield Image(public_image(release, language), name, "PUBLIC_IMAGE", "OFFICIAL")
    yield from _OTHERS
