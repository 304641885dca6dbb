"""What runs a release: the Pythons of this machine, and a runner of GitHub Actions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pip


def pythons() -> dict[str, Path]:
    """Every other Python that volact is for and this machine has, by its version."""
    found: dict[str, Path] = {}
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    for minor in range(11, 15):
        version = f"3.{minor}"
        places = [shutil.which(f"python{version}") or "", *pyenv_pythons(version)]
        for place in filter(None, places):
            if version != own and answers(place):
                found[version] = Path(place)
    return found


def pyenv_pythons(version: str) -> list[str]:
    return [
        str(path)
        for path in Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python3")
    ]


def answers(python: str) -> bool:
    """Whether it is a Python, and not one of pyenv's programs that say that it is not chosen."""
    return subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0


def expanded(text: str, values: Mapping[str, str]) -> str:
    """A text of a workflow with its expressions filled in."""
    return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda match: values[match[1]], text)


def make_python(folder: Path) -> None:
    """An empty environment with the pip of this one: installing pip anew takes it seconds."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "pip").symlink_to(Path(pip.__file__).parent)


def run_action(
    action: Mapping[str, Any], given: Mapping[str, str], folder: Path, **more: str
) -> tuple[int, dict[str, str]]:
    """Run the steps of a composite action in a folder, by bash as a runner calls it.

    Returns:
        The exit status of the last step that was run, and the action's outputs.
    """
    inputs = {
        name: given.get(name, about.get("default")) for name, about in action["inputs"].items()
    }
    values = {f"inputs.{name}": value for name, value in inputs.items()}
    status = 0
    for step in action["runs"]["steps"]:
        if "uses" in step:
            assert step["uses"].startswith("actions/setup-python@")
            make_python(folder / "python")
            continue
        output = folder / f"output-{step.get('id')}"
        environ = {name: expanded(text, values) for name, text in step.get("env", {}).items()}
        environ |= {"GITHUB_OUTPUT": str(output), "HOME": str(folder), **more}
        environ["PATH"] = f"{folder}/python/bin:{os.environ['PATH']}"
        script = folder / "step.sh"
        script.write_text(expanded(step["run"], values), "utf-8")
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        status = subprocess.run(
            bash, check=False, env={**os.environ, **environ}, cwd=folder
        ).returncode
        for line in output.read_text("utf-8").splitlines() if output.exists() else ():
            name, _, text = line.partition("=")
            values[f"steps.{step['id']}.outputs.{name}"] = text
        if status:
            break
    outputs = {name: expanded(about["value"], values) for name, about in action["outputs"].items()}
    return status, outputs
