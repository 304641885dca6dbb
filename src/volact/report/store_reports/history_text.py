"""``volact history`` for a person: every examination of a server, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from volact.core.licence_end import licence_end, moment_of
from volact.model.report import LicenseRow, ServerReport
from volact.model.text import count, say
from volact.model.undo import UndoRow
from volact.queries.values import LookRow
from volact.report.store_reports.store_text import StoreText, ago, moment
from volact.report.terminal_safe import plain
from volact.report.words import (
    ERROR_TITLES,
    VERDICTS,
    changes,
    label,
    note_words,
    os_words,
    outcome_words,
    status_words,
    value,
)
from volact.words import tr


def write_history(out: StoreText, server: ServerReport, looks: Sequence[LookRow]) -> None:
    """The server, and each examination with what came and went and what was done."""
    about = [plain(server.address), os_words(server), plain(server.provider or "")]
    out.prose(f"{plain(server.name)}  {' | '.join(word for word in about if word)}", 0, "bold")
    words = count(len(looks), "{n} check; times are UTC", "{n} checks, newest first; times are UTC")
    out.line(tr(words))
    for look in looks:
        out.line()
        _look(out, look)
    out.line()
    cause = looks[0].cause if looks else ""
    if cause and not cause.startswith("error:"):
        out.line(tr(say("next: {step}", step=f"volact explain {plain(cause)}")))
    else:
        out.following("volact status")


def _look(out: StoreText, look: LookRow) -> None:
    verdict = tr(VERDICTS[look.verdict]).upper()
    when = f"{moment(look.at)} ({ago(look.at, out.now)})"
    run = tr(say("{command}, run {id}", command=look.command or "?", id=look.run))
    out.prose(f"{when}  {verdict}  {plain(run)}", 0, look.verdict)
    for line in _lines(out, look):
        out.prose(line, 4, "", hang=2)


def _lines(out: StoreText, look: LookRow) -> Iterator[str]:
    if look.error is not None:
        title = ERROR_TITLES[look.error.kind]
        yield plain(tr(say("{title}: {message}", title=title, message=look.error.message)))
    licence = _licence(look)
    if licence:
        yield licence
    if look.said:
        yield plain(tr(look.said))
    if look.came:
        yield plain(tr(say("new: {what}", what=", ".join(look.came))))
    if look.went:
        yield plain(tr(say("resolved: {what}", what=", ".join(look.went))))
    stays = [id for id in look.stands if id not in look.came]
    if stays:
        yield plain(tr(say("unchanged: {what}", what=", ".join(stays))))
    if look.accepted:
        yield plain(tr(say("accepted: {what}", what=", ".join(look.accepted))))
    if look.refused:
        yield plain(tr(say("not done: {why}", why=", ".join(look.refused))))
    if look.undo is not None:
        yield from _undo(look.undo)
    for step in look.steps:
        yield _step(msgspec.structs.asdict(step))


def _licence(look: LookRow) -> str:
    """The licence as it stood then."""
    if look.status is None:
        return ""
    said = [status_words(look.status)]
    if look.kms_host:
        said.append(plain(tr(say("KMS host {host}", host=look.kms_host))))
    row, then = LicenseRow(status=look.status, expires=look.expires), moment_of(look.at)
    end = licence_end(row, then) if then else None
    if end and end.days is not None:
        left = say("ends {when} ({n} days later)", when=moment(look.expires), n=f"{end.days:.0f}")
        said.append(tr(left))
    return tr(say("licence: {said}", said=", ".join(said)))


def _undo(row: UndoRow) -> Iterator[str]:
    """What of an earlier run was put back, and what was not."""
    back = ", ".join(one.what for one in row.undone)
    words = say("undo of run {id}, restored: {what}", id=row.run, what=back or say("(none)"))
    yield plain(tr(words))
    if row.left:
        yield plain(tr(say("not restored: {what}", what=", ".join(one.what for one in row.left))))


def _step(step: dict[str, object]) -> str:
    """A step: its outcome, before -> after, its code and its remark."""
    said = [outcome_words(step)]
    said += [f"{label(key)} {was} -> {is_}" for key, was, is_ in changes(step)]
    if step["hresult"]:
        said.append(value("hresult", step["hresult"]))
    if step["note"]:
        said.append(note_words(step))
    return plain(f"{step['do']}: {', '.join(said)}")
