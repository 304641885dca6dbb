"""The command line over the lists and run-commands of clouds, on a lab in a process of its own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_run import volact
from lab_thread import drawn_lab

from volact.cloud.base import Cloud
from volact.cloud.registry import clouds
from volact_lab.fleet import fleet
from volact_lab.scenario import load_scenario
from volact_lab.truth import truth_of

pytestmark = pytest.mark.xdist_group("clouds-cli")

SERVERS, SEED = 40, 3
TRUTH = {s.name: truth_of(s) for s in fleet(load_scenario("clouds"), SERVERS, SEED)}


@pytest.fixture(scope="module")
def inventory() -> Iterator[Path]:
    """The inventory of a lab of several clouds."""
    with drawn_lab("clouds", SERVERS, SEED) as path:
        yield path


def options(cloud: Cloud, inventory: Path) -> list[str]:
    """The account's settings in the inventory as options."""
    named: dict[str, str] = tomllib.loads(inventory.read_text())["defaults"]
    given: list[str] = []
    for option in cloud.options:
        value = named.get(cloud.key(option))
        if value:
            given += [
                f"--{cloud.key(option)}",
                str(inventory.parent / value) if option.is_path else value,
            ]
    return given


def places(cloud: Cloud, inventory: Path) -> list[str]:
    """The addresses of the servers of a cloud that can be asked."""
    servers: list[dict[str, Any]] = tomllib.loads(inventory.read_text())["server"]
    own = (s for s in servers if s["address"].startswith(f"{cloud.scheme}://"))
    return [s["address"].lower() for s in own if not TRUTH[s["name"]].error]


@pytest.mark.parametrize("cloud", clouds(), ids=lambda cloud: cloud.name)
def test_the_servers_of_a_list_are_checked(cloud: Cloud, inventory: Path) -> None:
    wanted = places(cloud, inventory)[:4]
    scopes = {place.partition("://")[2].rpartition("/")[0] for place in wanted}
    args = ["check", "--from", f"{cloud.name}:{','.join(sorted(scopes))}", "-o", "json"]
    args += ["--limit", ",".join(place.rpartition("/")[2] for place in wanted)]
    done = volact(*args, *options(cloud, inventory))
    assert done.returncode in (0, 3), done.stderr
    rows = {row["address"].lower(): row for row in json.loads(done.stdout)["servers"]}
    assert set(rows) == set(wanted)
    for place in wanted:
        row = rows[place]
        assert (row["error"], row["provider"]) == (None, cloud.name)
        # Whose licence it is came with the list.
        assert "entitlement-unknown" not in {finding["id"] for finding in row["findings"]}
    for file in inventory.parent.glob("*credentials"):
        for line in file.read_text().splitlines():
            secret = line.strip().rpartition(" ")[2].strip('",')
            assert len(secret) < 16 or secret not in done.stdout + done.stderr


@pytest.mark.parametrize("cloud", clouds(), ids=lambda cloud: cloud.name)
def test_an_api_whose_certificate_is_not_trusted_is_told_as_that(
    cloud: Cloud, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint is that of the lab's Azure, whose certificate is by its own authority.

    It is trusted where the environment names that authority.
    """
    named: dict[str, str] = tomllib.loads(inventory.read_text())["defaults"]
    pairs = zip(*[iter(options(cloud, inventory))] * 2, strict=True)
    given = [word for pair in pairs if pair[0] != "--azure-authorities" for word in pair]
    given[given.index(f"--{cloud.name}-endpoint") + 1] = named["azure-endpoint"]
    scope = places(cloud, inventory)[0].partition("://")[2].rpartition("/")[0]
    source = f"{cloud.name}:{scope.partition('/')[0]}"
    done = volact("inventory", "export", "--from", source, *given)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1), done.stderr
    assert done.returncode == 2
    assert "the API's certificate is not trusted (" in done.stderr
    assert "Max retries" not in done.stderr
    if cloud.name == "azure":  # its option is the way, which other tests go
        return
    authority = str(inventory.parent / named["azure-authorities"])
    for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, authority)
    trusting = volact("inventory", "export", "--from", source, *given)
    assert (trusting.stdout, trusting.stderr.count("\n")) == ("", 1), trusting.stderr
    assert "cannot be listed: " in trusting.stderr
    assert "is not trusted" not in trusting.stderr
