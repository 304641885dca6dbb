"""The parts of the command line that need no server: errors, files, progress."""

from __future__ import annotations

import errno
import io
import itertools
import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
import pytest

from volact.cli.console import table, wants_colour
from volact.cli.failure import details, needs_extra, report_error
from volact.cli.progress import Progress, ProgressBar, ProgressLines, make_progress, shown
from volact.cli.sinks import Sinks, parse_reports
from volact.errors import DataError, InputError, TransportError
from volact.model.report import ErrorRow, RunReport, ServerReport, Summary
from volact.model.text import say
from volact.report.base import Invocation
from volact.report.make import make_writer

HOW = Invocation(volact="0.1.0", command="check", run="r", started="2026-01-31T08:00:00Z")
RUN = RunReport(
    volact="0.1.0",
    command="check",
    run="r",
    started="2026-01-31T08:00:00Z",
    elapsed_s=1.0,
    servers=(),
    summary=Summary(servers=1, healthy=1),
)

NOWHERE = make_writer("json", io.StringIO(), HOW)


def server(name: str = "web-01", verdict: str = "healthy") -> ServerReport:
    return ServerReport(
        name=name,
        address="ssh://10.0.0.1",
        provider="tencent",
        verdict=verdict,  # type: ignore[arg-type]
        error=ErrorRow(kind="auth", message="no") if verdict == "unreachable" else None,
    )


def volact(*args: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "volact", *args],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "NO_COLOR": "1", **more},
        check=False,
    )


def test_version_loads_nothing_heavy() -> None:
    code = (
        "import sys; from volact.cli.entry import main; main(['--version']);"
        "heavy = {'typer', 'rich', 'asyncssh', 'msgspec', 'asyncio', 'jinja2'} & set(sys.modules);"
        "sys.exit(1 if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "volact 0.1.0\n")


def test_help_loads_no_transport_and_no_template_engine() -> None:
    code = (
        "import sys; from volact.cli.entry import main; main(['--help']);"
        "heavy = {'asyncssh', 'asyncio', 'jinja2', 'rich', 'pydantic'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("line", ["check --no-store -o json --retries 0 -i -", "explain 5"])
def test_words_and_defaults_are_not_converted(line: str) -> None:
    """Typer's own conversion would cost each of them the import of pydantic."""
    code = (
        f"import sys; from volact.cli.entry import main; main({line.split()!r});"
        "sys.exit('pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_no_compiler_is_started_for_asyncssh(tmp_path: Path) -> None:
    """ctypes would ask one for libraries that the loader of Linux does not list."""
    started = tmp_path / "started"
    for name in ("gcc", "cc", "ld"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >>{started}\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", "import volact.cli.verbs.check, volact_lab.lab"],
        env={**os.environ, "PATH": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, started.exists()) == (0, False)


def test_nothing_given_shows_the_help() -> None:
    done = volact()
    assert done.returncode == 0
    assert "Commands:" in done.stdout


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["nonsense"], "volact: no such command 'nonsense' (see: volact --help)\n"),
        (
            ["providers", "--outpt", "json"],
            "volact: no such option: --outpt, did you mean --output?"
            " (see: volact providers --help)\n",
        ),
        (
            ["providers", "--output", "xml"],
            "volact: invalid value for '--output' / '-o': 'xml' is not one of 'text', 'json'"
            " (see: volact providers --help)\n",
        ),
        (["replay"], "volact: 'FILE' is missing (see: volact replay --help)\n"),
        (["providers", "tencet"], "volact: unknown provider 'tencet' (did you mean tencent?)\n"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(args: list[str], line: str) -> None:
    done = volact(*args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)


def test_providers_with_sources() -> None:
    assert "tencent" in volact("providers").stdout
    one = volact("providers", "tencent").stdout
    assert "2016: kms1.tencentyun.com:1688, kms.tencentyun.com:1688" in one
    assert "[official] kms: kms.tencentyun.com:1688" in one
    data = json.loads(volact("providers", "tencent", "--output", "json").stdout)
    assert data["name"] == "tencent"
    assert data["sources"]


def test_completion_works_in_bash() -> None:
    done = volact("x", _VOLACT_COMPLETE="complete_bash", COMP_WORDS="volact prov", COMP_CWORD="1")
    assert done.stdout.strip() == "providers"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("bad", "do x", where="f line 2"), 2, "volact: f line 2: bad (do x)\n"),
        (DataError("broken"), 1, "volact: broken\n"),
        (TransportError("auth", "no"), 1, "volact: no\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "r.html"),
            1,
            "volact: r.html: No space left on device (free some disk space, then try again)\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/root/fleet.toml"),
            2,
            "volact: /root/fleet.toml: Permission denied\n",
        ),
        (KeyboardInterrupt(), 130, "volact: interrupted\n"),
        (ExceptionGroup("g", [InputError("in\x1b[2Jner")]), 2, "volact: in\\x1b[2Jner\n"),
    ],
)
def test_errors_become_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_error(error) == code
    assert capsys.readouterr() == ("", line)


