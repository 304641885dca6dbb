"""The one conftest: fixtures are next to the tests that use them.

mypy takes every ``conftest.py`` for the same module, so there is only this one.
"""

import gc
import os
import signal
import sys

import pytest
from hypothesis import settings

pytest_plugins = [
    "lab_fixtures",
    "reach_fixtures",
    "receiver_fixtures",
    "store_fixtures",
    "wine_fixtures",
]

# The tests read English, in every locale of the machine.
os.environ["LC_ALL"] = "C.UTF-8"

# Nothing that a test does is kept in the store of this machine's user: --store names another.
os.environ["VOLACT_STORE"] = "none"

# Tests start hundreds of Pythons, each of which would compile all of volact anew.  What pip
# has compiled is used as it is, which another place for compiled files would not do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# As volact itself has it: what is imported and collected stays, and is no garbage.
gc.set_threshold(20_000, 10, 10)

# The groups that take longest begin: they mostly wait, beside others that compute.
_FIRST = ("wine-agent", "wine-world", "dist", "browser", "forks")

# A shell that starts the tests in the background has them ignore Ctrl-C, and so
# would every volact that a test starts and interrupts: they would never end.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes shows how busy the machine is; what hangs ends by pytest's own limit.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print how to repeat the order of this run: ``-q`` leaves it out of the head."""
    seed = config.getoption("randomly_seed", None)
    if isinstance(seed, int):
        terminalreporter.write_line(f"the same order again: pytest --randomly-seed={seed}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put first what takes longest; the rest stays as it is."""
    if getattr(config.option, "loadgroup", False):
        items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    mark = item.get_closest_marker("xdist_group")
    return _FIRST.index(mark.args[0]) if mark and mark.args[0] in _FIRST else len(_FIRST)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse a pytest whose names pytest-xdist cannot mark: it would group nothing, unsaid."""
    if getattr(session.config.option, "loadgroup", False):
        marked = [item for item in session.items if item.get_closest_marker("xdist_group")]
        alone = [item.nodeid for item in marked if "@" not in item.nodeid]
        if alone:
            raise pytest.UsageError(f"tests that belong together are not grouped: {alone[0]}")
    # What is there now stays to the end: no collection of garbage has to go through it.
    gc.collect()
    gc.freeze()
