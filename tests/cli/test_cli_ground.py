"""Odd ground: closed descriptors, no home, a wrong word in the wrong place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_run import volact

from volact.errors import InputError
from volact.store.address import parse_address
from volact.typed import joined, quoted

UNREACHABLE = ("check", "ssh://127.0.0.1:1", "--no-store", "--retries", "0", "--known-hosts", "kh")


def run(
    tmp_path: Path, *words: str, shell: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """The program as a process; ``shell`` is what a shell does with its descriptors."""
    (tmp_path / "kh").touch()
    command = [sys.executable, "-m", "volact", *words]
    if shell:
        command = ["/bin/sh", "-c", f'"$@" {shell}', "sh", *command]
    return subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an empty list of host keys."""
    (tmp_path / "kh").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">&- 2>&-"])
def test_closed_descriptors(tmp_path: Path, closed: str) -> None:
    done = run(tmp_path, *UNREACHABLE, shell=closed)
    assert done.returncode == 4, done
    assert "Traceback" not in done.stderr


def nameless(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As in a container: no ``HOME``, and the account is in no list."""
    (tmp_path / "kh").touch()
    program = (
        "import pwd, sys\n"
        "def missing(_): raise KeyError('no such account')\n"
        "pwd.getpwuid = pwd.getpwnam = missing\n"
        "from volact.cli.entry import main\n"
        f"sys.exit(main({list(words)!r}))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.skipif(os.name != "posix", reason="accounts of POSIX")
def test_an_account_without_name_and_home(tmp_path: Path) -> None:
    done = nameless(tmp_path, *UNREACHABLE)
    assert done.returncode == 4, done
    assert "unexpected" not in done.stderr
    assert "connection refused" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="accounts of POSIX")
def test_units_for_an_account_without_name(tmp_path: Path) -> None:
    """systemd starts nothing for an account that it does not know; a crontab has an owner."""
    words = ("watch", "ssh://127.0.0.1:1", "--print-cron")
    assert nameless(tmp_path, *words).returncode == 0
    done = nameless(tmp_path, *words, "--print-systemd")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("volact: this account has no name")


NUMBER = "9" * 6000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n.toml", f'[[server]]\nname = "a"\naddress = "ssh://h"\nport = {NUMBER}\n'),
        ("n.yml", f"all:\n  hosts:\n    a:\n      ansible_port: {NUMBER}\n"),
        ("n.json", f'{{"all": {{"hosts": {{"a": {{"ansible_port": {NUMBER}}}}}}}}}'),
        ("n.csv", f"name,host,port\na,h,{NUMBER}\n"),
        ("n.ini", f"a ansible_port={NUMBER}\n"),
    ],
)
def test_a_number_with_thousands_of_digits(here: Path, name: str, text: str) -> None:
    (here / name).write_text(text)
    done = volact("inventory", "check", "-i", name)
    assert done.returncode == 2
    assert "unexpected" not in done.stderr
    assert NUMBER[:200] not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.ini", "a ansible_host=10.0.0.1 ansible_port=sekrit\n"),
        ("p.yml", "all:\n  hosts:\n    a:\n      ansible_port: sekrit\n"),
        ("p.csv", "name,host,port\na,10.0.0.1,sekrit\n"),
        ("p.toml", '[[server]]\nname = "a"\naddress = "ssh://h:sekrit"\n'),
    ],
)
def test_what_stands_in_place_of_a_port_is_not_repeated(here: Path, name: str, text: str) -> None:
    (here / name).write_text(text)
    done = volact("inventory", "check", "-i", name)
    assert done.returncode == 2
    assert "port" in done.stdout + done.stderr
    assert "sekrit" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "word",
    [
        *("postgresql:u:sekrit@h/x", "postgres:sekrit", "postgresql:/u:sekrit@h/x"),
        *("postgresql//u:sekrit@h/x", "mysql:u:sekrit@h", "mysql://u:sekrit@h/x"),
        "postgresql+psycopg:u:sekrit@h",
    ],
)
def test_a_wrong_address_of_a_store_is_no_file_and_not_repeated(
    here: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(word)
    assert "sekrit" not in caught.value.line()
    monkeypatch.setenv("VOLACT_STORE", word)
    done = volact("check", "ssh://127.0.0.1:1", "--retries", "0")
    assert "sekrit" not in done.stdout + done.stderr
    assert [path.name for path in here.rglob("*")] == ["kh"]


@pytest.mark.parametrize(
    "word", ["v.db", "./a:b@c", "/x/a:b@c", "C:\\data\\v.db", "a@b.db", "sqlite:v.db"]
)
def test_files_stay_files(word: str) -> None:
    address = parse_address(word)
    assert address is not None
    assert address.file is not None


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="needs bash")
@pytest.mark.parametrize("given", ["-i <(cat f.toml)", "-i /dev/stdin < f.toml"])
@pytest.mark.parametrize("piped", ["", "cat f.toml | "])
def test_an_inventory_and_a_password_from_a_shells_pipes(
    tmp_path: Path, given: str, piped: str
) -> None:
    if piped:
        given = given.removesuffix(" < f.toml")
    lines = '[[server]]\nname = "a"\naddress = "ssh://127.0.0.1:1"\npassword-file = "/dev/fd/3"\n'
    (tmp_path / "f.toml").write_text(lines)
    (tmp_path / "kh").touch()
    line = f'{piped}"$@" {given} 3< <(echo open-sesame)'
    words = ("check", "--no-store", "--retries", "0", "--known-hosts", "kh")
    done = subprocess.run(
        ["/bin/bash", "-c", line, "bash", sys.executable, "-m", "volact", *words],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 4, done
    assert "connection refused" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_an_undo_trusts_no_store_that_every_account_may_edit(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLACT_STORE", "own/v.db")
    check = ("check", "ssh://127.0.0.1:1", "--retries", "0", "--known-hosts", "kh")
    assert volact(*check).returncode == 4
    assert "no such run" in volact("undo", "last", "--dry-run").stderr
    for open_, closed in ((here / "own/v.db", 0o600), (here / "own", 0o700)):
        open_.chmod(0o777)
        done = volact("undo", "last", "--dry-run")
        assert done.returncode == 2
        assert "every account of this computer may change" in " ".join(done.stderr.split())
        open_.chmod(closed)


@pytest.mark.skipif(sys.platform != "linux", reason="core dumps as Linux writes them")
def test_no_core_dump_is_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    words = [sys.executable, "-m", "volact", "check", "-i", "pipe", "--no-store"]
    shell = ["/bin/sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", *words]
    process = subprocess.Popen(shell, cwd=tmp_path)
    with (tmp_path / "pipe").open("wb"):  # it reads its inventory, and waits for it
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        (line,) = (line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert line.split()[4] == "0"
        process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == -signal.SIGSEGV
    assert not os.WCOREDUMP(status)


@pytest.mark.skipif(sys.platform != "linux", reason="processes as Linux shows them")
def test_no_other_process_reads_the_memory(tmp_path: Path) -> None:
    program = (
        "import ctypes\n"
        "from volact.bounded.memory import keep_memory_private\n"
        "keep_memory_private()\n"
        "print(ctypes.CDLL(None).prctl(3))"  # PR_GET_DUMPABLE
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"0\n"


FOREIGN = {
    "c.csv": "name,address,password-command\na,ssh://127.0.0.1:1,touch ran\n",
    "k.csv": "name,address,ssh-config\na,ssh://127.0.0.1:1,settings\n",
    "c.ini": 'a ansible_host=127.0.0.1 ansible_port=1 volact_password_command="touch ran"\n',
    "c.yml": "all:\n  hosts:\n    a:\n      ansible_host: 127.0.0.1\n      ansible_port: 1\n"
    "      volact_password_command: touch ran\n",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_an_inventory_of_another_format_runs_nothing_unasked(here: Path, name: str) -> None:
    (here / name).write_text(FOREIGN[name])
    (here / "settings").write_text('Match exec "touch ran"\n  Port 1\n')
    common = ("-i", name, "--no-store", "--known-hosts", "kh", "--retries", "0")
    done = volact("check", *common)
    assert done.returncode == 2
    assert "--allow-commands" in done.stderr
    assert not (here / "ran").exists()
    assert volact("check", *common, "--allow-commands").returncode == 4
    assert (here / "ran").exists() == (name == "k.csv")  # no login, so no password


def test_a_toml_inventory_is_volacts_own(here: Path) -> None:
    text = '[[server]]\nname = "a"\naddress = "ssh://127.0.0.1:1"\npassword-command = "touch ran"\n'
    (here / "f.toml").write_text(text)
    common = ("-i", "f.toml", "--no-store", "--known-hosts", "kh", "--retries", "0")
    assert volact("check", *common).returncode == 4


def test_words_are_quoted_for_the_shell_of_the_system() -> None:
    words = ("volact", "a b", "it's", 'a"b', "C:\\My Files\\", "web-01")
    assert joined(words, "linux") == """volact 'a b' 'it'"'"'s' 'a"b' 'C:\\My Files\\' web-01"""
    assert joined(words, "win32") == 'volact "a b" "it\'s" "a""b" "C:\\My Files\\\\" web-01'
    assert quoted("C:\\Users\\me\\x.db", "win32") == "C:\\Users\\me\\x.db"
    assert quoted("a&b", "win32") == '"a&b"'
