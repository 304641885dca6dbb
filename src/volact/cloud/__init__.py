"""Clouds' own APIs: keys, calls, limits and errors, one folder for each cloud.

What is asked of a cloud, and what follows from the answer, is for
``volact.transports`` (running a script) and ``volact.inventory`` (who the
servers are).
"""
