"""The one conftest: fixtures live beside the tests that use them.

mypy takes every ``conftest.py`` for the same module, so there is only this one.
"""

pytest_plugins = ["lab_fixtures", "wine_fixtures"]