def test_the_unexpected_goes_to_a_file_and_not_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    try:
        _fails("hunter2")
    except ValueError as error:
        assert report_error(error) == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "Traceback" not in text
    (file,) = tmp_path.iterdir()
    assert str(file) in text
    kept = file.read_text()
    assert "in _fails" in kept
    assert "hunter2" not in kept
    assert file.stat().st_mode & 0o077 == 0


def _fails(secret: str) -> None:
    try:
        raise KeyError(secret)
    except KeyError as error:
        raise ValueError(f"cannot use {secret}") from error


def test_details_keep_harmless_words_and_the_chain() -> None:
    try:
        try:
            None.missing  # type: ignore[attr-defined] # noqa: B018
        except AttributeError as error:
            raise ExceptionGroup("g", [OSError("secret")]) from error
    except ExceptionGroup as error:
        text = details(error)
    assert "has no attribute 'missing'" in text
    assert "OSError" in text
    assert "secret" not in text


def test_a_reader_that_goes_away_is_no_drama() -> None:
    code = "import sys; from volact.cli.entry import main; sys.exit(main(['providers', 'tencent']))"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=pipe, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("word", ["html", "=x", "html=", "pdf=x", "x"])
def test_report_wants_format_and_file(word: str) -> None:
    with pytest.raises(InputError, match="not FORMAT=FILE"):
        parse_reports([word])


def test_one_file_is_not_written_twice() -> None:
    with pytest.raises(InputError, match="twice"):
        parse_reports(["html=a", "json=a"])


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (["html=a.html,csv=b.csv", "junit=c"], ["html a.html", "csv b.csv", "junit c"]),
        (["html=a,b.html"], ["html a,b.html"]),
        (["html=a,pdf=b"], ["html a,pdf=b"]),
        (["html=a,,csv=b"], ["html a,csv=b"]),
        (["html=a,,b,csv=c"], ["html a,,b", "csv c"]),
    ],
)
def test_several_reports_in_one_option(words: list[str], paths: list[str]) -> None:
    assert [f"{made.format} {made.path}" for made in parse_reports(words)] == paths


def test_report_files_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    page, rows = tmp_path / "r.html", tmp_path / "r.csv"
    rows.write_text("old")
    targets = parse_reports([f"html={page}", f"csv={rows}"])
    sinks = Sinks(make_writer("json", io.StringIO(), HOW), targets, HOW)
    sinks.add(server())
    assert not page.exists()
    assert rows.read_text() == "old"
    sinks.finish(RUN)
    assert "web-01" in page.read_text()
    assert "web-01" in rows.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.html"]


def test_an_interrupted_report_leaves_the_old_file(tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    page.write_text("old")
    sinks = Sinks(NOWHERE, parse_reports([f"html={page}"]), HOW)
    sinks.add(server())
    sinks.discard()
    assert page.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


class Failing:
    """A writer whose one act fails."""

    def __init__(self, error: Exception, at: str) -> None:
        self._error, self._at = error, at

    def add(self, server: ServerReport) -> None:
        if self._at == "add":
            raise self._error

    def finish(self, run: RunReport) -> None:
        if self._at == "finish":
            raise self._error


@pytest.mark.parametrize("at", ["add", "finish"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), ""),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "volact: standard output: No space left on device; "
            "the run continued without this report\n",
        ),
    ],
)
def test_a_writer_that_fails_costs_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], at: str, error: Exception, said: str
) -> None:
    page = tmp_path / "r.html"
    sinks = Sinks(Failing(error, at), parse_reports([f"html={page}"]), HOW)
    sinks.add(server("web-01"))
    sinks.add(server("web-02"))
    assert not sinks.finish(RUN)
    assert "web-02" in page.read_text()
    assert capsys.readouterr().err == said


