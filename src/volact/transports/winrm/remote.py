r"""Command lines for a remote cmd shell.  Pure.

The script does not fit into a command line (8,191 characters), and cmd can
neither decode nor copy a console's input into a file.  But ``findstr "^"``
copies every line of its standard input as it is, on every release since 2008,
and the input of a WinRM command is a stream of its own without that limit.  So
one command writes the file and, when it has exactly the size that was sent,
runs it.

No line begins with a quote, so that it means the same whether or not the
service puts quotes around it for ``cmd /c``.
"""

from __future__ import annotations

_FOLDER = "%TEMP%"
_COPY = '%SystemRoot%\\System32\\findstr.exe "^"'
LONGEST_LINE = 8191

# Printed with the size that arrived when it is not the one that was sent.
INCOMPLETE = "VOLACT-INCOMPLETE"


def run_line(name: str, size: int) -> str:
    """Write standard input to a new file, then run the file if all of it came."""
    file = _file(f"{name}.bat")
    say = f"echo {INCOMPLETE} %~zI&exit 9"
    taken = f"(if exist {file} (echo {INCOMPLETE}&exit 9))"
    check = f'for %I in ({file}) do @if "%~zI"=="{size}" (call {file}) else ({say})'
    return f"{taken}&{_COPY} >{file}&{check}"


def tidy_line(name: str) -> str:
    """Remove what bears that name."""
    folders = " ".join(f'"{folder}\\{name}-*"' for folder in (_FOLDER, "%SystemRoot%"))
    files = f"del /q /f {_file(f'{name}*')} >nul 2>nul"
    return f'{files}&for /d %I in ({folders}) do @rmdir /s /q "%I" >nul 2>nul'


def _file(name: str) -> str:
    return f'"{_FOLDER}\\{name}"'
