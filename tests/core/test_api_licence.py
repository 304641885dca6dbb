"""What a cloud's API says of an instance's own licence rules over the instance's metadata."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from servers import context, facts_of, server

from volact.core.assessment import assess
from volact.core.findings import diagnose
from volact.model.profile import Image

ENTITLEMENT = {"license-byol", "entitlement-unknown", "image-not-entitled"}


@pytest.mark.parametrize(
    ("license_", "finding"),
    [
        ("system", None),
        ("Aliyun", None),
        ("BYOL", "license-byol"),
        ("", "entitlement-unknown"),
        ("Auto", "entitlement-unknown"),
    ],
)
def test_where_the_api_alone_tells_it_does(license_: str, finding: str | None) -> None:
    raw = server("2019", kms="kms.cloud.aliyuncs.com")
    assessed = assess(facts_of(raw), replace(context("alibaba"), license=license_))
    found = {item.id for item in diagnose(assessed)} & ENTITLEMENT
    assert found == ({finding} if finding else set())


@pytest.mark.parametrize(
    ("license_", "metadata", "finding"),
    [
        ("RunInstances:0002", "null", None),
        ("RunInstances:0202", "", None),
        ("RunInstances:0800", "bp-6ba54002", "license-byol"),
        ("RunInstances:0800", "", "license-byol"),
        ("BYOL", "bp-6ba54002", "license-byol"),
        ("RunInstances", "bp-6ba54002", None),
        ("RunInstances", "", "entitlement-unknown"),
        ("", "null", "license-byol"),
        ("", "", "entitlement-unknown"),
    ],
)
def test_the_api_rules(license_: str, metadata: str, finding: str | None) -> None:
    raw = server("2019", kms="169.254.169.250")
    raw["metadata"] = {"billing-products": metadata} if metadata else {}
    assessed = assess(facts_of(raw), replace(context("aws"), license=license_))
    found = {item.id: item for item in diagnose(assessed) if item.id in ENTITLEMENT}
    assert set(found) == ({finding} if finding else set())
    if finding == "license-byol" and license_:
        assert "The cloud's API reports" in str(found[finding].summary)


@pytest.mark.parametrize(
    ("license_", "finding"),
    [
        ("MicrosoftWindowsServer", None),
        ("Windows_Server", None),
        ("BYOL", "license-byol"),
        ("a-publisher", "entitlement-unknown"),
        ("", "entitlement-unknown"),
    ],
)
@pytest.mark.parametrize("cloud", ["azure", "azure-china", "azure-us-gov"])
def test_a_hybrid_benefit_is_served_as_an_image_of_microsoft(
    cloud: str, license_: str, finding: str | None
) -> None:
    ctx = replace(context(cloud), license=license_)
    hosts = ctx.knowledge.profile.kms[0].hosts
    raw = server("2019", kms=str(hosts[0]).partition(":")[0])
    found = {item.id for item in diagnose(assess(facts_of(raw), ctx))} & ENTITLEMENT
    assert found == ({finding} if finding else set())


NO_COVER = [
    Image(type="PRIVATE_IMAGE"),
    Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT"),
    Image(license="BYOL"),
]


@pytest.mark.parametrize("image", NO_COVER)
@pytest.mark.parametrize(
    ("license_", "metadata", "refused"),
    [
        ("RunInstances:0002", "null", False),
        ("", "bp-6ba54002", False),
        ("RunInstances:0800", "bp-6ba54002", True),
        ("", "", True),
    ],
)
def test_the_cloud_rules_over_what_is_said_of_the_image(
    image: Image, license_: str, metadata: str, refused: bool
) -> None:
    """A licence was known to cover the server, and not to cover its image."""
    raw = server("2019", kms="169.254.169.250")
    raw["metadata"] = {"billing-products": metadata} if metadata else {}
    ctx = replace(context("aws", images={"ami-1": image}), license=license_, image="ami-1")
    assessed = assess(facts_of(raw), ctx)
    found = {item.id for item in diagnose(assessed)} & ENTITLEMENT
    assert bool(found) is refused
    assert assessed.entitlement.covered is not refused


def test_at_tencent_the_image_decides() -> None:
    ctx = context("tencent", images={"img-x": Image(type="PRIVATE_IMAGE")})
    raw = server("2019")
    raw["metadata"]["image-id"] = "img-x"
    found = {item.id for item in diagnose(assess(facts_of(raw), ctx))}
    assert "image-not-entitled" in found
