"""Units and crontab lines: the same command comes out, with any characters in it."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from volact.cli.options.changes import WatchOptions
from volact.cli.watch_units import WatchCommand, cron, quoted, systemd, variables_of, words_of
from volact.errors import InputError
from volact.inventory.target import parse_address
from volact.model.server import Credential, Server

WORDS = (
    "a b", "100%", "$HOME", "${x}", 'say "x"', "it's", "back\\slash", "tab\there", ";", "é",
    "--report=html=a,b", "", "@x", "-x", "%n", "`id`",
)  # fmt: skip

REPLACES = """
import sys
from pathlib import Path
from volact.cli.atomic_file import AtomicFile
made = AtomicFile(Path(sys.argv[1]))
made.file.write("new")
made.keep()
"""


def start(every: timedelta = timedelta(hours=6), *words: str, folder: str = "/srv") -> WatchCommand:
    return WatchCommand(
        command=(sys.executable, "-c", "import sys; print(ascii(sys.argv[1:]))", *words),
        folder=folder,
        user="volact",
        every=every,
        jitter=timedelta(minutes=18),
        variables=("VOLACT_PASSWORD",),
    )


def unit(text: str, name: str) -> str:
    return text.partition(f"# /etc/systemd/system/{name}\n")[2].partition("\n# ")[0] + "\n"


def exec_words(text: str) -> list[str]:
    """ExecStart as systemd.service(5) reads it: quotes, C escapes, %% and $$."""
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    words = []
    for bare, inside in re.findall(r'([^\s"]+)|"((?:[^"\\]|\\.)*)"', line):
        word = re.sub(
            r"\\(?:x([0-9a-f]{2})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else m[2], inside
        )
        whole = bare or word
        assert not re.search(r"(?<!%)%(?:%%)*(?!%)", whole)
        words.append(whole.replace("%%", "%").replace("$$", "$"))
    return words


def test_systemd_gets_the_words_back() -> None:
    made = start(timedelta(hours=6), *WORDS)
    assert exec_words(systemd(made)) == list(made.command)
    assert all("\n" not in quoted(word) for word in ("a\nb", *WORDS))


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("needs systemd-analyze (Debian: systemd)")
    assert found, "no systemd-analyze: CI has the package systemd"
    return found


@pytest.mark.parametrize("user", ["root", "volact"])
def test_systemd_takes_the_units(user: str, analyze: str, tmp_path: Path) -> None:
    made = start(timedelta(hours=7), *WORDS, folder=str(tmp_path))
    text = systemd(dataclasses.replace(made, user=user))
    files = [tmp_path / "volact-watch.service", tmp_path / "volact-watch.timer"]
    for file in files:
        file.write_text(unit(text, file.name).replace("User=volact", "User=root"))
    done = subprocess.run(
        [analyze, "verify", "--man=no", *map(str, files)],
        check=False,
        capture_output=True,
        text=True,
    )
    said = [line for line in done.stderr.splitlines() if "volact" in line]
    assert done.returncode == 0, done.stderr
    assert said == []


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("/home/ann/v/bin/volact", True),
        ("/root/v/bin/volact", True),
        ("/opt/volact/bin/volact", False),
    ],
)
def test_a_program_below_a_home_is_not_started_under_selinux(program: str, told: bool) -> None:
    made = systemd(dataclasses.replace(start(), command=(program, "watch")))
    assert ("\n# with SELinux (Fedora, RHEL)" in made) == told


def capabilities(user: str) -> list[str]:
    made = systemd(dataclasses.replace(start(), user=user))
    (line,) = re.findall(r"^CapabilityBoundingSet=.*$", made, re.MULTILINE)
    return str(line).partition("=")[2].split()


def test_a_user_keeps_no_capability() -> None:
    assert capabilities("volact") == []


def test_root_replaces_reports_of_other_accounts(tmp_path: Path) -> None:
    """With what the unit leaves of root's powers; they change nothing for another user."""
    folder = tmp_path / "reports"
    folder.mkdir(mode=0o700)
    report = folder / "report.html"
    report.touch(0o640)
    command = [sys.executable, "-c", REPLACES, str(report)]
    if os.geteuid() == 0:
        os.chown(report, 65533, 65533)
        os.chown(folder, 65533, 65533)
        kept = ",".join(["-all", *(f"+{one[4:].lower()}" for one in capabilities("root"))])
        command = ["setpriv", f"--bounding-set={kept}", *command]
    before = report.stat()
    subprocess.run(command, check=True)
    after = report.stat()
    assert report.read_text("utf-8") == "new"
    assert (after.st_uid, after.st_gid, after.st_mode) == (
        before.st_uid, before.st_gid, before.st_mode,
    )  # fmt: skip


def test_the_timer_says_when() -> None:
    timer = unit(systemd(start(timedelta(hours=7))), "volact-watch.timer")
    assert "OnUnitActiveSec=25200s" in timer
    assert "RandomizedDelaySec=1080s" in timer


def test_a_stopped_run_has_the_time_of_a_stopped_worker() -> None:
    worker = Path(__file__).parents[2] / "release/systemd/volact-worker@.service"
    (line,) = re.findall(r"^TimeoutStopSec=\d+$", worker.read_text("utf-8"), re.MULTILINE)
    assert line in systemd(start()).splitlines()


