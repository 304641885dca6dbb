"""Facts in, findings, plan and verdict out: every decision volact makes.

Pure: no I/O, no clock, no randomness; every input is an argument.
``facts`` reads an answer, ``diagnose`` judges it, ``plan`` decides, ``verify``
gives the verdict on the server afterwards.  ``licensing``, ``kms``, ``clock``,
``sddl`` and ``release`` answer the questions that several of these ask.
"""
