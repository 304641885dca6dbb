"""Results to Markdown, and the Markdown into the README between its markers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from results import Results, Row
from visitors import ACTIVATE, BARE, CHECK, FOUR, PYINFRA, PYINFRA_AGENT, PYINFRA_FOUR, RAW, WAITING

_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
# The aims: what, which visitor by which other, and the bound.
_CPU_AIM, _PYINFRA_AIM, _ANSIBLE_AIM = 1.3, 2.0, 10.0
_MEMORY_AIM_KB, _FLAT_AIM = 10.0, 0.15


def markdown(results: Results) -> str:
    """Everything that was measured."""
    parts = [_where(results)]
    for size in sorted({row.servers for row in results.rows}):
        rows = [row for row in results.rows if row.servers == size]
        parts += [f"### {size:,} servers", _compared(rows)]
    if results.grown:
        parts += ["### Growth", _growth(results)]
    parts += ["### Aims", _aims(results)]
    parts += ["### What a visit is made of", _pieces(results)]
    parts += ["### Round trips", _trips(results)]
    if results.slow:
        parts += ["### 100 servers behind a line of 100 ms", _compared(results.slow)]
    return "\n\n".join(parts) + "\n"


def into(path: Path, results: Results) -> None:
    """Put the tables between the markers of a file."""
    text = path.read_text("utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{path} has lost its markers {_BEGIN} {_END}")
    path.write_text(f"{before}{_BEGIN}\n\n{markdown(results)}\n{_END}{after}", "utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _where(results: Results) -> str:
    at = results.machine
    peers = ", ".join(f"{name} {version}" for name, version in results.peers.items())
    return (
        f"Measured {at.date} on {at.cores} cores ({at.processor}), {at.memory_gb:g} GB, "
        f"{at.python}, load before {at.load:g}{'; ' + peers if peers else ''}."
    )


def _compared(rows: Sequence[Row]) -> str:
    named = {row.name: row for row in rows}
    check, bare = named[CHECK], named[BARE]
    return table(
        (
            "",
            "wall s (range)",
            "CPU ms a server",
            "peak MB",
            "wall to check",
            "CPU to bare loop",
            "lab's CPU ms a server",
        ),
        (
            (
                row.name,
                f"{row.wall_s:.2f} ({row.wall_range_s[0]:.2f} to {row.wall_range_s[1]:.2f})",
                f"{row.cpu_ms:.2f}",
                f"{row.memory_kb / 1024:.0f}",
                f"{row.wall_s / check.wall_s:.2f}",
                f"{row.cpu_s / bare.cpu_s:.2f}",
                f"{row.lab_cpu_s / row.servers * 1000:.1f}",
            )
            for row in rows
        ),
    )


def _growth(results: Results) -> str:
    rows = [*results.rows, *results.grown]
    names = dict.fromkeys(row.name for row in results.grown)
    ordered = [row for name in names for row in _newest(row for row in rows if row.name == name)]
    return table(
        (
            "",
            "servers",
            "wall s",
            "wall ms a server",
            "CPU ms a server",
            "peak MB",
            "KB a server more",
        ),
        (
            (
                row.name,
                f"{row.servers:,}",
                f"{row.wall_s:.1f}",
                f"{row.wall_ms:.1f}",
                f"{row.cpu_ms:.2f}",
                f"{row.memory_kb / 1024:.0f}",
                _more(row, ordered),
            )
            for row in ordered
        ),
    )


def _newest(rows: Iterable[Row]) -> list[Row]:
    """One row for each size; one that was measured again rules."""
    by_size = {row.servers: row for row in rows}
    return [by_size[size] for size in sorted(by_size)]


def _more(row: Row, rows: Sequence[Row]) -> str:
    """Memory a server beyond the next smaller fleet."""
    smaller = [r for r in rows if r.name == row.name and r.servers < row.servers]
    if not smaller:
        return ""
    return f"{_per_server_kb(smaller[-1], row):.1f}"


def _per_server_kb(small: Row, large: Row) -> float:
    return (large.memory_kb - small.memory_kb) / (large.servers - small.servers)


def _aims(results: Results) -> str:
    size = max(row.servers for row in results.rows)
    named = {row.name: row for row in results.rows if row.servers == size}
    return table(
        ("", "measured", "aim", "met"),
        [*_cpu_aims(results), *_wall_aims(named), *_growths(results)],
    )


def _cpu_aims(results: Results) -> Iterator[tuple[str, ...]]:
    by_size: dict[int, dict[str, Row]] = {}
    for row in (*results.rows, *results.grown):
        by_size.setdefault(row.servers, {})[row.name] = row
    for size, rows in sorted(by_size.items()):
        for base, words in ((BARE, "the bare loop's"), (WAITING, "that of one that waits, too")):
            if base in rows and CHECK in rows:
                ratio = rows[CHECK].cpu_s / rows[base].cpu_s
                yield _aim(f"CPU of check to {words}, {size:,} servers", ratio, _CPU_AIM)


def _wall_aims(named: Mapping[str, Row]) -> Iterator[tuple[str, ...]]:
    """How many times faster volact is than each peer: the aims, and the same work with them."""
    for ours, theirs, words, bound in (
        (CHECK, PYINFRA, "check, times faster than pyinfra's `exit 0`", _PYINFRA_AIM),
        (CHECK, PYINFRA_AGENT, "check, than pyinfra that runs the agent", _PYINFRA_AIM),
        (CHECK, RAW, "check, times faster than Ansible's `exit 0`", _ANSIBLE_AIM),
        (ACTIVATE, PYINFRA_FOUR, "activate, than pyinfra's four commands", _PYINFRA_AIM),
        (ACTIVATE, FOUR, "activate, than Ansible's four commands", _ANSIBLE_AIM),
    ):
        if ours in named and theirs in named:
            faster = named[theirs].wall_s / named[ours].wall_s
            yield _aim(words, faster, bound, least=True)


def _growths(results: Results) -> Iterator[tuple[str, ...]]:
    checks = _newest(row for row in (*results.rows, *results.grown) if row.name == CHECK)
    if len(checks) < 2:
        return
    small, large = checks[-2:]
    yield _aim("KB of memory for each server more", _per_server_kb(small, large), _MEMORY_AIM_KB)
    sizes = f"from {small.servers:,} to {large.servers:,} servers"
    for words, ratio in (
        ("wall", large.wall_ms / small.wall_ms),
        ("CPU", large.cpu_ms / small.cpu_ms),
    ):
        yield _aim(f"change of {words} time a server {sizes}", abs(ratio - 1), _FLAT_AIM)


def _aim(name: str, found: float, bound: float, *, least: bool = False) -> tuple[str, ...]:
    met = found >= bound if least else found <= bound
    return name, f"{found:.2f}", f"{'at least' if least else 'at most'} {bound:g}", _yes(met)


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"


def _pieces(results: Results) -> str:
    rows = [(piece.name, f"{piece.ms:.2f}") for piece in results.pieces]
    total = sum(piece.ms for piece in results.pieces)
    return table(("", "CPU ms a server"), [*rows, ("together", f"{total:.2f}")])


def _trips(results: Results) -> str:
    bare = next((trips.count for trips in results.trips if trips.name == BARE), 0.0)
    return table(
        ("", "round trips", "to bare loop"),
        (
            (one.name, f"{one.count:.0f}", f"{one.count / bare:.2f}" if bare else "")
            for one in results.trips
        ),
    )
