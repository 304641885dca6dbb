"""``volact history`` for a person: every examination of a server, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from volact.core.licence_end import licence_end, moment_of
from volact.model.report import LicenseRow, ServerReport
from volact.model.text import count, listed, say
from volact.model.undo import UndoRow
from volact.queries.values import LookRow
from volact.report.note import applied
from volact.report.store_reports.store_text import StoreText, ago, moment
from volact.report.terminal_safe import plain
from volact.report.words import VERDICTS, error_words, os_words, phrases, status_words
from volact.words import tr


def write_history(out: StoreText, server: ServerReport, looks: Sequence[LookRow]) -> None:
    """The server, and each examination with what came and went and what was done."""
    about = [plain(server.address), os_words(server), plain(server.provider or "")]
    out.prose(f"{plain(server.name)}  {' | '.join(word for word in about if word)}", 0, "bold")
    words = count(len(looks), "{n} check; times are UTC", "{n} checks, newest first; times are UTC")
    out.line(tr(words))
    for row in looks:
        out.line()
        _check(out, row)
    out.line()
    cause = looks[0].cause if looks else ""
    if cause and not cause.startswith("error:"):
        out.line(tr(say("next: {step}", step=f"volact explain {plain(cause)}")))
    else:
        out.following("volact status")


def _check(out: StoreText, row: LookRow) -> None:
    verdict = tr(VERDICTS[row.verdict]).upper()
    when = f"{moment(row.at)} ({ago(row.at, out.now)})"
    run = tr(say("{command}, run {id}", command=row.command or "?", id=row.run))
    out.prose(f"{when}  {verdict}  {plain(run)}", 0, row.verdict)
    for line in _lines(out, row):
        out.prose(line, 4, "", hang=2)


def _lines(out: StoreText, row: LookRow) -> Iterator[str]:
    if row.error is not None:
        yield plain(tr(error_words(row.error)))
    licence = _licence(row)
    if licence:
        yield licence
    if row.said:
        yield plain(tr(row.said))
    if row.came:
        yield plain(tr(say("new: {what}", what=listed(row.came))))
    if row.went:
        yield plain(tr(say("resolved: {what}", what=listed(row.went))))
    stays = [id for id in row.stands if id not in row.came]
    if stays:
        yield plain(tr(say("unchanged: {what}", what=listed(stays))))
    if row.accepted:
        yield plain(tr(say("accepted: {what}", what=listed(row.accepted))))
    if row.refused:
        yield plain(tr(say("not done: {why}", why=listed(row.refused))))
    if row.undo is not None:
        yield from _undo(row.undo)
    for step in row.steps:
        yield applied(msgspec.structs.asdict(step), "->")


def _licence(row: LookRow) -> str:
    """The licence as it stood then."""
    if row.status is None:
        return ""
    said = [status_words(row.status)]
    if row.kms_host:
        said.append(plain(tr(say("KMS host {host}", host=row.kms_host))))
    licence, then = LicenseRow(status=row.status, expires=row.expires), moment_of(row.at)
    end = licence_end(licence, then) if then else None
    if end and end.days is not None:
        left = count(
            round(end.days),
            "ends {when} ({n} day later)",
            "ends {when} ({n} days later)",
            when=moment(row.expires),
        )
        said.append(tr(left))
    return tr(say("licence: {said}", said=phrases(said)))


def _undo(row: UndoRow) -> Iterator[str]:
    """What of an earlier run was put back, and what was not."""
    back = listed(one.what for one in row.undone) if row.undone else say("(none)")
    words = say("undo of run {id}, restored: {what}", id=row.run, what=back)
    yield plain(tr(words))
    if row.left:
        yield plain(tr(say("not restored: {what}", what=listed(one.what for one in row.left))))
