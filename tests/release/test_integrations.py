"""The examples for Kubernetes and GitHub Actions: their options are volact's own."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from volact import __version__
from volact.cli.registry import VERBS, command_of

ROOT = Path(__file__).parents[2] / "integrations"
CRONJOB: dict[str, Any] = yaml.safe_load((ROOT / "kubernetes/cronjob.yaml").read_text("utf-8"))
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "github/action.yml").read_text("utf-8"))
FAKE = """#!/bin/sh
for word in "$@"; do echo "$word" >> words; done
exit 3
"""


def options_of(verb: str) -> set[str]:
    command = command_of(next(one for one in VERBS if one.name == verb))
    return {name for parameter in command.params for name in parameter.opts}


def unknown(words: list[str]) -> list[str]:
    """The options among the words of a command line that its verb does not have."""
    known = options_of(words[0])
    given = [word.partition("=")[0] for word in words if word.startswith("-")]
    return [option for option in given if option not in known]


def test_the_cronjob_starts_volact_with_options_that_it_has() -> None:
    pod = CRONJOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert unknown(container["args"]) == []
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {item["name"] for item in container["volumeMounts"]} == {
        item["name"] for item in pod["volumes"]
    }


def test_the_cronjob_keeps_everything_that_volact_keeps() -> None:
    """The image's settings name the places of the store and of the watch's lock."""
    image = (ROOT.parent / "release/Dockerfile").read_text("utf-8")
    places = dict(re.findall(r"^ENV (XDG_(?:DATA|STATE)_HOME)=(\S+)$", image, re.MULTILINE))
    pod = CRONJOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    kept = {item["name"] for item in pod["volumes"] if "persistentVolumeClaim" in item}
    mounted = {item["mountPath"] for item in container["volumeMounts"] if item["name"] in kept}
    assert len(places) == 2
    assert set(places.values()) == mounted
    assert not [word for word in container["args"] if word.startswith("--store")]


@pytest.mark.parametrize(
    ("extras", "installed"),
    [("", "volact-1.whl"), ("tencent,notify", "volact-1.whl[tencent,notify]")],
)
def test_the_image_has_the_extras_that_are_named(
    tmp_path: Path, extras: str, installed: str
) -> None:
    image = (ROOT.parent / "release/Dockerfile").read_text("utf-8").replace("\\\n", "")
    assert re.findall(r"^ARG EXTRAS=$", image, re.MULTILINE)
    (line,) = re.findall(r"^RUN (.*install\.sh.*)$", image, re.MULTILINE)
    (tmp_path / "volact-1.whl").touch()
    (tmp_path / "install.sh").write_text(f'echo "$1" > {tmp_path}/installed\n')
    (tmp_path / "container_root.sh").touch()
    command = ["sh", "-c", line.replace("/src/", f"{tmp_path}/")]
    subprocess.run(command, check=True, env={**os.environ, "EXTRAS": extras})
    assert (tmp_path / "installed").read_text() == f"{tmp_path}/{installed}\n"


def test_any_uid_of_group_0_writes_to_the_data_of_the_image() -> None:
    image = (ROOT.parent / "release/Dockerfile").read_text("utf-8")
    (options,) = re.findall(r"^COPY (.+) /container/data /data$", image, re.MULTILINE)
    assert {"--chown=65532:0", "--chmod=0770"} <= set(options.split())


def test_a_stopped_run_has_the_time_of_a_stopped_worker() -> None:
    job = CRONJOB["spec"]["jobTemplate"]["spec"]
    unit = (ROOT.parent / "release/systemd/volact-worker@.service").read_text("utf-8")
    (worker,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert job["template"]["spec"]["terminationGracePeriodSeconds"] == int(worker)
    assert job["backoffLimit"] == 0  # with 3 and 4 a run has come to its end


@pytest.mark.parametrize("version", ["1.27", "1.37"])  # the first with time zones, the newest
def test_the_cronjob_is_one_that_kubernetes_takes(version: str) -> None:
    def taken(text: str) -> bool:
        try:
            kubernetes_validate.validate(yaml.safe_load(text), version, strict=True)
        except kubernetes_validate.ValidationError:
            return False
        return True

    text = (ROOT / "kubernetes/cronjob.yaml").read_text("utf-8")
    assert taken(text)
    for name, other in (
        ("concurrencyPolicy", "concurencyPolicy"),
        ("runAsUser: 65532", "runAsUser: a"),
    ):
        assert name in text
        assert not taken(text.replace(name, other))


@pytest.mark.parametrize(("verb", "first"), [("check", ["check"]), ("activate", ["activate"])])
def test_the_action_starts_volact_and_ends_as_it_does(
    verb: str, first: list[str], tmp_path: Path
) -> None:
    fake = tmp_path / "volact"
    fake.write_text(FAKE, "utf-8")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    step = next(one for one in ACTION["runs"]["steps"] if one.get("id") == "run")
    environ = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "VERB": verb,
        "INVENTORY": "my fleet.toml",
        "LIMIT": "web; reboot",
    }
    done = subprocess.run(["bash", "-e", "-c", step["run"]], check=False, env=environ, cwd=tmp_path)
    words = (tmp_path / "words").read_text("utf-8").splitlines()
    assert (done.returncode, words[:1]) == (3, first)
    assert unknown(words) == []
    assert "--limit=web; reboot" in words
    assert (tmp_path / "output").read_text("utf-8") == "code=3\n"


def test_the_action_installs_a_wheel_from_its_file(tmp_path: Path) -> None:
    wheel = tmp_path / "volact-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        folder = "volact-9.9.9.dist-info"
        file.writestr(f"{folder}/METADATA", "Metadata-Version: 2.1\nName: volact\nVersion: 9.9.9\n")
        file.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{folder}/RECORD", "")
    (step,) = (one for one in ACTION["runs"]["steps"] if "pip" in one.get("run", ""))
    report = tmp_path / "report.json"
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SOURCE": f"./{wheel.name}",
        "PIP_DRY_RUN": "1",
        "PIP_IGNORE_INSTALLED": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_REPORT": str(report),
    }
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], check=False, env=environ, cwd=tmp_path,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(report.read_text("utf-8"))["install"]
    assert found["metadata"]["version"] == "9.9.9"


def test_what_has_to_name_the_version_names_this_one() -> None:
    galaxy = yaml.safe_load((ROOT / "ansible/galaxy.yml").read_text("utf-8"))
    pod = CRONJOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert galaxy["version"] == __version__
    assert pod["containers"][0]["image"] == f"volact:{__version__}"


def test_inputs_reach_the_shell_as_variables_only() -> None:
    runs = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert [line for line in runs if re.search(r"\$\{\{", line)] == []
