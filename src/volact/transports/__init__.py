"""Transports to servers: a script in, raw output back, every failure one of a few kinds.

What is sent and what comes back is for ``volact.agent``; who is asked and in
what order for ``volact.pipeline`` and ``volact.fleet``.  Import from the
modules: SSH brings a large library along, and not every command needs it.
"""
