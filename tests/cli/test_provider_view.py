"""``volact providers NAME`` shows every field of a profile, and how sure it is."""

from __future__ import annotations

import msgspec
import pytest

from volact.cli.providers import SECTIONS, provider_text
from volact.errors import InputError
from volact.knowledge.load import load_profile, profile_names, provider_names
from volact.model.profile import Profile

_ELSEWHERE = {"name", "title", "sources"}  # the heading and the end of the page


def test_every_field_has_its_place() -> None:
    shown = [section.field for section in SECTIONS]
    assert sorted([*shown, *_ELSEWHERE]) == sorted(f.name for f in msgspec.structs.fields(Profile))


@pytest.mark.parametrize("name", profile_names())
def test_every_fact_of_every_provider_is_shown(name: str) -> None:
    profile = load_profile(name)
    text = provider_text(profile)
    facts = [
        *(str(host) for host in profile.all_kms_hosts()),
        *profile.ntp,
        *profile.dns,
        *profile.bios,
        *profile.asset_tags,
        *profile.metadata.values(),
        *profile.images,
        *profile.entitlement.own,
        *profile.notes,
        *(source.text for source in profile.sources),
    ]
    assert [fact for fact in facts if fact not in text] == []
    assert all(f"[{source.confidence}]" in text for source in profile.sources)


def test_how_sure_a_fact_is_stands_beside_it() -> None:
    text = provider_text(load_profile("aws"))
    assert "Recognised by the firmware's words  [unverified]\n  amazon ec2\n" in text
    assert "Hardware clocks run in  [third-party]\n  utc\n" in text


def test_what_no_source_tells_is_said() -> None:
    text = provider_text(load_profile("yandex"))
    assert "Time servers (the first is the one that is set)\n  not known: no source tells\n" in text


def test_a_part_of_a_provider_has_its_own_hosts_only() -> None:
    part = load_profile("ovh/dedicated")
    assert part.name == "ovh/dedicated"
    assert [str(host) for host in part.all_kms_hosts()] == ["kms.ovh.net:1688"]
    assert not part.owns("kms.cloud.ovh.net")
    assert "ovh/dedicated" in provider_names()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ovh/dedicate", "did you mean ovh/dedicated?"),
        ("ovh/nothing", "known: public-cloud, dedicated"),
        ("aws/part", "aws has no parts"),
        ("awss/part", "did you mean aws?"),
    ],
)
def test_an_unknown_part_is_named_with_those_there_are(name: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        load_profile(name)
    assert caught.value.hint == hint
