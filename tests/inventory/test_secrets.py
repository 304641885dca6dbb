"""Passwords from every source, and that none of them can be printed."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from pathlib import Path

import keyring
import keyring.backend
import msgspec
import pytest

from volact.errors import InputError
from volact.inventory import Secret, Secrets, fetch_password
from volact.model.server import Credential

MARK = "pass-w0rd-mark"


async def fetched(credential: Credential, **environ: str) -> str | None:
    secret = await fetch_password(credential, environ)
    return None if secret is None else secret.reveal()


async def test_from_the_environment() -> None:
    assert await fetched(Credential(password_env="PW"), PW=MARK) == MARK
    with pytest.raises(InputError, match="the environment variable PW is not set"):
        await fetched(Credential(password_env="PW"), PW="")


async def test_from_a_file_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_bytes(MARK.encode() + b" \r\nsecond\n")
    assert await fetched(Credential(password_file=str(path))) == MARK + " "
    path.write_bytes(b"\n")
    with pytest.raises(InputError, match="holds no password"):
        await fetched(Credential(password_file=str(path)))
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match="UTF-8"):
        await fetched(Credential(password_file=str(path)))
    with pytest.raises(InputError, match="No such file"):
        await fetched(Credential(password_file=str(tmp_path / "none")))


async def test_a_byte_order_mark_is_no_part_of_a_password(tmp_path: Path) -> None:
    """As PowerShell 5.1 writes one before UTF-8, and UTF-16 unless told otherwise."""
    path = tmp_path / "pw"
    path.write_text(f"{MARK}\r\n", "utf-8-sig")
    assert await fetched(Credential(password_file=str(path))) == MARK
    script = f"import sys; sys.stdout.buffer.write('{MARK}'.encode('utf-8-sig'))"
    command = (sys.executable, "-c", script)
    assert await fetched(Credential(password_command=command)) == MARK
    path.write_text(f"{MARK}\r\n", "utf-16")
    with pytest.raises(InputError) as caught:
        await fetched(Credential(password_file=str(path)))
    assert caught.value.hint == "save it as UTF-8"


async def test_from_a_program_without_a_shell() -> None:
    program = (sys.executable, "-c", f"print('{MARK}; $HOME')")
    assert await fetched(Credential(password_command=program)) == f"{MARK}; $HOME"


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ((sys.executable, "-c", "raise SystemExit(3)"), "exit status 3"),
        ((sys.executable, "-c", "pass"), "holds no password"),
        (("/no/such/program",), "No such file"),
    ],
)
async def test_program_that_gives_no_password(program: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        await fetched(Credential(password_command=program))


@pytest.mark.skipif(os.name != "posix", reason="programs and pipes of POSIX")
async def test_a_program_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    """An agent that a password manager starts keeps its standard output."""
    os.mkfifo(tmp_path / "pipe")
    held = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        # The shell opens the pipe, so that the program ends with the test whenever it begins.
        script = f"exec 3<{tmp_path}/pipe; cat <&3 & echo {MARK}; echo second"
        credential = Credential(password_command=("/bin/sh", "-c", script))
        assert await fetched(credential) == MARK
    finally:
        os.close(held)


@pytest.mark.skipif(os.name != "posix", reason="programs and pipes of POSIX")
@pytest.mark.parametrize(
    "script",
    ["exec 3<{}/pipe; cat <&3 & wait", "exec 3<{}/pipe; cat <&3 &", "yes | tr -d '\\n'", "yes"],
)
async def test_a_program_without_an_end_has_its_time(tmp_path: Path, script: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    held = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        credential = Credential(password_command=("/bin/sh", "-c", script.format(tmp_path)))
        with pytest.raises(InputError, match=r"no answer within 0\.5 s"):
            await fetch_password(credential, {}, command_s=0.5)
    finally:
        os.close(held)


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory.  To define it registers it, so the library must prefer none of all."""

    priority = -1

    def get_password(self, service: str, username: str) -> str | None:
        return MARK if (service, username) == ("volact", "admin") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("volact stores nothing")

    def delete_password(self, service: str, username: str) -> None:
        raise AssertionError("volact deletes nothing")


async def test_from_a_keyring() -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())  # type: ignore[no-untyped-call]
    try:
        assert await fetched(Credential(keyring="volact", user="admin")) == MARK
        with pytest.raises(InputError, match="no password for bob under volact"):
            await fetched(Credential(keyring="volact", user="bob"))
    finally:
        keyring.set_keyring(before)


async def test_login_without_a_password() -> None:
    assert await fetched(Credential(key_files=("k",))) is None


class CountingRing(Ring):
    """Says whose password it is; counts the questions."""

    asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        return f"{service} of {username}"


async def test_a_source_is_asked_once_for_all_logins_that_share_it(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = f"open({str(count)!r}, 'a').write('x'); print('{MARK}')"
    secrets = Secrets({})
    one = Credential(user="a", password_command=(sys.executable, "-c", code))
    logins = (
        one,
        msgspec.structs.replace(one, user="b"),
        msgspec.structs.replace(one, key_files=("k",)),
        Credential(passphrase_command=one.password_command).of_keys(),
    )
    found = [await secrets.password(login) for login in logins]
    assert {secret.reveal() for secret in found if secret} == {MARK}
    assert count.read_text() == "x"


async def test_a_keyring_is_asked_once_for_each_user() -> None:
    before, secrets = keyring.get_keyring(), Secrets({})
    ring = CountingRing()  # type: ignore[no-untyped-call]
    keyring.set_keyring(ring)
    try:
        found = [
            await secrets.password(Credential(keyring="v", user=user, key_files=keys))
            for user in ("a", "b")
            for keys in ((), ("k",))
        ]
    finally:
        keyring.set_keyring(before)
    assert [secret.reveal() for secret in found if secret] == [*["v of a"] * 2, *["v of b"] * 2]
    assert ring.asked == 2


async def test_a_shared_source_is_asked_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = f"open({str(count)!r}, 'a').write('x'); print('{MARK}')"
    secrets = Secrets({})
    credential = Credential(password_command=(sys.executable, "-c", code))
    both = await asyncio.gather(*(secrets.password(credential) for _ in range(5)))
    assert {secret.reveal() for secret in both if secret} == {MARK}
    assert count.read_text() == "x"


async def test_giving_up_on_one_server_leaves_the_password_to_the_others(tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    code = (
        f"import os, time; open({str(begun)!r}, 'x').close()\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        f"print('{MARK}')"
    )
    credential = Credential(password_command=(sys.executable, "-c", code))
    secrets = Secrets({})
    first = asyncio.ensure_future(secrets.password(credential))
    while not begun.exists():
        await asyncio.sleep(0.01)
    first.cancel()
    go.touch()
    secret = await secrets.password(credential)
    assert secret is not None
    assert secret.reveal() == MARK


def test_a_secret_cannot_be_printed_or_stored() -> None:
    secret = Secret(MARK)
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", f"{[secret]}"):
        assert MARK not in text
        assert "***" in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode({"password": secret})
