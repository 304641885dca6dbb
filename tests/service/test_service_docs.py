"""docs/service.md and the units: what can be checked of them is."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from volact.cli.options.service import ServeOptions, WorkerOptions

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "release" / "systemd").glob("*.service"))
PAGE = (ROOT / "docs" / "service.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"needs {name} (Debian: {package})")
    assert found, f"no {name}: CI has the package {package}"
    return found


def words(options: Any) -> set[str]:
    return {f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(options)}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    """With a program that is there, and a user that is."""
    copy = tmp_path / unit.name
    text = unit.read_text("utf-8").replace("/opt/volact/bin/volact", "/bin/true")
    copy.write_text(text.replace("User=volact", "User=root"), "utf-8")
    analyze = program("systemd-analyze", "systemd")
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "volact" in line] == []


def test_the_units_use_options_that_there_are() -> None:
    assert [unit.name for unit in UNITS] == ["volact-serve.service", "volact-worker@.service"]
    for unit, options in zip(UNITS, (ServeOptions, WorkerOptions), strict=True):
        (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text("utf-8"), re.M)
        assert set(re.findall(r"--[a-z-]+", line)) <= words(options)


def test_the_page_uses_options_that_there_are() -> None:
    for verb, options in (("serve", ServeOptions), ("worker", WorkerOptions)):
        for line in re.findall(rf"volact {verb}((?:[^\n`]|\\\n)*)", PAGE):
            assert set(re.findall(r"--[a-z-]+", line)) <= words(options), line


def test_nginx_takes_the_example(tmp_path: Path) -> None:
    nginx = program("nginx", "nginx-light")
    (example,) = blocks("nginx")
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
         certificate, "-days", "2", "-subj", "/CN=volact.example.com"],
        check=True, capture_output=True,
    )  # fmt: skip
    example = example.replace("/etc/volact/fullchain.pem", str(certificate))
    example = example.replace("/etc/volact/key.pem", str(key))
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{ access_log off;\n{example}\n}}\n"
    )
    done = subprocess.run(
        [nginx, "-t", "-c", str(file)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_prometheus_takes_the_example(tmp_path: Path) -> None:
    (example,) = blocks("yaml")
    folder = ROOT / "docs" / "monitoring"
    shutil.copy(folder / "volact-alerts.yaml", tmp_path)
    token = tmp_path / "token"
    token.write_text("t")
    (tmp_path / "prometheus.yml").write_text(
        example.replace("/etc/prometheus/volact-token", str(token))
    )
    assert yaml.safe_load(example)["scrape_configs"][0]["job_name"] == "volact"
    done = subprocess.run(
        [program("promtool", "prometheus"), "check", "config", str(tmp_path / "prometheus.yml")],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