def test_a_report_file_that_fails_leaves_standard_output_and_the_old_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    page, out = tmp_path / "r.html", io.StringIO()
    page.write_text("old")
    nested: list[object] = []
    for _ in range(2000):
        nested = [nested]
    odd = msgspec.structs.replace(
        server(verdict="failed"),
        results=({"do": "x", "ok": True, "changed": True, "before": {"x": nested}, "after": {}},),
    )
    sinks = Sinks(make_writer("csv", out, HOW), parse_reports([f"html={page}"]), HOW)
    sinks.add(odd)
    sinks.add(server("web-02"))
    assert sinks.finish(RUN) is False
    assert page.read_text() == "old"
    assert "web-02" in out.getvalue()
    said = capsys.readouterr().err
    assert "r.html: not written; the run continued without this report" in said
    assert "unexpected RecursionError" in said
    assert not list(tmp_path.glob(".r.html*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_behind_standard_output_is_one_line(tmp_path: Path, closed_port: int) -> None:
    address = f"ssh://127.0.0.1:{closed_port}"
    rows = tmp_path / "rows.jsonl"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "volact", "check", address, "-o", "jsonl", "--no-progress",
             "--report", f"jsonl={rows}"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=600, check=False,
        )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr == (
        "volact: standard output: No space left on device; the run continued without this report\n"
    )
    assert len(rows.read_text().splitlines()) == 2


def test_a_report_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.html", tmp_path / "no" / "r.html"
    with pytest.raises(InputError, match=r"no/r\.html: No such file"):
        Sinks(NOWHERE, parse_reports([f"html={good}", f"csv={bad}"]), HOW)
    with pytest.raises(InputError, match="is a directory"):
        Sinks(NOWHERE, parse_reports([f"html={tmp_path}"]), HOW)
    assert list(tmp_path.iterdir()) == []


def lines_of_a_run(*, verbose: bool) -> list[str]:
    """Two hundred servers, one a second; every tenth is not healthy."""
    stream, seconds = io.StringIO(), itertools.count()
    lines = ProgressLines(stream, verbose=verbose, clock=lambda: float(next(seconds)))
    with shown(lines, "checking", 200) as progress:
        for number in range(200):
            verdict = "healthy" if number % 10 else "unreachable"
            progress.done(server(f"s{number}\x1b[2J", verdict))
    return stream.getvalue().splitlines()


def test_progress_off_a_terminal_is_a_line_a_minute_with_the_counts() -> None:
    first, *rest = lines_of_a_run(verbose=False)
    assert first == "checking 200 servers"
    assert rest[0] == "[60/200] 54 healthy, 6 unreachable"
    assert len(rest) == 3


def test_progress_off_a_terminal_names_servers_only_with_verbose() -> None:
    lines = lines_of_a_run(verbose=True)
    assert "[1/200] s0\\x1b[2J: unreachable, auth" in lines
    assert sum("unreachable, auth" in line for line in lines) == 20


def test_progress_on_a_terminal_is_a_bar_that_goes_away() -> None:
    stream = io.StringIO()
    with shown(ProgressBar(stream), "checking", 2) as progress:
        progress.done(server())
        progress.done(server("x", "attention"))
    assert isinstance(make_progress(stream, wanted=True, live=True), ProgressBar)
    assert isinstance(make_progress(stream, wanted=True, live=False), ProgressLines)
    assert type(make_progress(stream, wanted=False, live=True)) is Progress


def test_colour_wants_a_terminal_and_no_objection() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert wants_colour(Terminal(), {"TERM": "xterm"})
    assert not wants_colour(Terminal(), {"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert not wants_colour(io.StringIO(), {"TERM": "xterm"})


def test_tables_are_aligned_and_safe() -> None:
    text = table(("A", "B"), [("日本", "x"), ("a\x1b", "y")])
    assert text == "A      B\n日本   x\na\\x1b  y\n"


def test_a_lab_without_its_packages_says_what_to_install() -> None:
    """A plain install has no simulated fleet, and that is no defect."""

    def lab() -> AbstractContextManager[None]:
        return needs_extra("lab", lambda name: say("the lab needs the package {name}", name=name))

    with pytest.raises(InputError, match="h11") as seen, lab():
        raise ModuleNotFoundError("No module named 'h11'", name="h11")
    assert "volact[lab]" in seen.value.hint
    with pytest.raises(ModuleNotFoundError), lab():
        raise ModuleNotFoundError("No module named 'volact_lab.gone'", name="volact_lab.gone")
