"""What ``make dist`` makes, used as a user would: installed, as one file, in a container."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
import yaml
from cli_process import started
from jsonschema_rs import ValidationError
from runners import pythons, run_action

from make_dist import bill_validator
from volact import __version__
from volact.cli.child_lab import child_lab
from volact.knowledge.load import profile_names

# The first test waits for two builds, which fetch every library on a line that may be slow.
pytestmark = [pytest.mark.xdist_group("dist"), pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
MAKE = [sys.executable, str(ROOT / "release/make_dist.py")]
CONSTRAINTS = ROOT / "constraints.txt"
SERVERS = 6


class Made(NamedTuple):
    """A release and the environment that its wheel was installed into."""

    folder: Path
    environment: Path

    def file(self, suffix: str) -> Path:
        (found,) = self.folder.glob(f"volact-*{suffix}")
        return found

    @property
    def packages(self) -> dict[str, str]:
        (site,) = self.environment.glob("lib/python*/site-packages")
        return {item.name: item.version for item in distributions(path=[str(site)])}


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The newest pip for every Python: older ones take seconds of CPU to read an index."""
    folder = tmp_path_factory.mktemp("pip")
    words = ["install", "--quiet", "--no-compile", "--target", str(folder), "pip"]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    return {**os.environ, "PIP_CONSTRAINT": str(CONSTRAINTS), "PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def libraries(pip: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of pip that take every library from a folder instead of from an index."""
    folder = tmp_path_factory.mktemp("libraries")
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    words = ["download", "--quiet", "--dest", str(folder), *needed]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, env=pip)
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, libraries: dict[str, str]) -> tuple[Made, Made]:
    """Two builds side by side, in folders and surroundings that differ."""
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("a longer name")
    other = {"TZ": "Asia/Jakarta", "PYTHONHASHSEED": "1"}
    with build(first, 0o022, **libraries), build(second, 0o077, **libraries, **other):
        pass
    return made_in(first), made_in(second)


@pytest.fixture(scope="module")
def made(both: tuple[Made, Made]) -> Made:
    return both[0]


@pytest.fixture(scope="module")
def lab() -> Iterator[Path]:
    """Servers that run in the tests' own environment."""
    with child_lab("tencent", SERVERS, 7) as inventory:
        yield inventory


