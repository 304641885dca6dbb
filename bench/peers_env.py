"""The environment that the peers are installed into, apart from volact's own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
WANTED = HERE / "requirements.txt"
FOLDER = HERE.parent / ".venv-bench"


def ready(*, only_if_there: bool) -> Path | None:
    """Where its programs are; installed first unless it has what is wanted.

    ``None`` when it is not there and is not to be made.
    """
    stamp = FOLDER / ".ready"
    if stamp.exists() and stamp.read_bytes() == WANTED.read_bytes():
        return FOLDER / "bin"
    if only_if_there:
        return None
    print(f"installing the peers into {FOLDER} ...", file=sys.stderr, flush=True)
    stamp.unlink(missing_ok=True)
    venv.create(FOLDER, with_pip=True)
    pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", "-r", str(WANTED)], check=True)
    stamp.write_bytes(WANTED.read_bytes())
    return FOLDER / "bin"
