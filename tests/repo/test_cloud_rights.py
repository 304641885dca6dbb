"""The rights that a cloud's page asks for are those of the calls that are made, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from volact.cloud.alibaba.calls import LIMITS as ALIBABA
from volact.cloud.aws.calls import LIMITS as AWS
from volact.cloud.azure.calls import LIMITS as AZURE
from volact.cloud.registry import clouds
from volact.cloud.tencent.calls import LIMITS as TENCENT

ROOT = Path(__file__).parents[2]


def documents(page: str) -> list[dict[str, Any]]:
    """The JSON on a page."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", text, re.M | re.S)]


def allowed(page: str, statement: str, action: str) -> list[str]:
    return [name for part in documents(page)[0][statement] for name in part[action]]


def source(cloud: str) -> str:
    """The code that makes the calls of a cloud, but for its table of limits."""
    folder = ROOT / "src" / "volact" / "cloud" / cloud
    return "\n".join(
        path.read_text("utf-8") for path in sorted(folder.glob("*.py")) if path.name != "calls.py"
    )


@pytest.mark.parametrize(
    ("cloud", "limits"), [("aws", AWS), ("alibaba", ALIBABA), ("tencent", TENCENT)]
)
def test_every_call_has_a_limit_and_every_limit_a_call(
    cloud: str, limits: dict[str, float]
) -> None:
    """No call is made without one, so the table is the list of calls."""
    assert [name for name in limits if f'"{name}"' not in source(cloud)] == []


def test_the_page_of_every_cloud_is_compared() -> None:
    missing = [cloud.name for cloud in clouds() if f"test_{cloud.name}" not in globals()]
    assert not missing, "a test of that name compares the rights on its page with its calls"


def test_aws() -> None:
    session = Session()
    known = {
        f"{service}:{name}"
        for service in ("ssm", "ec2")
        for name in session.get_service_model(service).operation_names
        if name in AWS
    }
    assert sorted(allowed("ssm.md", "Statement", "Action")) == sorted(known)
    assert len(known) == len(AWS)
    (by_tag,) = documents("ssm.md")[1:]
    first = documents("ssm.md")[0]["Statement"][0]
    assert (by_tag["Action"], by_tag["Effect"]) == (first["Action"], first["Effect"])


def test_alibaba() -> None:
    names = ["".join(map(str.capitalize, name.split("_"))) for name in ALIBABA]
    assert sorted(allowed("ecs.md", "Statement", "Action")) == sorted(f"ecs:{n}" for n in names)


def test_tencent() -> None:
    folder = ROOT / "src" / "volact" / "cloud" / "tencent"
    code = {service: (folder / f"{service}.py").read_text("utf-8") for service in ("tat", "cvm")}
    known = {
        f"{service}:{name}" for name in TENCENT for service in code if f'"{name}"' in code[service]
    }
    assert sorted(allowed("tat.md", "statement", "action")) == sorted(known)
    assert len(known) == len(TENCENT)


def test_azure() -> None:
    """By the methods, the kinds of resources and the views that are asked for."""
    text = source("azure")
    verbs = {"GET": "read", "PUT": "write", "DELETE": "delete"}
    command = {
        f"Microsoft.Compute/virtualMachines/runCommands/{verbs[method]}"
        for method in re.findall(r'ask\("([A-Z]+)", _command\(', text)
    }
    kinds = re.findall(r'"(Compute|Network)", "(\w+)"', text)
    reads = {f"Microsoft.{provider}/{kind}/read" for provider, kind in kinds}
    assert '"$expand": "instanceView"' in text
    views = {"Microsoft.Compute/virtualMachines/instanceView/read"}
    (role,) = documents("azure.md")
    assert sorted(role["Actions"]) == sorted(command | reads | views)
    assert set(re.findall(r'ask\("([A-Z]+)"', text)) == set(AZURE)
    assert role["AssignableScopes"] == ["/subscriptions/SUBSCRIPTION"]
