"""The one conftest: fixtures live beside the tests that use them.

mypy takes every ``conftest.py`` for the same module, so there is only this one.
"""

import os

pytest_plugins = ["lab_fixtures", "wine_fixtures"]

# The tests read English, whatever the machine speaks.
os.environ["LC_ALL"] = "C.UTF-8"
