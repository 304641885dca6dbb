"""A cloud is one folder: nothing else names it, and reading the registry imports no SDK."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from volact.cloud.base import Cloud
from volact.cloud.registry import clouds
from volact.knowledge.load import profile_names
from volact_lab.cloud import lab_clouds
from volact_lab.scenario import load_scenario
from volact_lab.windows.spec import LOGINS

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"[Tt]encent|TENCENT|\btat\b|\bTAT\b|\bTat[A-Z]|\btat_")
# What is about this cloud, and may name it: its calls, its facts, its part of the lab.
ITS_OWN = (
    "src/volact/cloud/tencent/",
    "src/volact/knowledge/providers/tencent.toml",
    "src/volact_lab/tencent/",
    "src/volact_lab/scenarios/",
    "src/volact/words/locale/",  # holds the sentences of every folder
)
# The words by which code of a cloud's SDK is told, and a module without which it cannot work.
SDKS = {
    "alibaba": ("alibabacloud|darabonba", "alibabacloud_ecs20140526"),
    "aws": ("botocore|boto3", "botocore"),
    "azure": (r"azure\.(?:core|identity)|\bmsal\b", "azure.identity"),
    "tencent": ("tencentcloud", "tencentcloud"),
}
# Pages that show it as the example, besides those of findings.
PAGES = (
    *("accuracy.md", "agent-protocol.md", "cli.md", "inventories.md", "lab.md", "languages.md"),
    *(
        "memory.md",
        "prepare.md",
        "providers.md",
        "reliability.md",
        "run-command.md",
        "tat.md",
        "undo.md",
    ),
)


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_nothing_outside_its_folders_names_a_cloud() -> None:
    files = [path for path in (ROOT / "src").rglob("*") if path.is_file()]
    text = {short(path): path.read_text("utf-8") for path in files if path.suffix != ".pyc"}
    named = [
        f"{name}: {match[0]}"
        for name, content in sorted(text.items())
        if not name.startswith(ITS_OWN) and (match := NAMED.search(content))
    ]
    assert named == []
    assert any(name.startswith(ITS_OWN[0]) for name in text)


def test_only_these_pages_show_it_as_the_example() -> None:
    pages = [path for path in (ROOT / "docs").rglob("*.md") if "findings" not in path.parts]
    naming = {path.name for path in pages if NAMED.search(path.read_text("utf-8"))}
    assert naming <= set(PAGES)


def test_every_cloud_has_its_sdk_here() -> None:
    assert {cloud.name for cloud in clouds()} == set(SDKS), "each cloud has a line in SDKS"


def own_words(cloud: Cloud) -> re.Pattern[str]:
    """What only code of one cloud says: its folders, addresses, classes, SDK and page."""
    classes = "|".join(word.capitalize() for word in (cloud.name, cloud.scheme))
    return re.compile(
        rf"\bcloud[./]{cloud.name}\b|\blab[./]{cloud.name}\b|\b{cloud.scheme}://"
        # AzurePublicCloud is what the metadata service of a server there says.
        rf"|\b(?:{classes})(?!PublicCloud\b)[A-Z][a-z]|{SDKS[cloud.name][0]}|docs/{cloud.scheme}\.md"
    )


@pytest.mark.parametrize("cloud", clouds(), ids=lambda cloud: cloud.name)
def test_only_its_own_folders_have_the_words_of_a_cloud(cloud: Cloud) -> None:
    own = (f"src/volact/cloud/{cloud.name}/", f"src/volact_lab/{cloud.name}/")
    words = own_words(cloud)
    text = {short(path): path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")}
    assert any(words.search(text[name]) for name in text if name.startswith(own[0]))
    named = [
        f"{name}: {match[0]}"
        for name, content in sorted(text.items())
        if not name.startswith(own) and (match := words.search(content))
    ]
    assert named == []


@pytest.mark.parametrize("cloud", clouds(), ids=lambda cloud: cloud.name)
def test_a_declaration_fits_the_rest(cloud: Cloud) -> None:
    assert cloud.name in profile_names(), "a profile has the name of the cloud"
    assert (ROOT / f"src/volact/cloud/{cloud.name}").is_dir(), (
        "its folder has the name of the cloud"
    )
    assert re.fullmatch(cloud.place, cloud.place_example.replace("x", "0"))
    fields = set(cloud.settings.__struct_fields__)
    assert {option.name for option in cloud.options} <= fields
    assert cloud.unproven == "" or cloud.unproven.endswith("."), "unproven is a sentence"
    assert (ROOT / f"docs/{cloud.scheme}.md").is_file(), "the page of a cloud is docs/SCHEME.md"
    extras = (ROOT / "pyproject.toml").read_text("utf-8")
    assert re.search(rf"^{cloud.extra} = \[", extras, re.MULTILINE), "pyproject.toml has its extra"
    if cloud.listing is not None:
        assert re.fullmatch(cloud.listing.pattern, cloud.listing.example)


def test_the_lab_simulates_every_cloud() -> None:
    """A cloud that joins the lab joins the tests of transports and runs, too."""
    schemes = {cloud.scheme for cloud in clouds()}
    simulated = {cloud.scheme for cloud in lab_clouds()}
    assert simulated == schemes, "each cloud has a folder in volact_lab with a module home"
    for scenario in ("clouds", "mixed"):
        reached = set(load_scenario(scenario).transports) - {*LOGINS}
        assert reached == schemes, f"[transports] of scenarios/{scenario}.toml has every cloud"


def test_names_and_schemes_of_clouds_differ() -> None:
    assert len({cloud.name for cloud in clouds()}) == len(clouds())
    assert len({cloud.scheme for cloud in clouds()}) == len(clouds())


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["check", "--help"]])
def test_help_imports_no_sdk(args: list[str]) -> None:
    code = (
        "import sys; from volact.cli.entry import main\n"
        f"try: main({args!r})\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert "volact" in done.stderr.split()
    assert not [words for words, _ in SDKS.values() if re.search(words, done.stderr)]


MISSING = """
import sys
sys.modules[sys.argv[1]] = None  # as where it is not installed
from volact.cli.entry import main
sys.exit(main(["check", "--no-store", sys.argv[2]]))
"""


@pytest.mark.parametrize("cloud", clouds(), ids=lambda cloud: cloud.name)
def test_a_missing_sdk_is_named_with_the_command_that_installs_it(cloud: Cloud) -> None:
    package = SDKS[cloud.name][1]
    address = f"{cloud.scheme}://{cloud.place_example.replace('x', '0')}"
    done = subprocess.run(
        [sys.executable, "-c", MISSING, package, address],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    assert f"pip install 'volact[{cloud.extra}]'" in done.stderr
