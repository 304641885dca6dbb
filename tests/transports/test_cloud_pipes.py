"""A file of a cloud's keys that is a pipe: what it holds comes once and is needed several times."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from volact.cloud.alibaba.declaration import AlibabaSettings
from volact.cloud.alibaba.sdk import Keys as AlibabaKeys
from volact.cloud.aws.declaration import AwsSettings
from volact.cloud.aws.sdk import Keys as AwsKeys
from volact.cloud.azure.declaration import AzureSettings
from volact.cloud.azure.sdk import Keys as AzureKeys
from volact.cloud.tencent.declaration import TencentSettings
from volact.cloud.tencent.keys import Keys as TencentKeys

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")

SECRET = "the-secret-of-the-file"
PROFILES = {
    "alibaba": f"[default]\ntype = access_key\naccess_key_id = a\naccess_key_secret = {SECRET}\n",
    "aws": f"[default]\naws_access_key_id = a\naws_secret_access_key = {SECRET}\n",
    "tencent": f"[default]\nsecret_id = a\nsecret_key = {SECRET}\n",
}
PRINCIPAL = f'{{"clientId": "c", "clientSecret": "{SECRET}", "tenantId": "t"}}'


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """The end to write to, and the name of one that is read, as ``<(command)`` gives it."""
    reading, writing = os.pipe()
    path = tmp_path / "keys"
    path.symlink_to(f"/dev/fd/{reading}")
    yield writing, str(path)
    os.close(reading)


def written(pipe: tuple[int, str], text: str) -> str:
    """The pipe's name; its writer has gone."""
    os.write(pipe[0], text.encode())
    os.close(pipe[0])
    return pipe[1]


@pytest.mark.parametrize(
    ("cloud", "settings_of", "keys_of"),
    [
        ("alibaba", AlibabaSettings, AlibabaKeys),
        ("aws", AwsSettings, AwsKeys),
        ("tencent", TencentSettings, TencentKeys),
    ],
)
def test_profiles_come_from_a_pipe_as_from_a_file(
    pipe: tuple[int, str],
    cloud: str,
    settings_of: Any,
    keys_of: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if hasattr(os, "memfd_create"):  # keys are written to no file
        monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    settings = settings_of(credentials=written(pipe, PROFILES[cloud]))
    keys_of(settings)  # the check before the start
    keys = keys_of(settings)
    keys.find()
    assert keys.redact(f"it is {SECRET}") == "it is ***"


def test_a_service_principal_comes_from_a_pipe_as_from_a_file(pipe: tuple[int, str]) -> None:
    settings = AzureSettings(credentials=written(pipe, PRINCIPAL))
    AzureKeys(settings)  # the check before the start
    assert AzureKeys(settings).redact(f"it is {SECRET}") == "it is ***"
