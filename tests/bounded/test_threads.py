"""Values are decoded by many threads at once: none may see a type that another still works out."""

from __future__ import annotations

import subprocess
import sys

# New types each time, which eight threads decode for the first time at the same moment.
_PROGRAM = """
import sys, threading
from typing import Optional
import msgspec

sys.setswitchinterval(1e-6)
data = b'{"rows":[{"f0":1,"f19":2}]}'
for number in range(60):
    parts = [(f"f{n}", Optional[int], None) for n in range(20)]
    part = msgspec.defstruct("Part", parts)
    more = [(f"g{n}", Optional[dict[str, list[part]]], None) for n in range(20)]
    whole = msgspec.defstruct("Whole", [("rows", tuple[part, ...], ()), *more])
    begin, found = threading.Barrier(8), []

    def decode():
        begin.wait()
        found.append(msgspec.json.decode(data, type=whole).rows[0].f19)

    threads = [threading.Thread(target=decode) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 8, found
"""


def test_threads_that_decode_a_type_for_the_first_time_end_well() -> None:
    """A process of msgspec before 0.23 ended with a segmentation fault here."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
