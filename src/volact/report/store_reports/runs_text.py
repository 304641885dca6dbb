"""``volact runs`` for a person: a line a run."""

from __future__ import annotations

from collections.abc import Sequence

from volact.model.report import Verdict, count_of
from volact.model.text import clauses, count, listed, say
from volact.report.store_reports.store_text import (
    StoreText,
    ago,
    cut,
    moment,
    number,
    verdict_columns,
)
from volact.report.terminal_safe import plain
from volact.report.terminal_writer import Cell
from volact.report.words import VERDICTS, duration, titled, verdict_counts
from volact.store.values import RunRow
from volact.words import tr


def write_runs(out: StoreText, runs: Sequence[RunRow], *, more: bool) -> None:
    """The runs, newest first; whether there are older ones."""
    verdicts = verdict_columns(run.summary for run in runs)
    head = (
        tr(say("RUN")),
        tr(say("STARTED (UTC)")),
        "",
        tr(say("COMMAND")),
        tr(say("TOOK")),
        tr(say("servers")),
        *(tr(VERDICTS[word]) for word in verdicts),
        tr(say("changed")),
    )
    rows = [_row(out, run, verdicts) for run in runs]
    if out.fits(head, rows):
        out.table(head, rows, indent=0)
    else:
        for run in runs:
            _two_lines(out, run)
    for run in runs:
        _note(out, run)
    if any(not run.finished for run in runs):
        out.line()
        out.prose(tr(say("An interrupted run was killed, or is still running.")))
    _next(out, runs, more=more)


def run_line(run: RunRow) -> str:
    """One run in a few words, where another table speaks of it."""
    servers = count(run.summary.servers, "{n} server", "{n} servers")
    said = say(
        "{command} of {when}, {servers}",
        command=run.command,
        when=moment(run.started),
        servers=servers,
    )
    return plain(f"{run.id}  {tr(said)}") + ("" if run.finished else f" ({tr(say('interrupted'))})")


def _row(out: StoreText, run: RunRow, verdicts: Sequence[Verdict]) -> tuple[Cell, ...]:
    counts = run.summary
    took = Cell(tr(say("interrupted")), "attention", True)
    if run.finished and run.elapsed_s is not None:
        took = Cell(duration(run.elapsed_s), "", True)
    return (
        Cell(cut(plain(run.id), 36)),
        Cell(moment(run.started)),
        Cell(ago(run.started, out.now), "dim"),
        Cell(cut(plain(run.command), 16)),
        took,
        number(counts.servers),
        *(number(count_of(counts, word), word if word != "healthy" else "") for word in verdicts),
        number(counts.changed),
    )


def _two_lines(out: StoreText, run: RunRow) -> None:
    """A run where the table has no room."""
    counts = run.summary
    took = duration(run.elapsed_s) if run.finished and run.elapsed_s is not None else ""
    about = (moment(run.started), ago(run.started, out.now), plain(run.command))
    out.line("  ".join((plain(run.id), *about, took or tr(say("interrupted")))))
    told = [listed(verdict_counts(counts))] if counts.servers else []
    out.prose(tr(clauses([*told, say("changed {n}", n=counts.changed)])), 4, "dim")


def _note(out: StoreText, run: RunRow) -> None:
    """What is to be said of a run; the command that goes on with it stays whole."""
    what, _, command = run.note.partition("; to continue: ")
    if what:
        out.prose(titled(plain(run.id), plain(tr(what))), 0, "dim")
    if command:
        out.line(f"  {plain(tr(say('to continue: {command}', command=command)))}")


def _next(out: StoreText, runs: Sequence[RunRow], *, more: bool) -> None:
    out.line()
    if more:
        out.prose(tr(say("For older runs give --last a larger number.")), 0, "dim")
    if len(runs) > 1:
        out.following("volact diff last~1 last")
    else:
        out.following("volact status")
