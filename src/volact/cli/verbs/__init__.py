"""One module per verb: its options, its help, and the functions that do its work.

Each module has its Typer application as ``app`` and imports its work at its top:
``volact.cli.registry`` imports it only when the verb runs.
"""