def test_cron_runs_the_same_words(tmp_path: Path) -> None:
    words = [word for word in WORDS if word != "é"]
    made = start(timedelta(hours=6), *words, folder=str(tmp_path))
    line, named = cron(made).splitlines()
    assert named.startswith("# /etc/volact/watch.env, ")
    assert named.endswith(": VOLACT_PASSWORD")
    fields = line.split(" ", 5)
    assert re.fullmatch(r"\d+ \d+-23/6 \* \* \*", " ".join(fields[:5]))
    assert not re.search(r"(?<!\\)%", fields[5])
    command = fields[5].replace("\\%", "%").replace("/etc/volact/watch.env", "/dev/null")
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ascii(words)


SECRET = """https://hook.example/?a=1&b=$$;c d\\e`id` "q" it's %41 #z"""


def written(text: str, secret: str) -> str:
    """A line of the variables' file, in the form that ``text`` prints and the manual explains."""
    docs = (Path(__file__).parents[2] / "docs/watch.md").read_text("utf-8")
    (quote,) = re.findall(r"a quote inside a value is written as `([^`]+)`", docs)
    (form,) = re.findall(r"NAME=\S+", text)
    value = secret.replace("'", quote)
    return str(form).replace("NAME", "VOLACT_PASSWORD").replace("value", value) + "\n"


def test_cron_hands_on_every_character_of_a_secret(tmp_path: Path) -> None:
    code = "import os; print(ascii(os.environ['VOLACT_PASSWORD']))"
    made = dataclasses.replace(start(folder=str(tmp_path)), command=(sys.executable, "-c", code))
    text = cron(made)
    file = tmp_path / "watch.env"
    file.write_text(written(text, SECRET))
    command = text.splitlines()[0].split(" ", 5)[5].replace("/etc/volact/watch.env", str(file))
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ascii(SECRET)


def test_systemd_reads_the_same_line() -> None:
    """By the rules of EnvironmentFile in systemd.exec(5): quotes follow each other, verbatim."""
    name, _, value = written(systemd(start()), SECRET).strip().partition("=")
    pieces = re.findall(r"'([^']*)'|\"([^\"\\`$]*)\"", value)
    assert (name, "".join(a + b for a, b in pieces)) == ("VOLACT_PASSWORD", SECRET)
    assert re.fullmatch(r"(?:'[^']*'|\"[^\"\\`$]*\")+", value)


def test_a_crontab_without_secrets_is_one_line() -> None:
    assert cron(dataclasses.replace(start(), variables=())).count("\n") == 1


@pytest.mark.parametrize(
    ("every", "shape"),
    [
        (timedelta(minutes=15), r"\d+-59/15 \* \* \* \*"),
        (timedelta(hours=1), r"\d+ 0-23/1 \* \* \*"),
        (timedelta(days=1), r"\d+ \d+ \* \* \*"),
    ],
)
def test_cron_says_when(every: timedelta, shape: str) -> None:
    assert re.match(shape, cron(start(every)))


@pytest.mark.parametrize("every", [timedelta(hours=7), timedelta(minutes=90), timedelta(days=2)])
def test_what_cron_cannot_say_is_said(every: timedelta) -> None:
    with pytest.raises(InputError, match="cron cannot express"):
        cron(start(every))


def test_the_options_come_back_as_typed() -> None:
    options = WatchOptions(
        targets=["web-*"], inventory="my fleet.toml", from_="", every="1h", repair=True,
        allow=["rearm", "add-dns"], deadline=30, password_env="PW", print_systemd=True,
    )  # fmt: skip
    assert list(words_of(options)) == [
        "--inventory=my fleet.toml", "--deadline=30", "--password-env=PW", "--repair",
        "--allow=rearm", "--allow=add-dns", "--", "web-*",
    ]  # fmt: skip


def test_the_variables_that_the_run_reads_are_named() -> None:
    options = WatchOptions(password_env="PW")
    environ = {
        "VOLACT_PROVIDERS": "/etc/volact/providers", "VOLACT_STORE": "postgresql://db/volact",
        "AWS_PROFILE": "fleet", "AZURE_TENANT_ID": "x", "AWS_EMPTY": "", "HOME": "/root",
    }  # fmt: skip
    assert variables_of(options, environ={}) == ("PW",)
    assert variables_of(options, environ=environ) == ("PW", "VOLACT_PROVIDERS", "VOLACT_STORE")
    listed = WatchOptions(from_="aws:eu-west-1")
    assert variables_of(listed, environ=environ)[-1] == "AWS_PROFILE"
    login = Credential(password_env="OF_A", passphrase_env="OF_ITS_KEY")
    reached = tuple(
        Server(name=text, address=parse_address(text), credential=login)
        for text in ("azure://00000000-0000-0000-0000-000000000000/group/vm", "ssh://a.example")
    )
    named = variables_of(WatchOptions(), reached, environ)
    assert named[:2] == ("OF_A", "OF_ITS_KEY")
    assert named[-1] == "AZURE_TENANT_ID"


def test_secrets_stand_in_no_unit() -> None:
    named = WatchOptions(notify=["env:HOOK"], password_env="PW")
    assert variables_of(named, environ={}) == ("PW", "HOOK")
    with pytest.raises(InputError, match="readable there") as caught:
        variables_of(WatchOptions(notify=["slack://T0Ps3cret"]))
    assert "T0Ps3cret" not in caught.value.line()
