"""volact keeps Windows Servers activated against their own cloud's KMS host.

``volact.check`` and the other names of ``__all__`` are those of ``volact.api``, which is
loaded when one of them is used.  Their types stand in ``__init__.pyi``.
"""

__version__ = "0.1.0"

__all__ = [
    "Address",
    "Canary",
    "Control",
    "InputError",
    "Inventory",
    "Options",
    "Policy",
    "Rate",
    "Secret",
    "Server",
    "ServerReport",
    "Share",
    "SshOptions",
    "__version__",
    "activate",
    "check",
    "load_inventory",
    "plan",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - not needed for the version

    return getattr(import_module("volact.api"), name)
