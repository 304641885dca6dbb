"""Each wrong input is one clear line and exit code 2, and what is there already stays."""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
from pathlib import Path

import pytest
from cli_run import volact
from store_samples import keep, row

from volact.words import LANGUAGES

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
LONG = "x" * 256  # more than a file system takes as a name
GOOD = '[[server]]\nname = "web-01"\naddress = "ssh://203.0.113.1"\n'
FILES: dict[str, str | bytes] = {
    "good.toml": GOOD,
    "winrm.toml": '[[server]]\naddress = "winrm://a"\nwinrm-transport = "basic"\n',
    "home.toml": GOOD + 'password-file = "~no-user/k"\n',
    "empty.toml": "",
    "typo.toml": '[[servers]]\naddress = "ssh://a"\n',
    "single.toml": '[server]\naddress = "ssh://a"\n',
    "noaddress.toml": '[[server]]\nname = "a"\n',
    "clear.toml": '[[server]]\naddress = "ssh://a"\npassword = "x"\n',
    "both.toml": '[[server]]\naddress = "ssh://a"\npassword-env = "A"\npassword-file = "b"\n',
    "expect.toml": GOOD + 'expect = ["no-such-finding"]\n',
    "until.toml": GOOD + 'expect = ["clock-skew until tomorrow"]\n',
    "skip.toml": GOOD + '[skip]\nno-such = "x"\n',
    "utf.toml": b"name = '\xff\xfe'",
    "nul.csv": b"address\nssh://a\x00b\n",
    "header.csv": "name,colour\na,red\n",
    "short.csv": "address\n",
    "wide.csv": "address\nssh://a,b,c\n",
    "empty.ini": "[web]\n",
    "vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
    "list.yml": "- a\n- b\n",
    "password": "S3cret!\n",
    "key": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\nBBBB\n-----END OPENSSH PRIVATE KEY-----\n",
    "page.yml": "<!DOCTYPE html>\n<html><body>\n<p>not found</p>\n",
    "answer.json": '{"a": 1,\n "b": [1, 2]}\n',
    "list": '[\n {"name": "web-01"}\n]\n',
    "answer.txt": "nothing here\n",
    "bundle.json": "{}",
    "old.txt": "kept",
}
# What is typed, and a word that the line has to name.
WRONG: list[tuple[str, str]] = [
    ("chek", "chek"),
    ("check --inventroy x", "--inventroy"),
    ("check", "no server given"),
    ("check web-01", "web-01"),
    ("check -i missing.toml", "missing.toml"),
    ("check -i .", "directory"),
    ("check -i empty.toml", "[[server]]"),
    ("check -i typo.toml", "servers"),
    ("check -i single.toml", "[[server]]"),
    ("check -i noaddress.toml", "address"),
    ("check -i clear.toml", "password"),
    ("check -i both.toml", "password-env"),
    ("check -i expect.toml", "no-such-finding"),
    ("check -i until.toml", "tomorrow"),
    ("check -i skip.toml", "no-such"),
    ("check -i utf.toml", "UTF-8"),
    ("check -i nul.csv", "nul.csv"),
    ("check -i header.csv", "header.csv"),
    ("check -i short.csv", "short.csv"),
    ("check -i wide.csv", "wide.csv"),
    ("check -i empty.ini", "empty.ini"),
    ("check -i vault.yml", "vault"),
    ("check -i list.yml", "list.yml"),
    ("check -i password", "password-file"),
    ("check -i key", "key: is a key or a certificate"),
    ("check -i page.yml", "page.yml: is a page of HTML or XML"),
    ("check -i answer.json", "answer.json: is JSON without groups of hosts"),
    ("check -i list", "list: is JSON without groups of hosts"),
    ("check -i good.toml --key-file missing", "--key-file: missing"),
    ("check -i good.toml --ssh-config missing", "--ssh-config: missing"),
    ("check -i good.toml --password-env NOT_SET_XY", "--password-env: "),
    ("check ssh://a --format csv", "did you mean --output, -o?"),
    ("check ssh://a --yes", "volact activate, volact undo and volact forget"),
    ("worker --database typo/x.db", "volact serve creates it"),
    ("check -i good.toml web-02", "web-02"),
    ("check -i good.toml --limit nothing", "nothing"),
    ("check -i good.toml --exclude web-01", "web-01"),
    ("check -i good.toml --limit ''", "no such server: ''"),
    ("check -i good.toml --limit ,", "no such server: ''"),
    ("check -i good.toml --limit '!'", "no such server: ''"),
    ("check -i good.toml --exclude ''", "no such server: ''"),
    ("activate -i good.toml --yes ''", "no such server: ''"),
    ("check ''", "no such server: ''"),
    ("check ssh://", "ssh://"),
    (f"check {LONG}", "xxx…: File name too long"),
    (f"check ssh://a --known-hosts {LONG}", "xxx…: File name too long"),
    (f"script --provider tencent --to {LONG}", "xxx…: File name too long"),
    ("check ssh://a --key-file '~no-user/k'", "'~no-user/k': whose home is that?"),
    ("check ssh://a --known-hosts '~no-user/k'", "'~no-user/k': whose home is that?"),
    ("check -i home.toml", "'~no-user/k': whose home is that?"),
    ("check --from aws:eu-west-1 --aws-credentials '~no-user/k'", "whose home is that?"),
    (
        "check --from tencent:ap-jakarta --tencent-credentials '~no-user/k'",
        "whose home is that?",
    ),
    (
        f"check --from azure:{SUBSCRIPTION} --azure-credentials '~no-user/k'",
        "whose home is that?",
    ),
    ("check --from alibaba:cn-x --alibaba-credentials '~no-user/k'", "whose home is that?"),
    ("check ftp://a", "ftp"),
    ("check ssh://a:99999", "99999"),
    ("check ssh://a:0", "0"),
    ("check ssh://me:secret@a", "password"),
    ("check ssh://a ssh://b:x", "x"),
    ("check ssh://2001:db8::1", "brackets"),
    ("check tat://x", "tat://x"),
    ("check -i winrm.toml", "winrms://"),
    ("check local", "Windows"),
    ("check ssh://a --provider tencet", "tencent"),
    ("check ssh://a --provider tencent/mars", "mars"),
    ("check ssh://a --kms-host a:b", "a:b"),
    ("check ssh://a --ignore no-such-finding", "no-such-finding"),
    ("check ssh://a --lang fr", "fr"),
    ("check ssh://a --output pdf", "pdf"),
    ("check ssh://a --report pdf=x", "pdf=x"),
    ("check ssh://a --report html=a --report csv=a", "twice"),
    ("check ssh://a --concurrency none", "--concurrency"),
    ("check ssh://a --deadline -1", "--deadline"),
    ("check ssh://a --known-hosts missing", "missing"),
    ("check ssh://a --key-file missing", "missing"),
    ("check ssh://a --password-env NOT_SET_XY", "NOT_SET_XY"),
    ("check ssh://a --from tencent:ap-x", "credentials"),
    ("check --from mars:x", "mars"),
    ("check --via ssh ssh://a", "--from"),
    ("check ssh://a --notify nonsense", "--notify"),
    ("check ssh://a --notify env:NOT_SET_XY", "NOT_SET_XY"),
    ("activate ssh://a", "--yes"),
    ("activate ssh://a --yes --allow everything", "everything"),
    ("activate ssh://a --yes --canary 0", "--canary"),
    ("activate ssh://a --yes --pace much", "much"),
    ("activate ssh://a --yes --max-failures 200%", "200%"),
    ("activate ssh://a --yes --resume nothing", "nothing"),
    ("watch ssh://a --every soon", "soon"),
    ("watch ssh://a --every 1h --allow rearm", "--repair"),
    ("undo nothing --yes", "store"),
    ("history nothing", "nothing"),
    ("diff a b", "a"),
    ("explain 0xC004F07", "0xC004F074"),
    ("explain --class nothing", "nothing"),
    ("explain ''", "''"),
    ("explain --class ''", "''"),
    ("providers ''", "''"),
    ("replay ''", "''"),
    ("read-answer '' --provider tencent", "''"),
    ("check -i good.toml --exclude '*'", "by --exclude '*'"),
    ("check -i good.toml --limit web-01 --exclude web-01", "by --limit web-01 --exclude web-01"),
    ("check -i good.toml --limit '!web-01'", "by --limit '!web-01'"),
    ("script --provider nothing --to new.bat", "nothing"),
    ("script --provider tencent --to old.txt", "--force"),
    ("read-answer answer.txt --provider tencent", "VOLACT1"),
    ("replay bundle.json", "bundle.json"),
    ("inventory export -i good.toml --format xml", "xml"),
    ("endpoints --kms-host a:b", "a:b"),
    ("endpoints --ntp time.example:123", "without a port"),
    ("endpoints --ntp http://time.example", "'http://time.example' is not a host"),
    ("endpoints --ntp ''", "''"),
    ("endpoints --provider generic", "--kms-host"),
    ("prune --older-than yesterday", "yesterday"),
    ("forget nothing --yes", "store"),
    ("worker --database mysql://x", "mysql://x"),
    ("user list --database typo", "volact serve creates it"),
    ("user link admin --database typo", "volact serve creates it"),
    ("user disable admin --database typo", "volact serve creates it"),
    ("audit --database typo", "volact serve creates it"),
    ("check --json", "did you mean -o json?"),
    ("runs --csv", "did you mean -o csv?"),
    ("lab serve --inventory-out good.toml", "is no inventory of a lab"),
    ("lab serve --inventory-out missing/lab.toml", "missing/lab.toml"),
    ("lab serve --ready-file missing/ready", "missing/ready"),
    ("demo --html missing/x.html", "missing/x.html"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.parametrize(("line", "named"), WRONG, ids=[line for line, _ in WRONG])
def test_one_line_and_exit_2(place: Path, line: str, named: str) -> None:
    before = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}
    lines = set()
    for language in LANGUAGES:
        told = [] if "--lang" in line or language == "en" else ["--lang", language]
        done = volact(*shlex.split(line), *told)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert done.stderr.startswith("volact: ")
        assert done.stderr.count("\n") == 1
        assert language != "en" or named in done.stderr
        lines.add(done.stderr)
    assert len(lines) == len(LANGUAGES) or "--lang" in line, "not translated"
    assert {p.name: p.read_bytes() for p in place.iterdir() if p.is_file()} == before
    assert "S3cret" not in "".join(lines)
    assert not (place / "typo").exists()


def test_the_store_that_is_no_store_stays(place: Path) -> None:
    done = volact("status", "--store", str(place / "old.txt"))
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1
    assert (place / "old.txt").read_text() == "kept"


def test_another_program_s_database_is_no_store(place: Path) -> None:
    file = place / "other.db"
    with contextlib.closing(sqlite3.connect(file)) as other, other:
        other.execute("CREATE TABLE servers (name)")
    before = file.read_bytes()
    for line in ("status --store other.db", "user list --database other.db"):
        done = volact(*line.split())
        assert (done.returncode, done.stdout) == (1, "")
        assert "other.db: is not a store of volact" in done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize("verb", ["check", "inventory show"])
def test_an_option_without_its_value_leads_to_the_help_of_its_verb(verb: str) -> None:
    done = volact(*verb.split(), "-i")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"volact: option '-i' requires a value (see: volact {verb} --help)\n"


def test_an_empty_word_names_no_run(place: Path) -> None:
    url = str(place / "volact.db")
    keep(url, "aa11", row("web-01"))
    for verb in (("undo", "", "--yes"), ("diff", "last", ""), ("export", "")):
        done = volact(*verb, "--store", url)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "volact: name a run (see: volact runs)\n"


@pytest.mark.parametrize(
    "words", [("--print-cron", "web.example"), ("--once", "-i", "fleet.toml"), ("-i", "fleet.toml")]
)
def test_no_watch_begins_in_a_folder_that_is_gone(place: Path, words: tuple[str, ...]) -> None:
    gone = place / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    done = volact("watch", *words)
    os.chdir(place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("volact: the current folder does not exist any more (")


def test_a_folder_is_no_store(place: Path) -> None:
    done = volact("status", "--store", ".")
    assert (done.returncode, done.stdout) == (1, "")
    assert "is a directory (give --store a file in that folder)" in done.stderr
