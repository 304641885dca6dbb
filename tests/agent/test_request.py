"""What the agent is asked: built from a provider's profile, as the protocol has it."""

from __future__ import annotations

import msgspec
import pytest

from volact.agent.request import Ask, Request, new_request, shared_id
from volact.knowledge.load import load_profile
from volact.model.profile import Entitlement, HostPort, Image
from volact.model.step import Step

ID = "0123456789abcdef"


def test_a_probe_asks_for_what_the_profile_names() -> None:
    profile = load_profile("tencent")
    document = new_request("probe", profile, id=ID).document()
    assert document["v"] == 1
    assert document["mode"] == "probe"
    assert set(document["ask"]["kms"]) == {"kms.tencentyun.com:1688", "kms1.tencentyun.com:1688"}
    assert document["ask"]["metadata"] == profile.metadata
    assert document["ask"]["date"] == profile.date_url
    assert "steps" not in document
    assert "title" not in document["ask"]


def test_without_a_profile_nothing_of_a_cloud_is_asked() -> None:
    assert new_request("probe", None, id=ID).ask == Ask(detect=True)


def test_steps_carry_their_parameters_and_not_their_reasons() -> None:
    step = Step(do="start-service", because=("service-stopped",), params={"name": "sppsvc"})
    document = new_request("apply", None, (step,), id=ID).document()
    assert document["steps"] == [{"do": "start-service", "name": "sppsvc"}]


def test_the_handed_out_file_knows_what_is_not_covered() -> None:
    profile = msgspec.structs.replace(
        load_profile("tencent"),
        images={
            "img-public": Image(type="PUBLIC_IMAGE", source="OFFICIAL"),
            "img-import": Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT"),
            "img-byol": Image(type="PUBLIC_IMAGE", license="BYOL"),
        },
    )
    ask = new_request("standalone", profile, id=ID).ask
    assert ask.title == "Tencent Cloud"
    assert set(ask.refuse["image-id"]) == {"img-import", "img-byol"}
    assert new_request("apply", profile, id=ID).ask.refuse == {}


@pytest.mark.parametrize(
    ("host", "decides"),
    [
        ("kms.corp.example", False),
        ("10.0.0.5", False),
        ("kms.tencentyun.com", True),
        ("azkms.core.windows.net", True),
    ],
)
def test_the_providers_licence_decides_nothing_about_another_owners_host(
    host: str, decides: bool
) -> None:
    profile = msgspec.structs.replace(
        load_profile("tencent"), images={"img-byol": Image(type="PUBLIC_IMAGE", license="BYOL")}
    ).with_kms_hosts((HostPort(host),))
    assert bool(new_request("standalone", profile, id=ID).ask.refuse) is decides


def test_a_metadata_value_that_means_an_own_licence_is_refused() -> None:
    profile = msgspec.structs.replace(
        load_profile("tencent"),
        image_key="",
        metadata={"model": "http://metadata.example.test/model"},
        entitlement=Entitlement(kind="metadata", metadata="model", own=("byol",)),
    )
    assert set(new_request("standalone", profile, id=ID).ask.refuse["model"]) == {"byol"}


def test_requests_are_values() -> None:
    assert Request(id=ID, mode="probe") == Request(id=ID, mode="probe")


def test_equal_questions_share_an_id_within_a_run() -> None:
    profile = load_profile("tencent")
    probe = new_request("probe", profile, id=ID)
    again = new_request("probe", profile, id="f" * 16)
    assert shared_id(probe, "run") == shared_id(again, "run")
    assert len(shared_id(probe, "run")) == 16
    others = [
        shared_id(probe, "another run"),
        shared_id(new_request("probe", None, id=ID), "run"),
        shared_id(new_request("apply", profile, (Step(do="activate"),), id=ID), "run"),
        shared_id(new_request("apply", profile, (Step(do="rearm"),), id=ID), "run"),
    ]
    assert len({shared_id(probe, "run"), *others}) == 5
