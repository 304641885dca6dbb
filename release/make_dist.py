"""Makes everything that a release hands out, in one new folder.

The same commit, Python and constraints give the same bytes, wherever the folder is.
How a release is made is in ``docs/releasing.md``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import redirect_stdout
from datetime import UTC, datetime
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft7Validator, Registry

from man_page import man_page
from volact import __version__
from volact.cli.entry import main as volact
from volact.knowledge.load import profile_names

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="must not exist")
    parser.add_argument("--environment", type=Path, help="keep the environment in this folder")
    options = parser.parse_args()
    os.umask(0o022)
    os.environ["PIP_CONSTRAINT"] = str(ROOT / "constraints.txt")
    os.environ["PYTHON"] = sys.executable
    _set_date()
    to = options.to.resolve()
    to.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="volact-dist-") as work:
        _make(to, options.environment or Path(work) / "environment", Path(work))


def _make(to: Path, environment: Path, work: Path) -> None:
    _run("hatchling", "build", "--directory", str(to))
    wheel = next(to.glob("*.whl"))
    _run("twine", "check", "--strict", *map(str, sorted(to.iterdir())))
    subprocess.run(["/bin/sh", ROOT / "release/install.sh", wheel, environment], check=True)
    site = work / "site"
    installed = next((environment / "lib").glob("python*/site-packages"))
    # The wheel's place is noted in the first, the environment's in the second.
    next(installed.glob("volact-*.dist-info")).joinpath("direct_url.json").unlink()
    shutil.copytree(installed, site, ignore=shutil.ignore_patterns("RECORD"))
    _make_single_file(to, site)
    _make_bill_of_materials(to, environment)
    _make_scripts(to)
    (to / "volact.1").write_text(man_page(_release_day()), encoding="utf-8")
    sums = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(to.iterdir())
    ]
    (to / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


def _make_single_file(to: Path, site: Path) -> None:
    """The file holds compiled libraries, so it is for one Python and one system."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    tag = f"cp{python.replace('.', '')}-{sysconfig.get_platform()}"
    file = to / f"volact-{__version__}-{tag}.pyz"
    _run(
        *("shiv", "--reproducible", "--site-packages", str(site)),
        *("--entry-point", "volact.cli.entry:main", "--python", f"/usr/bin/env python{python}"),
        *("--output-file", str(file)),
    )


def _make_bill_of_materials(to: Path, environment: Path) -> None:
    """Every installed package, in CycloneDX; the tool cannot read a version that is dynamic."""
    file = to / f"volact-{__version__}.cdx.json"
    pyproject = str(ROOT / "pyproject.toml")
    options = ("--output-reproducible", "--pyproject", pyproject, "--output-file", str(file))
    _run("cyclonedx_py", "environment", "--no-validate", *options, str(environment / "bin/python"))
    bill = json.loads(file.read_text(encoding="utf-8"))
    bill["metadata"]["component"]["version"] = __version__
    bill_validator().validate(bill)
    file.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def bill_validator() -> Draft7Validator:
    """The tool's own schemas, in a validator that needs no seconds for them as the tool's does."""
    schemas: dict[str, Any] = {
        file.name: json.loads(file.read_text(encoding="utf-8"))
        for file in files("cyclonedx.schema").joinpath("_res").iterdir()
        if file.name.endswith(".SNAPSHOT.schema.json")
    }
    named = [(f"http://cyclonedx.org/schema/{name}", schema) for name, schema in schemas.items()]
    return Draft7Validator(
        schemas["bom-1.6.SNAPSHOT.schema.json"], registry=Registry(named), validate_formats=True
    )


def _make_scripts(to: Path) -> None:
    """The scripts that are run by hand, one for each provider."""
    for name in profile_names():
        with redirect_stdout(StringIO()):
            code = volact(["script", "--provider", name, "--to", str(to / f"activate-{name}.bat")])
        assert code == 0, name


def _set_date() -> None:
    """The date in every archive is the commit's, or the tools' own where there is no git."""
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    if "SOURCE_DATE_EPOCH" not in os.environ and shutil.which("git"):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            os.environ["SOURCE_DATE_EPOCH"] = done.stdout.strip()


def _release_day() -> str:
    """The day of the commit, ``SOURCE_DATE_EPOCH``; without both the first of all days."""
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _run(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
