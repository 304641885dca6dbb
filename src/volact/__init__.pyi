from volact.api import *  # noqa: F403

__all__: list[str]
__version__: str
