"""``volact read-answer``: the usual report, made of answers that were brought by hand."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from volact import __version__
from volact.agent.answer import Answer
from volact.agent.pasted import MAX_BYTES, PastedAnswer, find_answers
from volact.cli.failure import FAILED
from volact.cli.fleet_options import parse_ignored
from volact.cli.options.tools import ReadAnswerOptions
from volact.cli.sinks import NullWriter, Sinks, parse_reports, stdout_writer
from volact.cli.verbs.plan import commands_of, commands_writer, need_commands
from volact.core.console import Dialect
from volact.errors import AnswerError, InputError, unreadable
from volact.fleet.prepare import parse_kms_hosts
from volact.knowledge.load import knowledge_with, load_profile
from volact.model.error_text import error_text
from volact.model.fact import value_of
from volact.model.server import Address, Server
from volact.model.text import say
from volact.pipeline import Job, Outcome, read_one, row_without_result
from volact.report.base import Invocation, Writer
from volact.report.run_counts import ALL_WELL, RunCounts, exit_code
from volact.typed import joined

_STDIN = "-"


def read_answer(options: ReadAnswerOptions) -> int:
    """Report on servers from copied or downloaded answers."""
    need_commands(options.output, options.dialect)
    how = _invocation(options)
    job = _job(options)
    outcomes = _told_apart(_read(options.files or [_STDIN], job))
    counts = RunCounts(outcome.report for outcome in outcomes)
    writer: Writer = NullWriter()
    if options.output != "commands":
        writer = stdout_writer(options.output, how, options.verbose)
    sinks = Sinks(writer, parse_reports(options.report, options.files), how)
    try:
        for outcome in outcomes:
            sinks.add(outcome.report)
        whole = sinks.finish(how.end(counts.summary()))
    finally:
        sinks.discard()
    if options.output == "commands":
        _write_commands(outcomes, options.dialect)
    return exit_code(counts.summary()) or (ALL_WELL if whole else FAILED)


def _invocation(options: ReadAnswerOptions) -> Invocation:
    words = ["volact", "read-answer", *options.files]
    words += ["--mode", options.mode] if options.mode != "check" else []
    words += ["--provider", options.provider] if options.provider else []
    words += [word for host in options.kms_host for word in ("--kms-host", host)]
    words += [word for accepted in options.ignore for word in ("--ignore", accepted)]
    return Invocation(
        volact=__version__,
        command=options.mode,
        run=secrets.token_hex(8),
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        by_hand=joined(words),
    )


def _job(options: ReadAnswerOptions) -> Job:
    if options.provider:
        load_profile(options.provider)
    return Job(
        mode="plan" if options.output == "commands" else options.mode,
        provider=options.provider,
        knowledge=knowledge_with(parse_kms_hosts(options.kms_host, "--kms-host")),
        ignored=parse_ignored(options.ignore),
    )


def _read(files: list[str], job: Job) -> list[Outcome]:
    """The outcome of each answer; one that is in several files counts once."""
    seen: set[bytes] = set()
    outcomes: list[Outcome] = []
    for file in files:
        for one in _answers(file):
            same = msgspec.json.encode(one.result) if isinstance(one.result, Answer) else b""
            if not same or same not in seen:
                seen.add(same)
                outcomes.append(_outcome(file, one, job))
    return outcomes


def _answers(file: str) -> tuple[PastedAnswer, ...]:
    """The answers in a file; ``InputError`` if it holds none or is too large."""
    data = _content(file)
    if len(data) > MAX_BYTES:
        raise InputError(
            say("larger than {most} MB", most=MAX_BYTES >> 20),
            say("split it into several files"),
            where=_shown(file),
        )
    found = find_answers(data)
    if not found:
        raise InputError(
            say("contains no answer of volact"),
            say("an answer begins with VOLACT1: is the beginning of the output there?"),
            where=_shown(file),
        )
    return found


def _content(file: str) -> bytes:
    if file == _STDIN:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(error, file) from error


def _shown(file: str) -> str:
    return "standard input" if file == _STDIN else file


def _outcome(file: str, found: PastedAnswer, job: Job) -> Outcome:
    """The outcome of one answer; its place in the file stands for an address."""
    place = f"{_shown(file)} line {found.line}"
    server = Server(name=place, address=Address(scheme="local"))
    if isinstance(found.result, AnswerError):
        lost = row_without_result(server, found.result.kind, error_text(found.result))
        outcome = Outcome(server=server, report=lost)
    else:
        outcome = read_one(server, found.result, job)
    exam = outcome.examination
    name = (value_of(exam.facts.os.name) if exam is not None else None) or place
    report = msgspec.structs.replace(outcome.report, name=name, address=place)
    return msgspec.structs.replace(outcome, report=report)


def _told_apart(outcomes: list[Outcome]) -> list[Outcome]:
    """Number servers of the same name: images often share a computer's name."""
    taken = {outcome.report.name for outcome in outcomes}
    last: dict[str, int] = {}

    def named(outcome: Outcome) -> Outcome:
        name = outcome.report.name
        if name not in last:
            last[name] = 1
            return outcome
        number = next(n for n in count(last[name] + 1) if f"{name}-{n}" not in taken)
        last[name] = number
        taken.add(f"{name}-{number}")
        report = msgspec.structs.replace(outcome.report, name=f"{name}-{number}")
        return msgspec.structs.replace(outcome, report=report)

    return [named(outcome) for outcome in outcomes]


def _write_commands(outcomes: list[Outcome], dialect: Dialect | None) -> None:
    writer = commands_writer(len(outcomes))
    for outcome in outcomes:
        writer.add(outcome.report, commands_of(outcome, dialect))