@pytest.fixture(scope="module")
def by_wheel(made: Made, lab: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the installed wheel says of the lab's servers."""
    home = tmp_path_factory.mktemp("home")
    return verdicts([made.environment / "bin/volact"], lab, HOME=str(home))


def made_in(folder: Path) -> Made:
    return Made(folder / "dist", folder / "environment")


@contextmanager
def build(folder: Path, umask: int, **environ: str) -> Iterator[None]:
    """A build that goes on during the block and has succeeded when it is left."""
    made = made_in(folder)
    command = [*MAKE, "--to", str(made.folder), "--environment", str(made.environment)]
    with started(command, cwd=folder, umask=umask, env={**os.environ, **environ}) as process:
        yield
    assert process.returncode == 0


def clean(**environ: str) -> dict[str, str]:
    """An environment in which Python finds nothing of the checkout."""
    return {"PATH": os.environ["PATH"], "VOLACT_STORE": "none", **environ}


def verdicts(command: Sequence[str | Path], lab: Path, **environ: str) -> dict[str, str]:
    """What a check by this volact says of the lab's servers."""
    words = [*command, "check", "-i", lab, "--output", "json"]
    with started(
        [str(word) for word in words],
        cwd="/",
        env=clean(**environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        out, err = process.communicate()
    assert process.returncode in {0, 3, 4}, err.decode()
    document: dict[str, Any] = json.loads(out)
    assert document["volact"] == __version__
    return {row["name"]: row["verdict"] for row in document["servers"]}


def test_another_build_has_the_same_bytes(both: tuple[Made, Made]) -> None:
    first, second = (
        {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in made.folder.iterdir()}
        for made in both
    )
    assert first == second


def test_every_file_has_its_checksum(made: Made) -> None:
    lines = (made.folder / "SHA256SUMS").read_text("ascii").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {file.name: file for file in made.folder.iterdir() if file.name != "SHA256SUMS"}
    assert {
        name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()
    } == (sums)
    scripts = {name for name in sums if name.endswith(".bat")}
    assert scripts == {f"activate-{name}.bat" for name in profile_names()}


def test_the_version_stands_in_one_place(made: Made) -> None:
    assert made.packages["volact"] == __version__
    assert all(f"-{__version__}" in made.file(end).name for end in (".whl", ".tar.gz", ".pyz"))
    named = [
        str(path.relative_to(ROOT))
        for path in (
            ROOT / "pyproject.toml",
            *(ROOT / "src").rglob("*.py"),
            *(ROOT / "release").rglob("*"),
        )
        if path.is_file()
        and path.suffix != ".pyc"
        and f'"{__version__}"' in path.read_text("utf-8")
    ]
    assert named == ["src/volact/__init__.py"]


def test_the_archives_hold_the_product_and_its_licence(made: Made) -> None:
    wheel = ZipFile(made.file(".whl")).namelist()
    assert {name.split("/")[0] for name in wheel} == {
        "volact",
        "volact_lab",
        f"volact-{__version__}.dist-info",
    }
    assert {"volact/py.typed", "volact/__init__.pyi"} <= set(wheel)
    with tarfile.open(made.file(".tar.gz")) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    for own in (wheel, names):
        assert any(name.endswith("LICENSE") for name in own)
        assert not [name for name in own if "__pycache__" in name or "tests/" in name]


def test_the_bill_names_what_is_installed(made: Made) -> None:
    bill = json.loads(made.file(".cdx.json").read_text("utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == ("volact", __version__)
    others = {name: version for name, version in made.packages.items() if name != "volact"}
    assert {item["name"]: item["version"] for item in bill["components"]} == others


def test_a_bill_that_is_none_is_refused(made: Made) -> None:
    bill = json.loads(made.file(".cdx.json").read_text("utf-8"))
    bill["components"][0]["type"] = "no type"
    with pytest.raises(ValidationError, match="no type"):
        bill_validator().validate(bill)


def test_an_installation_holds_only_what_is_needed(made: Made) -> None:
    optional = {"apprise", "h11", "keyring", "pip", "psycopg", "pytest", "quickjs-ng", "setuptools"}
    assert not optional & {name.lower() for name in made.packages}
    done = subprocess.run(
        [made.environment / "bin/volact", "lab", "serve"],
        check=False,
        env=clean(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "volact[lab]" in done.stderr


def test_the_wheel_checks_servers(by_wheel: dict[str, str]) -> None:
    assert len(by_wheel) == SERVERS
    assert set(by_wheel.values()) > {"healthy"}


def test_the_single_file_checks_servers(
    made: Made, by_wheel: dict[str, str], lab: Path, tmp_path: Path
) -> None:
    by_file = verdicts([made.file(".pyz")], lab, HOME=str(tmp_path))
    assert by_file == by_wheel


def test_every_python_that_is_here_checks_servers(
    made: Made, by_wheel: dict[str, str], pip: dict[str, str], lab: Path, tmp_path: Path
) -> None:
    for version, python in pythons().items():
        environment = tmp_path / version
        install = ["sh", str(ROOT / "release/install.sh"), str(made.file(".whl")), str(environment)]
        subprocess.run(install, check=True, env={**pip, "PYTHON": str(python)})
        seen = verdicts([environment / "bin/volact"], lab, HOME=str(tmp_path))
        assert (version, seen) == (version, by_wheel)


def test_the_container_needs_no_account_no_shell_and_no_writable_root(
    made: Made, lab: Path, tmp_path: Path
) -> None:
    """The Dockerfile's last stage without a builder: the same root, settings and account."""
    text = (ROOT / "release/Dockerfile").read_text("utf-8")
    assert "sh /src/container_root.sh /volact /container" in text
    root = tmp_path / "root"
    script = ROOT / "release/container_root.sh"
    subprocess.run(["sh", script, made.environment, root], check=True)
    assert {path.name for path in root.rglob("*") if path.name in {"sh", "bash", "pip", "apt"}} == (
        set()
    )
    data = (root / "data").stat()
    assert (data.st_uid, data.st_gid, data.st_mode & 0o777) == (65532, 0, 0o770)
    environ = dict(re.findall(r"^ENV (\w+)=(\S+)$", text, re.MULTILINE))
    ((user, group),) = re.findall(r"^USER (\d+):(\d+)$", text, re.MULTILINE)
    entry = json.loads(re.findall(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)[0])
    inner = f"""
        root={shlex.quote(str(root))}
        mkdir -p $root/data/lab
        cp {shlex.quote(str(lab.parent))}/lab.* $root/data/lab
        chown -R {user}:{group} $root/data
        mount --bind $root $root
        mount --bind $root/data $root/data
        mount --rbind /dev $root/dev
        mount -t proc proc $root/proc
        mount -o remount,bind,ro $root
        exec chroot --userspec={user}:{group} $root "$@"
    """
    contained = ["unshare", "--mount", "sh", "-euc", inner, "sh"]
    seen = verdicts([*contained, *entry], Path("/data/lab/lab.toml"), **environ)
    assert len(seen) == SERVERS
    asked = "import os; print(os.getresuid(), os.getgroups(), os.access('/opt', os.W_OK))"
    done = subprocess.run(
        [*contained, entry[0], "-c", asked], check=True, env=clean(), capture_output=True, text=True
    )
    assert done.stdout.split("\n")[0] == f"({user}, {user}, {user}) [] False"


def test_the_action_runs_as_on_a_runner(
    made: Made, libraries: dict[str, str], lab: Path, tmp_path: Path
) -> None:
    action = yaml.safe_load((ROOT / "integrations/github/action.yml").read_text("utf-8"))
    inputs = {"source": made.file(".whl").as_uri(), "inventory": str(lab)}
    environ = {"PIP_CONSTRAINT": str(CONSTRAINTS), "PIP_COMPILE": "no", **libraries}
    status, outputs = run_action(action, inputs, tmp_path, **environ)
    assert status in {0, 3, 4}
    assert outputs == {"code": str(status)}
    suite = ElementTree.parse(tmp_path / "volact-junit.xml").getroot()
    assert len(suite.findall(".//testcase")) == SERVERS
    assert "</html>" in (tmp_path / "volact.html").read_text("utf-8")
