"""``volact script``: a file to run by hand, on the server itself or by a cloud's run-command."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from volact import __version__
from volact.agent.render import render
from volact.agent.request import Request, new_request
from volact.agent.wrap import CLOUDS, Wrapped, wrap
from volact.cli.atomic_file import require_free, write_whole
from volact.cli.console import use_stdout
from volact.cli.fleet_options import output_file
from volact.cli.options.tools import CloudService, ScriptMode, ScriptOptions
from volact.cli.providers import required_profile
from volact.core.standalone import standalone_steps
from volact.fleet.prepare import parse_kms_hosts
from volact.knowledge.load import knowledge_with
from volact.model.profile import Knowledge
from volact.model.text import say
from volact.typed import quoted
from volact.words import tr
from volact.words.choose import known_language

_DEADLINE_S = 120
_BY_HAND_S = 600  # unreachable hosts, services that start and clock changes take time


def script(options: ScriptOptions) -> int:
    """Write a self-contained script to run on a server by hand."""
    service = options.for_
    name = required_profile(options.provider or (CLOUDS[service] if service else "")).name
    knowledge = knowledge_with(parse_kms_hosts(options.kms_host, "--kms-host"))(name)
    mode: ScriptMode = options.mode or ("probe" if service else "standalone")
    request = _request(knowledge, mode)
    data = _rendered(request, service, known_language(options.lang) or "en")
    if service is None:
        usual = f"volact-{request.id}.bat" if mode == "probe" else knowledge.profile.script_name
        _write_all([output_file(options.to or usual, options.former)], [data], force=options.force)
        return 0
    title = f"volact {request.mode} {request.id}"
    wrapped = wrap(service, data, title=title, deadline_s=_DEADLINE_S)
    usual = f"volact-{service}-{request.id}{wrapped.suffix}"
    paths = _numbered(output_file(options.to or usual, options.former), len(wrapped.files))
    _write_all(paths, wrapped.files, force=options.force)
    _tell(wrapped, paths, mode, name)
    return 0


def _numbered(path: Path, count: int) -> list[Path]:
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(1, count + 1)]


def _write_all(paths: Sequence[Path], files: Sequence[bytes], *, force: bool) -> None:
    """Write the files and print their digests as sha256sum does."""
    taken = None if force else say("--force overwrites it")
    if taken is not None:
        for path in paths:  # the second part may be there: then not even the first is written
            require_free(path, taken)
    out = use_stdout("text")
    for path, data in zip(paths, files, strict=True):
        write_whole(path, data, taken=taken)
        out.write(f"{hashlib.sha256(data).hexdigest()}  {path}\n")


def _request(knowledge: Knowledge, mode: ScriptMode) -> Request:
    """The request; its id is a digest of its content, so that the file is reproducible."""
    person = mode == "standalone"
    seed = f"{__version__} {knowledge.profile}" + ("" if person else f" {mode}")
    steps = standalone_steps(knowledge) if person else ()
    return new_request(
        mode, knowledge.profile, steps, id=hashlib.sha256(seed.encode()).hexdigest()[:16]
    )


def _rendered(request: Request, service: CloudService | None, language: str) -> bytes:
    if service is None:
        return render(request, deadline_s=_BY_HAND_S, keep=True, handed=True, language=language)
    return render(request, deadline_s=_DEADLINE_S, keep=service == "gcp", language=language)


def _tell(wrapped: Wrapped, paths: Sequence[Path], mode: ScriptMode, provider: str) -> None:
    """Print on standard error how the files are used."""
    lines = [tr(say("run it:"))]
    for path in paths:
        file = quoted(str(path))
        lines += [f"  {line.replace('{file}', file)}" for line in wrapped.run]
    if wrapped.output:
        lines += [tr(say("copy its output back:")), *(f"  {line}" for line in wrapped.output)]
    if wrapped.note:
        lines.append(f"({tr(wrapped.note)})")
    if mode == "probe":
        text = any("answers.txt" in line for line in wrapped.output)
        saved = "answers.txt" if text else "answers.json"
        lines += [tr(say("read it:")), f"  volact read-answer {saved} --provider {provider}"]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
