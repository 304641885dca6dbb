"""One module for each verb: a function that takes the verb's options and returns the exit code.

``volact.cli.registry`` imports a module when its verb runs, so imports stand at the top.
Options and help are in ``volact.cli.options``.
"""
